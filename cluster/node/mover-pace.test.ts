// Leaderships go where the ring wants them, and not to and fro.

import { describe, expect, it } from 'vitest';
import { shardId } from '../../src/ports/ids.ts';
import { ManualTime } from '../link/link.test-support.ts';
import type { Replica } from '../replication/core/replica.ts';
import type { RingMember } from '../ring/member.ts';
import { Ring } from '../ring/ring.ts';
import { Mover } from './mover.ts';

const SHARDS = 8;
const member = (name: string): RingMember => ({ name, directoryId: name, zone: '', weight: 1, drain: 'no', seed: 0 });

/** A node that leads all shards, while the ring wants some of them led by another. */
function leader(): { mover: Mover; time: ManualTime; handed: number[]; wanted: number[]; takeBack(): void } {
  const time = new ManualTime();
  const ring = new Ring({ members: [member('a'), member('b'), member('c')], shardCount: SHARDS, replicas: 3 });
  const led = new Map(Array.from({ length: SHARDS }, (_, n) => [n, 1]));
  const handed: number[] = [];
  const mover = new Mover({
    log: { warn: () => undefined },
    ...{ self: 'a', shardCount: SHARDS, scheduler: time, ring: () => ring, reaches: () => true, drains: () => false },
    driver: {
      replicaOf: (shard) =>
        // Of a replica it asks no more than this.
        ({
          isServing: led.has(shard),
          term: led.get(shard),
          configuration: { voters: ['a', 'b', 'c'], learners: [] },
        }) as unknown as Replica,
      keepsUp: () => true,
      change: () => ({ refused: 'nothing is to be changed' }),
      transfer: (shard) => {
        handed.push(shard);
        led.delete(shard);
        return 'started';
      },
    },
  });
  const wanted = Array.from({ length: SHARDS }, (_, n) => n).filter((n) => ring.leaderOf(shardId(n))?.name !== 'a');
  const takeBack = (): void => {
    for (const shard of handed) led.set(shard, 2);
    handed.length = 0;
    mover.wake();
  };
  return { mover, time, handed, wanted, takeBack };
}

describe('the mover', () => {
  it('hands what the ring wants elsewhere over within two seconds', () => {
    const { mover, time, handed, wanted } = leader();
    mover.start();
    time.advance(2_000);
    expect(handed).toEqual(wanted);
    expect(wanted.length).toBeGreaterThan(2);
  });

  it('keeps what comes back at once for a while: the other may know another plan', () => {
    const { mover, time, handed, takeBack } = leader();
    mover.start();
    time.advance(2_000);
    takeBack();
    time.advance(900);
    expect(handed).toEqual([]);
    time.advance(1_100);
    expect(handed.length).toBeGreaterThan(2);
  });

  it('moves nothing before it is started: the ring may be an old one', () => {
    const { mover, time, handed } = leader();
    mover.wake();
    time.advance(5_000);
    expect(handed).toEqual([]);
  });

  it('asked to rebalance, or to give everything away, does so at once', () => {
    const { mover, wanted } = leader();
    mover.start();
    expect(mover.rebalance()).toBe(wanted.length);
    const { mover: other } = leader();
    other.start();
    other.evacuate();
    expect(other.led()).toEqual([]);
  });
});
