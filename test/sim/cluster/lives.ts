// The other lives of a cluster's seed: workflows that are paused, that continue as new while signals come, that leave children behind, cancel each other,
// run by cron, begin by an update or call back; activities that are held up, or have no workflow. Plain data, drawn with chance of its own.

import type { SeededRandom } from '../random.ts';
import type { OperatedType, WorkflowInput } from './workflows.ts';

export type LifeMove =
  | { readonly do: 'wait'; readonly ms: number }
  | {
      readonly do: 'begin';
      readonly workflowId: string;
      readonly type: OperatedType | 'steps' | 'ledger';
      readonly input: WorkflowInput;
      readonly cron?: string;
      readonly callback?: 'wanted';
    }
  /** The start comes along with each of these updates, at once. */
  | {
      readonly do: 'begin by updates';
      readonly workflowId: string;
      readonly total: number;
      readonly ids: readonly string[];
    }
  | { readonly do: 'update'; readonly workflowId: string; readonly id: string }
  | { readonly do: 'tell'; readonly workflowId: string; readonly texts: readonly string[] }
  | { readonly do: 'terminate'; readonly workflowId: string }
  | { readonly do: 'hold' | 'let go'; readonly workflowId: string }
  | { readonly do: 'hold activities'; readonly workflowId: string; readonly by: 'type' | 'all' }
  | { readonly do: 'release activities'; readonly workflowId: string; readonly how: 'unpause' | 'reset' }
  | { readonly do: 'change activities'; readonly workflowId: string }
  | { readonly do: 'begin activity'; readonly activityId: string }
  | { readonly do: 'activity ends'; readonly activityId: string }
  | {
      readonly do: 'ends';
      readonly workflowId: string;
      readonly as: End;
      readonly result?: unknown;
      readonly order?: 'any';
    };

export type End = 'completed' | 'cancelled' | 'terminated';

export interface LifePlan {
  readonly id: string;
  readonly moves: readonly LifeMove[];
}

/** In so many seeds, and how many of them. */
const SHARE = 0.6;
const MOST = 3;

type Kind = (random: SeededRandom, id: string) => LifeMove[];

const wait = (random: SeededRandom, most: number): LifeMove => ({ do: 'wait', ms: random.next() ** 2 * most });

/** Signals come before, in and after a pause. */
const paused: Kind = (random, workflowId) => {
  const total = random.int(2, 6);
  const moves: LifeMove[] = [{ do: 'begin', workflowId, type: 'scribe', input: { count: 100 } }];
  const notes = Array.from({ length: total }, (_, i) => `note-${i}`);
  const from = random.int(0, total - 1);
  const to = random.int(from, total - 1);
  for (const [i, text] of notes.entries()) {
    if (i === from) moves.push({ do: 'hold', workflowId });
    moves.push(wait(random, 800), { do: 'tell', workflowId, texts: [text] });
    if (i === to) moves.push(wait(random, 3_000), { do: 'let go', workflowId });
  }
  moves.push({ do: 'tell', workflowId, texts: ['close'] }, { do: 'ends', workflowId, as: 'completed', result: notes });
  return moves;
};

/** Several come at once: while a task is at the worker, others wait behind it. */
const continued: Kind = (random, workflowId) => {
  const input = { count: random.int(1, 3) };
  const moves: LifeMove[] = [{ do: 'begin', workflowId, type: 'scribe', input }];
  const all: string[] = [];
  for (let burst = random.int(2, 6); burst > 0; burst -= 1) {
    const texts = Array.from({ length: random.int(1, 4) }, (_, i) => `note-${all.length + i}`);
    if (random.chance(0.4)) moves.push(wait(random, 500));
    moves.push({ do: 'tell', workflowId, texts });
    all.push(...texts);
  }
  moves.push({ do: 'tell', workflowId, texts: ['close'] });
  moves.push({ do: 'ends', workflowId, as: 'completed', result: all, order: 'any' });
  return moves;
};

const LEFT = [
  ['terminate', 'terminated'],
  ['request cancel', 'cancelled'],
  ['abandon', 'completed'],
] as const;

const leaver: Kind = (random, workflowId) => {
  const [policy, as] = random.pick(LEFT);
  const child = `${workflowId}/child`;
  return [
    { do: 'begin', workflowId, type: 'leaver', input: { count: 0, others: [child], letters: [policy] } },
    { do: 'ends', workflowId, as: 'completed', result: 'left' },
    { do: 'ends', workflowId: child, as },
  ];
};

const canceller: Kind = (random, workflowId) => {
  const victim = `${workflowId}-victim`;
  return [
    { do: 'begin', workflowId: victim, type: 'cancellable', input: { count: 0 } },
    wait(random, 500),
    { do: 'begin', workflowId, type: 'canceller', input: { count: 0, others: [victim] } },
    { do: 'ends', workflowId, as: 'completed', result: 'asked' },
    { do: 'ends', workflowId: victim, as: 'cancelled' },
  ];
};

const cron: Kind = (random, workflowId) => {
  const input = {
    count: 0,
    ms: Math.ceil(random.next() ** 2 * 2_000),
    ends: random.chance(0.3) ? 'badly' : 'well',
  } as const;
  return [
    { do: 'begin', workflowId, type: 'errand', input, cron: `@every ${random.int(1, 2)}s` },
    { do: 'wait', ms: random.between(2_000, 7_000) },
    { do: 'terminate', workflowId },
    { do: 'ends', workflowId, as: 'terminated' },
  ];
};

const byUpdates: Kind = (random, workflowId) => [
  { do: 'begin by updates', workflowId, total: 3, ids: ['note-0', 'note-1'] },
  wait(random, 1_000),
  { do: 'update', workflowId, id: 'note-2' },
  { do: 'ends', workflowId, as: 'completed', result: 3 },
];

const calledBack: Kind = (random, id) => {
  const ids = Array.from({ length: random.int(1, 4) }, (_, i) => `${id}-${i}`);
  const input = { count: random.int(0, 2) };
  return [
    ...ids.flatMap((workflowId): LifeMove[] => [
      wait(random, 500),
      { do: 'begin', workflowId, type: 'steps', input, callback: 'wanted' },
    ]),
    ...ids.map((workflowId): LifeMove => ({ do: 'ends', workflowId, as: 'completed', result: input.count })),
  ];
};

const heldActivities: Kind = (random, workflowId) => {
  const count = random.int(2, 5);
  const moves: LifeMove[] = [{ do: 'begin', workflowId, type: 'steps', input: { count } }];
  for (let i = random.int(2, 5); i > 0; i -= 1) {
    moves.push(wait(random, 150), { do: 'hold activities', workflowId, by: random.pick(['type', 'all']) });
    if (random.chance(0.3)) moves.push({ do: 'change activities', workflowId });
    moves.push(wait(random, 1_000));
    moves.push({ do: 'release activities', workflowId, how: random.pick(['unpause', 'unpause', 'reset']) });
  }
  moves.push({ do: 'ends', workflowId, as: 'completed', result: count });
  return moves;
};

const standalone: Kind = (random, id) => {
  const ids = Array.from({ length: random.int(1, 5) }, (_, i) => `${id}-${i}`);
  return [
    ...ids.flatMap((activityId): LifeMove[] => [wait(random, 500), { do: 'begin activity', activityId }]),
    ...ids.map((activityId): LifeMove => ({ do: 'activity ends', activityId })),
  ];
};

const KINDS = { paused, continued, leaver, canceller, cron, byUpdates, calledBack, heldActivities, standalone };

/** @param anchors virtual ms at which something happens */
export function makeLives(
  random: SeededRandom,
  firstMs: number,
  lastMs: number,
  anchors: readonly number[],
): LifePlan[] {
  if (!random.chance(SHARE)) return [];
  return Array.from({ length: random.int(1, MOST) }, (_, i) => {
    const [name, kind] = random.pick(Object.entries(KINDS));
    const id = `life-${i}-${name}`;
    const ms = anchors.length > 0 && random.chance(0.7) ? random.pick(anchors) : random.between(firstMs, lastMs);
    const startMs = Math.min(lastMs, Math.max(firstMs, ms - random.between(0, 3_000)));
    return { id, moves: [{ do: 'wait', ms: startMs }, ...kind(random, id)] };
  });
}

/** Of seeds: somebody climbs, in a life of its own. */
const CLIMBERS_SHARE = 0.2;

/** Drawn apart: a long activity, which goes on where its last sign of life left off, through retries by other workers. */
export function makeClimbers(random: SeededRandom, lastMs: number, anchors: readonly number[]): LifePlan[] {
  if (!random.chance(CLIMBERS_SHARE)) return [];
  return Array.from({ length: random.int(1, MOST) }, (_, i) => {
    const workflowId = `life-${i}-climber`;
    const anchor = anchors.length > 0 ? random.pick(anchors) : lastMs / 2;
    const begins: LifeMove = { do: 'wait', ms: Math.min(lastMs, Math.max(0, anchor - random.between(0, 2_000))) };
    const count = random.int(4, 12);
    return {
      id: workflowId,
      moves: [
        begins,
        { do: 'begin', workflowId, type: 'climber', input: { count } },
        { do: 'ends', workflowId, as: 'completed', result: count },
      ],
    };
  });
}
