// What clients do through the Temporal-compatible door in one seed, and which workers are behind it. Plain data, as plan.ts; drawn with chance of its own.

import { type Move, scheduled } from '../operations/plan.ts';
import type { SeededRandom } from '../random.ts';

/** What a desk does, one after the other. */
export type DeskStep =
  | { do: 'activity'; key: string }
  /** With heartbeats; so many units of 100 ms. */
  | { do: 'work'; key: string; units: number }
  | { do: 'timer'; id: string; ms: number }
  /** A pipeline, on the queue of the workers of the other door. */
  | { do: 'child'; workflowId: string; steps: number }
  /** A signal to another workflow, sent again while that has not begun. */
  | { do: 'tell'; workflowId: string; id: string };

/** The input of a desk: it does its steps, and takes so many signals and updates. Runs after the first know what those before them took. */
export interface DeskInput {
  steps: DeskStep[];
  signals: number;
  updates: number;
  /** Signals it takes before it continues as new. */
  perRun: number;
  carried: { steps: number; signals: string[] };
}

/** A desk is worked by the door's own workers, the others by those of the native door. */
export type DoorWorkflowType = 'desk' | 'ledger' | 'collector';

export type DoorStep =
  | { do: 'start' }
  /** The same request once more, or another one, which is refused. */
  | { do: 'startAgain' }
  | { do: 'startOther' }
  | { do: 'signalWithStart'; id: string }
  | { do: 'signal'; id: string }
  | { do: 'update'; id: string; until: 'accepted' | 'completed' }
  /** What became of an update that was accepted. */
  | { do: 'ask'; id: string }
  | { do: 'cancel' }
  | { do: 'query' }
  | { do: 'describe' }
  | { do: 'history'; wait: boolean; pageSize: number }
  /** At a workflow of the native door. */
  | { do: 'look'; workflowId: string }
  | { do: 'list' }
  | { do: 'pause'; ms: number };

export interface DoorWorkflow {
  workflowId: string;
  type: DoorWorkflowType;
  args: unknown[];
  /** What it takes in all, from whoever. */
  signals: string[];
  updates: string[];
  ends: 'completed' | 'canceled';
  steps: DoorStep[];
}

export interface DoorWorkerSettings {
  workflowPolls: number;
  /** 0: it keeps nothing warm. */
  stickyPolls: number;
  activityPolls: number;
  maxCached: number;
  stickyTimeoutMs: number;
  /** It takes the next task, and activities, with its answers. */
  eager: boolean;
}

export interface DoorPlan {
  workers: DoorWorkerSettings[];
  workflows: DoorWorkflow[];
  schedules: { id: string; moves: Move[] }[];
}

/** In so many seeds somebody calls this door. */
const SHARE = 0.3;

export function makeDoorPlan(random: SeededRandom, others: readonly string[]): DoorPlan | undefined {
  if (!random.chance(SHARE)) return undefined;
  const workflows = Array.from({ length: random.int(1, 4) }, (_, i) => workflow(random, i, others));
  tell(random, workflows);
  const schedules = random.chance(0.3) ? [{ id: 'door-schedule', moves: scheduled(random) }] : [];
  const workers = Array.from({ length: random.int(1, 2) }, () => ({
    workflowPolls: random.int(1, 2),
    stickyPolls: random.int(0, 2),
    activityPolls: random.int(0, 2),
    maxCached: random.pick([1, 100]),
    stickyTimeoutMs: random.pick([300, 2_000, 5_000]),
    eager: random.chance(0.5),
  }));
  return { workers, workflows, schedules };
}

function workflow(random: SeededRandom, index: number, others: readonly string[]): DoorWorkflow {
  const kind = random.pick(['signals', 'signals', 'updates', 'updates', 'steps', 'cancelled', 'ledger', 'collector']);
  const type = kind === 'ledger' || kind === 'collector' ? kind : 'desk';
  const workflowId = `door-${type}-${index}`;
  const takes = (from: number, to: number, name: string): string[] =>
    Array.from({ length: random.int(from, to) }, (_, i) => `${name}${i}`);
  const signals = kind === 'signals' || kind === 'collector' ? takes(1, 6, 's') : [];
  const updates = kind === 'updates' || kind === 'ledger' ? takes(1, 5, 'note-') : [];
  if (kind === 'updates' && random.chance(0.5)) signals.push(...takes(1, 2, 's'));
  const made = { workflowId, type, signals, updates, ends: kind === 'cancelled' ? 'canceled' : 'completed' } as const;
  return { ...made, args: argsOf(random, made, kind), steps: stepsOf(random, made, others) };
}

function argsOf(random: SeededRandom, { workflowId, type, signals, updates, ends }: Made, kind: string): unknown[] {
  if (type === 'ledger') return [updates.length];
  if (type === 'collector') return [signals.length, random.int(1, 4), []];
  const steps: DeskStep[] = Array.from({ length: kind === 'steps' ? random.int(1, 5) : random.int(0, 2) }, (_, i) =>
    deskStep(random, workflowId, i),
  );
  if (ends === 'canceled')
    steps.push(
      random.chance(0.6)
        ? { do: 'work', key: 'endless', units: 1_000_000 }
        : { do: 'timer', id: 'endless', ms: 3_600_000 },
    );
  const perRun = updates.length > 0 || random.chance(0.4) ? 1_000 : random.int(1, 3);
  const input: DeskInput = {
    ...{ steps, signals: signals.length, updates: updates.length, perRun },
    carried: { steps: 0, signals: [] },
  };
  return [input];
}

function deskStep(random: SeededRandom, workflowId: string, index: number): DeskStep {
  switch (random.int(0, 4)) {
    case 0:
      return { do: 'timer', id: `timer-${index}`, ms: random.int(1, 600) };
    case 1:
      return { do: 'work', key: `work-${index}`, units: random.int(1, 12) };
    case 2:
      return { do: 'child', workflowId: `${workflowId}-child-${index}`, steps: random.int(0, 1) };
    default:
      return { do: 'activity', key: `step-${index}` };
  }
}

type Made = Omit<DoorWorkflow, 'args' | 'steps'>;

/** Desks send signals to others that come after them, so that none waits for itself. */
function tell(random: SeededRandom, workflows: DoorWorkflow[]): void {
  for (const [index, from] of workflows.entries()) {
    const among = workflows.slice(index + 1).filter(({ ends, type }) => ends === 'completed' && type === 'desk');
    if (from.type !== 'desk' || from.ends !== 'completed' || among.length === 0 || !random.chance(0.4)) continue;
    const to = random.pick(among);
    const id = `from-${from.workflowId}`;
    to.signals.push(id);
    // Both are desks: that is their one argument.
    (to.args[0] as DeskInput).signals += 1;
    (from.args[0] as DeskInput).steps.push({ do: 'tell', workflowId: to.workflowId, id });
  }
}

function stepsOf(random: SeededRandom, { type, signals, updates, ends }: Made, others: readonly string[]): DoorStep[] {
  const steps: DoorStep[] = [{ do: 'pause', ms: random.between(0, 1_500) }];
  const [first, ...rest] = signals;
  const withStart = first !== undefined && random.chance(0.4);
  if (withStart) steps.push({ do: 'signalWithStart', id: first });
  else steps.push({ do: 'start' });
  const look = (): void => {
    if (random.chance(0.35)) steps.push({ do: 'query' });
    if (random.chance(0.2)) steps.push({ do: 'describe' });
    if (random.chance(0.3)) {
      steps.push({ do: 'history', wait: random.chance(0.4), pageSize: random.pick([1, 3, 1_000]) });
    }
    if (random.chance(0.1)) steps.push({ do: 'list' });
    if (random.chance(0.1) && !withStart) steps.push({ do: 'startAgain' });
    if (random.chance(0.05)) steps.push({ do: 'startOther' });
    if (random.chance(0.15) && others.length > 0) steps.push({ do: 'look', workflowId: random.pick(others) });
    if (random.chance(0.6)) steps.push({ do: 'pause', ms: random.next() ** 3 * 2_000 });
  };
  look();
  for (const id of withStart ? rest : signals) {
    steps.push({ do: 'signal', id });
    look();
  }
  for (const [i, id] of updates.entries()) {
    const until = random.chance(0.4) ? 'accepted' : 'completed';
    if (random.chance(0.4)) steps.push({ do: 'update', id: `bad-${i}`, until });
    look();
    steps.push({ do: 'update', id, until });
    if (random.chance(0.4)) steps.push({ do: 'ask', id });
    if (random.chance(0.2)) steps.push({ do: 'update', id, until: 'completed' });
  }
  if (ends === 'canceled') steps.push({ do: 'cancel' });
  if (type === 'desk') look();
  return steps;
}
