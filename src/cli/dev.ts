// `tenuto dev`: what one works with while writing workflows. A server in memory, unless one is named, and a worker that goes on with new code the moment
// it is saved; what could not go on with it is named.

import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import type { DevEvent } from 'tenuto/worker';
import type { RunningNode } from '../node.ts';
import { announce } from './announce.ts';
import { devGrpc } from './dev-grpc.ts';
import { UsageError } from './exit-codes.ts';
import { type ConnectionFlags, resolveTarget } from './profile.ts';
import { attributesOf, registerAttributes } from './search-attributes.ts';
import { wholeNumber } from './whole-number.ts';

interface DevFlags extends ConnectionFlags {
  workflows: string[];
  activities?: string;
  taskQueue: string;
  port: string;
  dataDir?: string;
  grpcPort?: string;
  searchAttribute?: string[];
}

const EXAMPLES = `
Examples:
  $ tenuto dev --workflows src/workflows.ts --activities src/activities.ts --task-queue orders
  $ tenuto dev --workflows src/workflows.ts --task-queue orders --address 127.0.0.1:7280
`;

const collect = (value: string, previous: string[] = []): string[] => [...previous, value];

export function defineDev(group: Command, withConnection: (command: Command) => Command): void {
  withConnection(group)
    .requiredOption('--workflows <file>', 'module that exports the workflows; repeat for several', collect)
    .option('--activities <file>', 'module that exports the activities')
    .requiredOption('-t, --task-queue <name>', 'task queue to work on')
    .option('-p, --port <port>', 'of the server it starts when no --address names one', '7280')
    .option('--data-dir <directory>', 'keep the data of that server there (default: in memory)')
    .option('--grpc-port <port>', 'of that server for gRPC; "off" has none (default: 7233)')
    .option(
      '--search-attribute <name=type>',
      'search attribute to register with that server, e.g. City=Keyword; repeat for several',
      collect,
    )
    .addHelpText('after', EXAMPLES)
    .action(dev);
}

async function dev(flags: DevFlags): Promise<void> {
  const { workflows, activities, taskQueue } = flags;
  for (const file of [...workflows, ...(activities === undefined ? [] : [activities])]) {
    if (!existsSync(file)) throw new UsageError(`there is no ${file}`);
  }
  if (flags.address !== undefined && flags.searchAttribute !== undefined)
    throw new UsageError(
      '--search-attribute is for the server it starts: with --address, `tenuto operator search-attribute create` does it',
    );
  const server = flags.address === undefined ? await startServer(flags) : undefined;
  try {
    const target = await resolveTarget(server === undefined ? flags : { ...flags, address: server.address ?? '' });
    // As its users have it, not as part of this command: threads and the library of workflows are files of their own.
    const { DevWorker, NativeConnection } = await import('tenuto/worker');
    const connection = await NativeConnection.connect({
      address: target.address,
      ...(target.token === undefined ? {} : { apiKey: target.token }),
      ...(target.tlsCa === undefined ? {} : { tls: { serverRootCACertificate: target.tlsCa } }),
    });
    try {
      const { namespace } = target;
      const options = { connection, namespace, taskQueue, workflowsPath: workflows, activitiesPath: activities };
      const worker = await DevWorker.create({ ...options, onEvent: (event) => say(linesOf(event)) });
      say([`Worker on task queue ${taskQueue}: save a file, and what begins from then on runs it. Ctrl-C ends it.`]);
      await worker.run();
    } finally {
      await connection.close();
    }
  } finally {
    await server?.close();
  }
  // A build or a load that was under way has nobody any more.
  process.exit(0);
}

async function startServer(flags: DevFlags): Promise<RunningNode> {
  const { dataDir } = flags;
  const port = wholeNumber('--port', flags.port, 0, 65_535);
  const { namespace } = await resolveTarget(flags);
  const attributes = attributesOf(flags.searchAttribute ?? []);
  const [{ startNode }, { completeConfig }, { createLogger }] = await Promise.all([
    import('../node.ts'),
    import('../config/config.ts'),
    import('../observe/logger.ts'),
  ]);
  const config = completeConfig({
    ...{ dataDirectory: dataDir, listen: { port }, logLevel: 'warn', shutdownGraceMs: 2_000 },
    namespaces: [...new Set(['default', namespace])].map((name) => ({ name })),
    grpc: devGrpc(flags.grpcPort, port),
  });
  const node = await startNode(config, { log: createLogger('warn') });
  if (Object.keys(attributes).length > 0) await registerAttributes(node.address ?? '', [namespace], attributes);
  announce(
    node,
    dataDir === undefined ? 'data in memory' : `data in ${dataDir}`,
    (line) => process.stdout.write(line),
    config.grpc,
  );
  return node;
}

function linesOf(event: DevEvent): string[] {
  switch (event.type) {
    case 'loaded':
      return [`${event.what} loaded in ${Math.round(event.ms)} ms`];
    case 'checked': {
      const { moved, kept } = event;
      const went = `${moved} execution${moved === 1 ? '' : 's'} under way ${moved === 1 ? 'goes' : 'go'} on with it`;
      if (kept.length === 0) return [went];
      return [
        `${went}; ${kept.length} would break, and ${kept.length === 1 ? 'keeps' : 'keep'} the code of before:`,
        ...kept.map(({ workflowId, runId, why }) => `  ${workflowId} (run ${runId}): ${why}`),
      ];
    }
    case 'failed':
      return [`${event.what} not loaded, the code of before goes on: ${event.message}`];
  }
}

function say(lines: readonly string[]): void {
  const time = new Date().toTimeString().slice(0, 8);
  for (const [n, line] of lines.entries()) process.stdout.write(`${n === 0 ? `${time} ` : ''}${line}\n`);
}
