// Nexus operations of a run: offered to handlers as tasks of this actor (match before commit, start ids, undo: all as for activities), retried after
// what may pass, ended once by whichever comes first: a handler's answer, the completion of what it began, or a timeout.

import type { Link, Payload } from '../../wire/common.ts';
import { EventType, NexusHandlerErrorRetryBehavior, type TimeoutType } from '../../wire/enums.ts';
import type { Failure } from '../../wire/failure.ts';
import type { NexusRequest } from '../../wire/nexus.ts';
import { toNexusLink } from '../../wire/nexus-links.ts';
import { type DestinationNote, destinationOf } from '../nexus/breakers.ts';
import { SYSTEM_URL } from '../nexus/callback-rules.ts';
import { encodeCallbackToken, TOKEN_HEADER } from '../nexus/callback-token.ts';
import { placeBy } from './offers.ts';
import {
  isWaiting,
  nexusQueue,
  OPERATION_TASKS,
  type OperationRow,
  type OperationTask,
  type OperationTaskKind,
  taskEventId,
} from './operation-rows.ts';
import type { StartedActivityTask, TaskOffer } from './outcome.ts';
import { isPaused } from './paused.ts';
import { retryInterval } from './retry.ts';
import type { StartRow } from './rows.ts';
import type { RunDraft } from './run-draft.ts';
import { wakeWorkflow } from './workflow-task.ts';

/** Between attempts: 1 s, doubled each time, at most an hour. */
const BACKOFF = { initialInterval: 1_000, backoffCoefficient: 2, maximumInterval: 3_600_000 };

interface Where {
  namespace: string;
  workflowId: string;
}

// ---------------------------------------------------------------- tasks

export function operationOffer(
  { namespace, workflowId }: Where,
  runId: string,
  start: StartRow,
  row: OperationRow,
  kind: OperationTaskKind,
  task: OperationTask,
): TaskOffer {
  return {
    kind: 'activity',
    namespace,
    queueNamespace: task.namespace,
    workflowId,
    runId,
    taskQueue: nexusQueue(task.taskQueue),
    scheduledEventId: taskEventId(row, kind),
    attempt: task.attempt,
    scheduledTime: task.scheduledTime,
    ...placeBy(task.runPriority ?? start.attributes.priority),
  };
}

const offerOf = (run: RunDraft, row: OperationRow, kind: OperationTaskKind, task: OperationTask): TaskOffer =>
  operationOffer(run.turn.state, run.runId, run.start, row, kind, task);

/** Puts a task of an operation where a worker finds it. An endpoint that is gone, or leads elsewhere, is one that no attempt would reach. */
export function offerOperation(run: RunDraft, row: OperationRow, kind: OperationTaskKind): void {
  const endpoint = run.turn.context.endpoints?.byId(row.facts.endpointId);
  const worker = endpoint?.spec.target.worker;
  if (worker === undefined) {
    const why =
      endpoint === undefined ? 'is not registered any more' : 'leads to a URL, which this server does not call';
    handlerFailed(run, row, kind, {
      message: `Nexus endpoint ${row.facts.endpoint} ${why}`,
      nexusHandlerFailureInfo: { type: endpoint === undefined ? 'NOT_FOUND' : 'NOT_IMPLEMENTED' },
    });
    return;
  }
  const before = row[kind];
  const task: OperationTask = {
    ...worker,
    attempt: before?.attempt ?? 1,
    scheduledTime: run.now,
    inBackoff: false,
    lastFailure: before?.lastFailure,
    lastAttemptAt: before?.lastAttemptAt,
    runPriority: run.facts.priority,
  };
  const { breakers } = run.turn.context;
  const destination = destinationFor(run, row);
  const until = breakers?.blockedUntil(destination, run.now);
  if (until !== undefined) {
    run.putOperation({ ...row, [kind]: { ...task, scheduledTime: until, inBackoff: true, blocked: true } });
    return;
  }
  if (breakers?.isTrial(destination, run.now)) noteDestination(run, row, 'tried');
  const next = { ...row, [kind]: task };
  run.putOperation(next);
  if (!isPaused(run)) run.turn.effects.push({ type: 'offerTask', offer: offerOf(run, next, kind, task) });
}

const destinationFor = (run: RunDraft, { facts }: OperationRow): string =>
  destinationOf(run.turn.state.namespace, facts.endpointId, facts.service);

/** A handler has answered, or has not in time. */
export function noteDestination(run: RunDraft, row: OperationRow, note: DestinationNote): void {
  run.turn.effects.push({ type: 'destinationNoted', destination: destinationFor(run, row), note });
}

/** Takes a task back from wherever it is: a queue or a worker's list. */
export function releaseOperationTask(run: RunDraft, row: OperationRow, kind: OperationTaskKind): void {
  const task = row[kind];
  if (task === undefined) return;
  const { runId } = run;
  if (isWaiting(task)) {
    // In a pause none is offered.
    if (!isPaused(run)) run.turn.effects.push({ type: 'withdrawTask', offer: offerOf(run, row, kind, task) });
  } else if (task.startId !== undefined && task.session !== undefined) {
    const scheduledEventId = taskEventId(row, kind);
    run.turn.effects.push({ type: 'taskSettled', session: task.session, kind: 'activity', runId, scheduledEventId });
  }
}

/** A pause begins, or is over: what waits for a worker is taken back, or offered again. */
export function withholdOperations(run: RunDraft, type: 'withdrawTask' | 'offerTask'): void {
  for (const row of run.operations.values()) {
    for (const kind of OPERATION_TASKS) {
      const task = row[kind];
      if (task !== undefined && isWaiting(task)) run.turn.effects.push({ type, offer: offerOf(run, row, kind, task) });
    }
  }
}

/** What a handler is given: the same every time it is asked. */
export function startedOperationTask(
  { namespace, workflowId }: Where,
  runId: string,
  start: StartRow,
  row: OperationRow,
  kind: OperationTaskKind,
  task: OperationTask,
): StartedActivityTask | undefined {
  if (task.startId === undefined) return undefined;
  const { facts } = row;
  const startedTime = task.startedTime ?? task.scheduledTime;
  const requestTimeoutMs = (task.lostAt ?? startedTime) - startedTime;
  const scheduledEventId = taskEventId(row, kind);
  return {
    type: 'activityTaskStarted',
    task: {
      runId,
      workflowType: start.attributes.workflowType.name,
      activityId: String(scheduledEventId),
      activityType: '',
      attempt: task.attempt,
      scheduledTime: facts.scheduledTime,
      currentAttemptScheduledTime: task.scheduledTime,
      startedTime,
      scheduleToCloseTimeout: facts.scheduleToCloseTimeout,
      startToCloseTimeout: requestTimeoutMs,
      heartbeatTimeout: 0,
      nexus: requestOf({ namespace, workflowId }, runId, row, kind, startedTime, requestTimeoutMs),
    },
    ref: { runId, scheduledEventId, attempt: task.attempt, startId: task.startId },
  };
}

function requestOf(
  { namespace, workflowId }: Where,
  runId: string,
  { facts }: OperationRow,
  kind: OperationTaskKind,
  startedTime: number,
  requestTimeoutMs: number,
): NexusRequest {
  const { service, operation, scheduledEventId, scheduleToCloseTimeout, requestId } = facts;
  const header: Record<string, string> = { ...facts.header, 'request-timeout': `${requestTimeoutMs}ms` };
  if (scheduleToCloseTimeout > 0) {
    header['operation-timeout'] = `${Math.max(0, facts.scheduledTime + scheduleToCloseTimeout - startedTime)}ms`;
  }
  const common = { header, scheduledTime: facts.scheduledTime, endpoint: facts.endpoint };
  if (kind === 'cancel') {
    return { ...common, cancelOperation: { service, operation, operationToken: facts.operationToken ?? '' } };
  }
  const eventRef = { eventId: scheduledEventId, eventType: EventType.NEXUS_OPERATION_SCHEDULED };
  const link = toNexusLink({ workflowEvent: { namespace, workflowId, runId, eventRef } });
  const token = encodeCallbackToken({ namespace, workflowId, runId, scheduledEventId, requestId });
  return {
    ...common,
    startOperation: {
      service,
      operation,
      requestId,
      callback: SYSTEM_URL,
      callbackHeader: { [TOKEN_HEADER]: token },
      payload: facts.input,
      links: link === undefined ? [] : [link],
    },
  };
}

// ---------------------------------------------------------------- what becomes of it

/** The workflow is woken by its caller: it may end in the very same turn. */
export function startOperation(run: RunDraft, row: OperationRow, operationToken: string, links?: Link[]): void {
  const { scheduledEventId, requestId } = row.facts;
  releaseOperationTask(run, row, 'start');
  run.record(
    EventType.NEXUS_OPERATION_STARTED,
    { scheduledEventId, operationToken, operationId: operationToken, requestId },
    run.now,
    links,
  );
  const started = run.operations.get(scheduledEventId);
  // Asked for before there was anything to cancel.
  if (started !== undefined && started.facts.cancelRequestedEventId !== 0) offerOperation(run, started, 'cancel');
}

export function completeOperation(run: RunDraft, row: OperationRow, result: Payload | undefined, links?: Link[]): void {
  release(run, row);
  const { scheduledEventId, requestId } = row.facts;
  run.record(EventType.NEXUS_OPERATION_COMPLETED, { scheduledEventId, result, requestId }, run.now, links);
  wakeWorkflow(run);
}

/** It ended otherwise; `cause` says how. */
export function failOperation(run: RunDraft, row: OperationRow, cause: Failure, links?: Link[]): void {
  release(run, row);
  const { scheduledEventId, requestId } = row.facts;
  const failure = operationFailure(row, cause);
  const isCanceled = cause.canceledFailureInfo !== undefined;
  const type = isCanceled ? EventType.NEXUS_OPERATION_CANCELED : EventType.NEXUS_OPERATION_FAILED;
  run.record(type, { scheduledEventId, failure, requestId }, run.now, links);
  wakeWorkflow(run);
}

export function timeOutOperation(run: RunDraft, row: OperationRow, timeoutType: TimeoutType): void {
  release(run, row);
  const { scheduledEventId, requestId } = row.facts;
  const cause: Failure = { message: 'operation timed out', timeoutFailureInfo: { timeoutType } };
  const last = row.start?.lastFailure;
  if (last !== undefined) cause.cause = last;
  const failure = operationFailure(row, cause);
  run.record(EventType.NEXUS_OPERATION_TIMED_OUT, { scheduledEventId, failure, requestId });
  wakeWorkflow(run);
}

function release(run: RunDraft, row: OperationRow): void {
  releaseOperationTask(run, row, 'start');
  releaseOperationTask(run, row, 'cancel');
}

function operationFailure({ facts }: OperationRow, cause: Failure): Failure {
  const { scheduledEventId, endpoint, service, operation, operationToken } = facts;
  return {
    message: 'nexus operation completed unsuccessfully',
    nexusOperationExecutionFailureInfo: {
      scheduledEventId,
      endpoint,
      service,
      operation,
      operationToken,
      operationId: operationToken,
    },
    cause,
  };
}

/** The handler has taken the request to cancel: what becomes of the operation is told like any end of it. */
export function cancelTaken(run: RunDraft, row: OperationRow): void {
  releaseOperationTask(run, row, 'cancel');
  run.record(EventType.NEXUS_OPERATION_CANCEL_REQUEST_COMPLETED, cancelIds(row));
  wakeWorkflow(run);
}

const cancelIds = ({ facts }: OperationRow) => ({
  scheduledEventId: facts.scheduledEventId,
  requestedEventId: facts.cancelRequestedEventId,
  workflowTaskCompletedEventId: facts.cancelCommandEventId ?? 0,
});

/** An attempt that may be made again. */
export function retryOperationTask(run: RunDraft, row: OperationRow, kind: OperationTaskKind, failure: Failure): void {
  const task = row[kind];
  if (task === undefined) return;
  noteDestination(run, row, 'failed');
  releaseOperationTask(run, row, kind);
  const interval = retryInterval(BACKOFF, task.attempt);
  const { namespace, taskQueue } = task;
  run.putOperation({
    ...row,
    [kind]: {
      ...{ namespace, taskQueue, attempt: task.attempt + 1, scheduledTime: run.now + interval, inBackoff: true },
      ...{ lastFailure: failure, lastAttemptAt: run.now },
    } satisfies OperationTask,
  });
}

/** Handler errors that are as good as an answer, as the Nexus specification has them. */
const FINAL: ReadonlySet<string> = new Set([
  ...['BAD_REQUEST', 'UNAUTHENTICATED', 'UNAUTHORIZED', 'NOT_FOUND', 'CONFLICT', 'NOT_IMPLEMENTED'],
]);

/** No attempt would have another answer. */
export function isFinal({ nexusHandlerFailureInfo: info }: Failure): boolean {
  const { RETRYABLE, NON_RETRYABLE } = NexusHandlerErrorRetryBehavior;
  if (info?.retryBehavior === RETRYABLE) return false;
  return info?.retryBehavior === NON_RETRYABLE || FINAL.has(info?.type ?? '');
}

/** The handler could not do what it was asked. */
export function handlerFailed(run: RunDraft, row: OperationRow, kind: OperationTaskKind, failure: Failure): void {
  if (!isFinal(failure) && row[kind] !== undefined) {
    retryOperationTask(run, row, kind, failure);
    return;
  }
  if (kind === 'start') {
    failOperation(run, row, failure);
    return;
  }
  releaseOperationTask(run, row, 'cancel');
  run.record(EventType.NEXUS_OPERATION_CANCEL_REQUEST_FAILED, { ...cancelIds(row), failure });
  wakeWorkflow(run);
}
