// Callbacks that wait for a workflow to close, or for one of its updates to complete, and are then called until they have answered. One that waits or is being called is a row of the
// workflow id (`chain`, id 'k' + run id + number): it outlives its run, and follows the chain of runs. An attempt under way has a due time like one
// that is to come: whoever leads the shard by then tries again, so each is called at least once, whatever crashes; how it ended is noted once, in
// the run's own table. Calling itself is an effect; its answer a message (messages/callback-answered.ts).

import type { Callback } from '../../wire/common.ts';
import { CallbackState, EventType } from '../../wire/enums.ts';
import type { HistoryEvent } from '../../wire/event.ts';
import type { CallbackInfo } from '../../wire/execution-info.ts';
import type { Failure } from '../../wire/failure.ts';
import { SYSTEM_URL } from '../nexus/callback-rules.ts';
import { callbackTokenOf } from '../nexus/callback-token.ts';
import { type Completion, completionOf, completionOfUpdate, runToken } from '../nexus/completion.ts';
import type { Message } from './message.ts';
import { retryInterval } from './retry.ts';
import type { RunDraft } from './run-draft.ts';
import type { ActorState, RunState } from './state.ts';
import type { Turn } from './turn.ts';
import { CUT_OFF } from './update-outcomes.ts';

export interface CallbackRow {
  runId: string;
  /** Within its run, from 1. */
  number: number;
  callback: Callback;
  /** It waits for this update, and came with that request; absent: for the end of its run. */
  update?: { updateId: string; requestId: string } | undefined;
  /** Epoch ms. */
  registeredAt: number;
  state: 'standby' | 'scheduled' | 'backingOff' | 'failed' | 'succeeded';
  /** Attempts begun. */
  attempt: number;
  /** Epoch ms: when the next attempt is made, or the one under way counts as lost. */
  due?: number | undefined;
  /** Epoch ms. */
  lastAttemptAt?: number | undefined;
  lastFailure?: Failure | undefined;
  /** Once its run has closed, or its update has completed: the event that says how. */
  closeEventId?: number | undefined;
}

/** Between attempts: 1 s, doubled each time, at most an hour. */
const BACKOFF = { initialInterval: 1_000, backoffCoefficient: 2, maximumInterval: 3_600_000 };
/** Longer than an attempt may take by so much: then it is lost. */
const LOST_AFTER_MS = 5_000;

export const CALLBACK_ROW_PREFIX = 'k';
export const callbackRowId = ({ runId, number }: Pick<CallbackRow, 'runId' | 'number'>): string =>
  `${CALLBACK_ROW_PREFIX}${runId}/${number}`;

export function attachCallbacks(
  run: Pick<RunDraft, 'turn' | 'runId' | 'row'>,
  callbacks: readonly Callback[],
  update?: CallbackRow['update'],
): void {
  const { turn, runId, row } = run;
  // Those of updates settle while the run goes on: a number is not given twice.
  let number = row.lastCallback ?? pendingCallbacks(turn, runId).length;
  for (const callback of callbacks) {
    number += 1;
    const of = update && { update };
    put(turn, { runId, number, callback, ...of, registeredAt: turn.now, state: 'standby', attempt: 0 });
  }
  if (callbacks.length > 0) row.lastCallback = number;
}

/** All that an open run has and that have not settled, in the order they were attached. */
export function pendingCallbacks(turn: Turn, runId: string): CallbackRow[] {
  if (turn.callbacks.isEmpty) return [];
  return [...turn.callbacks.values()].filter((row) => row.runId === runId).sort((a, b) => a.number - b.number);
}

/** Those that wait for the end of the chain. */
export const callbacksOf = (turn: Turn, runId: string): CallbackRow[] =>
  pendingCallbacks(turn, runId).filter(({ update }) => update === undefined);

/** Those that wait for one of the run's updates. */
export const callbacksOfUpdate = (turn: Turn, runId: string, updateId: string): CallbackRow[] =>
  pendingCallbacks(turn, runId).filter(({ update, state }) => update?.updateId === updateId && state === 'standby');

function put(turn: Turn, row: CallbackRow): void {
  turn.callbacks.set(callbackRowId(row), row);
}

const drop = (turn: Turn, row: CallbackRow): void => turn.callbacks.set(callbackRowId(row), undefined);

/** Its run goes on as another one, which has them by its Started event. */
export function leaveCallbacks(turn: Turn, runId: string): void {
  for (const row of callbacksOf(turn, runId)) drop(turn, row);
}

/** The run is deleted, with all that is to come of it. */
export function dropCallbacks(turn: Turn, runId: string): void {
  for (const row of pendingCallbacks(turn, runId)) drop(turn, row);
}

/** The update has completed, by the run's last event: they are called. */
export function callBackOfUpdate(run: RunDraft, updateId: string): void {
  const closeEventId = run.facts.nextEventId - 1;
  for (const row of callbacksOfUpdate(run.turn, run.runId, updateId)) call(run, row, closeEventId);
}

/** The run has closed over updates that are not complete: they never will be, whatever goes on. After a reset they may, see leftCallbacks. */
function cutOffUpdates(run: RunDraft, closeEventId: number): void {
  for (const row of pendingCallbacks(run.turn, run.runId)) {
    if (row.update === undefined || row.state !== 'standby') continue;
    if (run.resetTo === undefined) call(run, row, closeEventId);
    else put(run.turn, { ...row, closeEventId });
  }
}

/**
 * A reset has begun this run. What waits for an update that it completed before the point has been called; what waited in the run before it for
 * one that this run has once more waits with it, and is called otherwise.
 */
export function settleLeft(run: RunDraft): void {
  const { turn, runId } = run;
  if (turn.callbacks.isEmpty) return;
  const standing = [...turn.callbacks.values()].filter((row) => row.update !== undefined && row.state === 'standby');
  standing.sort((a, b) => (callbackRowId(a) < callbackRowId(b) ? -1 : 1));
  for (const row of standing) {
    const { updateId } = row.update ?? { updateId: '' };
    if (row.runId === runId) {
      if (run.updateByName(updateId)?.completedEventId !== undefined) drop(turn, row);
    } else if (run.knowsUpdate(updateId)) drop(turn, row);
    else attempt(turn, row);
  }
}

function call(run: RunDraft, row: CallbackRow, closeEventId: number): void {
  if (row.callback.nexus?.url === SYSTEM_URL) tellOperation(run, row);
  else attempt(run.turn, { ...row, closeEventId });
}

/** What is told of an event that ends what a callback waits for. `updateId`: it waits for that update. */
export function completionTold(updateId: string | undefined, event: HistoryEvent): Completion | undefined {
  if (updateId === undefined) return completionOf(event);
  // Closed over: the update did not complete, however its run did.
  const isOfUpdate = event.eventType === EventType.WORKFLOW_EXECUTION_UPDATE_COMPLETED;
  return completionOfUpdate((isOfUpdate ? event.attributes.outcome : undefined) ?? CUT_OFF);
}

/** The closing event is written: they are called, unless the chain goes on. */
export function callBack(run: RunDraft): void {
  cutOffUpdates(run, run.facts.nextEventId - 1);
  if (run.facts.nextRunId !== undefined) return;
  if (run.resetTo !== undefined) {
    leaveCallbacks(run.turn, run.runId);
    return;
  }
  const closeEventId = run.facts.nextEventId - 1;
  for (const row of callbacksOf(run.turn, run.runId)) call(run, row, closeEventId);
}

/** The operation is another workflow's of this cluster: told through the outbox, once. */
function tellOperation(run: RunDraft, row: CallbackRow): void {
  const { turn, runId } = run;
  const token = callbackTokenOf(row.callback);
  const closing = run.events[run.events.length - 1];
  const completion = closing && completionTold(row.update?.updateId, closing);
  const called: CallbackRow = { ...row, attempt: 1, lastAttemptAt: turn.now };
  if (token === undefined || closing === undefined || completion === undefined) {
    failAttempt(turn, called, { message: 'the callback has no token of a Nexus operation', retryable: false });
    return;
  }
  const { namespace, workflowId } = turn.state;
  const eventRef = { eventId: closing.eventId, eventType: closing.eventType };
  const message: Message = {
    type: 'nexusOperationEnded',
    origin: { runId: token.runId, initiatedEventId: token.scheduledEventId },
    requestId: token.requestId,
    operationToken: runToken({ namespace, workflowId }),
    completion,
    link: { workflowEvent: { namespace, workflowId, runId, eventRef } },
  };
  turn.effects.push({ type: 'send', namespace: token.namespace, workflowId: token.workflowId, message });
  succeedAttempt(turn, called);
}

function attempt(turn: Turn, row: CallbackRow): void {
  const { limits } = turn;
  const next: CallbackRow = {
    ...row,
    state: 'scheduled',
    attempt: row.attempt + 1,
    due: turn.now + limits.callbackTimeout + LOST_AFTER_MS,
  };
  put(turn, next);
  turn.effects.push({
    type: 'deliverCallback',
    callbackId: callbackRowId(next),
    runId: next.runId,
    attempt: next.attempt,
    callback: next.callback,
    updateId: next.update?.updateId,
    closeEventId: next.closeEventId ?? 0,
    timeoutMs: limits.callbackTimeout,
  });
}

/** Epoch ms; Infinity: none. */
export function callbackDeadline({ callbacks }: ActorState): number {
  let due = Number.POSITIVE_INFINITY;
  for (const row of callbacks.values()) due = Math.min(due, row.due ?? Number.POSITIVE_INFINITY);
  return due;
}

export function fireCallbacks(turn: Turn): void {
  const due = [...turn.callbacks.values()].filter((row) => row.due !== undefined && row.due <= turn.now);
  // The same order whether the actor was rebuilt or not (I4).
  due.sort((a, b) => (callbackRowId(a) < callbackRowId(b) ? -1 : 1));
  for (const row of due) {
    if (row.state === 'scheduled') failAttempt(turn, row, { message: 'nothing came of the attempt', retryable: true });
    else attempt(turn, row);
  }
}

export function failAttempt(
  turn: Turn,
  row: CallbackRow,
  { message, retryable }: { message: string; retryable: boolean },
): void {
  const isLast = !retryable || row.attempt >= turn.limits.callbackAttempts;
  const lastFailure: Failure = {
    message,
    source: 'Server',
    applicationFailureInfo: { type: 'CallbackFailed', nonRetryable: !retryable },
  };
  const failed = { ...row, lastAttemptAt: turn.now, lastFailure };
  if (isLast) settle(turn, { ...failed, state: 'failed' });
  else put(turn, { ...failed, state: 'backingOff', due: turn.now + retryInterval(BACKOFF, row.attempt) });
}

export const succeedAttempt = (turn: Turn, row: CallbackRow): void =>
  settle(turn, { ...row, state: 'succeeded', lastAttemptAt: turn.now, lastFailure: undefined });

/** From now on it is of interest to describe alone. */
function settle(turn: Turn, { due: _due, ...row }: CallbackRow): void {
  turn.callbacks.set(callbackRowId(row), undefined);
  turn.putRow({ table: 'callback', runId: row.runId, id: String(row.number), value: row });
}

const STATES: Record<CallbackRow['state'], CallbackState> = {
  standby: CallbackState.STANDBY,
  scheduled: CallbackState.SCHEDULED,
  backingOff: CallbackState.BACKING_OFF,
  failed: CallbackState.FAILED,
  succeeded: CallbackState.SUCCEEDED,
};

export function callbackInfos(state: ActorState, run: RunState): CallbackInfo[] {
  const pending = [...state.callbacks.values()].filter(({ runId }) => runId === run.runId);
  const rows = [...pending, ...(run.callbacks?.values() ?? [])].sort((a, b) => a.number - b.number);
  return rows.map((row) => ({
    callback: row.callback,
    trigger:
      row.update === undefined
        ? { workflowClosed: {} }
        : { updateWorkflowExecutionCompleted: { updateId: row.update.updateId } },
    registrationTime: row.registeredAt,
    state: STATES[row.state],
    attempt: row.attempt,
    lastAttemptCompleteTime: row.lastAttemptAt,
    lastAttemptFailure: row.lastFailure,
    nextAttemptScheduleTime: row.state === 'backingOff' ? row.due : undefined,
  }));
}
