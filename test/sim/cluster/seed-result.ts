// What is kept of a seed of the cluster when it is over: plain data, so that it crosses processes and lies in files.

import type { SeedResult } from '../campaign.ts';
import type { ClusterReport } from './simulate.ts';

export interface ClusterResult extends SeedResult {
  readonly digest: string;
  readonly events: number;
  readonly entries: number;
  readonly operations: number;
  readonly virtualMs: number;
  readonly healedMs: number;
  /** Kinds that it met, and how often any of them. */
  readonly faults: readonly string[];
  readonly faultCount: number;
  readonly reached: readonly string[];
}

export function resultOf(report: ClusterReport): ClusterResult {
  const { seed, failure, digest, events, entries, operations, virtualMs, healedMs, faults, reached } = report;
  return {
    ...{ seed, digest, events, entries, operations },
    ...{ virtualMs: Math.round(virtualMs), healedMs: Math.round(healedMs) },
    failure: failure === undefined ? undefined : { message: failure.message, stack: failure.stack },
    faults: [...faults.keys()],
    faultCount: [...faults.values()].reduce((sum, count) => sum + count, 0),
    reached: [...reached.keys()],
  };
}

export const lostResult = (seed: number, why: string): ClusterResult => ({
  ...{ seed, digest: '', events: 0, entries: 0, operations: 0, virtualMs: 0, healedMs: 0 },
  ...{ faults: [], faultCount: 0, reached: [] },
  failure: { message: `the run was lost: ${why}`, stack: undefined },
});
