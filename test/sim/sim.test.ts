// A slice of the simulation for every run of the tests, and what makes it worth running: the same seed makes the same history, and each
// planted bug is found. `npm run sim` runs more seeds, and shows what one of them does.

import { beforeAll, describe, expect, it } from 'vitest';
import type { Realm } from '../../sdk/worker/runtime/realm.ts';
import { BUGS, FOUND_BY } from './bugs.ts';
import type { Plant } from './node.ts';
import { makeRealm } from './realm.ts';
import { FOUND } from './seeds.ts';
import { type SeedReport, simulate } from './simulate.ts';

const FIRST = 1;
const SEEDS = 80;
/** Within this many seeds from where it was last found each planted bug must be found again; the slice stops at the first that does. */
const BUG_SEEDS = 200;
/** ms: two slow cores, shared by others who load them three times over. */
const SLICE_MS = 600_000;

let realm: Realm;

beforeAll(async () => {
  realm = await makeRealm();
});

const story = ({ seed, failure, trace }: SeedReport): string =>
  `seed ${seed}: ${failure?.message}\n${trace.slice(-25).join('\n')}\nnpm run sim -- --seed ${seed} --trace`;

async function run(seeds: Iterable<number>, signal: AbortSignal): Promise<SeedReport[]> {
  const reports: SeedReport[] = [];
  for (const seed of seeds) {
    // Two simulations at once would share one virtual time: a test that took too long must not go on beside the next.
    signal.throwIfAborted();
    const report = await simulate(seed, { realm });
    if (report.failure !== undefined) expect.fail(story(report));
    reports.push(report);
  }
  return reports;
}

describe('a simulated seed', () => {
  it(
    'keeps every promise and comes to its end, whatever goes wrong',
    async ({ signal }) => {
      const reports = await run(
        Array.from({ length: SEEDS }, (_, i) => FIRST + i),
        signal,
      );
      const faults = new Set(reports.flatMap((report) => [...report.faults]));
      expect(faults.size, 'every kind of fault is met').toBe(13);
      expect(new Set(reports.flatMap(({ met }) => met)), 'every kind of operation is met').toEqual(
        new Set([
          'a run was reset',
          'a schedule fired',
          'a schedule was triggered or backfilled',
          'a schedule passed over what was due',
          'a schedule skipped or dropped what was due',
          'a schedule missed what was due beyond its catch-up window',
          'a batch job completed',
          'an activity was paused',
          'a cron workflow ran again',
          'an execution was deleted',
          'a Nexus operation ended with its workflow',
          'a Nexus operation was cancelled',
          'a callback was made',
          'a callback was tried again',
          'a pinned run went on',
          'a run moved to another version',
          'a version was drained',
          'an activity was worked through the gRPC door',
          'a query rode on a workflow task of the gRPC door',
          'a query was answered directly at the gRPC door',
          'a warm execution went on at the gRPC door',
          'an execution was fetched through the gRPC door',
          'a speculative task left no trace at the gRPC door',
          'a workflow task was failed at the gRPC door',
          'a workflow task was forgotten at the gRPC door',
        ]),
      );
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

  it('that found a bug once finds it no more', async ({ signal }) => {
    await run(
      FOUND.map(({ seed }) => seed),
      signal,
    );
  }, 60_000);

  it('makes the same history every time, byte for byte', async ({ signal }) => {
    for (const seed of [7, 20, 53, 68]) {
      const [first, second] = await run([seed, seed], signal);
      expect(second?.digest).toBe(first?.digest);
      expect(second?.events).toBe(first?.events);
    }
  }, 60_000);

  it('is another one for another seed', async ({ signal }) => {
    const [first, second] = await run([7, 8], signal);
    expect(second?.digest).not.toBe(first?.digest);
  }, 60_000);
});

/** What the first seed from `from` on that finds it says. */
async function found(plant: Plant, from: number, signal: AbortSignal): Promise<string> {
  for (let seed = from; seed < from + BUG_SEEDS; seed += 1) {
    signal.throwIfAborted();
    const { failure } = await simulate(seed, { realm, plant });
    if (failure !== undefined) return failure.message;
  }
  return expect.fail(`${BUG_SEEDS} seeds did not find it`);
}

describe('a planted bug', () => {
  for (const [name, plant] of Object.entries(BUGS)) {
    const { from, says } = FOUND_BY[name as keyof typeof BUGS]; // the type of FOUND_BY asks for each
    it(
      `is found: ${name}`,
      async ({ signal }) => {
        expect(await found(plant, from, signal)).toMatch(says);
      },
      SLICE_MS,
    );
  }
});
