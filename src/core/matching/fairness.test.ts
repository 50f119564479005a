// Shares by weight, no starvation, and age within a key.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Fairness } from './fairness.ts';

interface Waiting {
  key: string;
  n: number;
  pass: number;
}

/** All tasks arrive, then they are handed out in order of pass and age. */
function order(fairness: Fairness, arrivals: readonly { key: string; weight: number }[]): Waiting[] {
  const waiting = arrivals.map(({ key, weight }, n) => ({
    key,
    n,
    pass: fairness.next({ priority: 3, fairnessKey: key, fairnessWeight: weight }),
  }));
  return waiting.sort((a, b) => a.pass - b.pass || a.n - b.n);
}

const many = (key: string, weight: number, count: number) => Array.from({ length: count }, () => ({ key, weight }));

describe('waiting tasks of several keys', () => {
  it('go in turn, whoever came first with however many', () => {
    const handed = order(new Fairness(), [...many('heavy', 1, 1_000), ...many('light', 1, 3)]);
    expect(handed.slice(0, 6).map(({ key }) => key)).toEqual(['heavy', 'light', 'heavy', 'light', 'heavy', 'light']);
  });

  it('share in proportion to their weights', () => {
    const handed = order(new Fairness(), [...many('a', 3, 400), ...many('b', 1, 400), ...many('c', 0.5, 400)]);
    const counts = new Map<string, number>();
    for (const { key } of handed.slice(0, 450)) counts.set(key, (counts.get(key) ?? 0) + 1);
    expect(counts.get('a')).toBeCloseTo(300, -1);
    expect(counts.get('b')).toBeCloseTo(100, -1);
    expect(counts.get('c')).toBeCloseTo(50, -1);
  });

  it('keep their age within a key, and none waits longer than its share', () => {
    const arrival = fc.record({ key: fc.constantFrom('a', 'b', 'c'), weight: fc.constantFrom(1, 1, 2) });
    fc.assert(
      fc.property(fc.array(arrival, { maxLength: 80 }), (arrivals) => {
        const handed = order(new Fairness(), arrivals);
        for (const key of ['a', 'b', 'c']) {
          const own = handed.filter((task) => task.key === key).map(({ n }) => n);
          expect(own).toEqual([...own].sort((a, b) => a - b));
          // Of three keys of weight 1 or 2 each gets at least one turn in about five.
          handed.forEach((task, at) => {
            if (task.key === key) expect(at).toBeLessThanOrEqual(5 * (own.indexOf(task.n) + 1));
          });
        }
      }),
    );
  });

  it('a key that comes late begins where the others are, not where they began', () => {
    const fairness = new Fairness();
    const first = order(fairness, many('old', 1, 100));
    for (const { pass } of first.slice(0, 50)) fairness.handedOut(3, pass);
    const late = fairness.next({ priority: 3, fairnessKey: 'late', fairnessWeight: 1 });
    expect(late).toBe(first[50]?.pass);
    // Other priorities are other queues, so to speak.
    expect(fairness.next({ priority: 1, fairnessKey: 'late', fairnessWeight: 1 })).toBe(1_000);
  });

  it('one that was handed out and waits again goes before all others', () => {
    const fairness = new Fairness();
    const [first, second] = order(fairness, many('a', 1, 5));
    fairness.handedOut(3, first?.pass ?? 0);
    const again = fairness.again({ priority: 3, fairnessKey: 'a', fairnessWeight: 1 });
    expect(again).toBeLessThan(second?.pass ?? 0);
  });

  it('of more keys than are remembered are still handed out', () => {
    const fairness = new Fairness();
    for (let i = 0; i < 20_000; i += 1) {
      const pass = fairness.next({ priority: 3, fairnessKey: `key ${i}`, fairnessWeight: 1 });
      expect(pass).toBe(1_000);
    }
    const [[, , kept] = [3, 0, []]] = fairness.news() ?? [];
    expect(kept.length).toBe(100);
  });

  it('go on after a restart where they were, as far as was remembered', () => {
    const fairness = new Fairness();
    const waiting = order(fairness, [...many('a', 1, 10), ...many('b', 2, 10)]);
    fairness.handedOut(3, waiting[4]?.pass ?? 0);
    const state = fairness.news();
    expect(fairness.news()).toBeUndefined();
    const again = new Fairness();
    again.restore(state ?? []);
    expect(again.news()).toBeUndefined();
    for (const key of ['a', 'b', 'new']) {
      const task = { priority: 3, fairnessKey: key, fairnessWeight: 1 };
      expect(again.next(task)).toBe(fairness.next(task));
    }
  });
});
