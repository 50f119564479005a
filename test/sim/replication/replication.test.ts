// A slice of the replication simulator for every run of the tests; `npm run sim -- --replication` runs thousands of seeds.

import { describe, expect, it } from 'vitest';
import { BUGS } from './bugs.ts';
import { type NodesReport, simulateNodes } from './node-faults.ts';
import { type ReplicationReport, simulateReplication } from './simulate.ts';

const SEEDS = 12;
const SLICE_MS = 120_000;

const story = ({ seed, failure }: ReplicationReport): string =>
  `seed ${seed}: ${failure?.message}\nnpm run sim -- --replication --seed ${seed} --trace`;

function run(seed: number): ReplicationReport {
  const report = simulateReplication(seed);
  if (report.failure !== undefined) expect.fail(story(report));
  return report;
}

describe('a seed of the replication simulator', () => {
  it(
    'keeps every promise, whatever goes wrong, and comes to its end',
    () => {
      const reports = Array.from({ length: SEEDS }, (_, i) => run(i + 1));
      const reached = new Set(reports.flatMap((report) => [...report.reached.keys()]));
      expect([...reached]).toEqual(
        expect.arrayContaining(['election', 'truncation', 'snapshot install', 'configuration change', 'hand-over']),
      );
      for (const { writes, reads } of reports) expect(Math.min(writes, reads)).toBeGreaterThan(20);
    },
    SLICE_MS,
  );

  it(
    'makes the same history every time',
    () => {
      const [first, second] = [simulateReplication(3), simulateReplication(3)];
      expect(second).toEqual(first);
    },
    SLICE_MS,
  );
});

describe('a seed of many shards over real drivers and stores', () => {
  it(
    'loses nothing that was acknowledged, and ends with the replica sets as wanted',
    async () => {
      const reports: NodesReport[] = [];
      for (let seed = 1; seed <= 8; seed += 1) {
        const report = await simulateNodes(seed);
        if (report.failure !== undefined) {
          expect.fail(`seed ${seed}: ${report.failure.message}\nnpm run sim -- --replication --nodes --seed ${seed}`);
        }
        reports.push(report);
      }
      const sum = (of: (report: NodesReport) => number) => reports.reduce((total, report) => total + of(report), 0);
      expect(sum((r) => r.acknowledged)).toBeGreaterThan(500);
      expect(
        Math.min(
          sum((r) => r.installs),
          sum((r) => r.reads),
          sum((r) => r.moves),
        ),
      ).toBeGreaterThan(5);
    },
    SLICE_MS,
  );
});

describe('the replication simulator', () => {
  // The first seed that finds each; the search over 2,000 seeds is the command's.
  it.each([
    ['commit-before-majority', 1],
    ['read-without-confirming', 30],
    ['vote-twice-after-restart', 170],
    ['truncate-committed', 1],
    ['quorum-over-the-ring', 5],
    ['empty-directory-votes', 20],
    ['snapshot-without-tail', 1],
    ['commit-of-an-earlier-term', 58],
  ] as const)('finds the planted bug %s with seed %i', (name, seed) => {
    expect(simulateReplication(seed, { bug: BUGS[name] }).failure).toBeDefined();
  });
});
