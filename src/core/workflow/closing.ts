// A run ends: what it still had pending is taken back, those who wait are answered, children and parent hear of it, and a successor may begin
// in the same turn.

import type { Annotations, Link, Payloads } from '../../wire/common.ts';
import {
  ContinueAsNewInitiator,
  EventType,
  RetryState,
  TimeoutType,
  WorkflowTaskFailedCause,
} from '../../wire/enums.ts';
import type { WorkflowExecutionStartedEventAttributes } from '../../wire/event-attributes.ts';
import type { Failure } from '../../wire/failure.ts';
import { notifyWorker, releaseTask } from './activity-task.ts';
import { callBack, callbacksOf, leaveCallbacks } from './callbacks.ts';
import { nextCronRun } from './cron.ts';
import { beginRun, succeedTo } from './new-run.ts';
import { runPriority } from './offers.ts';
import { OPERATION_TASKS } from './operation-rows.ts';
import { releaseOperationTask } from './operations.ts';
import { releasePermit } from './permits.ts';
import { settleQueries } from './queries.ts';
import { releaseChildren, reportToParent } from './relations.ts';
import { rememberUpdates } from './repeated-updates.ts';
import { retryVerdict } from './retry.ts';
import type { RunDraft } from './run-draft.ts';
import { reportToSchedule } from './scheduled.ts';
import { closeUpdates } from './updates.ts';
import { successorVersioning } from './versioning.ts';
import { failTask, withdrawTask } from './workflow-task.ts';

/** Identity of what the server itself does. */
export const SERVER_IDENTITY = 'history-service';
/** Of who ends a run that is reset. */
export const RESETTER_IDENTITY = 'history-resetter';

/** Call once the closing event is written. */
export function closeRun(run: RunDraft): void {
  for (const activity of run.activities()) {
    notifyWorker(run, activity, 'notFound');
    releaseTask(run, activity);
  }
  for (const operation of run.operations.values()) {
    for (const kind of OPERATION_TASKS) releaseOperationTask(run, operation, kind);
  }
  if (run.resetTo === undefined) {
    releaseChildren(run);
    reportToParent(run);
    reportToSchedule(run);
  }
  callBack(run);
  releasePermit(run);
  run.dropPending();
  run.row.sticky = undefined;
  run.row.firstTaskAt = undefined;
  run.visible = true;
  settleQueries(run);
  const { status, closeTime = run.now, nextRunId } = run.facts;
  closeUpdates(run, nextRunId ?? run.resetTo);
  if (nextRunId !== undefined) rememberUpdates(run);
  run.turn.effects.push({ type: 'runClosed', runId: run.runId, status, closeTime, nextRunId });
}

/** Before a closing that no worker asked for: a started task fails, what waited for it gets its place in history. */
export function abandonTask(run: RunDraft): void {
  const { task } = run.row;
  if (task === undefined) return;
  if (task.startId === undefined) withdrawTask(run, task);
  if (task.startedEventId !== 0) {
    failTask(run, task, WorkflowTaskFailedCause.FORCE_CLOSE_COMMAND, undefined, SERVER_IDENTITY);
  } else {
    run.setTask(undefined);
  }
}

export function terminateRun(
  run: RunDraft,
  reason: string | undefined,
  details: Payloads | undefined,
  identity: string,
  links?: readonly Link[],
): void {
  abandonTask(run);
  run.add(EventType.WORKFLOW_EXECUTION_TERMINATED, { reason, details, identity }, undefined, run.now, links);
  closeRun(run);
}

/** A successor starts no sooner than `continueAsNewMinInterval` after its predecessor did, so that a workflow which does nothing else is no busy loop. ms. */
export function successorBackoff(run: RunDraft, asked: number): number {
  const { startTime, attributes } = run.start;
  const lifetime = run.now - (startTime + (attributes.firstWorkflowTaskBackoff ?? 0));
  const minimum = run.turn.limits.continueAsNewMinInterval;
  return lifetime + asked < minimum ? minimum - lifetime : asked;
}

/** What a successor's Started event takes over from this run. */
export function inherited(
  run: RunDraft,
  runId: string,
  initiator: ContinueAsNewInitiator,
): WorkflowExecutionStartedEventAttributes {
  const { attributes } = run.start;
  const attributesOfNext: WorkflowExecutionStartedEventAttributes = {
    workflowType: attributes.workflowType,
    taskQueue: attributes.taskQueue,
    workflowExecutionTimeout: attributes.workflowExecutionTimeout,
    workflowRunTimeout: attributes.workflowRunTimeout,
    workflowTaskTimeout: attributes.workflowTaskTimeout,
    continuedExecutionRunId: run.runId,
    originalExecutionRunId: runId,
    firstExecutionRunId: attributes.firstExecutionRunId,
    retryPolicy: attributes.retryPolicy,
    cronSchedule: attributes.cronSchedule,
    attempt: 1,
    workflowExecutionExpirationTime: attributes.workflowExecutionExpirationTime,
    workflowId: attributes.workflowId,
    // What is tried again is so as it was asked for.
    priority: initiator === ContinueAsNewInitiator.WORKFLOW ? runPriority(run) : attributes.priority,
    flowControl: attributes.flowControl,
    parentWorkflowNamespace: attributes.parentWorkflowNamespace,
    parentWorkflowNamespaceId: attributes.parentWorkflowNamespaceId,
    parentWorkflowExecution: attributes.parentWorkflowExecution,
    parentInitiatedEventId: attributes.parentInitiatedEventId,
    rootWorkflowExecution: attributes.rootWorkflowExecution,
    ...successorVersioning(run, attributes.taskQueue.name, initiator),
  };
  const callbacks = callbacksOf(run.turn, run.runId);
  if (callbacks.length > 0) attributesOfNext.completionCallbacks = callbacks.map(({ callback }) => callback);
  const points = run.facts.resetPoints;
  if (points.length > 0) {
    const expireTime = run.now + run.turn.limits.resetPointTtl;
    attributesOfNext.prevAutoResetPoints = {
      points: points.map((point) => (point.expireTime === undefined ? { ...point, expireTime } : point)),
    };
  }
  return attributesOfNext;
}

/** The successor becomes the workflow id's current run. */
export function succeed(run: RunDraft, runId: string, attributes: WorkflowExecutionStartedEventAttributes): void {
  succeedTo(run.turn, runId, { runId: run.runId, status: run.facts.status });
  leaveCallbacks(run.turn, run.runId);
  const { userMetadata, scheduledBy, reportsTo } = run.start;
  beginRun(run.turn, { runId, attributes, userMetadata, scheduledBy, reportsTo, continues: true });
}

/** Whether the workflow's own retry policy starts another run after this failure. */
function workflowRetry(run: RunDraft, failure: Failure) {
  const { attributes } = run.start;
  return retryVerdict({
    policy: attributes.retryPolicy,
    attempt: attributes.attempt ?? 1,
    failure,
    now: run.now,
    expiration: attributes.workflowExecutionExpirationTime,
  });
}

function beginRetry(run: RunDraft, runId: string, failure: Failure, interval: number): void {
  const { attributes } = run.start;
  succeed(run, runId, {
    ...inherited(run, runId, ContinueAsNewInitiator.RETRY),
    input: attributes.input,
    header: attributes.header,
    memo: attributes.memo,
    searchAttributes: attributes.searchAttributes,
    lastCompletionResult: attributes.lastCompletionResult,
    initiator: ContinueAsNewInitiator.RETRY,
    continuedFailure: failure,
    attempt: (attributes.attempt ?? 1) + 1,
    firstWorkflowTaskBackoff: successorBackoff(run, interval),
  });
}

/** The run that the cron schedule asks for after this one. */
function beginCron(
  run: RunDraft,
  backoff: number,
  end: { result?: Payloads | undefined; failure?: Failure | undefined },
): void {
  const { attributes } = run.start;
  const runId = run.turn.context.spareRunId;
  succeed(run, runId, {
    ...inherited(run, runId, ContinueAsNewInitiator.CRON_SCHEDULE),
    input: attributes.input,
    header: attributes.header,
    memo: attributes.memo,
    searchAttributes: attributes.searchAttributes,
    // A run that failed passes on what the last successful one returned.
    lastCompletionResult: end.failure === undefined ? end.result : attributes.lastCompletionResult,
    initiator: ContinueAsNewInitiator.CRON_SCHEDULE,
    continuedFailure: end.failure,
    firstWorkflowTaskBackoff: backoff,
  });
}

/** The workflow returned: closed as completed, and run again when its cron schedule says so. */
export function completeRun(
  run: RunDraft,
  result: Payloads | undefined,
  workflowTaskCompletedEventId: number,
  annotations: Annotations,
): void {
  const cron = nextCronRun(run.start, run.now);
  const newExecutionRunId = cron === undefined ? undefined : run.turn.context.spareRunId;
  run.add(
    EventType.WORKFLOW_EXECUTION_COMPLETED,
    { result, workflowTaskCompletedEventId, newExecutionRunId },
    annotations,
  );
  closeRun(run);
  if (cron !== undefined) beginCron(run, cron, { result });
}

/** The workflow failed: closed as failed, and retried when its policy says so. */
export function failRun(
  run: RunDraft,
  failure: Failure,
  workflowTaskCompletedEventId: number,
  annotations?: Annotations,
): void {
  const verdict = workflowRetry(run, failure);
  const cron = verdict.retry ? undefined : nextCronRun(run.start, run.now);
  const nextRunId = run.turn.context.spareRunId;
  run.add(
    EventType.WORKFLOW_EXECUTION_FAILED,
    {
      failure,
      retryState: verdict.retry ? RetryState.IN_PROGRESS : verdict.state,
      workflowTaskCompletedEventId,
      newExecutionRunId: verdict.retry || cron !== undefined ? nextRunId : undefined,
    },
    annotations,
  );
  closeRun(run);
  if (verdict.retry) beginRetry(run, nextRunId, failure, verdict.interval);
  else if (cron !== undefined) beginCron(run, cron, { failure });
}

/** Run or execution timeout. The run's may be retried, the execution's never. */
export function timeOutRun(run: RunDraft): void {
  const failure: Failure = {
    message: 'workflow timeout',
    source: 'Server',
    timeoutFailureInfo: { timeoutType: TimeoutType.START_TO_CLOSE },
  };
  abandonTask(run);
  const expired = (run.row.executionExpiration ?? Number.POSITIVE_INFINITY) <= run.now;
  const verdict = expired ? ({ retry: false, state: RetryState.TIMEOUT } as const) : workflowRetry(run, failure);
  const cron = expired || verdict.retry ? undefined : nextCronRun(run.start, run.now);
  const nextRunId = run.turn.context.spareRunId;
  run.add(EventType.WORKFLOW_EXECUTION_TIMED_OUT, {
    retryState: verdict.retry ? RetryState.IN_PROGRESS : verdict.state,
    newExecutionRunId: verdict.retry || cron !== undefined ? nextRunId : undefined,
  });
  closeRun(run);
  if (verdict.retry) beginRetry(run, nextRunId, failure, verdict.interval);
  else if (cron !== undefined) beginCron(run, cron, { failure });
}
