// Where leaderships go: home by the ring, but never to a node that drains, and not before a new leader has settled.

import { describe, expect, it } from 'vitest';
import { type ShardId, shardId } from '../../src/ports/ids.ts';
import { ManualTime } from '../link/link.test-support.ts';
import { configurationOf } from '../replication/core/configuration.ts';
import { directoryId } from '../replication/core/ids.ts';
import { Ring } from '../ring/ring.ts';
import { member } from '../ring/testing.ts';
import { Mover } from './mover.ts';

const MEMBERS = [0, 1, 2].map((n) => member(n, { seed: n }));
const SHARD_COUNT = 16;
const ring = new Ring({ members: MEMBERS, shardCount: SHARD_COUNT, replicas: 3 });
const voters = configurationOf(MEMBERS.map((each) => directoryId(each.directoryId)));
const [home, here, third] = MEMBERS.map((each) => each.directoryId) as [string, string, string];
/** A shard that the ring wants at `home`. */
const shard = shardId(
  Array.from({ length: SHARD_COUNT }, (_, n) => n).find((n) => ring.leaderOf(shardId(n))?.directoryId === home) ?? -1,
);

/** The mover of the node `here`, which leads that one shard since just now. */
function world() {
  const time = new ManualTime();
  const handed: { shard: ShardId; to: string }[] = [];
  const draining = new Set<string>();
  let term = 5;
  const mover = new Mover({
    ...{ self: here, shardCount: SHARD_COUNT, clock: time, scheduler: time },
    driver: {
      replicaOf: (id) => (id === shard ? { isServing: true, term: term as never, configuration: voters } : undefined),
      change: () => ({ refused: 'no change is expected' }),
      transfer: (id, to) => {
        handed.push({ shard: id, to });
        return 'started';
      },
    },
    ring: () => ring,
    reaches: () => true,
    drains: (id) => draining.has(id),
  });
  return {
    ...{ time, handed, draining, mover },
    elected: () => {
      term += 1;
      mover.wake();
    },
  };
}

describe('a shard that is led elsewhere than the ring wants it', () => {
  it('goes home once its leader has settled, not in the moment it was elected', () => {
    const { time, handed, mover } = world();
    mover.start();
    mover.wake();
    time.advance(1_900);
    expect(handed).toEqual([]);
    time.advance(600);
    expect(handed[0]).toEqual({ shard, to: home });
  });

  it('waits anew when its leader was elected anew', () => {
    const { time, handed, mover, elected } = world();
    mover.start();
    time.advance(1_900);
    elected();
    time.advance(1_900);
    expect(handed).toEqual([]);
  });

  it('stays where it is while its home drains: what a leaving node gives away does not come back', () => {
    const { time, handed, mover, draining } = world();
    draining.add(home);
    mover.start();
    time.advance(20_000);
    expect(handed).toEqual([]);
    expect(mover.rebalance()).toBe(0);
    draining.delete(home);
    time.advance(500);
    expect(handed[0]).toEqual({ shard, to: home });
  });

  it('goes home at once when an operator asks', () => {
    const { handed, mover } = world();
    expect(mover.rebalance()).toBe(1);
    expect(handed).toEqual([{ shard, to: home }]);
  });
});

describe('a leaving node', () => {
  it('gives its shards to the replica the ring likes best, and passes over those that leave as well', () => {
    const { handed, mover, draining } = world();
    mover.evacuate();
    draining.add(home);
    mover.evacuate();
    expect(handed.map(({ to }) => to)).toEqual([home, third]);
  });
});
