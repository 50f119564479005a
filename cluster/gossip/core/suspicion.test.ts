import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LAN } from './config.ts';
import { Suspicion, suspicionBounds, suspicionTimeoutMs } from './suspicion.ts';

const config = { ...LAN, suspicionMult: 4, suspicionMaxMult: 6, suspicionConfirmations: 3, probeIntervalMs: 1_000 };

describe('the bounds of a suspicion', () => {
  it.each([
    { alive: 1, minMs: 4_000, wanted: 0 },
    { alive: 2, minMs: 4_000, wanted: 0 },
    { alive: 3, minMs: 4_000, wanted: 1 },
    { alive: 5, minMs: 4_000, wanted: 3 },
    { alive: 10, minMs: 4_000, wanted: 3 },
    { alive: 100, minMs: 8_000, wanted: 3 },
    { alive: 1_000, minMs: 12_000, wanted: 3 },
  ])('with $alive members: at least $minMs ms, $wanted confirmations wanted', ({ alive, minMs, wanted }) => {
    expect(suspicionBounds(config, alive)).toEqual({
      minMs: expect.closeTo(minMs),
      maxMs: expect.closeTo(6 * minMs),
      wanted,
    });
  });
});

describe('a suspicion', () => {
  it.each([
    [0, 30_000],
    [1, 16_000],
    [2, 7_810],
    [3, 2_000],
    [4, 2_000],
  ])('with %i of 3 confirmations lasts %i ms (the values of the Lifeguard paper)', (confirmed, ms) => {
    expect(Math.abs(suspicionTimeoutMs({ minMs: 2_000, maxMs: 30_000, wanted: 3 }, confirmed) - ms)).toBeLessThan(10);
  });

  it('takes the least time when nobody could confirm', () => {
    expect(new Suspicion('a', { minMs: 5, maxMs: 50, wanted: 0 }, 100).dueAtMs).toBe(105);
  });

  it('counts an accuser once, and the first one not at all', () => {
    const suspicion = new Suspicion('a', { minMs: 5, maxMs: 50, wanted: 2 }, 0);
    expect(['a', 'b', 'b', 'c', 'd'].map((accuser) => suspicion.confirm(accuser))).toEqual([
      false,
      true,
      false,
      true,
      false,
    ]);
    expect(suspicion.dueAtMs).toBe(5);
  });

  it('ends earlier with each confirmation, within its bounds', () => {
    fc.assert(
      fc.property(
        fc.nat(10),
        fc.integer({ min: 1, max: 1_000 }),
        fc.integer({ min: 1, max: 20 }),
        (wanted, minMs, mult) => {
          const suspicion = new Suspicion('first', { minMs, maxMs: minMs * mult, wanted }, 0);
          let last = minMs * mult;
          for (let accuser = 0; accuser < 12; accuser += 1) {
            expect(suspicion.dueAtMs).toBeLessThanOrEqual(last + 1e-6);
            expect(suspicion.dueAtMs).toBeGreaterThanOrEqual(minMs);
            last = suspicion.dueAtMs;
            suspicion.confirm(String(accuser));
          }
          expect(last).toBe(minMs);
        },
      ),
    );
  });
});
