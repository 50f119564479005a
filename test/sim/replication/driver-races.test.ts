// Moments at which the driver is asked for something while something else is half done: each was wrong once.

import { describe, expect, it } from 'vitest';
import { directoryId } from '../../../cluster/replication/core/ids.ts';
import { lsn, shardId, term } from '../../../src/ports/ids.ts';
import { SimCluster, type SimNode } from './nodes.ts';

const A = shardId(0);

async function begun(seed: number, nodes: number, replicas: number): Promise<SimCluster> {
  const cluster = new SimCluster(seed, nodes, 4);
  await cluster.begin(replicas);
  return cluster;
}

/** A replica that serves, though its user has not been told yet. */
const untold = (cluster: SimCluster): SimNode | undefined =>
  cluster.nodes.find((node) => node.driver?.replicaOf(A)?.isServing === true && !node.leads.has(A));

describe('a leader that its user has not heard of', () => {
  it('takes no change: the user would not know of the lsn it took', async () => {
    const cluster = await begun(21, 4, 3);
    cluster.leaderOf(A)?.kill();
    await cluster.until(() => untold(cluster) !== undefined);
    const node = untold(cluster);
    const change = { type: 'addLearner' as const, id: directoryId('d3') };
    expect(node?.driver?.change(A, change)).toEqual({ refused: expect.stringMatching(/not.*told/) });
    await cluster.until(() => node?.leads.has(A) === true);
    expect(node?.driver?.change(A, change)).toHaveProperty('lsn');
  });
});

describe('rows that are to be flushed while a snapshot takes their place', () => {
  it('are dropped: they are older than what the store has by then', async () => {
    const cluster = await begun(23, 3, 3);
    const leader = cluster.leaderOf(A);
    const behind = cluster.nodes.find((node) => node !== leader);
    if (leader === undefined || behind === undefined) throw new Error('nobody leads');
    for (let i = 0; i < 5; i += 1) cluster.write(A, `before ${i}`);
    await cluster.until(() => behind.shards.get(A)?.applied === leader.shards.get(A)?.applied);
    // It flushes when the test says so.
    behind.flush = async () => undefined;
    for (const { index } of cluster.nodes) cluster.cut.add(`${index}>${behind.index}`);
    // More than a follower keeps of its log: once it leads, who is behind gets a snapshot.
    for (let i = 0; i < 40; i += 1) {
      cluster.write(A, `without it ${i} `.padEnd(50_000, '.'));
      await cluster.pass(40);
    }
    leader.driver?.transfer(A, cluster.nodes.find((node) => node !== leader && node !== behind)?.directory ?? '');
    await cluster.until(() => cluster.leaderOf(A) !== leader && cluster.leaderOf(A) !== undefined);
    const applied = behind.shards.get(A)?.applied ?? 0;
    let asked = 0;
    let ended = 0;
    const watch = (): boolean => {
      // At every moment of the installation.
      if (behind.store?.replicaPosition(A).rows !== 'whole' || behind.shards.get(A)?.applied === applied) {
        asked += 1;
        const at = { shard: A, term: term(0), appliedLsn: lsn(applied), rows: [] };
        void behind.driver?.flush([at]).then(
          () => (ended += 1),
          (error: unknown) => behind.failures.push(error),
        );
      }
      return cluster.installs > 0;
    };
    cluster.cut.clear();
    await cluster.until(watch);
    await cluster.pass(500);
    expect(behind.failures).toEqual([]);
    expect(asked).toBeGreaterThan(0);
    expect(ended).toBe(asked);
  });
});

describe('a read that comes between the beat of its shard and the flush that carries it', () => {
  it('has a round of its own, at once, and takes no answer from the others', async () => {
    const cluster = await begun(27, 3, 3);
    const [node] = cluster.nodes;
    for (let n = 0; n < 4; n += 1) {
      const leader = cluster.leaderOf(shardId(n));
      if (leader === node || node === undefined) continue;
      leader?.driver?.transfer(shardId(n), node.directory);
      await cluster.until(() => node.leads.has(shardId(n)));
    }
    await cluster.pass(1_000);
    // The last to be drained, as it would be that gave its name to what all others had begun.
    const D = shardId(3);
    const driver = node?.driver;
    const replica = driver?.replicaOf(D);
    if (driver === undefined || replica === undefined) throw new Error('no replica');
    replica.holdsLease = () => false;
    const tick = replica.tick.bind(replica);
    const waits: number[] = [];
    let slot = 0;
    replica.tick = (now) => {
      tick(now);
      tick(now);
      // Once with each heartbeat.
      if (Math.floor(now.nowMs / 200) === slot) return;
      slot = Math.floor(now.nowMs / 200);
      void driver.confirm(D).then((fresh) => waits.push(fresh ? cluster.kernel.now - now.nowMs : Number.NaN));
    };
    const endMs = cluster.kernel.now + 5_000;
    let lapsed = 0;
    await cluster.until(() => {
      for (const n of [0, 1, 2]) if (driver.replicaOf(shardId(n))?.holdsLease(cluster.kernel.now) !== true) lapsed += 1;
      return cluster.kernel.now >= endMs;
    });
    expect(lapsed).toBe(0);
    expect(waits.length).toBeGreaterThan(20);
    // Two ways of at most 2 ms.
    expect(Math.max(...waits)).toBeLessThan(10);
  });
});

describe('a log whose core keeps more than the store', () => {
  it('is never trimmed back, though a new member lacks what is gone', async () => {
    const cluster = await begun(25, 4, 3);
    const leader = cluster.leaderOf(A);
    if (leader === undefined) throw new Error('nobody leads');
    leader.flush = async () => undefined;
    for (let i = 0; i < 5; i += 1) cluster.write(A, `entry ${i}`);
    await cluster.until(() => (leader.shards.get(A)?.applied ?? 0) >= 6);
    await cluster.pass(500);
    const replica = leader.driver?.replicaOf(A);
    if (replica === undefined) throw new Error('the leader has no replica');
    // As when what it holds was not reported durable yet.
    replica.trimmed = () => undefined;
    const failures: unknown[] = [];
    const flush = (): Promise<void> => {
      const appliedLsn = lsn(leader.shards.get(A)?.applied ?? 0);
      leader.driver
        ?.flush([{ shard: A, term: term(0), appliedLsn, rows: [] }])
        .catch((error: unknown) => failures.push(error));
      return cluster.pass(500);
    };
    await flush();
    const base = leader.store?.replicaPosition(A).base.lsn ?? 0;
    expect(base).toBeGreaterThan(0);
    expect(leader.driver?.change(A, { type: 'addLearner', id: directoryId('d3') })).toHaveProperty('lsn');
    await flush();
    expect(leader.store?.replicaPosition(A).base.lsn).toBe(base);
    expect(failures).toEqual([]);
    expect(leader.failures).toEqual([]);
  });
});

describe('a leader whose disk is behind those of its followers', () => {
  it('trims no further than it knows to be written, so that it can go on as a follower', async () => {
    const cluster = await begun(25, 3, 3);
    const leader = cluster.leaderOf(A);
    const heir = cluster.nodes.find((node) => node !== leader);
    if (leader === undefined || heir === undefined) throw new Error('nobody leads');
    const { flush } = leader;
    leader.flush = async () => undefined;
    await cluster.pass(1_000);
    const { complete } = leader.disk.faults;
    const waiting: (() => void)[] = [];
    leader.disk.faults.complete = (done) => waiting.push(done);
    // The first is on its way to the disk, the second waits for it and shares its write with the flush.
    cluster.write(A, 'on its way');
    await cluster.pass(1);
    cluster.write(A, 'behind it');
    await cluster.until(() => leader.shards.get(A)?.applied === leader.driver?.replicaOf(A)?.log.lastLsn);
    const failed = (error: unknown): void => void leader.failures.push(error);
    flush.call(leader).catch(failed);
    await Promise.resolve();
    if (complete !== undefined) leader.disk.faults.complete = complete;
    for (const done of waiting.splice(0)) done();
    await cluster.pass(1_000);
    leader.driver?.transfer(A, heir.directory);
    await cluster.until(() => cluster.leaderOf(A) === heir);
    cluster.write(A, 'of another leader');
    await cluster.pass(1_000);
    flush.call(leader).catch(failed);
    await cluster.pass(500);
    expect(leader.failures).toEqual([]);
  });
});

describe('a shard that is made here while its leader elsewhere speaks already', () => {
  it('is one replica, which has heard nothing yet', async () => {
    const cluster = new SimCluster(24, 3, 1);
    for (const node of cluster.nodes) void node.start();
    await cluster.pass(5);
    const voters = cluster.nodes.map(({ directory }) => directory);
    const late = cluster.nodes[2];
    for (const node of cluster.nodes.slice(0, 2)) void node.driver?.createShard(A, voters);
    // Its fsync takes as long as it takes for a leader's first words to come.
    const { driver } = late ?? {};
    let heard: ((from: string, frame: Uint8Array) => void) | undefined;
    const frames: [string, Uint8Array][] = [];
    if (late !== undefined) {
      heard = late.receive;
      late.receive = (from, frame) => frames.push([from, frame]);
    }
    await cluster.until(() => cluster.leaderOf(A) !== undefined);
    await cluster.pass(1_000);
    const making = driver?.createShard(A, voters);
    for (const [from, frame] of frames) heard?.(from, frame);
    const before = driver?.replicaOf(A);
    let made = false;
    void making?.then(() => {
      made = true;
    });
    await cluster.until(() => made);
    expect(before === undefined || before === driver?.replicaOf(A)).toBe(true);
    if (late !== undefined) late.receive = heard;
    cluster.write(A, 'x');
    await cluster.until(() => late?.shards.get(A)?.applied === cluster.leaderOf(A)?.shards.get(A)?.applied);
    expect(cluster.nodes.flatMap(({ failures }) => failures)).toEqual([]);
  });
});
