// Shares by weight, no starvation, age within a key; the same after a restart; memory that does not grow with the number of keys.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EXACT_KEYS, Fairness, STRIDE } from './fairness.ts';

interface Waiting {
  key: string;
  n: number;
  pass: number;
}

const task = (fairnessKey: string, fairnessWeight = 1, priority = 3) => ({ priority, fairnessKey, fairnessWeight });
const byPass = (a: Waiting, b: Waiting): number => a.pass - b.pass || a.n - b.n;

/** All tasks arrive, then they are handed out in order of pass and age. */
function order(fairness: Fairness, arrivals: readonly { key: string; weight: number }[]): Waiting[] {
  return arrivals.map(({ key, weight }, n) => ({ key, n, pass: fairness.next(task(key, weight)) })).sort(byPass);
}

const many = (key: string, weight: number, count: number) => Array.from({ length: count }, () => ({ key, weight }));
const share = (handed: readonly Waiting[], key: string): number => handed.filter((one) => one.key === key).length;

describe('waiting tasks of several keys', () => {
  it('go in turn, whoever came first with however many', () => {
    const handed = order(new Fairness(), [...many('heavy', 1, 1_000), ...many('light', 1, 3)]);
    expect(handed.slice(0, 6).map(({ key }) => key)).toEqual(['heavy', 'light', 'heavy', 'light', 'heavy', 'light']);
  });

  it('share in proportion to their weights, at every point, within one task of each', () => {
    const weight = fc.constantFrom(0.25, 0.5, 1, 2, 4);
    fc.assert(
      fc.property(fc.array(weight, { minLength: 2, maxLength: 5 }), fc.integer({ min: 1, max: 300 }), (weights, at) => {
        const handed = order(
          new Fairness(),
          weights.flatMap((w, i) => many(`k${i}`, w, 300)),
        ).slice(0, at);
        const total = weights.reduce((sum, w) => sum + w, 0);
        // Where none of them has run out.
        weights.forEach((w, i) => {
          expect(Math.abs(share(handed, `k${i}`) - (at * w) / total)).toBeLessThanOrEqual(weights.length);
        });
      }),
    );
  });

  it('are handed out while others come, each key in its order, none later than its share lets it', () => {
    const step = fc.record({
      key: fc.constantFrom('a', 'b', 'c', 'd'),
      weight: fc.constantFrom(1, 2),
      take: fc.nat(2),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const fairness = new Fairness();
        const waiting: (Waiting & { ahead: number; since: number })[] = [];
        const handed: Waiting[] = [];
        const take = (): void => {
          const next = waiting.sort(byPass).shift();
          if (next === undefined) return;
          fairness.reached(3, next.pass);
          // Of its own key so many were ahead: each lets every other key, at most twice as heavy, go twice and once more.
          expect(handed.length - next.since).toBeLessThanOrEqual((next.ahead + 1) * (1 + 3 * 3));
          const before = handed.filter(({ key }) => key === next.key);
          expect(before.every(({ n }) => n < next.n)).toBe(true);
          handed.push(next);
        };
        for (const [n, { key, weight, take: takes }] of steps.entries()) {
          const ahead = share(waiting, key);
          waiting.push({ key, n, pass: fairness.next(task(key, weight)), ahead, since: handed.length });
          for (let i = 0; i < takes; i += 1) take();
        }
        while (waiting.length > 0) take();
      }),
    );
  });

  it('a key that comes late begins where the others are, not where they began', () => {
    const fairness = new Fairness();
    const first = order(fairness, many('old', 1, 100));
    for (const { pass } of first.slice(0, 50)) fairness.reached(3, pass);
    expect(fairness.next(task('late'))).toBe(first[50]?.pass);
    // Another priority is another queue, so to speak.
    expect(fairness.next(task('late', 1, 1))).toBe(STRIDE);
  });

  it('one that was handed out and waits again goes before all others', () => {
    const fairness = new Fairness();
    const [first, second] = order(fairness, many('a', 1, 5));
    fairness.reached(3, first?.pass ?? 0);
    expect(fairness.again(task('a'))).toBeLessThan(second?.pass ?? 0);
  });

  it('weigh what the queue says, whatever they say themselves; weights have bounds', () => {
    const fairness = new Fairness();
    expect(fairness.next(task('a', 5), 2)).toBe(STRIDE / 2);
    expect(fairness.next(task('b', 1e9))).toBe(1);
    expect(fairness.next(task('c', 1e-9))).toBe(STRIDE * 1_000);
    expect(fairness.next(task('d', -1))).toBe(STRIDE);
  });
});

describe('after a restart', () => {
  it('keys go on where they were: what waits tells all there is to know', () => {
    const arrival = fc.record({ key: fc.constantFrom('a', 'b', 'c', 'd'), weight: fc.constantFrom(0.5, 1, 2) });
    fc.assert(
      fc.property(fc.array(arrival, { minLength: 1, maxLength: 60 }), fc.nat(59), arrival, (arrivals, handed, next) => {
        const before = new Fairness();
        const waiting = order(before, arrivals);
        for (const { pass } of waiting.splice(0, Math.min(handed, arrivals.length - 1))) before.reached(3, pass);
        const after = new Fairness();
        after.reached(3, waiting[0]?.pass ?? 0);
        for (const { key, pass } of waiting) after.seen(3, key, pass);
        const [then, now] = [before, after].map((fairness) => fairness.next(task(next.key, next.weight))) as [
          number,
          number,
        ];
        // A key of which nothing waits begins at the first one that waits, not at the last one handed out: less than one turn apart.
        if (share(waiting, next.key) > 0) expect(now).toBe(then);
        else expect(now - then).toBeLessThanOrEqual(STRIDE / 0.5);
      }),
    );
  });
});

describe('a million keys', () => {
  it('are handed out in bounded memory, each in its order', () => {
    const fairness = new Fairness();
    for (let i = 0; i < 1_000_000; i += 1) fairness.next(task(`key ${i}`));
    for (const i of [0, 5, 999_999]) {
      const passes = [1, 2, 3].map(() => fairness.next(task(`key ${i}`)));
      expect(passes).toEqual([...passes].sort((a, b) => a - b));
      expect(passes[0]).toBeGreaterThan(STRIDE);
      // Keys that share cells wait for each other, no more than so many do.
      expect(passes[0]).toBeLessThan((1_000_000 / EXACT_KEYS) * STRIDE);
    }
  });

  it('that are handed out as they come are as fair as few', () => {
    const fairness = new Fairness();
    for (let i = 0; i < 200_000; i += 1) fairness.reached(3, fairness.next(task(`key ${i}`)));
    const base = fairness.again(task('new'));
    expect(fairness.next(task('new'))).toBe(base + STRIDE);
  });
});
