// The driver with the real store and real frames: what many shards share, and that nothing acknowledged is lost whatever happens to nodes.

import { describe, expect, it } from 'vitest';
import { directoryId } from '../../../cluster/replication/core/ids.ts';
import { decodeFrame } from '../../../cluster/replication/multi/frame.ts';
import { shardId } from '../../../src/ports/ids.ts';
import { SeededRandom } from '../random.ts';
import { SimCluster } from './nodes.ts';

const A = shardId(0);

async function begun(seed: number, nodes: number, replicas: number, shards = 4): Promise<SimCluster> {
  const cluster = new SimCluster(seed, nodes, shards);
  await cluster.begin(replicas);
  return cluster;
}

describe('the replicated log of a node', () => {
  it('with one voter commits by its own fsync and sends nothing', async () => {
    const cluster = await begun(1, 1, 1);
    const node = cluster.nodes[0];
    for (const text of ['x', 'y']) expect(cluster.write(A, text)).toBe(true);
    await cluster.until(() => cluster.acknowledged.get(A)?.length === 2);
    expect(await fresh(cluster, node?.driver?.confirm(A))).toBe(true);
    expect(cluster.frames).toBe(0);
  });

  it('carries the entries of all shards in one frame to each follower, and makes them durable with one write at each node', async () => {
    const cluster = await begun(2, 3, 3, 32);
    await cluster.pass(1_000);
    const leader = cluster.leaderOf(A);
    const mine = [...(leader?.leads.keys() ?? [])];
    const fsyncs = async (): Promise<number[]> =>
      Promise.all(cluster.nodes.map(async ({ store }) => (await store?.stats())?.fsyncs ?? 0));
    const before = await fsyncs();
    const carried = new Map<string, number>();
    const send = cluster.send.bind(cluster);
    cluster.send = (from, to, frame) => {
      const decoded = decodeFrame(frame, 32);
      const messages = 'frame' in decoded ? decoded.frame.messages : [];
      if (messages.some(({ message }) => message.type === 'append' && message.entries.length > 0))
        carried.set(to, (carried.get(to) ?? 0) + 1);
      send(from, to, frame);
    };
    for (const shard of mine) cluster.write(shard, 'x');
    await cluster.until(() => mine.every((shard) => cluster.acknowledged.get(shard)?.length === 1));
    expect(mine.length).toBeGreaterThan(3);
    // A flush may come in between.
    for (const [i, n] of (await fsyncs()).entries()) expect(n - (before[i] ?? 0)).toBeLessThanOrEqual(2);
    const followers = cluster.nodes.filter((node) => node !== leader).map(({ directory }) => directory);
    expect(Object.fromEntries(carried)).toEqual(Object.fromEntries(followers.map((id) => [id, 1])));
  });

  it('of hundreds of idle shards says a few bytes per node and heartbeat', async () => {
    const cluster = await begun(3, 3, 3, 512);
    await cluster.pass(3_000);
    const [frames, bytes] = [cluster.frames, cluster.bytes];
    await cluster.pass(2_000);
    // Three pairs, two ways, a beat and its answer five times a second, whoever leads how many.
    expect(cluster.frames - frames).toBeLessThan(150);
    expect((cluster.bytes - bytes) / (cluster.frames - frames)).toBeLessThan(60);
  }, 60_000);

  it('serves again after the leader is killed, with all that was acknowledged', async () => {
    const cluster = await begun(4, 3, 3);
    for (let i = 0; i < 20; i += 1) cluster.write(A, `before ${i}`);
    await cluster.until(() => cluster.acknowledged.get(A)?.length === 20);
    const leader = cluster.leaderOf(A);
    leader?.kill();
    const killedAtMs = cluster.kernel.now;
    await cluster.until(() => cluster.leaderOf(A) !== undefined);
    expect(cluster.kernel.now - killedAtMs).toBeLessThan(5_000);
    cluster.write(A, 'after');
    await cluster.until(() => cluster.acknowledged.get(A)?.length === 21);
    expect(cluster.lost()).toEqual([]);
    void leader?.start();
    await cluster.until(() => leader?.shards.get(A)?.applied === cluster.leaderOf(A)?.shards.get(A)?.applied);
  });

  it('gives a newcomer a snapshot and the tail, and then a vote', async () => {
    const cluster = await begun(5, 4, 3);
    for (let i = 0; i < 60; i += 1) {
      cluster.write(A, `entry ${i}`);
      await cluster.pass(40);
    }
    const leader = cluster.leaderOf(A);
    const newcomer = cluster.nodes[3];
    expect(leader?.store?.replicaPosition(A).base.lsn).toBeGreaterThan(10);
    leader?.driver?.change(A, { type: 'addLearner', id: directoryId('d3') });
    await cluster.until(() => newcomer?.shards.get(A)?.applied === leader?.shards.get(A)?.applied);
    expect(cluster.installs).toBe(1);
    const promote = { type: 'promote' as const, id: directoryId('d3') };
    await cluster.until(() => 'lsn' in (leader?.driver?.change(A, promote) ?? {}));
    await cluster.until(
      () => newcomer?.driver?.replicaOf(A)?.configuration.voters.includes(directoryId('d3')) === true,
    );
    // Both have flushed by then.
    await cluster.pass(1_000);
    const rows = (node = leader) => node?.store?.range({ from: rowsFrom, to: rowsTo });
    expect(await rows()).toHaveLength(7);
    expect(await rows(newcomer)).toEqual(await rows());
  });

  it('ends when its disk hangs, and not when that was only slow', async () => {
    const cluster = await begun(8, 3, 3);
    const leader = cluster.leaderOf(A);
    if (leader === undefined) throw new Error('nobody leads');
    const { complete } = leader.disk.faults;
    const held: (() => void)[] = [];
    leader.flush = async () => undefined;
    leader.disk.faults.complete = (done) => held.push(done);
    cluster.write(A, 'slow');
    await cluster.pass(15_000);
    for (const done of held.splice(0)) complete?.(done);
    await cluster.pass(1_000);
    const begunAtMs = cluster.kernel.now;
    cluster.write(A, 'hangs');
    await cluster.pass(15_000);
    // The others commit without it.
    expect([leader.failures, cluster.acknowledged.get(A)]).toEqual([[], ['slow', 'hangs']]);
    await cluster.until(() => leader.failures.length > 0);
    expect(leader.failures).toEqual([new Error('the disk hangs: it has not finished a write for 20 s')]);
    expect(cluster.kernel.now - begunAtMs).toBeGreaterThan(20_000);
    await cluster.until(() => cluster.nodes.some((node) => node !== leader && node.leads.has(A)), 5_000);
  });

  it('hands a shard over within a few round trips, and says so to both', async () => {
    const cluster = await begun(6, 3, 3);
    const leader = cluster.leaderOf(A);
    const heir = cluster.nodes.find((node) => node !== leader);
    const startedAtMs = cluster.kernel.now;
    expect(leader?.driver?.transfer(A, heir?.directory ?? '')).toBe('started');
    await cluster.until(() => heir?.leads.has(A) === true);
    expect(cluster.kernel.now - startedAtMs).toBeLessThan(100);
    expect(leader?.leads.has(A)).toBe(false);
  });

  it('refuses frames that are none, and goes on', async () => {
    const cluster = await begun(7, 3, 3);
    const node = cluster.nodes[0];
    for (const bytes of [Buffer.alloc(0), Buffer.from('garbage'), Buffer.alloc(1_000, 0xff)])
      node?.receive?.('d1', bytes);
    expect(node?.refused).toHaveLength(3);
    cluster.write(A, 'x');
    await cluster.until(() => cluster.acknowledged.get(A)?.length === 1);
  });

  it('loses nothing and applies the same everywhere, whatever is killed, cut, lost, repeated or late', async () => {
    for (let seed = 1; seed <= 8; seed += 1) {
      const cluster = await begun(100 + seed, 3, 3);
      const random = new SeededRandom(`driver ${seed}`);
      for (let step = 0; step < 60; step += 1) {
        const node = random.pick(cluster.nodes);
        if (random.chance(0.15)) {
          if (node.process === undefined) void node.start().catch((error: unknown) => cluster.kernel.fail(error));
          else node.kill();
        }
        if (random.chance(0.1)) cluster.cut.add(`${node.index}>${random.int(0, 2)}`);
        if (random.chance(0.2)) cluster.cut.clear();
        cluster.dropChance = random.chance(0.3) ? random.between(0, 0.3) : 0;
        for (let i = 0; i < 6; i += 1) cluster.write(shardId(random.int(0, 3)), `s${step}.${i}`);
        await cluster.pass(random.between(50, 700));
      }
      cluster.cut.clear();
      cluster.dropChance = 0;
      for (const node of cluster.nodes) if (node.process === undefined) void node.start();
      const shards = [0, 1, 2, 3].map(shardId);
      await cluster.until(() =>
        shards.every((shard) => {
          const applied = cluster.nodes.map((node) => node.shards.get(shard)?.applied);
          return cluster.leaderOf(shard) !== undefined && new Set(applied).size === 1;
        }),
      );
      expect(cluster.lost(), `seed ${seed}`).toEqual([]);
      expect(cluster.nodes.flatMap(({ failures }) => failures)).toEqual([]);
      expect([...cluster.acknowledged.values()].flat().length).toBeGreaterThan(20);
    }
  }, 120_000);
});

const rowsFrom = '\x00\x00' as Parameters<NonNullable<SimCluster['nodes'][0]['store']>['read']>[0];
const rowsTo = '\x00\x01' as typeof rowsFrom;

async function fresh(cluster: SimCluster, answer: Promise<boolean> | undefined): Promise<boolean | undefined> {
  let result: boolean | undefined;
  void answer?.then((value) => {
    result = value;
  });
  await cluster.until(() => result !== undefined);
  return result;
}
