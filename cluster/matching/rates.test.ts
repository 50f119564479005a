// Fairness and rate limits of a queue whose tasks and workers are spread over nodes, one of which dies in the middle.
import { afterEach, describe, expect, it } from 'vitest';
import { NAMESPACE, QUEUE } from '../../src/shard/testing.ts';
import { Cluster, SimWorker } from './matching.test-support.ts';

const RATE = 30;
const TASKS = 240;
let cluster: Cluster;
afterEach(() => cluster.end());

async function open(): Promise<SimWorker[]> {
  cluster = await new Cluster({ seed: 7, backlogWindow: 8 }).open();
  return ['a', 'b', 'c'].map((name) => {
    const worker = new SimWorker(cluster, `default/on ${name}`, { workflow: 50, activity: 50 });
    worker.come(cluster.node(name));
    return worker;
  });
}

describe('the rate limit of a queue', () => {
  it("is the cluster's, whichever nodes its workers are at, and nothing is lost or stuck when one dies", async () => {
    const workers = await open();
    const who = { reason: '', updateIdentity: '', updateTime: 0 };
    const config = { queueRateLimit: { requestsPerSecond: RATE, ...who } };
    for (const { matcher } of cluster.up) {
      matcher.configure([{ namespace: NAMESPACE, taskQueue: QUEUE, kind: 'activity', config }]);
    }
    await cluster.time.advance(6_000);
    const times: number[] = [];
    const activities = (): number => [...cluster.deliveries.keys()].filter((key) => key.startsWith('activity')).length;
    let seen = 0;
    const ids: string[] = [];
    for (let i = 0; i < TASKS; i += 1) {
      ids.push(`w${i}`);
      cluster.start1(`w${i}`, 3, ['', 'x', 'y'][i % 3]);
    }
    for (let ms = 0; ms < 30_000; ms += 50) {
      if (ms === 2_000) {
        cluster.kill('b');
        const dead = workers[1];
        if (dead !== undefined) dead.node = undefined;
      }
      await cluster.time.advance(50);
      for (; seen < activities(); seen += 1) times.push(ms);
    }
    expect([...cluster.ended].sort()).toEqual(ids.sort());
    expect(cluster.doubles).toEqual([]);
    expect(cluster.faults).toEqual([]);
    // In any second: the rate, and the burst of each of three nodes.
    for (const [i, from] of times.entries()) {
      const within = times.slice(i).filter((at) => at < from + 1_000).length;
      expect(within).toBeLessThanOrEqual(RATE + 3 + RATE / 10);
    }
    // And it is used: two nodes have all of it once the home knows.
    expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeLessThan((TASKS / RATE) * 1_000 + 9_000);
  }, 60_000);

  it('is told by any node, with what waits at all of them', async () => {
    cluster = await new Cluster({ seed: 3 }).open();
    for (let i = 0; i < 30; i += 1) cluster.start1(`w${i}`, 1 + (i % 2), 'x');
    await cluster.time.advance(1_000);
    const described = cluster.node('b').matcher.describe(NAMESPACE, QUEUE);
    await cluster.time.advance(1_500);
    const { workflow, silentNodes } = await described;
    expect([workflow.approximateBacklogCount, silentNodes]).toEqual([30, undefined]);
    expect(
      workflow.byPriority.map(({ priority, approximateBacklogCount }) => [priority, approximateBacklogCount]),
    ).toEqual([
      [1, 15],
      [2, 15],
    ]);
    cluster.cut('b', 'c');
    const again = cluster.node('b').matcher.describe(NAMESPACE, QUEUE);
    await cluster.time.advance(2_500);
    expect((await again).silentNodes).toEqual(['c']);
  });
});
