// `tenuto cluster …`: what operators see of a cluster and do to it, through any of its nodes. Tables are for people, JSON for programs.

import type { Command } from 'commander';
import { type ClientFlags, type Session, withClient } from '../connect.ts';
import { CommandError } from '../exit-codes.ts';
import { type DrainFlags, drain } from './drain.ts';
import { allShards, isMisplaced, placeOf } from './shards.ts';
import { memberRow, membersSummary, shardRow } from './tables.ts';
import { whyNoPlan } from './waiting-plan.ts';
import { type WatchFlags, watching } from './watch.ts';

type Wrap = (command: Command) => Command;

const examples = (...lines: string[]): string => `\nExamples:\n${lines.map((line) => `  $ ${line}`).join('\n')}\n`;

const WATCH = ['--watch [every]', 'show it again and again, e.g. every 5s (default 2s), until Ctrl-C'] as const;

export function defineClusterCommands(cluster: Command, withConnection: Wrap): void {
  const define = (name: string, description: string) => withConnection(cluster.command(name).description(description));
  cluster.addHelpText(
    'after',
    '\nAny node can be asked. Where it listens beyond its machine, it wants the token of an operator: --token, one of cluster.adminTokens.\n',
  );

  define('members', 'the nodes of the cluster, as the asked one has heard of them')
    .option(...WATCH)
    .addHelpText(
      'after',
      examples('tenuto cluster members', 'tenuto cluster members --address node-2.internal:7280 --watch 5s'),
    )
    .action(withClient<WatchFlags>((session, flags) => watching(session, flags, () => members(session))));

  define('shards', 'who leads and who holds each shard')
    .option('--node <name>', 'only those this node leads or holds')
    .option('--misplaced', 'only those that are not (yet) where the plan wants them, or that nobody leads')
    .option(...WATCH)
    .addHelpText('after', examples('tenuto cluster shards --misplaced', 'tenuto cluster shards --node node-2 -o jsonl'))
    .action(
      withClient<ShardsFlags & WatchFlags>((session, flags) => watching(session, flags, () => shards(session, flags))),
    );

  define('health', 'what is wrong and what to do; exit code 0 when nothing is, 1 when something is')
    .option(...WATCH)
    .addHelpText('after', examples('tenuto cluster health', 'until tenuto cluster health; do sleep 5; done'))
    .action(withClient<WatchFlags>((session, flags) => watching(session, flags, () => health(session, flags))));

  define('drain', 'make a node lead nothing, or hold nothing either, and wait until it does')
    .argument('<node>', 'name of the node, as in `tenuto cluster members`')
    .option('--everything', 'move its replicas away too: before it is removed for good')
    .option('--undo', 'take a drain back')
    .option('--no-wait', 'do not wait until it is done')
    .option('--timeout <duration>', 'wait so long; the drain goes on after it (default: 10m)')
    .addHelpText(
      'after',
      examples(
        'tenuto cluster drain node-2                # before it is restarted; a node that gets SIGTERM does so by itself',
        'tenuto cluster drain node-2 --everything   # before it is removed',
        'tenuto cluster drain node-2 --undo',
      ),
    )
    .action(ofNode<DrainFlags>(drain));

  define('rebalance', 'let leaders go where the plan wants them now, not when it is convenient')
    .addHelpText('after', examples('tenuto cluster rebalance'))
    .action(
      withClient<object>(async ({ connection, output }) => {
        const { transfers } = await connection.request('rebalanceCluster', {});
        if (output.format !== 'table') output.record({ transfers });
        else if (transfers === 0) output.line('every leader is where the plan wants it, or cannot go there yet');
        else output.line(`asked ${transfers} leader${transfers === 1 ? '' : 's'} to hand over`);
      }),
    );

  define('replace', 'make the replicas of a node that is gone for good elsewhere, without waiting for it')
    .argument('<node>', 'name of the node, as in `tenuto cluster members`')
    .addHelpText('after', examples('tenuto cluster replace node-3', 'tenuto cluster shards --node node-3 --watch'))
    .action(
      ofNode<object>(async ({ connection, output }, node) => {
        await connection.request('replaceNode', { node });
        if (output.format !== 'table') output.record({ node, replaced: true });
        else {
          const status = await connection.request('clusterStatus', {});
          const noPlan = whyNoPlan(status);
          output.line(`${node} is being replaced`);
          if (noPlan !== undefined) output.line(noPlan);
          // In a database nothing was there.
          if (status.store === 'directories')
            output.line(`\`tenuto cluster shards --node ${node}\` lists what is still to be made elsewhere.`);
        }
      }),
    );
}

/** As `withClient`, for a command whose argument is a node. */
function ofNode<F extends object>(work: (session: Session, node: string, flags: F & ClientFlags) => Promise<void>) {
  return (node: string, flags: F & ClientFlags, command: Command): Promise<void> =>
    withClient<F>((session, given) => work(session, node, given))(flags, command);
}

async function members({ connection, output }: Session): Promise<void> {
  const status = await connection.request('clusterStatus', {});
  if (output.format !== 'table') return output.record({ ...status });
  output.record(membersSummary(status));
  output.line('');
  output.table(status.members.map((member) => memberRow(member, status, output.colors)));
}

interface ShardsFlags {
  node?: string;
  misplaced?: true;
}

async function shards({ connection, output }: Session, { node, misplaced }: ShardsFlags): Promise<void> {
  const [all, { store }] = [await allShards(connection), await connection.request('clusterStatus', {})];
  const shown = all
    .filter((shard) => node === undefined || placeOf(shard, node) !== 'none')
    .filter((shard) => !misplaced || isMisplaced(shard));
  if (output.format !== 'table') return await output.list(shown.map((shard) => ({ ...shard })));
  output.table(shown.map((shard) => shardRow(shard, store, output.colors)));
  output.line(`${shown.length} of ${all.length} shards`);
}

async function health({ connection, output }: Session, { watch }: WatchFlags): Promise<void> {
  const { problems } = await connection.request('clusterHealth', {});
  if (output.format !== 'table') output.record({ healthy: problems.length === 0, problems });
  else if (problems.length === 0) output.line(output.colors.green('healthy'));
  for (const { severity, subject, what, hint } of problems) {
    const { red, yellow } = output.colors;
    output.say(`${(severity === 'error' ? red : yellow)(severity)} ${subject}: ${what}\n  ${hint}`);
  }
  // Who watches wants to see it get better.
  if (problems.length === 0 || watch !== undefined) return;
  throw new CommandError(`the cluster has ${problems.length} problem${problems.length === 1 ? '' : 's'}`);
}
