import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReplayGuard } from './replay-guard.ts';

describe('the replay guard', () => {
  it('accepts each number once, in any order within its memory', () => {
    const guard = new ReplayGuard();
    expect([5, 3, 9, 3, 5, 4, 9].map((n) => guard.accept(n))).toEqual([true, true, true, false, false, true, false]);
  });

  it('takes what is older than its memory for a replay', () => {
    const guard = new ReplayGuard();
    for (let n = 1_000; n < 1_100; n += 1) guard.accept(n);
    expect(guard.accept(999)).toBe(false);
    expect(guard.accept(5_000)).toBe(true);
  });

  it('never accepts a number twice', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(200), { maxLength: 500 }), (numbers) => {
        const guard = new ReplayGuard();
        const accepted = numbers.filter((n) => guard.accept(n));
        expect(new Set(accepted).size).toBe(accepted.length);
      }),
    );
  });
});
