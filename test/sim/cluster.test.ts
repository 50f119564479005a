// A short slice of what `npm run sim -- --cluster --seeds N` runs: a few whole clusters under faults, one without, and that a seed is one history.

import { describe, expect, it } from 'vitest';
import { BUGS } from './cluster/bugs.ts';
import { makePlan } from './cluster/plan.ts';
import { type ClusterReport, simulateCluster } from './cluster/simulate.ts';

function sound({ seed, failure }: ClusterReport): void {
  if (failure !== undefined)
    throw new Error(`seed ${seed}: npm run sim -- --cluster --seed ${seed} --trace`, { cause: failure });
}

describe('a simulated cluster', () => {
  it('that nothing happens to serves every request, and is in its place', async () => {
    const report = await simulateCluster(1, { calm: true });
    sound(report);
    expect(report.operations).toBeGreaterThanOrEqual(200);
    expect(report.virtualMs).toBeGreaterThanOrEqual(60_000);
  }, 60_000);

  it.each([2, 8])(
    'keeps what it promised whatever happens (seed %i)',
    async (seed) => {
      const report = await simulateCluster(seed);
      sound(report);
      expect([...report.faults.values()].reduce((sum, n) => sum + n, 0)).toBeGreaterThanOrEqual(5);
      expect(report.faults.size).toBeGreaterThanOrEqual(3);
    },
    60_000,
  );

  it('is the same history for the same seed', async () => {
    const [one, other] = [await simulateCluster(4), await simulateCluster(4)];
    expect(other.digest).toBe(one.digest);
    expect(other.events).toBe(one.events);
  }, 60_000);

  it('plans at least five faults of at least three kinds, and two hundred operations', () => {
    for (let seed = 1; seed <= 200; seed += 1) {
      const { faultsAt, kinds, calmAtMs } = makePlan(seed);
      expect(faultsAt.length).toBeGreaterThanOrEqual(5);
      expect(kinds.length).toBeGreaterThanOrEqual(3);
      expect(calmAtMs).toBeGreaterThanOrEqual(60_000);
    }
  });

  it.each([
    ['commit-before-majority', /^I1/],
    ['quorum-over-the-ring', /^(I1|progress)/],
    ['flush-uncommitted', /^flush/],
  ] as const)(
    'finds the planted bug %s',
    async (bug, found) => {
      // Three replicas on more machines.
      const isSpread = (seed: number): boolean => makePlan(seed).replicas === 3 && makePlan(seed).firstMembers > 3;
      const seeds = Array.from({ length: 50 }, (_, i) => i + 1).filter(isSpread);
      let failure: Error | undefined;
      for (const seed of seeds.slice(0, 3)) failure ??= (await simulateCluster(seed, { bug: BUGS[bug] })).failure;
      expect(failure?.message).toMatch(found);
    },
    60_000,
  );
});
