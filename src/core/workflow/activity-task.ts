// Attempts of a pending activity: they live in its row. ActivityTaskStarted is written only with the closing event (rule 11).

import { isActivityAddress } from '../../wire/activity-address.ts';
import type { Payloads } from '../../wire/common.ts';
import { EventType, RetryState, TimeoutType } from '../../wire/enums.ts';
import type { Failure } from '../../wire/failure.ts';
import type { ActivityRef } from './message.ts';
import { activityOffer } from './offers.ts';
import { isPaused } from './paused.ts';
import { askForAttempt, needsPermit, releaseAttempt, withoutPermit } from './permits.ts';
import { retryVerdict, timeoutName } from './retry.ts';
import type { ActivityEnd, ActivityRow } from './rows.ts';
import type { RunDraft } from './run-draft.ts';
import { countsFrom, isOffered, optionsOf } from './timeouts.ts';
import { routeOfActivity } from './versioning.ts';
import { wakeWorkflow } from './workflow-task.ts';

const offerOf = (run: RunDraft, activity: ActivityRow) => activityOffer(run.turn.state, run.runId, run.start, activity);

/** On its queue, or first in that of its flow-control key. `eagerFor`: the session whose worker asked for it. */
export function offerActivity(run: RunDraft, waiting: ActivityRow, eagerFor?: string): void {
  if (isPaused(run)) return;
  if (needsPermit(waiting)) {
    askForAttempt(run, waiting);
    return;
  }
  const version = routeOfActivity(run, optionsOf(waiting).taskQueue);
  const { priority } = run.facts;
  const isSame = version === waiting.version && priority === waiting.runPriority;
  const activity = isSame ? waiting : { ...waiting, version, runPriority: priority };
  if (activity !== waiting) run.putActivity(activity);
  const offer = offerOf(run, activity);
  if (eagerFor !== undefined) offer.eagerFor = eagerFor;
  run.turn.effects.push({ type: 'offerTask', offer });
}

export function withdrawActivity(run: RunDraft, activity: ActivityRow): void {
  if (isPaused(run)) return;
  run.turn.effects.push({ type: 'withdrawTask', offer: offerOf(run, activity) });
}

export function settleActivity(run: RunDraft, activity: ActivityRow): void {
  if (activity.startId === undefined || activity.session === undefined) return;
  const { session } = activity;
  const { scheduledEventId } = activity.facts;
  run.turn.effects.push({ type: 'taskSettled', session, kind: 'activity', runId: run.runId, scheduledEventId });
}

/** Tells the worker that runs it. */
export function notifyWorker(
  run: RunDraft,
  activity: ActivityRow,
  reason: 'cancelRequested' | 'notFound' | 'timedOut',
): void {
  const { startId, session, attempt } = activity;
  if (startId === undefined || session === undefined) return;
  const { scheduledEventId } = activity.facts;
  run.turn.effects.push({
    type: 'cancelActivity',
    session,
    runId: run.runId,
    scheduledEventId,
    attempt,
    startId,
    reason,
  });
}

/** Takes the attempt's task back from wherever it is: a queue or a worker's list. Its permit is given back. */
export function releaseTask(run: RunDraft, activity: ActivityRow): void {
  if (activity.startId !== undefined) settleActivity(run, activity);
  else if (isOffered(activity)) withdrawActivity(run, activity);
  releaseAttempt(run, activity);
}

/** It ends: of one without a workflow what only its row says is kept, for those who describe it later. */
export function keepEnd(run: RunDraft, activity: ActivityRow): void {
  if (!isActivityAddress(run.turn.state.workflowId)) return;
  const { options, heartbeatDetails, lastHeartbeatTime, lastAttemptCompleteTime } = activity;
  const { attempt, lastFailure, lastStartedTime, identity } = activity;
  const waited = activity.startId === undefined && (attempt > 1 || lastStartedTime !== undefined);
  const end: ActivityEnd = {
    ...{ options, heartbeatDetails, lastHeartbeatTime, lastAttemptCompleteTime },
    ...(waited && { attempt, lastFailure, lastStartedTime, identity }),
  };
  if (Object.values(end).some((value) => value !== undefined)) run.row.standalone = { ...run.row.standalone, end };
}

function endTask(run: RunDraft, activity: ActivityRow): void {
  keepEnd(run, activity);
  releaseTask(run, activity);
}

/** The activity an answer is for; undefined when it is late, repeated or unknown (I6). */
export function activityOf(run: RunDraft, ref: ActivityRef): ActivityRow | undefined {
  if (!run.isOpen) return undefined;
  if ('activityId' in ref) return run.activityByName(ref.activityId);
  const { task } = ref;
  const activity = run.activity(task.scheduledEventId);
  if (activity?.startId === undefined || activity.attempt !== task.attempt) return undefined;
  return activity.startId.term === task.startId.term && activity.startId.seq === task.startId.seq
    ? activity
    : undefined;
}

/** A reset attempt that still runs counts as the first already; its token has the number it began with. */
export const shownAttempt = ({ attempt, reset }: ActivityRow): number => (reset === undefined ? attempt : 1);

/** Which worker's answer closed it decides whether Started names the worker's build. */
export function writeStartedEvent(run: RunDraft, activity: ActivityRow, answeredBy: string | undefined): number {
  const attributes = {
    scheduledEventId: activity.facts.scheduledEventId,
    identity: activity.identity ?? '',
    requestId: activity.requestId ?? '',
    attempt: shownAttempt(activity),
    lastFailure: activity.lastFailure,
    workerVersion: answeredBy === activity.identity ? activity.workerVersion : undefined,
  };
  // Written with the closing event, but it tells when the attempt began: otherwise no activity would have a duration.
  return run.record(EventType.ACTIVITY_TASK_STARTED, attributes, activity.startedTime);
}

/** The clean copy of a row that no worker holds. */
function unstarted(activity: ActivityRow): ActivityRow {
  const { startId: _s, startedTime: _t, session: _e, requestId: _r, workerVersion: _w, ...rest } = activity;
  return rest;
}

/** Undoes a start that never reached its worker: the same attempt waits again. */
export function undoActivityStart(run: RunDraft, activity: ActivityRow): void {
  settleActivity(run, activity);
  const waiting = wasReset(run, unstarted(activity));
  run.putActivity(waiting);
  if (isOffered(waiting)) offerActivity(run, waiting);
  else if (waiting.permit !== undefined) {
    releaseAttempt(run, waiting);
    run.putActivity(withoutPermit(waiting));
  }
}

function expirationOf(activity: ActivityRow): number | undefined {
  const { scheduleToCloseTimeout } = optionsOf(activity);
  return scheduleToCloseTimeout > 0 ? countsFrom(activity) + scheduleToCloseTimeout : undefined;
}

/** The attempt during which it was reset is over: what follows is the first one. Of one without a workflow it goes on to be told what it failed of last. */
function wasReset(run: RunDraft, activity: ActivityRow): ActivityRow {
  if (activity.reset === undefined) return activity;
  const { reset, lastFailure, retryInterval: _i, ...rest } = activity;
  const { heartbeatDetails: _d, lastHeartbeatTime: _t, ...withoutDetails } = rest;
  const told = lastFailure !== undefined && isActivityAddress(run.turn.state.workflowId) ? { lastFailure } : undefined;
  return { ...(reset === 'heartbeats' ? withoutDetails : rest), ...told, attempt: 1 };
}

/** What became of a failed attempt: RetryState.IN_PROGRESS when it will be retried. */
export function retryActivity(run: RunDraft, activity: ActivityRow, failure: Failure): RetryState {
  if (activity.facts.cancelRequestedEventId !== 0) return RetryState.CANCEL_REQUESTED;
  const { retryPolicy } = optionsOf(activity);
  // What was reset begins anew, and what is paused waits for whoever paused it: neither is out of attempts or time.
  const held = activity.reset !== undefined || activity.pause !== undefined;
  const verdict = retryVerdict({
    policy: held ? retryPolicy && { ...retryPolicy, maximumAttempts: 0 } : retryPolicy,
    attempt: activity.attempt,
    failure,
    now: run.now,
    expiration: held ? undefined : expirationOf(activity),
    nextRetryDelay: failure.applicationFailureInfo?.nextRetryDelay,
  });
  if (!verdict.retry) return verdict.state;
  releaseTask(run, activity);
  const interval = held ? 0 : verdict.interval;
  const failed: ActivityRow = {
    ...withoutPermit(unstarted(activity)),
    attempt: activity.attempt + 1,
    scheduledTime: run.now + interval,
    inBackoff: interval > 0,
    lastFailure: failure,
    lastAttemptCompleteTime: run.now,
    retryInterval: interval,
    ...(isActivityAddress(run.turn.state.workflowId) && { lastStartedTime: activity.startedTime }),
  };
  const next = wasReset(run, failed);
  run.putActivity(next);
  if (isOffered(next)) offerActivity(run, next);
  return RetryState.IN_PROGRESS;
}

/** The retry interval is over. */
export function endBackoff(run: RunDraft, activity: ActivityRow): void {
  const waiting = { ...activity, inBackoff: false };
  run.putActivity(waiting);
  offerActivity(run, waiting);
}

export function completeActivity(
  run: RunDraft,
  activity: ActivityRow,
  result: Payloads | undefined,
  identity: string,
): void {
  const startedEventId = writeStartedEvent(run, activity, identity);
  endTask(run, activity);
  const { scheduledEventId } = activity.facts;
  run.record(EventType.ACTIVITY_TASK_COMPLETED, { result, scheduledEventId, startedEventId, identity });
  wakeWorkflow(run);
}

/** Retries the activity, or closes it as failed. */
export function failActivity(run: RunDraft, activity: ActivityRow, failure: Failure, identity: string): void {
  const retryState = retryActivity(run, activity, failure);
  if (retryState === RetryState.IN_PROGRESS) return;
  const startedEventId = writeStartedEvent(run, activity, identity);
  endTask(run, activity);
  const { scheduledEventId } = activity.facts;
  run.record(EventType.ACTIVITY_TASK_FAILED, { failure, scheduledEventId, startedEventId, identity, retryState });
  wakeWorkflow(run);
}

/** Closes the activity as cancelled; a started one with its Started event. */
export function cancelActivity(
  run: RunDraft,
  activity: ActivityRow,
  details: Payloads | undefined,
  identity: string,
): void {
  const startedEventId = activity.startId === undefined ? 0 : writeStartedEvent(run, activity, undefined);
  endTask(run, activity);
  run.record(EventType.ACTIVITY_TASK_CANCELED, {
    details,
    latestCancelRequestedEventId: activity.facts.cancelRequestedEventId,
    scheduledEventId: activity.facts.scheduledEventId,
    startedEventId,
    identity,
  });
  wakeWorkflow(run);
}

const timeoutFailure = (message: string, timeoutType: TimeoutType): Failure => ({
  message,
  source: 'Server',
  timeoutFailureInfo: { timeoutType },
});

/** One of its timeouts passed: retried when the policy allows and time is left, else closed as timed out. */
export function timeOutActivity(run: RunDraft, activity: ActivityRow, type: TimeoutType): void {
  let failure = timeoutFailure(`activity ${timeoutName(type)} timeout`, type);
  const final = type === TimeoutType.SCHEDULE_TO_START || type === TimeoutType.SCHEDULE_TO_CLOSE;
  let retryState: RetryState = RetryState.TIMEOUT;
  if (!final) {
    notifyWorker(run, activity, 'timedOut');
    retryState = retryActivity(run, activity, withHeartbeat(failure, activity));
    if (retryState === RetryState.IN_PROGRESS) return;
  } else if (activity.startId !== undefined) {
    notifyWorker(run, activity, 'timedOut');
  }
  if (retryState === RetryState.TIMEOUT && type !== TimeoutType.SCHEDULE_TO_START) {
    failure = timeoutFailure(
      'Not enough time to schedule next retry before activity ScheduleToClose timeout, giving up retrying',
      TimeoutType.SCHEDULE_TO_CLOSE,
    );
  }
  failure = withHeartbeat(failure, activity);
  if (activity.lastFailure !== undefined) failure.cause = activity.lastFailure;
  const startedEventId = activity.startId === undefined ? 0 : writeStartedEvent(run, activity, undefined);
  endTask(run, activity);
  run.record(EventType.ACTIVITY_TASK_TIMED_OUT, {
    failure,
    scheduledEventId: activity.facts.scheduledEventId,
    startedEventId,
    retryState,
  });
  wakeWorkflow(run);
}

function withHeartbeat(failure: Failure, activity: ActivityRow): Failure {
  if (activity.heartbeatDetails === undefined || failure.timeoutFailureInfo === undefined) return failure;
  return {
    ...failure,
    timeoutFailureInfo: { ...failure.timeoutFailureInfo, lastHeartbeatDetails: activity.heartbeatDetails },
  };
}
