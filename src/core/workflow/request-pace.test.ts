// The pace of what is remembered: bounded over any stretch of time, never stopped, and the same in whatever order its rows are read.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RequestPace } from './request-pace.ts';

const SPAN_MS = 8_000;
const PER_MS = 0.001;

const rows = fc.array(fc.record({ at: fc.nat({ max: 1_200_000 }), cost: fc.integer({ min: 1, max: 400 }) }), {
  maxLength: 80,
});
const paceOf = (of: readonly { at: number; cost: number }[]): RequestPace => {
  const pace = new RequestPace();
  for (const { at, cost } of of) pace.add(at, cost);
  return pace;
};

describe('the level of a pace', () => {
  it('is at least what came beyond the even rate in any stretch until now', () => {
    fc.assert(
      fc.property(rows, fc.nat({ max: 1_200_000 }), (of, since) => {
        const now = 1_200_000;
        const came = of.filter(({ at }) => at >= since).reduce((sum, { cost }) => sum + cost, 0);
        const even = PER_MS * (now - since + SPAN_MS);
        expect(paceOf(of).level(now, PER_MS)).toBeGreaterThanOrEqual(came - even - 1e-9);
      }),
    );
  });

  it('falls at the even rate while nothing comes, and is no higher for rows that have gone', () => {
    fc.assert(
      fc.property(rows, fc.nat({ max: 2_000_000 }), fc.nat(), (of, later, n) => {
        const pace = paceOf(of);
        const before = pace.level(1_200_000, PER_MS);
        const after = pace.level(1_200_000 + later, PER_MS);
        expect(after).toBeCloseTo(Math.max(0, before - PER_MS * later), 6);
        const gone = of[n % Math.max(1, of.length)];
        if (gone !== undefined) pace.add(gone.at, -gone.cost);
        expect(pace.level(1_200_000 + later, PER_MS)).toBeLessThanOrEqual(after);
      }),
    );
  });

  it('is the same in whatever order the rows came, and nothing when all have gone', () => {
    fc.assert(
      fc.property(rows, fc.nat({ max: 1_300_000 }), (of, now) => {
        const pace = paceOf(of);
        const other = paceOf(of.toSorted((a, b) => a.cost - b.cost || a.at - b.at));
        for (const perMs of [PER_MS, 0.0001, 0.1]) expect(other.level(now, perMs)).toBe(pace.level(now, perMs));
        expect(pace.cost).toBe(of.reduce((sum, { cost }) => sum + cost, 0));
        for (const { at, cost } of of) pace.add(at, -cost);
        expect([pace.cost, pace.level(now, PER_MS)]).toEqual([0, 0]);
      }),
    );
  });

  it('takes a clock that was set back for one that stands', () => {
    const pace = paceOf([{ at: 100 * SPAN_MS, cost: 5 }]);
    expect(pace.level(0, PER_MS)).toBe(5);
  });
});
