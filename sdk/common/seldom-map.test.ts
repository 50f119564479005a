import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SeldomMap } from './seldom-map.ts';

const key = fc.integer({ min: 0, max: 4 });
const step = fc.oneof(
  fc.record({ do: fc.constant('set' as const), key, value: fc.integer() }),
  fc.record({ do: fc.constant('delete' as const), key }),
  fc.record({ do: fc.constant('clear' as const) }),
);

test('is what a Map is, from empty on', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      const seldom = new SeldomMap<number, number>();
      const map = new Map<number, number>();
      for (let i = -1; i < steps.length; i += 1) {
        const one = steps[i];
        if (one?.do === 'set') {
          seldom.set(one.key, one.value);
          map.set(one.key, one.value);
        } else if (one?.do === 'delete') expect(seldom.delete(one.key)).toBe(map.delete(one.key));
        else if (one?.do === 'clear') {
          seldom.clear();
          map.clear();
        }
        expect(seldom.size).toBe(map.size);
        expect([...seldom]).toEqual([...map]);
        expect([...seldom.values()]).toEqual([...map.values()]);
        for (let k = 0; k < 5; k += 1) {
          expect(seldom.has(k)).toBe(map.has(k));
          expect(seldom.get(k)).toBe(map.get(k));
        }
      }
    }),
  );
});

test('goes on with what is left when some of it is deleted on the way', () => {
  const seldom = new SeldomMap<number, string>();
  for (const n of [1, 2, 3]) seldom.set(n, `${n}`);
  const seen: number[] = [];
  for (const [n] of seldom) {
    seen.push(n);
    seldom.delete(n);
    seldom.delete(2);
  }
  expect(seen).toEqual([1, 3]);
  expect([...seldom]).toEqual([]);
});
