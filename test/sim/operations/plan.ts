// What clients do to workflows from above in one seed: schedules, resets, batch jobs, activities held up and let go, cron. Plain data, as plan.ts; drawn
// with chance of its own, so that what else a seed does stays what it was.

import { ScheduleOverlapPolicy } from '../../../src/wire/enums.ts';
import type { SeededRandom } from '../random.ts';

export interface PlannedSchedule {
  everyMs: number;
  phaseMs: number;
  jitterMs: number;
  overlapPolicy: ScheduleOverlapPolicy;
  catchupWindow: number;
  pauseOnFailure: boolean;
  /** From its making on. */
  lastsMs: number;
  /** Actions it may take; absent: all. */
  limit?: number;
  /** How long a run takes, and how it ends. */
  runMs: number;
  runEnds: 'well' | 'badly';
}

export type BatchVerb = 'signal' | 'cancel' | 'terminate' | 'delete';

export type Move =
  | { do: 'wait'; ms: number }
  | { do: 'create schedule'; schedule: PlannedSchedule; trigger: boolean; paused: boolean }
  | { do: 'update schedule'; schedule: PlannedSchedule }
  | { do: 'pause schedule' }
  | { do: 'unpause schedule' }
  | { do: 'trigger schedule'; overlapPolicy: ScheduleOverlapPolicy }
  | { do: 'backfill schedule'; backMs: number; overlapPolicy: ScheduleOverlapPolicy }
  | { do: 'describe schedule' }
  | { do: 'delete schedule' }
  | { do: 'start'; workflowId: string; type: string; args: unknown[]; cron?: string }
  | { do: 'signal'; workflowId: string; text: string }
  /** `at`: which of its finished workflow tasks, 0 the first, 1 the last. */
  | { do: 'reset'; workflowId: string; of: 'current run' | 'first run'; at: number; keepSignals: boolean }
  | { do: 'terminate'; workflowId: string }
  /** Under an id whose run may have been deleted; refused where one is there. */
  | { do: 'start anew'; workflowId: string; type: string; args: unknown[] }
  /** The run that was last started under this id. */
  | { do: 'delete'; workflowId: string }
  /** Reads it in every way: it is there, or it was deleted. */
  | { do: 'look'; workflowId: string }
  | { do: 'result'; workflowId: string }
  /** On all whose ids begin so. */
  | { do: 'batch'; jobId: string; verb: BatchVerb; prefix: string; perSecond: number }
  | { do: 'stop batch'; jobId: string }
  | { do: 'batch result'; jobId: string }
  | { do: 'hold activities'; workflowId: string; by: 'id' | 'type' | 'all' }
  | { do: 'release activities'; workflowId: string; how: 'unpause' | 'reset' }
  | { do: 'change activities'; workflowId: string };

export interface OperationPlan {
  id: string;
  client: number;
  moves: Move[];
}

const POLICIES = Object.values(ScheduleOverlapPolicy);
type Kind = (random: SeededRandom, id: string) => Move[];
/** What the cluster's simulation does, too. */
export const SHARED_KINDS: readonly Kind[] = [scheduled, scheduled, resetRuns, batchJob];
const ALL_KINDS: readonly Kind[] = [...SHARED_KINDS, heldActivities, cronWorkflow];

/** @param most of them, in one seed */
export function makeOperations(
  random: SeededRandom,
  clients: number,
  most: number,
  among: readonly Kind[] = ALL_KINDS,
): OperationPlan[] {
  const kinds = Array.from({ length: random.int(1, most) }, () => random.pick(among));
  return kinds.map((kind, i) => ({
    id: `op-${i}`,
    client: random.int(0, clients - 1),
    moves: kind(random, `op-${i}`),
  }));
}

const wait = (random: SeededRandom, most: number): Move => ({ do: 'wait', ms: random.next() ** 2 * most });

export function planSchedule(random: SeededRandom): PlannedSchedule {
  const everyMs = random.int(1, 3) * 1_000;
  const schedule: PlannedSchedule = {
    everyMs,
    phaseMs: random.int(0, everyMs / 1_000 - 1) * 1_000,
    jitterMs: random.chance(0.2) ? random.int(1, 1_500) : 0,
    overlapPolicy: random.pick(POLICIES),
    catchupWindow: random.pick([0, 10_000, 10_000, 3_600_000]),
    pauseOnFailure: random.chance(0.2),
    lastsMs: random.between(3_000, 9_000),
    runMs: random.next() ** 2 * 3_000,
    runEnds: random.chance(0.2) ? 'badly' : 'well',
  };
  return random.chance(0.2) ? { ...schedule, limit: random.int(1, 4) } : schedule;
}

export function scheduled(random: SeededRandom): Move[] {
  const moves: Move[] = [
    wait(random, 1_500),
    { do: 'create schedule', schedule: planSchedule(random), trigger: random.chance(0.2), paused: random.chance(0.1) },
  ];
  for (let i = random.int(0, 4); i > 0; i -= 1) {
    moves.push(wait(random, 3_000));
    const overlapPolicy = random.pick(POLICIES);
    switch (random.int(0, 7)) {
      case 0:
        moves.push({ do: 'pause schedule' }, wait(random, 3_000), { do: 'unpause schedule' });
        break;
      case 1:
      case 2:
        moves.push({ do: 'trigger schedule', overlapPolicy });
        break;
      case 3:
        moves.push({ do: 'backfill schedule', backMs: random.between(1_000, 8_000), overlapPolicy });
        break;
      case 4:
      case 5:
        moves.push({ do: 'update schedule', schedule: planSchedule(random) });
        break;
      default:
        moves.push({ do: 'describe schedule' });
    }
  }
  if (random.chance(0.2)) {
    moves.push(wait(random, 4_000), { do: 'delete schedule' });
    if (random.chance(0.5))
      moves.push({ do: 'create schedule', schedule: planSchedule(random), trigger: random.chance(0.3), paused: false });
  }
  moves.push({ do: 'describe schedule' });
  return moves;
}

/** A diary takes notes until it is told to close; it is sent back on the way, and once it has closed. */
export function resetRuns(random: SeededRandom, id: string): Move[] {
  const workflowId = `${id}-diary`;
  const moves: Move[] = [wait(random, 1_500), { do: 'start', workflowId, type: 'diary', args: [random.int(1, 4)] }];
  const notes = random.int(2, 6);
  for (let i = 0; i < notes; i += 1) {
    moves.push(wait(random, 1_000), { do: 'signal', workflowId, text: `note-${i}` });
    if (random.chance(0.4)) moves.push(wait(random, 500), reset(random, workflowId));
  }
  moves.push({ do: 'signal', workflowId, text: 'close-0' });
  if (random.chance(0.5)) {
    moves.push({ do: 'result', workflowId });
    moves.push(reset(random, workflowId));
    moves.push({ do: 'signal', workflowId, text: 'close-1' });
  }
  moves.push({ do: 'result', workflowId });
  return moves;
}

const reset = (random: SeededRandom, workflowId: string): Move => ({
  do: 'reset',
  workflowId,
  of: random.chance(0.2) ? 'first run' : 'current run',
  at: random.next(),
  keepSignals: random.chance(0.7),
});

export function batchJob(random: SeededRandom, id: string): Move[] {
  const verb = random.pick(['signal', 'signal', 'cancel', 'terminate'] as const);
  const type = verb === 'cancel' ? 'cancellable' : verb === 'terminate' ? 'patient' : 'diary';
  const prefix = `${id}-${type}-`;
  const moves: Move[] = [wait(random, 1_500)];
  const many = random.int(2, 10);
  const ids = Array.from({ length: many }, (_, i) => prefix + i);
  for (const workflowId of ids) moves.push({ do: 'start', workflowId, type, args: [1] });
  const jobId = `${id}-job`;
  moves.push({ do: 'batch', jobId, verb, prefix, perSecond: random.pick([2, 3, 5, 50]) });
  const isStopped = verb === 'signal' && random.chance(0.25);
  if (isStopped) moves.push(wait(random, 2_000), { do: 'stop batch', jobId });
  moves.push({ do: 'batch result', jobId });
  for (const workflowId of ids) {
    if (verb === 'signal') moves.push({ do: 'signal', workflowId, text: 'close-0' });
    moves.push({ do: 'result', workflowId });
  }
  return moves;
}

export function heldActivities(random: SeededRandom, id: string): Move[] {
  const workflowId = `${id}-pipeline`;
  const moves: Move[] = [wait(random, 1_500), { do: 'start', workflowId, type: 'pipeline', args: [random.int(2, 5)] }];
  for (let i = random.int(2, 6); i > 0; i -= 1) {
    moves.push(wait(random, 150), { do: 'hold activities', workflowId, by: random.pick(['id', 'type', 'all']) });
    if (random.chance(0.3)) moves.push({ do: 'change activities', workflowId });
    moves.push(wait(random, 1_000));
    moves.push({ do: 'release activities', workflowId, how: random.pick(['unpause', 'unpause', 'reset']) });
  }
  moves.push({ do: 'result', workflowId });
  return moves;
}

export function cronWorkflow(random: SeededRandom, id: string): Move[] {
  const workflowId = `${id}-cron`;
  const args = [random.next() ** 2 * 2_000, random.chance(0.3) ? 'badly' : 'well'];
  return [
    wait(random, 1_000),
    { do: 'start', workflowId, type: 'errand', args, cron: `@every ${random.int(1, 2)}s` },
    { do: 'wait', ms: random.between(2_000, 7_000) },
    { do: 'terminate', workflowId },
    { do: 'result', workflowId },
  ];
}

/** In so many seeds executions are deleted. */
const DELETED_SHARE = 0.35;

/** Drawn apart: what else a seed does is as it was before there were deletions. */
export function makeDeletions(random: SeededRandom, clients: number): OperationPlan[] {
  if (!random.chance(DELETED_SHARE)) return [];
  const id = 'gone-0';
  return [{ id, client: random.int(0, clients - 1), moves: deletions(random, id) }];
}

/** Runs that are open, or have closed, or have been followed by others, are deleted; ids are used again; what is left in the end is terminated. */
function deletions(random: SeededRandom, id: string): Move[] {
  const ids = Array.from({ length: random.int(2, 5) }, (_, i) => {
    const type = random.pick(['diary', 'diary', 'patient', 'cancellable', 'errand'] as const);
    // Each note begins another run: the one that is deleted is then not the last.
    const args = type === 'diary' ? [1] : type === 'errand' ? [random.next() * 500, 'well'] : [];
    return { workflowId: `${id}-${type}-${i}`, type, args };
  });
  const moves: Move[] = [wait(random, 1_500)];
  for (const one of ids) moves.push({ do: 'start anew', ...one });
  for (let i = random.int(3, 9); i > 0; i -= 1) {
    const one = random.pick(ids);
    const { workflowId, type } = one;
    moves.push(wait(random, 1_500));
    if (type === 'diary' && random.chance(0.6)) {
      moves.push({ do: 'signal', workflowId, text: `note-${i}` });
      if (random.chance(0.5)) moves.push(wait(random, 2_000));
    }
    if (type === 'diary' && random.chance(0.3)) moves.push({ do: 'signal', workflowId, text: `close-${i}` });
    if (random.chance(0.3)) moves.push({ do: 'look', workflowId });
    if (random.chance(0.7)) moves.push({ do: 'delete', workflowId }, { do: 'look', workflowId });
    if (random.chance(0.5)) moves.push({ do: 'start anew', ...one });
  }
  if (random.chance(0.4)) {
    const jobId = `${id}-job`;
    const prefix = `${id}-${random.pick(['', 'diary', 'patient'])}`;
    moves.push({ do: 'batch', jobId, verb: 'delete', prefix, perSecond: random.pick([3, 50]) });
    if (random.chance(0.3)) moves.push(wait(random, 1_000), { do: 'stop batch', jobId });
    moves.push({ do: 'batch result', jobId });
  }
  for (const { workflowId } of ids) moves.push({ do: 'look', workflowId }, { do: 'terminate', workflowId });
  return moves;
}
