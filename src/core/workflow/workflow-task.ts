// The workflow task of a run: at most one (TEMPORAL-COMPAT "Event and task rules"). Scheduling, starting, transient attempts, the
// sticky queue, failing and timing out. Called by the messages and by command processing.

import { isActivityAddress } from '../../wire/activity-address.ts';
import { EventType, SuggestContinueAsNewReason, TimeoutType, WorkflowTaskFailedCause } from '../../wire/enums.ts';
import type { Failure } from '../../wire/failure.ts';
import type { TaskRef } from './message.ts';
import { workflowOffer } from './offers.ts';
import { isPaused } from './paused.ts';
import type { RunRow, TaskFailureRow, WorkflowTaskRow } from './rows.ts';
import type { RunDraft } from './run-draft.ts';
import { isTransient, scheduledAttributes, startedAttributes } from './started.ts';
import { hasKeptUpdates, hasUnsentUpdates, unsendUpdates } from './update-delivery.ts';
import { fitsSticky, routeOfRun } from './versioning.ts';

/** After this many attempts the timeout grows, and reported failures wait. */
const BACKOFF_AFTER_ATTEMPT = 3;
const BACKOFF_INITIAL = 5_000;
const BACKOFF_MAXIMUM = 10 * 60_000;
/** Continue-as-new is suggested once a run has had this share of the updates it may. */
const SUGGESTED_SHARE_OF_UPDATES = 0.9;
/** From the failure of this attempt on, lists show it (`TemporalReportedProblems`): before, a retry may well help. */
const REPORTED_FROM_ATTEMPT = 5;
/** What is kept of a failure's message in the run's row, which most turns rewrite. */
const TASK_FAILURE_TEXT = 1_000;

/** 0 up to attempt 3, then 5 s, 10 s, … at most 10 minutes. ms. */
export function taskBackoff(attempt: number): number {
  if (attempt <= BACKOFF_AFTER_ATTEMPT) return 0;
  return Math.min(BACKOFF_INITIAL * 2 ** (attempt - BACKOFF_AFTER_ATTEMPT - 1), BACKOFF_MAXIMUM);
}

const offerOf = (run: RunDraft, task: WorkflowTaskRow) => workflowOffer(run.turn.state, run.runId, run.start, task);

/** To the version that it is for now, by the run's priority: either may have changed since it was last offered. */
export function offerTask(run: RunDraft, waiting: WorkflowTaskRow): void {
  if (isPaused(run)) return;
  const version = routeOfRun(run);
  const { priority } = run.facts;
  const isSame = version === waiting.version && priority === waiting.runPriority;
  const task = isSame ? waiting : { ...waiting, version, runPriority: priority };
  if (task !== waiting) run.setTask(task);
  const offer = offerOf(run, task);
  if (run.eagerFor !== undefined) offer.eagerFor = run.eagerFor;
  run.turn.effects.push({ type: 'offerTask', offer });
}

/** A task in back-off was never offered. */
export function withdrawTask(run: RunDraft, task: WorkflowTaskRow): void {
  if (task.notBefore !== undefined || isPaused(run)) return;
  run.turn.effects.push({ type: 'withdrawTask', offer: offerOf(run, task) });
}

function settle(run: RunDraft, task: WorkflowTaskRow): void {
  if (task.session === undefined || task.startId === undefined || task.speculative === true) return;
  const { session, scheduledEventId } = task;
  run.turn.effects.push({ type: 'taskSettled', session, kind: 'workflow', runId: run.runId, scheduledEventId });
}

/** What happens is not shown to its workflow for now: it is paused, its first task is not due yet or has no permit. */
export const isHeldBack = ({ row }: { readonly row: RunRow }): boolean =>
  isPaused({ row }) || row.firstTaskAt !== undefined || row.permit !== undefined;

/** Makes sure a workflow task waits or runs, unless the run is closed or held back. `delay` (ms) keeps it from workers for a while. */
export function scheduleTask(run: RunDraft, delay = 0): void {
  if (!run.isOpen || run.row.task !== undefined || isHeldBack(run)) return;
  const task = nextTask(run);
  if (task.attempt === 1) run.add(EventType.WORKFLOW_TASK_SCHEDULED, scheduledAttributes(run.start, task));
  if (delay > 0) task.notBefore = run.now + delay;
  run.setTask(task);
  if (delay === 0) offerTask(run, task);
}

function nextTask(run: RunDraft): WorkflowTaskRow {
  const attempt = run.row.nextAttempt;
  const task: WorkflowTaskRow = {
    scheduledEventId: run.facts.nextEventId,
    startedEventId: 0,
    attempt,
    scheduledTime: run.now,
    originalScheduledTime: run.now,
    timeout: (run.start.attributes.workflowTaskTimeout ?? run.turn.limits.workflowTaskTimeout) + taskBackoff(attempt),
  };
  const version = routeOfRun(run);
  if (version !== undefined) task.version = version;
  if (run.facts.priority !== undefined) task.runPriority = run.facts.priority;
  if (run.row.sticky !== undefined && fitsSticky(run, version)) {
    task.stickyQueue = run.row.sticky.queue;
    task.stickyUntil = run.now + run.row.sticky.scheduleToStartTimeout;
  }
  return task;
}

/**
 * Makes sure that updates which wait get a workflow task: one without events where a worker can be sent back to the task before (rule 5), for
 * an update that is rejected leaves none.
 */
export function scheduleForUpdates(run: RunDraft): void {
  if (!run.isOpen || isPaused(run) || run.holding || run.row.task !== undefined || !hasUnsentUpdates(run)) return;
  if (run.row.permit !== undefined) return;
  if (run.row.nextAttempt > 1 || run.facts.previousStartedEventId === 0 || hasKeptUpdates(run)) {
    scheduleTask(run);
    return;
  }
  const task: WorkflowTaskRow = { ...nextTask(run), speculative: true };
  run.setTask(task);
  offerTask(run, task);
}

/** Something happened that the workflow must see: a task, unless one is pending or awaited. */
export function wakeWorkflow(run: RunDraft): void {
  // An activity without a workflow wakes none.
  if (!run.holding && !isActivityAddress(run.turn.state.workflowId)) scheduleTask(run);
}

/** The updates that a speculative task was to carry are gone before a worker has taken it: it goes with them. */
export function dropUnneeded(run: RunDraft): void {
  const { task } = run.row;
  if (task?.speculative !== true || task.startId !== undefined || hasUnsentUpdates(run)) return;
  withdrawTask(run, task);
  run.setTask(undefined);
}

export function suggestions(run: RunDraft): SuggestContinueAsNewReason[] | undefined {
  const { limits } = run.turn;
  const reasons: SuggestContinueAsNewReason[] = [];
  if (run.facts.historyBytes >= limits.suggestContinueAsNewBytes) {
    reasons.push(SuggestContinueAsNewReason.HISTORY_SIZE_TOO_LARGE);
  }
  if (run.facts.nextEventId > limits.suggestContinueAsNewEvents) {
    reasons.push(SuggestContinueAsNewReason.TOO_MANY_HISTORY_EVENTS);
  }
  if ((run.row.counts.update ?? 0) >= limits.updatesPerRun * SUGGESTED_SHARE_OF_UPDATES) {
    reasons.push(SuggestContinueAsNewReason.TOO_MANY_UPDATES);
  }
  return reasons.length > 0 ? reasons : undefined;
}

/** Writes what a started attempt has in history: nothing for a transient or speculative one. `task` is the caller's own, not a row yet. */
export function writeStarted(run: RunDraft, task: WorkflowTaskRow): WorkflowTaskRow {
  let started = task;
  if (task.attempt > 1 && task.scheduledEventId !== run.facts.nextEventId) {
    // Events came since it was scheduled: it becomes a normal first attempt (rule 5).
    const { stickyQueue: _queue, stickyUntil: _until, ...rest } = task;
    started = { ...rest, attempt: 1, scheduledEventId: run.facts.nextEventId };
    run.row.nextAttempt = 1;
    run.add(EventType.WORKFLOW_TASK_SCHEDULED, scheduledAttributes(run.start, started), undefined, task.scheduledTime);
  }
  started.startedEventId = isTransient(started)
    ? started.scheduledEventId + 1
    : run.add(EventType.WORKFLOW_TASK_STARTED, startedAttributes(started));
  return started;
}

/** The started task this answer is for; undefined when it is late, repeated or forged (I6). */
export function startedTaskOf(run: RunDraft, ref: TaskRef): WorkflowTaskRow | undefined {
  const { task } = run.row;
  if (!run.isOpen || task?.startId === undefined) return undefined;
  const same =
    task.scheduledEventId === ref.scheduledEventId &&
    task.attempt === ref.attempt &&
    task.startId.term === ref.startId.term &&
    task.startId.seq === ref.startId.seq;
  return same ? task : undefined;
}

/**
 * Its worker had closed it over something it had not seen, and has it again. It takes no more signals and updates from clients until that is answered: one that
 * more come to than it has tasks would never close.
 */
export const isClosingAgain = ({ task, taskFailure }: RunRow): boolean =>
  taskFailure?.cause === WorkflowTaskFailedCause.UNHANDLED_COMMAND && task?.startId !== undefined;

/** Writes the completion of a started task, with the Scheduled and Started events that are not written yet. Returns the event's id. */
export function writeCompleted(
  run: RunDraft,
  task: WorkflowTaskRow,
  answer: Omit<
    import('../../wire/event-attributes.ts').WorkflowTaskCompletedEventAttributes,
    'scheduledEventId' | 'startedEventId'
  >,
): number {
  if (isTransient(task)) {
    run.add(EventType.WORKFLOW_TASK_SCHEDULED, scheduledAttributes(run.start, task), undefined, task.scheduledTime);
    run.add(EventType.WORKFLOW_TASK_STARTED, startedAttributes(task), undefined, task.startedTime);
  }
  const id = run.add(EventType.WORKFLOW_TASK_COMPLETED, {
    scheduledEventId: task.scheduledEventId,
    startedEventId: task.startedEventId,
    ...answer,
  });
  settle(run, task);
  run.setTask(undefined);
  run.row.nextAttempt = 1;
  if (run.row.taskFailure?.reported === true) run.visible = true;
  if (run.row.taskFailure !== undefined) run.row.taskFailure = undefined;
  return id;
}

/**
 * A speculative task has done nothing but reject updates, and its worker can be sent back: it leaves no trace (rule 13). Returns the Started event
 * to go back to.
 */
export function dropTask(run: RunDraft): number {
  run.setTask(undefined);
  return run.facts.previousStartedEventId;
}

/** The task is over without success: remembers why, clears stickiness, counts the attempt, flushes what waited. */
function endUnsuccessfully(run: RunDraft, task: WorkflowTaskRow, why: Pick<TaskFailureRow, 'cause' | 'message'>): void {
  const { cause, message } = why;
  const identity = task.identity ?? '';
  const taskFailure: TaskFailureRow = {
    attempt: task.attempt,
    at: run.now,
    message: message.slice(0, TASK_FAILURE_TEXT),
    identity,
  };
  if (cause !== undefined) taskFailure.cause = cause;
  if (task.attempt >= REPORTED_FROM_ATTEMPT || run.row.taskFailure?.reported === true) {
    taskFailure.reported = true;
    run.visible = true;
  }
  run.row.taskFailure = taskFailure;
  settle(run, task);
  run.setTask(undefined);
  if (run.row.sticky !== undefined) {
    run.row.sticky = undefined;
    run.row.nextAttempt = 1;
  } else {
    run.row.nextAttempt = task.attempt + 1;
  }
  for (const query of run.turn.queriesOf(run.runId)) {
    if (query.mode === 'riding') run.turn.setQuery({ ...query, mode: 'waiting' });
  }
  unsendUpdates(run);
  // With new events in history the next attempt cannot be transient.
  if (run.flushBuffered()) run.row.nextAttempt = 1;
}

/** A started task failed. Only a first attempt leaves an event (rule 7). */
export function failTask(
  run: RunDraft,
  started: WorkflowTaskRow,
  cause: WorkflowTaskFailedCause,
  failure: Failure | undefined,
  identity: string,
): void {
  const task = run.keepTask() ?? started;
  if (task.attempt === 1) {
    run.add(EventType.WORKFLOW_TASK_FAILED, {
      scheduledEventId: task.scheduledEventId,
      startedEventId: task.startedEventId,
      cause,
      failure,
      identity,
    });
  }
  endUnsuccessfully(run, task, { cause, message: failure?.message ?? '' });
}

/** Start-to-close passed: the worker's answer comes too late from now on. */
export function timeOutTask(run: RunDraft, started: WorkflowTaskRow): void {
  const task = run.keepTask() ?? started;
  if (task.attempt === 1) {
    run.add(EventType.WORKFLOW_TASK_TIMED_OUT, {
      scheduledEventId: task.scheduledEventId,
      startedEventId: task.startedEventId,
      timeoutType: TimeoutType.START_TO_CLOSE,
    });
  }
  endUnsuccessfully(run, task, { message: `no answer within ${task.timeout} ms` });
  scheduleTask(run);
}

/**
 * Nobody took the task from its sticky queue in time: on to the normal queue (rule 9). Nor a speculative one from whichever queue: it has had its
 * chance to leave no trace, and waits in a row from now on, with events of its own.
 */
export function timeOutWaiting(run: RunDraft, waiting: WorkflowTaskRow): void {
  const task = run.keepTask() ?? waiting;
  withdrawTask(run, task);
  run.row.sticky = undefined;
  if (task.startedEventId !== 0) {
    // Its Started event is already in history (the start was undone): the same task waits on the normal queue.
    const { stickyQueue: _queue, stickyUntil: _until, ...rest } = task;
    run.setTask(rest);
    offerTask(run, rest);
    return;
  }
  run.add(EventType.WORKFLOW_TASK_TIMED_OUT, {
    scheduledEventId: task.scheduledEventId,
    startedEventId: 0,
    timeoutType: TimeoutType.SCHEDULE_TO_START,
  });
  run.setTask(undefined);
  run.row.nextAttempt = 1;
  scheduleTask(run);
}
