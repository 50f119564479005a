// A slice of the simulation for every run of the tests, and what makes it worth running: the same seed makes the same history, and each
// planted bug is found. `npm run sim` runs more seeds, and shows what one of them does.

import { beforeAll, describe, expect, it } from 'vitest';
import type { Realm } from '../../sdk/worker/runtime/realm.ts';
import { BUGS } from './bugs.ts';
import { makeRealm } from './realm.ts';
import { FOUND } from './seeds.ts';
import { type SeedReport, simulate } from './simulate.ts';

const FIRST = 1;
const SEEDS = 120;
/** Within this many seeds each planted bug must be found; the slice stops at the first that does. */
const BUG_SEEDS = 500;
/** ms: two slow cores, shared. */
const SLICE_MS = 180_000;

let realm: Realm;

beforeAll(async () => {
  realm = await makeRealm();
});

const story = ({ seed, failure, trace }: SeedReport): string =>
  `seed ${seed}: ${failure?.message}\n${trace.slice(-25).join('\n')}\nnpm run sim -- --seed ${seed} --trace`;

async function run(seeds: Iterable<number>): Promise<SeedReport[]> {
  const reports: SeedReport[] = [];
  for (const seed of seeds) {
    const report = await simulate(seed, { realm });
    if (report.failure !== undefined) expect.fail(story(report));
    reports.push(report);
  }
  return reports;
}

describe('a simulated seed', () => {
  it(
    'keeps every promise and comes to its end, whatever goes wrong',
    async () => {
      const reports = await run(Array.from({ length: SEEDS }, (_, i) => FIRST + i));
      const faults = new Set(reports.flatMap((report) => [...report.faults]));
      expect(faults.size, 'every kind of fault is met').toBe(13);
      const recoveries = new Set(reports.flatMap(({ recoveries: met }) => [...met.keys()]));
      expect([...recoveries]).toEqual(
        expect.arrayContaining([
          'node restarted',
          'worker registered again',
          'late answer refused',
          'task sent again',
          'messages between workflows delivered by the next node',
          'workflow task left no trace',
        ]),
      );
    },
    SLICE_MS,
  );

  it('that found a bug once finds it no more', async () => {
    await run(FOUND.map(({ seed }) => seed));
  }, 60_000);

  it('makes the same history every time, byte for byte', async () => {
    for (const seed of [7, 53, 68]) {
      const [first, second] = await run([seed, seed]);
      expect(second?.digest).toBe(first?.digest);
      expect(second?.events).toBe(first?.events);
    }
  }, 60_000);

  it('is another one for another seed', async () => {
    const [first, second] = await run([7, 8]);
    expect(second?.digest).not.toBe(first?.digest);
  }, 60_000);
});

describe('a planted bug', () => {
  for (const [name, plant] of Object.entries(BUGS)) {
    it(
      `is found: ${name}`,
      async () => {
        for (let seed = 1; seed <= BUG_SEEDS; seed += 1) {
          const { failure } = await simulate(seed, { realm, plant });
          if (failure === undefined) continue;
          expect(failure.message).not.toBe('');
          return;
        }
        expect.fail(`${BUG_SEEDS} seeds did not find ${name}`);
      },
      SLICE_MS,
    );
  }
});
