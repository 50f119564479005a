// What a campaign of the cluster must have met to be worth its name, and what each of its seeds.

import type { ClusterResult } from './seed-result.ts';

/** Each in this share of its seeds at least; judged once there are so many. */
const WANTED = [
  'election',
  'truncation',
  'snapshot installed',
  'configuration changed',
  'fenced commit',
  'hand-over',
  'undelivered start',
  'outbox repeat',
];
const LEAST_SHARE = 0.05;
const ENOUGH_SEEDS = 100;

export interface Seldom {
  readonly name: string;
  readonly share: number;
  readonly least: number;
}

/** What too few of these seeds reached. */
export function seldomReached(results: readonly { readonly reached: readonly string[] }[]): Seldom[] {
  if (results.length < ENOUGH_SEEDS) return [];
  return WANTED.map((name) => ({
    name,
    share: results.filter(({ reached }) => reached.includes(name)).length / results.length,
    least: LEAST_SHARE,
  })).filter(({ share, least }) => share < least);
}

/** Of a seed that is counted as one: virtual ms, clients' operations, faults and their kinds. */
const LEAST = { virtualMs: 60_000, operations: 200, faultCount: 5, kinds: 3 } as const;

type Worth = Pick<ClusterResult, 'virtualMs' | 'operations' | 'faults' | 'faultCount'>;

/** What a seed lacks to be counted as one, in words; undefined: nothing. */
export function whyUnworthy({ virtualMs, operations, faults, faultCount }: Worth): string | undefined {
  const has = { virtualMs, operations, faultCount, kinds: faults.length };
  const lacks = (Object.keys(LEAST) as (keyof typeof LEAST)[]).filter((name) => has[name] < LEAST[name]);
  return lacks.length === 0 ? undefined : lacks.map((name) => `${name} ${has[name]} of ${LEAST[name]}`).join(', ');
}
