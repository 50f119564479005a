// What a campaign of the cluster must have met to be worth its name.

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
