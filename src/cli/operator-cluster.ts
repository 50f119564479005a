// `tenuto operator cluster …`: what a server says of itself, as the `temporal` CLI has it. More about a cluster of nodes: `tenuto cluster`.

import type { Command } from 'commander';
import { type Session, withClient } from './connect.ts';
import { CommandError } from './exit-codes.ts';

type Wrap = (command: Command) => Command;

const info = ({ connection }: Session) => connection.request('getServerInfo', {}, { timeoutMs: TIMEOUT_MS });

function refuseRemote(): never {
  throw new CommandError('a server replicates to no remote cluster, so none is registered, and none can be', {
    hint: 'Nodes of one cluster: `tenuto cluster`. A copy elsewhere: `tenuto data backup`.',
  });
}

/** ms */
const TIMEOUT_MS = 10_000;

export function defineOperatorClusterCommands(operator: Command, withConnection: Wrap): void {
  const group = operator
    .command('cluster')
    .description('what a server says of itself')
    .action(() => group.help({ error: true }));
  const define = (name: string, description: string) => withConnection(group.command(name).description(description));

  define('health', 'whether a server answers; else the exit code is 5').action(
    withClient<object>(async (session) => {
      await info(session);
      const { output } = session;
      if (output.format === 'table') output.line('SERVING');
      else output.record({ status: 'SERVING' });
    }),
  );

  define('describe', 'where a server keeps its data, and in how many shards').action(
    withClient<object>(async (session) => {
      const { nodeId, store, shardCount } = await info(session);
      const map = await session.connection.request('describeCluster', {}, { timeoutMs: TIMEOUT_MS });
      // One that stands alone names no nodes.
      session.output.record({ nodeId, store, shardCount, nodes: Math.max(1, map.nodes.length) });
    }),
  );

  define('system', 'which version a server has').action(
    withClient<object>(async (session) => {
      const { version } = await info(session);
      session.output.record({ serverVersion: version });
    }),
  );

  const remote = (name: string) => define(name, 'refused: there are no remote clusters here');
  remote('list').option('--limit <n>', 'as for temporal').action(refuseRemote);
  remote('upsert')
    .option('--frontend-address <address>', 'as for temporal')
    .option('--enable-connection [on]', 'as for temporal')
    .option('--enable-replication [on]', 'as for temporal')
    .action(refuseRemote);
  remote('remove').option('--name <name>', 'as for temporal').action(refuseRemote);
}
