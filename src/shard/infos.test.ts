import { expect, it } from 'vitest';
import { type Key, key } from '../ports/ids.ts';
import { Infos } from './infos.ts';

const bytes = (n: number): Uint8Array => Uint8Array.of(n % 251);
const place = (n: number): string => String(n).padStart(6, '0');

/** So many executions; notes how they are read. */
function among(count: number, gone: (n: number) => boolean = () => false) {
  const rows = Array.from({ length: count }, (_, n) => n)
    .filter((n) => !gone(n))
    .map((n): [Key, Uint8Array] => [key(`all/${place(n)}`), bytes(n)]);
  const byKey = new Map<string, Uint8Array>(rows);
  const reads: string[] = [];
  const infos = new Infos(
    {
      range: async (from, to, limit) => {
        const found = rows.filter(([k]) => k >= from && k < to).slice(0, limit);
        reads.push(`range ${found.length}`);
        return found;
      },
      getMany: async (keys) => {
        reads.push(`each ${keys.length}`);
        return keys.map((k) => byKey.get(k));
      },
    },
    'all/',
  );
  return { infos, reads };
}

const every = (step: number, from: number, n: number): number[] => Array.from({ length: n }, (_, i) => from + i * step);

it.each([
  ['a few', 1, 63, ['each 63']],
  ['all of them', 1, 500, ['range 500']],
  ['every second', 2, 500, ['range 999']],
  ['every tenth', 10, 500, ['range 1500', 'each 350']],
])('of %s', async (_, step, n, expected) => {
  const { infos, reads } = among(10_000);
  const wanted = every(step, 7, n);
  expect(await infos.of(wanted.map(place))).toEqual(wanted.map(bytes));
  expect(reads).toEqual(expected);
});

it('backwards, and without those that are gone', async () => {
  const { infos, reads } = among(1_000, (n) => n % 3 === 0);
  const wanted = every(2, 10, 200).reverse();
  expect(await infos.of(wanted.map(place))).toEqual(wanted.map((n) => (n % 3 === 0 ? undefined : bytes(n))));
  expect(reads).toHaveLength(1);
});

it('does not go on trying ranges that hold little of what is wanted', async () => {
  const { infos, reads } = among(100_000);
  for (let i = 0; i < 20; i += 1) await infos.of(every(20, i * 2_000, 100).map(place));
  expect(reads.filter((read) => read.startsWith('range'))).toHaveLength(5);
  // And finds out where they begin to.
  for (let i = 0; i < 20; i += 1) await infos.of(every(1, 50_000 + i * 100, 100).map(place));
  expect(reads.slice(-4)).toEqual(['range 100', 'range 100', 'range 100', 'range 100']);
});
