import { expect, test } from 'vitest';
import { randomUuid, seededRandom } from './random.ts';

const draw = (seed: string, count: number): number[] => {
  const random = seededRandom(seed);
  return Array.from({ length: count }, random);
};

test('the same seed draws the same numbers, another one others', () => {
  expect(draw('run', 100)).toEqual(draw('run', 100));
  expect(draw('run', 1)).not.toEqual(draw('rum', 1));
  expect(draw('', 1)).not.toEqual(draw('a', 1));
});

test('the numbers of a seed never change: histories in progress depend on them', () => {
  expect(draw('0191b5c6-7d3e-7f00-8000-000000000001', 2)).toMatchInlineSnapshot(`
    [
      0.25300858286209404,
      0.7968042304273695,
    ]
  `);
});

test('numbers lie in [0, 1) and are spread evenly', () => {
  const numbers = draw('spread', 100_000);
  expect(numbers.every((n) => n >= 0 && n < 1)).toBe(true);
  const deciles = Array.from({ length: 10 }, (_, i) => numbers.filter((n) => Math.floor(n * 10) === i).length);
  for (const count of deciles) expect(Math.abs(count - 10_000)).toBeLessThan(500);
});

test('seeds that differ in one character draw independently', () => {
  const firsts = Array.from({ length: 1000 }, (_, i) => seededRandom(`run-${i}`)());
  expect(new Set(firsts).size).toBe(1000);
  const mean = firsts.reduce((sum, n) => sum + n, 0) / firsts.length;
  expect(Math.abs(mean - 0.5)).toBeLessThan(0.05);
});

test('uuids are of version 4 and differ', () => {
  const random = seededRandom('uuid');
  const uuids = Array.from({ length: 1000 }, () => randomUuid(random));
  expect(new Set(uuids).size).toBe(1000);
  for (const uuid of uuids)
    expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});
