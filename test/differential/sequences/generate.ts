// Sequences from seeds. No model of a server: a step that has nothing to do where the play stands is left out by the play, and weights make what is left
// common enough.

import type { SeededRandom } from '../../sim/random.ts';
import { ACTIVITIES, type Options, SCHEDULES, type Step, WORKFLOWS } from './step.ts';

type Draw = (random: SeededRandom) => Options | undefined;
interface Kind {
  readonly weight: number;
  readonly options?: Draw;
}

const COMMANDS: readonly (readonly [number, string])[] = [
  ...([
    [10, 'activity 0'],
    [8, 'activity 1'],
    [8, 'activity 2'],
    [3, 'cancelActivity 0'],
    [3, 'cancelActivity 1'],
  ] as const),
  ...([
    [3, 'cancelActivity 2'],
    [5, 'timer 0'],
    [3, 'timer 1'],
    [2, 'cancelTimer 0'],
    [3, 'marker'],
    [3, 'memo 0'],
  ] as const),
  ...([
    [2, 'memo 1'],
    [3, 'child 1'],
    [3, 'child 2'],
    [3, 'signalOther 0'],
    [3, 'signalOther 1'],
  ] as const),
  ...([
    [3, 'cancelOther 1'],
    [2, 'cancelOther 2'],
    [2, 'signalChild 1'],
    [3, 'cancelChild 1'],
    [2, 'cancelChild 2'],
  ] as const),
  ...([
    [2, 'eagerActivity 1'],
    [2, 'shortTimer'],
    [2, 'localActivity 0'],
    [2, 'localActivity 1'],
    [2, 'upsert 0'],
    [2, 'upsert 1'],
  ] as const),
];
const ELSEWHERE = /^(child|signalOther|cancelOther|signalChild|cancelChild) /;
const CLOSING = ['complete', 'fail', 'cancelWorkflow', 'continueAsNew'];

const BATCHES = [
  ...['signal', 'cancel', 'terminate', 'reset', 'delete', 'resetFirst'],
  ...['unpauseActivities', 'resetActivities', 'changeActivities', 'options'],
];

const sometimes = (random: SeededRandom, chance: number, options: Options): Options =>
  random.chance(chance) ? options : {};

const startOptions: Draw = (random) => ({
  ...sometimes(random, 0.2, { request: 'same' }),
  ...sometimes(random, 0.3, { reuse: random.int(1, 4) }),
  ...sometimes(random, 0.4, { conflict: random.int(1, 3) }),
  ...sometimes(random, 0.15, { retry: true }),
  ...sometimes(random, 0.07, { cron: true }),
  ...sometimes(random, 0.07, { delay: true }),
  ...sometimes(random, 0.2, { memo: true }),
  ...sometimes(random, 0.15, { attach: true }),
  ...sometimes(random, 0.15, { run: true }),
  ...sometimes(random, 0.15, { priority: true }),
});

const commands: Draw = (random) => {
  const drawn = Array.from({ length: random.int(0, 2) }, () => weighted(random, COMMANDS));
  // What comes back of two from elsewhere comes in either order.
  const some = drawn.filter((text, i) => !ELSEWHERE.test(text) || drawn.findIndex((one) => ELSEWHERE.test(one)) === i);
  const closing = random.chance(0.15) ? [random.pick(CLOSING)] : [];
  const updates = random.pick(['accept', 'complete', 'complete', 'break', 'reject', 'ignore']);
  return {
    commands: [...some, ...closing],
    updates,
    ...sometimes(random, 0.1, { again: true }),
    ...sometimes(random, 0.2, { next: true }),
  };
};

const activity: Draw = (random) => ({ id: random.int(0, 2), ...sometimes(random, 0.4, { by: 'id' }) });
const operated: Draw = (random) => ({
  ...(random.chance(0.8) ? { id: random.int(0, 2) } : { id: String(random.int(0, 2)) }),
  ...sometimes(random, 0.3, { heartbeat: true }),
  ...sometimes(random, 0.3, { attempts: true }),
  ...sometimes(random, 0.3, { keep: true }),
  ...sometimes(random, 0.3, { restore: true }),
});
const update: Draw = (random) => ({ id: random.int(0, 4), stage: random.int(2, 3) });

const OF_WORKFLOWS: Readonly<Record<string, Kind>> = {
  start: {
    weight: 14,
    options: (random) => ({ ...startOptions(random), ...sometimes(random, 0.15, { eager: true }) }),
  },
  signalWithStart: { weight: 4, options: startOptions },
  updateWithStart: { weight: 3, options: (random) => ({ ...startOptions(random), ...update(random) }) },
  signal: { weight: 7, options: (random) => sometimes(random, 0.3, { request: 'same' }) },
  update: { weight: 9, options: update },
  pollUpdate: { weight: 2, options: (random) => ({ ...update(random), ...sometimes(random, 0.5, { wait: true }) }) },
  query: { weight: 4, options: (random) => ({ reject: random.int(0, 3) }) },
  cancel: { weight: 4, options: (random) => sometimes(random, 0.3, { request: 'same' }) },
  terminate: { weight: 2 },
  delete: { weight: 1 },
  pause: { weight: 2, options: (random) => sometimes(random, 0.3, { request: 'same' }) },
  unpause: { weight: 2 },
  reset: {
    weight: 4,
    options: (random) => ({
      at: random.int(0, 9) / 10,
      ...sometimes(random, 0.3, { excluded: [random.int(1, 3)] }),
      ...sometimes(random, 0.2, { reapply: random.int(1, 3) }),
      ...sometimes(random, 0.2, { anywhere: true }),
      ...sometimes(random, 0.2, { after: true }),
    }),
  },
  setOptions: {
    weight: 2,
    options: (random) =>
      random.chance(0.5)
        ? { upgrades: random.chance(0.6) }
        : { priority: random.int(0, 5), part: random.pick(['priority_key', 'fairness_key', 'fairness_weight', '']) },
  },
  list: { weight: 1 },
  batch: {
    weight: 2,
    options: (random) => ({ what: random.pick(BATCHES) }),
  },
  poll: { weight: 8 },
  answer: { weight: 10, options: commands },
  work: { weight: 22, options: commands },
  failTask: { weight: 2, options: (random) => ({ cause: random.pick([5, 8, 24]) }) },
  pollActivity: { weight: 10 },
  completeActivity: { weight: 5, options: activity },
  failActivity: {
    weight: 5,
    options: (random) => ({ ...activity(random), ...sometimes(random, 0.3, { retried: false }) }),
  },
  cancelActivity: { weight: 2, options: activity },
  heartbeat: { weight: 4, options: activity },
  pauseActivity: { weight: 4, options: operated },
  unpauseActivity: { weight: 3, options: operated },
  resetActivity: { weight: 3, options: operated },
  setActivityOptions: { weight: 2, options: operated },
};

const reuse: Draw = (random) => ({
  attempts: random.int(1, 3),
  ...sometimes(random, 0.3, { reuse: random.int(1, 3) }),
  ...sometimes(random, 0.4, { conflict: random.int(1, 2) }),
  ...sometimes(random, 0.1, { delay: true }),
});

const OF_ACTIVITIES: Readonly<Record<string, Kind>> = {
  startStandalone: { weight: 12, options: reuse },
  pollStandalone: { weight: 16 },
  completeStandalone: { weight: 4 },
  failStandalone: { weight: 6, options: (random) => sometimes(random, 0.3, { retried: false }) },
  cancelStandalone: { weight: 2 },
  heartbeatStandalone: { weight: 5 },
  requestCancelStandalone: { weight: 3 },
  terminateStandalone: { weight: 2 },
  deleteStandalone: { weight: 1 },
  pauseStandalone: { weight: 5 },
  unpauseStandalone: { weight: 4 },
  resetStandalone: { weight: 4, options: operated },
  setStandaloneOptions: { weight: 3, options: operated },
  listStandalone: { weight: 2 },
  awaitStandalone: { weight: 2 },
};

const scheduled: Draw = (random) => ({
  overlap: random.int(1, 6),
  ...sometimes(random, 0.4, { paused: true }),
  ...sometimes(random, 0.2, { limited: true }),
  ...sometimes(random, 0.2, { trigger: true }),
});

const OF_SCHEDULES: Readonly<Record<string, Kind>> = {
  createSchedule: { weight: 6, options: scheduled },
  updateSchedule: { weight: 3, options: scheduled },
  pauseSchedule: { weight: 3 },
  unpauseSchedule: { weight: 3 },
  triggerSchedule: { weight: 6, options: (random) => ({ overlap: random.int(0, 6) }) },
  backfillSchedule: { weight: 3, options: (random) => ({ overlap: random.int(0, 6), years: random.int(1, 3) }) },
  endScheduled: { weight: 6 },
  deleteSchedule: { weight: 1 },
  listSchedules: { weight: 2 },
};

/** What a sequence is about, how often, and how many there are of it. */
const SUBJECTS: readonly (readonly [
  number,
  { readonly kinds: Readonly<Record<string, Kind>>; readonly count: number; readonly first: string },
])[] = [
  [8, { kinds: OF_WORKFLOWS, count: WORKFLOWS, first: 'start' }],
  [2, { kinds: OF_ACTIVITIES, count: ACTIVITIES, first: 'startStandalone' }],
  [1, { kinds: OF_SCHEDULES, count: SCHEDULES, first: 'createSchedule' }],
];
const MIN_STEPS = 10;
const MAX_STEPS = 30;
/** Of the steps, so many are about the first of what there is: deep rather than wide. */
const FOCUS = 0.7;

export function sequenceOf(random: SeededRandom): Step[] {
  const { kinds, count, first } = weighted(random, SUBJECTS);
  const table = Object.entries(kinds).map(([call, { weight }]) => [weight, call] as const);
  const step = (call: string, on: number): Step => {
    const options = kinds[call]?.options?.(random);
    return options === undefined ? { call, on } : { call, on, with: options };
  };
  const length = random.int(MIN_STEPS, MAX_STEPS);
  const later = Array.from({ length }, () =>
    step(weighted(random, table), random.chance(FOCUS) ? 0 : random.int(1, count - 1)),
  );
  return [step(first, 0), ...later];
}

function weighted<T>(random: SeededRandom, items: readonly (readonly [number, T])[]): T {
  let at = random.next() * items.reduce((sum, [weight]) => sum + weight, 0);
  for (const [weight, item] of items) {
    at -= weight;
    if (at < 0) return item;
  }
  throw new Error('nothing to draw from');
}
