// When a cluster is healed: what is still missing until everything is in its place, and what must hold once it is.

import type { ShardStatus } from '../../../src/ports/cluster.ts';
import { key, shardId } from '../../../src/ports/ids.ts';
import { ROW, unframe } from '../../../src/store/framing.ts';
import { openMemoryStore } from '../../../src/store/memory/store.ts';
import { fullKey } from '../../../src/store/postgres/long-keys.ts';
import { type ComparedTo, compareRows } from '../end-checks.ts';
import { shardOfRow } from '../flush-watch.ts';
import { Violation } from '../kernel.ts';
import type { SqlServer } from '../sql/server.ts';
import type { Machine } from './machine.ts';
import type { ClusterWorld } from './world.ts';

/** ms within which everything is flushed. */
const FLUSH_MS = 5_000;
const ASK_MS = 4_000;
/**
 * Beats within which a voter that is linked with its leader has applied everything: what was sent while it was away is missed by two that it answers, is
 * sent again, and is known to be committed with the next; one may be lost. A link may take longer to come about.
 */
const REST_BEATS = 5;
const ALL_ROWS = { from: key(''), to: key('\xff\xff\xff'), limit: 100_000 };

/** Undefined: every workflow has ended, every shard is led and replicated as the ring wants it. */
export async function whyUnsettled(world: ClusterWorld): Promise<string | undefined> {
  if (!world.ended) return 'workflows have not ended';
  if (world.truth.flows.hasReservations) return 'a permit is reserved for a start that does not come';
  const down = world.machines.find(({ wanted, node }) => wanted !== (node?.state === 'serving'));
  if (down !== undefined) return `${down.name} is ${down.node?.state ?? 'off'}`;
  const still = world.machines.find(({ node }) => node?.process.isPaused === true);
  if (still !== undefined) return `${still.name} stands still`;
  const wanted = world.machines.filter((machine) => machine.wanted);
  const directories = wanted.map(({ node, directoryId }) => node?.self ?? directoryId).sort();
  for (const { name, node } of wanted) {
    const status = node?.cluster?.control.status();
    const planned = (status?.members ?? []).filter((member) => member.planned).map(({ directoryId }) => directoryId);
    if (planned.sort().join() !== directories.join()) {
      return `${name} has the plan ${planned.join()} instead of ${directories.join()} (${status?.planning})`;
    }
  }
  const [first] = wanted;
  const shards = first === undefined ? undefined : await shardsAsSeenBy(world, first);
  if (shards === undefined) return `${first?.name} does not say who leads what`;
  for (const { shard, leader, voters, learners, desired } of shards) {
    const here = `${voters.join()}+${learners.join()}`;
    if (leader !== desired[0])
      return `shard ${shard} of ${here} is led by ${leader ?? 'nobody'} instead of ${desired[0]}`;
    if (learners.length > 0 || [...voters].sort().join() !== [...desired].sort().join()) {
      return `shard ${shard} is at ${here} instead of ${desired.join()}`;
    }
  }
  return undefined;
}

async function shardsAsSeenBy(world: ClusterWorld, { node }: Machine): Promise<readonly ShardStatus[] | undefined> {
  let found: readonly ShardStatus[] | undefined;
  node?.process.act(() => {
    node.cluster?.control.shards((_error, shards) => {
      found = shards;
    });
  });
  const { kernel } = world;
  await kernel.run(kernel.now + ASK_MS, () => found !== undefined);
  return found;
}

/**
 * Every voter's rows are those of everything committed; otherwise what is not as it must be, if nothing moved meanwhile, or (a string) what is still
 * to come.
 */
export async function whatIsWrong(world: ClusterWorld): Promise<Violation | string | undefined> {
  const { kernel, truth, plan } = world;
  truth.relations.checkEnds();
  truth.flows.checkEnds();
  truth.watches.schedules.checkEnds();
  world.updates.checkEnd();
  const restMs = REST_BEATS * world.heartbeatMs;
  kernel.after(restMs, 'rests', () => undefined);
  await kernel.run(kernel.now + restMs, () => false);
  const wanted = world.machines.filter((machine) => machine.wanted);
  const [first] = wanted;
  const shards = first === undefined ? [] : ((await shardsAsSeenBy(world, first)) ?? []);
  let flushed = 0;
  for (const { node } of wanted) {
    node?.process.act(() => void node.engine?.flush().then(() => (flushed += 1)));
  }
  await kernel.run(kernel.now + FLUSH_MS, () => flushed === wanted.length);
  if (kernel.failure !== undefined) return undefined;
  if (flushed < wanted.length) return new Violation('progress', `${wanted.length - flushed} nodes do not flush`);
  const committed = byShard(truth.rows);
  if (world.database !== undefined) return inDatabase(world.database, world, committed);
  for (const { name, disk, directoryId } of wanted) {
    const store = openMemoryStore({ disk: disk.copy(), directoryId, shardCount: plan.shardCount });
    await store.open();
    const rows = byShard(await store.range(ALL_ROWS));
    for (const { shard, voters } of shards) {
      if (!voters.includes(name)) continue;
      const { appliedLsn } = store.replicaPosition(shardId(shard));
      if (appliedLsn !== truth.lastLsn(shard)) {
        return `${name} has applied shard ${shard} to ${appliedLsn}, committed is ${truth.lastLsn(shard)}`;
      }
      const wrong = difference(rows.get(shard), ofShard(truth, committed.get(shard)), `of ${name}, shard ${shard}`);
      if (wrong !== undefined) return wrong;
    }
    await store.close();
  }
  return undefined;
}

function inDatabase({ tables }: SqlServer, { truth }: ClusterWorld, committed: Rows): Violation | undefined {
  const rows = byShard(
    tables.rows.range('', '\xff\xff\xff', Number.POSITIVE_INFINITY, false).map(([stored, { rest, value }]) => {
      const rowKey = fullKey(Buffer.from(stored, 'latin1'), rest);
      return [rowKey, unframe(ROW + rowKey, value, 'the simulated database')] as const;
    }),
  );
  for (const { shard, appliedLsn } of tables.shards.values()) {
    if (appliedLsn !== truth.lastLsn(shard)) {
      const all = truth.lastLsn(shard);
      return new Violation(
        'progress',
        `shard ${shard} is flushed to ${appliedLsn} in the database, committed is ${all}`,
      );
    }
    const wrong = difference(rows.get(shard), ofShard(truth, committed.get(shard)), `in the database, shard ${shard}`);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

const ofShard = ({ watches }: ComparedTo, rows: ComparedTo['rows'] = NOTHING): ComparedTo => ({ rows, watches });

type Rows = ReadonlyMap<number | undefined, ReadonlyMap<string, Uint8Array>>;

function difference(
  found: ReadonlyMap<string, Uint8Array> = NOTHING,
  wanted: ComparedTo,
  where: string,
): Violation | undefined {
  try {
    compareRows(found, wanted, where);
    return undefined;
  } catch (error) {
    if (error instanceof Violation) return error;
    throw error;
  }
}

const NOTHING: ReadonlyMap<string, Uint8Array> = new Map();

function byShard(rows: Iterable<readonly [string, Uint8Array]>): Map<number | undefined, Map<string, Uint8Array>> {
  const shards = new Map<number | undefined, Map<string, Uint8Array>>();
  for (const [rowKey, value] of rows) {
    const shard = shardOfRow(rowKey);
    const known = shards.get(shard);
    if (known === undefined) shards.set(shard, new Map([[rowKey, value]]));
    else known.set(rowKey, value);
  }
  return shards;
}
