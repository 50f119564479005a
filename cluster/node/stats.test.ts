import { describe, expect, it } from 'vitest';
import { shardId } from '../../src/ports/ids.ts';
import { NO_PLAN } from '../ring/plan.ts';
import { Ring } from '../ring/ring.ts';
import { directoryOf } from './node.test-support.ts';
import { clusterStats } from './stats.ts';

const MEMBERS = ['a', 'b', 'c'].map((name) => ({
  ...{ name, directoryId: directoryOf(name), zone: '', weight: 1, drain: 'no' as const, seed: 0 },
}));

/** Of the shards that have these voters, led here. */
const statsOf = (copies: number, ...voters: string[][]) =>
  clusterStats({
    ...{ self: directoryOf('a'), copies, members: [], plan: NO_PLAN, connected: 2, parked: 0 },
    ...{ coordinatorReady: true, draining: false },
    ring: new Ring({ members: MEMBERS, shardCount: voters.length, replicas: Math.max(1, copies) }),
    keeper: {
      ...{ replicas: voters.length, frames: 0 },
      led: () =>
        voters.map((names, shard) => ({
          ...{ shard: shardId(shard), term: 2, commit: 9, slowest: 7, learners: [] },
          voters: names.map(directoryOf),
        })),
    },
  });

describe('the numbers of a cluster node', () => {
  it('count the voters that the plan wants and a shard has not, however many it has', () => {
    const { led } = statsOf(3, ['a', 'b', 'c'], ['a', 'b'], ['a', 'b', 'the disk that was replaced']);
    expect(led.map(({ missing }) => missing)).toEqual([0, 1, 1]);
    expect(led.map(({ lag }) => lag)).toEqual([2, 2, 2]);
  });

  it('miss none where a database keeps the shards', () => {
    expect(statsOf(0, ['b'], ['c']).led.map(({ missing }) => missing)).toEqual([0, 0]);
  });
});
