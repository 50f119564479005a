import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Awareness } from './awareness.ts';

describe('awareness', () => {
  it.each([
    { deltas: [], score: 0, scaled: 100 },
    { deltas: [1], score: 1, scaled: 200 },
    { deltas: [2, -1], score: 1, scaled: 200 },
    { deltas: [-5], score: 0, scaled: 100 },
    { deltas: [100], score: 7, scaled: 800 },
    { deltas: [100, -1], score: 6, scaled: 700 },
  ])('after $deltas the score is $score and 100 ms become $scaled', ({ deltas, score, scaled }) => {
    const awareness = new Awareness(8);
    for (const delta of deltas) awareness.apply(delta);
    expect(awareness.score).toBe(score);
    expect(awareness.scale(100)).toBe(scaled);
  });

  it('stays within its bounds whatever happens', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.array(fc.integer({ min: -9, max: 9 })), (max, deltas) => {
        const awareness = new Awareness(max);
        for (const delta of deltas) {
          awareness.apply(delta);
          expect(awareness.score).toBeGreaterThanOrEqual(0);
          expect(awareness.score).toBeLessThan(max);
        }
      }),
    );
  });
});
