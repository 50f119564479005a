// A short slice of what `npm run sim -- --cluster --seeds N` runs: a few whole clusters under faults, one without, and that a seed is one history.

import { describe, expect, it } from 'vitest';
import { BUGS, type BugName, FOUND_BY, isBug } from './cluster/bugs.ts';
import { whyUnworthy } from './cluster/coverage.ts';
import { type ClusterPlan, makePlan } from './cluster/plan.ts';
import { resultOf } from './cluster/seed-result.ts';
import { type ClusterReport, simulateCluster } from './cluster/simulate.ts';
import { FOUND_IN_CLUSTERS } from './seeds.ts';

/** A bug is looked for in so many seeds: one, while nothing shifts what a seed means. The search of 2,000 is the command's. */
const BUG_SEEDS = 60;
/** ms: so many on a busy machine. */
const SEARCH_MS = 900_000;

function sound({ seed, failure }: ClusterReport): void {
  if (failure !== undefined)
    throw new Error(`seed ${seed}: npm run sim -- --cluster --seed ${seed} --trace`, { cause: failure });
}

const seedsWith = (wanted: (plan: ClusterPlan) => boolean): number[] =>
  Array.from({ length: 100 }, (_, i) => i + 1).filter((seed) => wanted(makePlan(seed)));

describe('a simulated cluster', () => {
  it('that nothing happens to serves every request, and is in its place', async () => {
    const report = await simulateCluster(1, { calm: true });
    sound(report);
    expect(report.operations).toBeGreaterThanOrEqual(200);
    expect(report.virtualMs).toBeGreaterThanOrEqual(60_000);
  }, 180_000);

  it.each([2, 8, ...FOUND_IN_CLUSTERS.map(({ seed }) => seed)])(
    'keeps what it promised whatever happens (seed %i)',
    async (seed) => {
      const report = await simulateCluster(seed);
      sound(report);
      expect(whyUnworthy(resultOf(report))).toBeUndefined();
    },
    180_000,
  );

  it.each(['replicated', 'shared'] as const)(
    'is the same history for the same seed (%s)',
    async (durability) => {
      const seed = seedsWith((plan) => plan.durability === durability)[0] ?? 0;
      const [one, other] = [await simulateCluster(seed), await simulateCluster(seed)];
      sound(one);
      expect(other.digest).toBe(one.digest);
      expect(other.events).toBe(one.events);
    },
    180_000,
  );

  it('plans at least five faults of at least three kinds, and two hundred operations', () => {
    for (let seed = 1; seed <= 200; seed += 1) {
      const { faultsAt, kinds, calmAtMs, workflows } = makePlan(seed);
      expect(faultsAt.length).toBeGreaterThanOrEqual(5);
      expect(kinds.length).toBeGreaterThanOrEqual(3);
      expect(calmAtMs).toBeGreaterThanOrEqual(60_000);
      const steps = workflows.flatMap((workflow) => workflow.steps.filter((step) => step.do !== 'pause'));
      expect(steps.length + workflows.length).toBeGreaterThanOrEqual(200);
    }
  });

  it('plans every kind of life, each in some of a hundred seeds', () => {
    const kinds = Array.from({ length: 100 }, (_, i) => makePlan(i + 1).lives).flat();
    const counts = new Map<string, number>();
    for (const { id } of kinds) {
      const kind = id.replace(/^life-\d+-/, '');
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
    }
    expect([...counts.keys()].sort()).toEqual([
      ...['byUpdates', 'calledBack', 'canceller', 'climber', 'continued', 'cron'],
      ...['heldActivities', 'leaver', 'paused', 'standalone'],
    ]);
    for (const count of counts.values()) expect(count).toBeGreaterThanOrEqual(5);
  });
});

/** What the first seed from `from` on says that finds it as it should. */
async function found(bug: BugName, signal: AbortSignal): Promise<string> {
  const { says, from, in: isIn } = FOUND_BY[bug];
  const others: string[] = [];
  for (let seed = from, tried = 0; tried < BUG_SEEDS; seed += 1) {
    if (isIn?.(makePlan(seed)) === false) continue;
    signal.throwIfAborted();
    tried += 1;
    const { failure } = await simulateCluster(seed, { bug: BUGS[bug] });
    if (failure !== undefined && says.test(failure.message)) return failure.message;
    if (failure !== undefined) others.push(`seed ${seed}: ${failure.message}`);
  }
  return expect.fail([`${BUG_SEEDS} seeds from ${from} on did not find it`, ...others].join('\n'));
}

describe('a bug planted in a cluster', () => {
  for (const bug of Object.keys(BUGS).filter(isBug))
    it(
      `is found: ${bug}`,
      async ({ signal }) => {
        expect(await found(bug, signal)).toMatch(FOUND_BY[bug].says);
      },
      SEARCH_MS,
    );
});
