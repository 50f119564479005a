// Time that never falls and never stands still, whatever the wall clock does.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lsn, shardId } from '../ports/ids.ts';
import { Shard } from './shard.ts';
import { CATCHING_UP_RATE, SteadyClock } from './steady-clock.ts';

const START = 1_700_000_000_000;

class Hands {
  at = 0;
  wallOff = 0;
  now(): number {
    return Math.floor(START + this.at + this.wallOff);
  }
  monotonic(): number {
    return this.at;
  }
}

const moves = fc.array(
  fc.record({
    ms: fc.double({ min: 0, max: 100_000, noNaN: true }),
    step: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.integer({ min: -5_000_000, max: 5_000_000 })),
  }),
  { maxLength: 40 },
);

describe('the steady clock', () => {
  it('never falls, is never behind the wall clock, and goes on at least at its slower rate', () => {
    fc.assert(
      fc.property(moves, (script) => {
        const hands = new Hands();
        const clock = new SteadyClock(hands);
        let before = clock.now();
        for (const { ms, step } of script) {
          hands.at += ms;
          hands.wallOff += step;
          const now = clock.now();
          expect(now).toBeGreaterThanOrEqual(hands.now());
          expect(now - before).toBeGreaterThanOrEqual(Math.floor(ms * CATCHING_UP_RATE) - 1);
          // Faster than time goes by only to follow the wall clock.
          if (now > hands.now()) expect(now - before).toBeLessThanOrEqual(ms + 1);
          before = now;
        }
      }),
    );
  });

  it('shows the wall clock again once that has caught up', () => {
    const hands = new Hands();
    const clock = new SteadyClock(hands);
    hands.wallOff -= 60_000;
    expect(clock.now()).toBe(START);
    hands.at += 60_000 / (1 - CATCHING_UP_RATE) + 1;
    expect(clock.now()).toBe(hands.now());
  });
});

describe("a shard's time", () => {
  it('reaches a time when it says so: not a millisecond before, hardly one after', () => {
    const ahead = fc.integer({ min: -10_000, max: 10_000_000 });
    fc.assert(
      fc.property(ahead, fc.nat(100_000), fc.nat(20_000_000), (aheadMs, waitedMs, inMs) => {
        const make = (): Shard => {
          const shard = new Shard(shardId(0), { lastLsn: lsn(0), appliedLsn: lsn(0) });
          shard.observe(START + aheadMs);
          shard.now(START);
          shard.now(START + waitedMs);
          return shard;
        };
        const time = Math.max(START, START + aheadMs) + waitedMs + inMs;
        const due = make().reaches(time);
        expect(make().now(Math.max(due, START + waitedMs))).toBeGreaterThanOrEqual(time);
        if (due - 2 >= START + waitedMs) expect(make().now(due - 2)).toBeLessThan(time);
      }),
    );
  });
});
