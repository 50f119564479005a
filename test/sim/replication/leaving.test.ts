// Replicas that are no members any more: what they held goes, what they promised stays, and they may come again.

import { describe, expect, it } from 'vitest';
import { directoryId } from '../../../cluster/replication/core/ids.ts';
import { type Key, key, shardId } from '../../../src/ports/ids.ts';
import { SimCluster, type SimNode } from './nodes.ts';

const A = shardId(0);
const B = shardId(1);
const rowsOf = async (node: SimNode, shard: number): Promise<unknown[]> => {
  const prefix = String.fromCharCode(0, shard);
  const range = { from: key(prefix), to: key(`${prefix}\xff`) as Key };
  return [...((await node.store?.range(range)) ?? [])];
};

/** Four nodes, three of them with all shards; the last of the three is no member of A any more, and knows it. */
async function removed(seed: number, waitMs = 5_000): Promise<{ cluster: SimCluster; leader: SimNode; gone: SimNode }> {
  const cluster = new SimCluster(seed, 4, 2);
  await cluster.begin(3);
  const leader = cluster.leaderOf(A) as SimNode; // begun
  const gone = cluster.nodes.slice(0, 3).find((node) => node !== leader && !node.leads.has(B)) as SimNode; // two are left
  for (let i = 0; i < 30; i += 1) {
    for (const shard of [A, B]) cluster.write(shard, `entry ${i}`);
    await cluster.pass(40);
  }
  await cluster.until(() => gone.shards.get(A)?.applied === leader.shards.get(A)?.applied);
  await cluster.pass(600);
  expect(leader.driver?.change(A, { type: 'remove', id: directoryId(gone.directory) })).toHaveProperty('lsn');
  await cluster.until(() => gone.driver?.standing(A) === 'removed');
  // The leader speaks to it for a while, so that it hears.
  await cluster.pass(waitMs);
  return { cluster, leader, gone };
}

async function takenIn(cluster: SimCluster, gone: SimNode): Promise<void> {
  const id = directoryId(gone.directory);
  await cluster.until(() => {
    const driver = cluster.leaderOf(A)?.driver;
    const { voters = [], learners = [] } = driver?.replicaOf(A)?.configuration ?? {};
    if (voters.includes(id)) return true;
    driver?.change(A, { type: learners.includes(id) ? 'promote' : 'addLearner', id });
    return false;
  });
  await cluster.until(() => gone.shards.get(A)?.applied === cluster.leaderOf(A)?.shards.get(A)?.applied);
}

describe('a replica that was removed', () => {
  it('leaves nothing but its promises, and the other shards of its node as they are', async () => {
    const { cluster, gone } = await removed(31);
    const before = gone.store?.replicaPosition(A);
    expect(await rowsOf(gone, A)).not.toEqual([]);
    const others = await rowsOf(gone, B);
    void gone.driver?.drop([A]);
    await cluster.pass(1_000);
    expect(await rowsOf(gone, A)).toEqual([]);
    expect(await rowsOf(gone, B)).toEqual(others);
    expect(gone.driver?.standing(A)).toBeUndefined();
    const after = gone.store?.replicaPosition(A);
    expect(after).toMatchObject({ lastLsn: 0, appliedLsn: 0, rows: 'whole', votedFor: gone.directory });
    expect(after?.votedTerm).toBe((before?.term ?? 0) + 1);
    cluster.write(B, 'goes on');
    await cluster.until(() => cluster.acknowledged.get(B)?.includes('goes on') === true);
    expect(gone.failures).toEqual([]);
  });

  it('comes again as a learner, fed from the beginning, also by the leader that removed it', async () => {
    const { cluster, leader, gone } = await removed(32);
    const { term } = leader.driver?.replicaOf(A) ?? {};
    void gone.driver?.drop([A]);
    await cluster.pass(1_000);
    expect(cluster.leaderOf(A)?.driver?.replicaOf(A)?.term).toBe(term);
    await takenIn(cluster, gone);
    cluster.write(A, 'with it again');
    await cluster.until(() => cluster.acknowledged.get(A)?.includes('with it again') === true);
    expect(cluster.lost()).toEqual([]);
    expect(gone.failures).toEqual([]);
  });

  it('that is taken in while it goes is taken in once it is gone: nothing of what it said as a member is counted', async () => {
    for (let seed = 40; seed < 60; seed += 1) {
      const { cluster, leader, gone } = await removed(seed, 0);
      leader.driver?.change(A, { type: 'addLearner', id: directoryId(gone.directory) });
      await cluster.pass(cluster.kernel.random.between(0, 6));
      // Whatever its node believed a moment ago: here nobody looks again.
      void gone.driver?.drop([A]);
      await takenIn(cluster, gone);
      const lastOf = (node: SimNode | undefined) => node?.driver?.replicaOf(A)?.log.lastLsn;
      await cluster.until(() => lastOf(gone) !== undefined && lastOf(gone) === lastOf(cluster.leaderOf(A)));
      expect(cluster.lost()).toEqual([]);
    }
  }, 60_000);

  it('goes on going after a crash in the middle', async () => {
    for (let seed = 60; seed < 75; seed += 1) {
      const { cluster, gone } = await removed(seed);
      void gone.driver?.drop([A]);
      await cluster.pass(cluster.kernel.random.between(0, 12));
      gone.kill();
      void gone.start();
      await cluster.pass(300);
      const half = gone.driver?.halfDropped ?? [];
      if (half.length > 0) {
        expect(gone.driver?.standing(A)).toBeUndefined();
        void gone.driver?.drop(half);
      } else if (gone.driver?.standing(A) === 'removed') void gone.driver.drop([A]);
      await cluster.pass(500);
      expect([seed, await rowsOf(gone, A), gone.store?.replicaPosition(A).lastLsn]).toEqual([seed, [], 0]);
      await takenIn(cluster, gone);
      expect(cluster.lost()).toEqual([]);
    }
  }, 60_000);

  it('while it was away hears no leader when it is back, and does not stand', async () => {
    const cluster = new SimCluster(33, 4, 2);
    await cluster.begin(3);
    const leader = cluster.leaderOf(A) as SimNode; // begun
    const gone = cluster.nodes.slice(0, 3).find((node) => node !== leader) as SimNode; // two are left
    gone.kill();
    const remove = { type: 'remove', id: directoryId(gone.directory) } as const;
    // Refused until who stays has answered.
    await cluster.until(() => 'lsn' in (leader.driver?.change(A, remove) ?? {}));
    await cluster.pass(6_000);
    void gone.start();
    await cluster.pass(3_000);
    expect(gone.driver?.standing(A)).toBe('unheard');
    expect(leader.driver?.replicaOf(A)?.isServing).toBe(true);
  });
});
