// What one seed of the cluster does: how big it is, how its parts are set up, which workflows run and what clients do to them. Plain data, made before
// anything runs: a failing seed prints it.

import { makeDeletions, makeOperations, type OperationPlan, SHARED_KINDS } from '../operations/plan.ts';
import { SeededRandom } from '../random.ts';
import { type FlowPlan, makeFlows } from './flow-plan.ts';
import { type LifePlan, makeClimbers, makeLives } from './lives.ts';
import type { WorkerWays } from './worker.ts';
import type { WorkflowInput, WorkflowType } from './workflows.ts';

export type Step =
  | { readonly do: 'pause'; readonly ms: number }
  | { readonly do: 'start' }
  /** The same request once more, elsewhere: the first answer comes back. */
  | { readonly do: 'startAgain' }
  /** Another request for the same id: refused, whether it runs or is over (I8). */
  | { readonly do: 'startOther' }
  | { readonly do: 'signal'; readonly text: string }
  | { readonly do: 'update'; readonly id: string; readonly until: 'accepted' | 'completed' }
  | { readonly do: 'terminate' }
  | { readonly do: 'query' | 'describe' | 'history' | 'list' }
  /** A list of its own runs alone. */
  | { readonly do: 'find' };

export interface WorkflowPlan {
  readonly workflowId: string;
  readonly type: WorkflowType;
  readonly input: WorkflowInput;
  readonly steps: readonly Step[];
  /** It begins once this one has been started. */
  readonly after?: string;
}

export const FAULTS = [
  'crash',
  'power loss',
  'restart',
  'deaf hand-over',
  'blackout',
  'rivals',
  'lost confirmation',
  'isolated leader',
  'pause',
  'cut',
  'one-way cut',
  'split',
  'broken links',
  'bad weather',
  'write error',
  'read error',
  'full disk',
  'slow disk',
  'hung disk',
  'bit flip',
  'emptied directory',
  'volume set back',
  'clock jump',
  'redis away',
  'redis forgets',
  'redis fails over',
  'redis wiped',
  'redis repeats terms',
  'join',
  'drain',
  'replace',
  'rebalance',
  'worker reconnects',
  'database away',
  'database late',
  'database fails over',
  'database cut off',
  'broken sessions',
  'serialization failures',
] as const;
export type FaultName = (typeof FAULTS)[number];

/** What can happen where nodes share a database, and keep nothing themselves. */
const SHARED: readonly FaultName[] = [
  ...(['crash', 'power loss', 'restart', 'blackout', 'pause', 'cut', 'one-way cut', 'split'] as const),
  ...(['broken links', 'bad weather', 'clock jump', 'lost confirmation', 'redis away', 'redis forgets'] as const),
  ...(['redis fails over', 'redis wiped', 'redis repeats terms', 'join', 'drain', 'worker reconnects'] as const),
  ...(['database away', 'database late', 'database fails over', 'database cut off', 'broken sessions'] as const),
  'serialization failures',
  // Drawn as often again: they are what these seeds are for.
  ...([
    'isolated leader',
    'isolated leader',
    'pause',
    'split',
    'database late',
    'database fails over',
    'broken sessions',
    'serialization failures',
  ] as const),
];

/** What few other faults lead to is drawn twice as often. */
const REPLICATED: readonly FaultName[] = [
  ...FAULTS.filter(
    (fault) => !/database|broken sessions|serialization|read error|hung disk|volume set back/.test(fault),
  ),
  ...(['rivals', 'lost confirmation', 'isolated leader', 'emptied directory'] as const),
];
/** Of seeds: their nodes share a database. */
const SHARED_SHARE = 0.2;

export const isFault = (name: string): name is FaultName => FAULTS.some((fault) => fault === name);

export interface ClusterPlan {
  readonly seed: number;
  /** Where the shards are: replicated among the nodes, or in a database they share. */
  readonly durability: 'replicated' | 'shared';
  readonly replicas: number;
  /** That make the cluster; the machines beside them join later. */
  readonly firstMembers: number;
  readonly machines: number;
  readonly zones: number;
  readonly shardCount: number;
  readonly readMs: number;
  /** ms without a leader after which a replica stands for election; leaders beat five times as often. */
  readonly electionMs: number;
  readonly goneMs: number;
  readonly cachedActors: number;
  readonly outboxKept: number;
  /** Of recent entries of a shard kept in memory: beyond it they are read from disk, or come by snapshot. */
  readonly cachedBytes: number;
  /** Of entries in one message to a follower. */
  readonly messageBytes: number;
  readonly workers: number;
  readonly workerWays: WorkerWays;
  readonly workflows: readonly WorkflowPlan[];
  readonly operations: readonly OperationPlan[];
  readonly flows: readonly FlowPlan[];
  readonly lives: readonly LifePlan[];
  /** Virtual ms at which somebody asks for a backup of the whole. */
  readonly backupsAt: readonly number[];
  readonly kinds: readonly FaultName[];
  /** Virtual ms at which each fault is due. */
  readonly faultsAt: readonly number[];
  /** Virtual ms at which everything is healed. */
  readonly calmAtMs: number;
}

/** Of clients, of a seed: what a campaign counts as one. Two hundred are promised. */
const LEAST_OPERATIONS = 202;
/** Workflows that take updates. */
const LEDGERS = 4;
/** Schedules, resets and batch jobs. */
const MOST_OPERATIONS = 2;
/** Of seeds: how their workers are. */
const EVERYWHERE_SHARE = 0.4;
const WARM_SHARE = 0.5;
/** Of seeds whose shards are replicated: about as many as have any other fault. */
const READ_ERROR_SHARE = 0.15;
const HUNG_DISK_SHARE = 0.15;
const SET_BACK_SHARE = 0.15;
/** Of seeds whose shards are replicated: backups are made, and how many at most. */
const BACKUP_SHARE = 0.3;
const MOST_BACKUPS = 6;
/** The default, and one for networks that are slower. */
const ELECTION_MS = [1_500, 3_000, 3_000];
/** Before it the cluster is born: nothing but that happens. */
const BIRTH_MS = 6_000;
const TYPES: readonly Exclude<WorkflowType, 'ledger'>[] = [
  'steps',
  'steps',
  'timer',
  'collector',
  'collector',
  'collector',
  'relay',
  'parent',
  'parent',
  'courier',
  'courier',
  'patient',
];

export interface PlanChoices {
  /** Nothing goes wrong. */
  readonly calm?: boolean | undefined;
  /** Of the kinds that the seed would have, this one alone: to see what it leads to. */
  readonly only?: FaultName | undefined;
}

export function makePlan(seed: number, { calm = false, only }: PlanChoices = {}): ClusterPlan {
  const random = new SeededRandom(`cluster plan ${seed}`);
  const durability = random.chance(SHARED_SHARE) ? 'shared' : 'replicated';
  // Of a shared database: how many nodes stand ready to lead a shard, one after the other.
  const replicas = durability === 'shared' ? 3 : random.pick([1, 3, 3, 3, 3, 5]);
  const firstMembers = random.int(Math.max(3, replicas), Math.max(5, replicas));
  const calmAtMs = random.between(60_000, 62_000);
  const kinds = new Set<FaultName>();
  for (const most = random.int(3, 7); kinds.size < most; ) {
    kinds.add(random.pick(durability === 'shared' ? SHARED : REPLICATED));
  }
  // Drawn apart: other seeds are as they were before reads failed.
  if (durability === 'replicated' && new SeededRandom(`cluster read errors ${seed}`).chance(READ_ERROR_SHARE))
    kinds.add('read error');
  if (durability === 'replicated' && new SeededRandom(`cluster hung disks ${seed}`).chance(HUNG_DISK_SHARE))
    kinds.add('hung disk');
  if (durability === 'replicated' && new SeededRandom(`cluster volumes ${seed}`).chance(SET_BACK_SHARE))
    kinds.add('volume set back');
  const faultCount = calm ? 0 : random.int(7, 16);
  const faultsAt = Array.from({ length: faultCount }, () => random.between(BIRTH_MS, calmAtMs - 2_000)).sort(
    (a, b) => a - b,
  );
  // Drawn apart: what else a seed does is as it was before there were updates.
  const more = new SeededRandom(`cluster updates ${seed}`);
  const ledgers = Array.from({ length: LEDGERS }, (_, i) => {
    const count = more.int(1, 6);
    const startMs = more.between(BIRTH_MS / 2, calmAtMs - 15_000);
    return workflow(more, `ledger-${i}`, 'ledger', { count }, startMs, ledgerSteps(more, count));
  });
  const workflows: WorkflowPlan[] = [];
  for (let i = 0; operationsOf(workflows) + operationsOf(ledgers) < LEAST_OPERATIONS; i += 1) {
    // Most begin when something happens: what a fault meets under way is what it can spoil.
    const startMs =
      faultsAt.length > 0 && random.chance(0.7)
        ? random.pick(faultsAt) + random.between(-300, 900)
        : random.between(BIRTH_MS / 2, calmAtMs - 5_000);
    workflows.push(...planned(random, i, startMs));
  }
  workflows.push(...ledgers);
  return {
    seed,
    durability,
    replicas,
    firstMembers,
    machines: Math.min(7, firstMembers + random.int(0, 2)),
    zones: random.pick([1, 1, 3]),
    shardCount: random.pick([4, 4, 8, 16]),
    readMs: random.pick([0.1, 0.5, 5]),
    goneMs: random.pick([8_000, 15_000, 600_000]),
    cachedActors: random.pick([1, 4, 1_000]),
    outboxKept: random.pick([1, 4, 1_000]),
    cachedBytes: random.pick([500, 20_000, 1_000_000]),
    messageBytes: random.pick([400, 400, 1_000_000]),
    workers: random.int(1, 5),
    workerWays: workerWays(new SeededRandom(`cluster worker ways ${seed}`)),
    // Most of what an idle node does is to beat: quick elections and slow ones, so that the seeds spend their time on what clients do.
    electionMs: new SeededRandom(`cluster elections ${seed}`).pick(ELECTION_MS),
    workflows,
    operations: operations(seed, calmAtMs, faultsAt),
    lives: [
      ...makeLives(new SeededRandom(`cluster lives ${seed}`), BIRTH_MS / 2, calmAtMs - 12_000, faultsAt),
      ...makeClimbers(new SeededRandom(`cluster climbers ${seed}`), calmAtMs - 12_000, faultsAt),
    ],
    flows: makeFlows(new SeededRandom(`cluster flows ${seed}`), BIRTH_MS / 2, calmAtMs - 5_000, faultsAt),
    backupsAt: durability === 'shared' ? [] : backups(seed, calmAtMs, faultsAt),
    kinds: only === undefined ? [...kinds] : [only],
    faultsAt,
    calmAtMs,
  };
}

/** Drawn apart, as the updates. */
const workerWays = (random: SeededRandom): WorkerWays => ({
  everywhere: random.chance(EVERYWHERE_SHARE),
  warm: random.chance(WARM_SHARE),
});

/** While something happens, or right before it. */
function backups(seed: number, calmAtMs: number, faultsAt: readonly number[]): number[] {
  const random = new SeededRandom(`cluster backups ${seed}`);
  if (!random.chance(BACKUP_SHARE)) return [];
  return Array.from({ length: random.int(1, MOST_BACKUPS) }, () =>
    faultsAt.length > 0 && random.chance(0.6)
      ? random.pick(faultsAt) + random.between(-400, 600)
      : random.between(2 * BIRTH_MS, calmAtMs - 1_000),
  );
}

/** Each begins when something happens, or at any time. */
function operations(seed: number, calmAtMs: number, faultsAt: readonly number[]): OperationPlan[] {
  const random = new SeededRandom(`cluster operations ${seed}`);
  const deletions = makeDeletions(new SeededRandom(`cluster deletions ${seed}`), 1);
  return [...makeOperations(random, 1, MOST_OPERATIONS, SHARED_KINDS), ...deletions].map((plan) => {
    const ms =
      faultsAt.length > 0 && random.chance(0.7)
        ? random.pick(faultsAt) - random.between(500, 4_000)
        : random.between(BIRTH_MS, calmAtMs - 15_000);
    return { ...plan, moves: [{ do: 'wait', ms: Math.max(BIRTH_MS / 2, ms) }, ...plan.moves] };
  });
}

/** Each step is one, and so is waiting for the result. */
const operationsOf = (workflows: readonly WorkflowPlan[]): number =>
  workflows.reduce((sum, { steps }) => sum + steps.filter((step) => step.do !== 'pause').length + 1, 0);

/** A workflow, with those it reaches for. */
function planned(random: SeededRandom, index: number, startMs: number): WorkflowPlan[] {
  const type = random.pick(TYPES);
  const workflowId = `${type}-${index}`;
  switch (type) {
    case 'steps':
      return [workflow(random, workflowId, type, { count: random.int(1, 6) }, startMs)];
    case 'relay':
      return [workflow(random, workflowId, type, { count: random.int(1, 3) }, startMs)];
    case 'timer':
      return [workflow(random, workflowId, type, { count: 1, ms: random.int(50, 8_000) }, startMs)];
    case 'patient':
      return [workflow(random, workflowId, type, { count: 0 }, startMs, [{ do: 'terminate' }])];
    case 'parent': {
      const others = Array.from({ length: random.int(1, 4) }, (_, i) => `child-${index}.${i}`);
      return [workflow(random, workflowId, type, { count: others.length, others }, startMs)];
    }
    case 'collector': {
      const letters = Array.from({ length: random.int(1, 8) }, (_, i) => `s${i}`);
      const signals = letters.map((text): Step => ({ do: 'signal', text }));
      return [workflow(random, workflowId, type, { count: letters.length, letters }, startMs, signals)];
    }
    case 'courier': {
      const letters = Array.from({ length: random.int(1, 5) }, (_, i) => `letter-${i}`);
      const own = Array.from({ length: random.int(0, 3) }, (_, i) => `s${i}`);
      const to = `collector-${index}`;
      const all = [...letters, ...own];
      return [
        workflow(
          random,
          to,
          'collector',
          { count: all.length, letters: all },
          startMs,
          own.map((text): Step => ({ do: 'signal', text })),
        ),
        {
          ...workflow(random, workflowId, type, { count: letters.length, others: [to], letters }, startMs),
          after: to,
        },
      ];
    }
  }
}

function workflow(
  random: SeededRandom,
  workflowId: string,
  type: WorkflowType,
  input: WorkflowInput,
  startMs: number,
  own: readonly Step[] = [],
): WorkflowPlan {
  const steps: Step[] = [{ do: 'pause', ms: startMs }, { do: 'start' }];
  const look = (): void => {
    if (random.chance(0.5)) steps.push({ do: 'describe' });
    if (random.chance(0.25)) steps.push({ do: 'history' });
    if (random.chance(0.2)) steps.push({ do: 'query' });
    if (random.chance(0.08)) steps.push({ do: 'list' });
    if (random.chance(0.15)) steps.push({ do: 'startAgain' });
    if (random.chance(0.08)) steps.push({ do: 'startOther' });
    if (random.chance(0.6)) steps.push({ do: 'pause', ms: random.next() ** 3 * 6_000 });
  };
  look();
  for (const step of own) {
    steps.push(step);
    look();
  }
  for (let i = random.int(1, 4); i > 0; i -= 1) look();
  return { workflowId, type, input, steps };
}

/** The last one is good and ends it: it is open for all before. */
function ledgerSteps(random: SeededRandom, total: number): Step[] {
  const steps: Step[] = [];
  for (let i = 0; i < total; i += 1) {
    const until = random.chance(0.4) ? 'accepted' : 'completed';
    if (random.chance(0.4)) steps.push({ do: 'update', id: `bad-${i}`, until: 'completed' });
    if (random.chance(0.5)) steps.push({ do: 'find' });
    if (random.chance(0.5)) steps.push({ do: 'pause', ms: random.next() ** 3 * 3_000 });
    steps.push({ do: 'update', id: `note-${i}`, until });
    // The same once more: the first answer comes back.
    if (random.chance(0.3)) steps.push({ do: 'update', id: `note-${i}`, until: 'completed' });
  }
  return steps;
}
