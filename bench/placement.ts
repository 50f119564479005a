// `node dist/bench/placement.js`: how evenly the ring spreads shards over nodes, and how much moves when one comes or goes. Counts only,
// so it says the same on every machine; the times beside them do not.

import { type Moves, movesBetween, Ring } from '../cluster/ring/ring.ts';
import { greatest, grow, newcomer } from '../cluster/ring/testing.ts';

interface Scenario {
  readonly members: number;
  readonly shardCount: number;
  readonly replicas: number;
  readonly zones: number;
  /** Members that began together, choosing nothing. */
  readonly blind: number;
}

const SCENARIOS: readonly Scenario[] = [
  { members: 1_000, shardCount: 16_384, replicas: 1, zones: 0, blind: 1 },
  { members: 1_000, shardCount: 16_384, replicas: 3, zones: 3, blind: 1 },
  { members: 1_000, shardCount: 16_384, replicas: 3, zones: 5, blind: 1 },
  { members: 1_000, shardCount: 16_384, replicas: 5, zones: 3, blind: 1 },
  { members: 1_000, shardCount: 16_384, replicas: 1, zones: 0, blind: 1_000 },
  { members: 1_000, shardCount: 16_384, replicas: 3, zones: 3, blind: 1_000 },
  { members: 100, shardCount: 4_096, replicas: 3, zones: 3, blind: 1 },
  { members: 12, shardCount: 256, replicas: 3, zones: 3, blind: 1 },
  { members: 3, shardCount: 256, replicas: 3, zones: 0, blind: 1 },
];
/** Joins and leaves tried on each. */
const TRIES = 20;
/** Members that join between two rings of a growing cluster, as a share of it. */
const TOGETHER = 0.05;

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const both = (values: readonly number[]): string =>
  `${mean(values).toFixed(2)} ${Math.max(...values).toFixed(2)}`.padEnd(12);

function measure({ members, shardCount, replicas, zones, blind }: Scenario): string {
  const settings = { shardCount, replicas };
  const ring = grow({ ...settings, members, zones, blind, together: TOGETHER });
  const begun = performance.now();
  new Ring({ ...settings, members: ring.placed });
  const buildMs = performance.now() - begun;
  const tries = Array.from({ length: Math.min(TRIES, members) }, (_, n) => n);
  const joins = tries.map((n) => {
    const joined = newcomer(ring, members + n, zones);
    return movesBetween(ring, new Ring({ ...settings, members: [...ring.placed, joined] }));
  });
  const leaves = tries.map((n) => {
    const left = ring.placed[Math.floor((n * members) / tries.length)];
    return movesBetween(ring, new Ring({ ...settings, members: ring.placed.filter((other) => other !== left) }));
  });
  // In units of 1/N, N being the greater number of members of the two.
  const data = (moves: readonly Moves[], n: number) =>
    moves.map((moved) => (moved.replicas * n) / (shardCount * ring.copies));
  const leads = (moves: readonly Moves[], n: number) => moves.map((moved) => (moved.leaders * n) / shardCount);
  const most = greatest(ring);
  return [
    `${members} × ${shardCount}`.padEnd(13),
    String(replicas).padEnd(3),
    String(zones).padEnd(6),
    (blind === members ? 'all' : 'none').padEnd(6),
    most.replicas.toFixed(3).padEnd(9),
    most.leaderships.toFixed(3).padEnd(9),
    both(data(joins, members + 1)),
    both(leads(joins, members + 1)),
    both(data(leaves, members)),
    both(leads(leaves, members)),
    buildMs.toFixed(0).padStart(5),
  ].join(' ');
}

console.log(
  'max/mean of replicas and leaderships; moves of one join and one leave as mean and greatest, in units of 1/N',
);
console.log(
  'N × shards    R   zones  blind  replicas  leaders   join: data   join: lead   leave: data  leave: lead  ms',
);
for (const scenario of SCENARIOS) console.log(measure(scenario));
