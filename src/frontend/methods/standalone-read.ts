// Reads of one activity without a workflow: describe, with its long poll, and what it came to. Its actor's history has a handful of events, which
// hold what no row does any more: input, the last attempt, the outcome.

import type { ActorAddress, HistoryQuery } from '../../ports/engine.ts';
import type {
  ActivityExecutionInfo,
  ActivityExecutionOutcome,
  ActivityExecutionTarget,
  DescribeActivityExecutionRequest,
  DescribeActivityExecutionResponse,
  PollActivityExecutionResponse,
} from '../../wire/activity.ts';
import { activityIdOf } from '../../wire/activity-address.ts';
import { decode } from '../../wire/codec.ts';
import { EventType, TimeoutType } from '../../wire/enums.ts';
import type { HistoryEvent } from '../../wire/event.ts';
import type { DescribeWorkflowExecutionResponse } from '../../wire/execution-info.ts';
import type { Failure } from '../../wire/failure.ts';
import { withNames } from '../attribute-names.ts';
import { type Call, method, type Services } from '../door.ts';
import { boolean, bytes, invalid, object, optional } from '../validate/check.ts';
import { addressOf, ofActivity, targetFields } from './standalone-activity.ts';
import { activityStatus } from './standalone-list.ts';

/** An answer without news comes after so long, ms. */
const LONG_POLL_MS = 20_000;
/** What one activity can hold is less: input, last failure and outcome are bounded each. */
const HISTORY_BYTES = 2 * 1024 * 1024;

// ---------------------------------------------------------------- events

/** What the events of an activity say. */
interface Told {
  scheduled?: Extract<HistoryEvent, { eventType: typeof EventType.ACTIVITY_TASK_SCHEDULED }> | undefined;
  started?: Extract<HistoryEvent, { eventType: typeof EventType.ACTIVITY_TASK_STARTED }> | undefined;
  cancel?: { readonly reason?: string | undefined; readonly identity?: string | undefined } | undefined;
  outcome?: ActivityExecutionOutcome | undefined;
}

/** `identity`: of who asked for it. */
const canceled = (canceledFailureInfo: NonNullable<Failure['canceledFailureInfo']>): Failure => ({
  message: 'Activity canceled',
  canceledFailureInfo,
});

const terminated = (reason: string, identity: string): Failure => ({
  message: reason,
  terminatedFailureInfo: { identity },
});

function tell(told: Told, event: HistoryEvent): void {
  switch (event.eventType) {
    case EventType.ACTIVITY_TASK_SCHEDULED:
      told.scheduled = event;
      return;
    case EventType.ACTIVITY_TASK_STARTED:
      told.started = event;
      return;
    case EventType.WORKFLOW_EXECUTION_CANCEL_REQUESTED:
      told.cancel = { reason: event.attributes.cause, identity: event.attributes.identity };
      return;
    case EventType.ACTIVITY_TASK_COMPLETED:
      told.outcome = { result: event.attributes.result ?? {} };
      return;
    case EventType.ACTIVITY_TASK_FAILED:
    case EventType.ACTIVITY_TASK_TIMED_OUT: {
      const { failure, retryState } = event.attributes;
      told.outcome = { failure: failure ?? {}, retryState };
      return;
    }
    case EventType.ACTIVITY_TASK_CANCELED: {
      const { details } = event.attributes;
      told.outcome = { failure: canceled({ details, identity: told.cancel?.identity }) };
      return;
    }
    case EventType.WORKFLOW_EXECUTION_TERMINATED: {
      const { reason = '', identity = '' } = event.attributes;
      told.outcome = { failure: terminated(reason, identity) };
      return;
    }
    default:
  }
}

/** All events of a run from this one on, page by page. */
function readEvents(
  services: Services,
  to: ActorAddress,
  from: { runId: string; fromEventId: number },
  call: Call,
  then: (told: Told) => void,
): void {
  const told: Told = {};
  const read = (fromEventId: number): void => {
    const query: HistoryQuery = {
      ...{ runId: from.runId, fromEventId, maximumBytes: HISTORY_BYTES },
      ...{ waitNewEvent: false, closeEventOnly: false },
    };
    call.waits(
      services.engine.history(to, query, (error, page) => {
        if (error !== undefined || page === undefined) {
          if (error !== undefined) call.refuse(ofActivity(error, activityIdOf(to.workflowId)));
          return;
        }
        // The store's own bytes.
        for (const batch of page.events) for (const event of decode(batch) as HistoryEvent[]) tell(told, event);
        if (page.nextEventId === undefined) then(told);
        else read(page.nextEventId);
      }),
    );
  };
  read(from.fromEventId);
}

// ---------------------------------------------------------------- describe

/** Run and state transitions: what an answer was about. */
const pollToken = ({ runId, stateTransitionCount }: ActivityExecutionInfo): Uint8Array =>
  Buffer.from(`1 ${runId} ${stateTransitionCount}`, 'latin1');

function readPollToken(token: Uint8Array): { runId: string; changedSince: number } {
  const [version, runId, count, ...more] = Buffer.from(token).toString('latin1').split(' ');
  const changedSince = Number(count);
  if (
    version !== '1' ||
    runId === undefined ||
    more.length > 0 ||
    !Number.isSafeInteger(changedSince) ||
    token.length > 64
  ) {
    throw invalid('invalid long poll token: pass the one an earlier answer came with, unchanged');
  }
  return { runId, changedSince };
}

const orUndefined = (ms: number | undefined): number | undefined => ms || undefined;

/** What its last attempt failed of, where that ended it: not what ended it between or before attempts. */
function lastAttemptFailure({ outcome }: Told): Failure | undefined {
  const failure = outcome?.failure;
  const timedOut = failure?.timeoutFailureInfo?.timeoutType;
  const ofAttempt = timedOut === TimeoutType.START_TO_CLOSE || timedOut === TimeoutType.HEARTBEAT;
  return failure?.applicationFailureInfo !== undefined || ofAttempt ? failure : undefined;
}

function infoOf(described: DescribeWorkflowExecutionResponse, told: Told): ActivityExecutionInfo {
  const { workflowExecutionInfo: run, executionConfig, pendingActivities } = described;
  const [pending] = pendingActivities;
  const scheduled = told.scheduled?.attributes;
  const end = described.standalone?.end;
  const options = pending ?? end?.options ?? { ...scheduled, taskQueue: scheduled?.taskQueue.name };
  const last = told.started;
  // Its last attempt did not come to an end of its own.
  const isCutOff = last === undefined || told.outcome?.failure?.terminatedFailureInfo !== undefined;
  const startDelay = run.executionTime - run.startTime;
  const hasBegun = (pending?.lastStartedTime ?? pending?.lastAttemptCompleteTime) !== undefined;
  const nextAttemptScheduleTime = pending?.paused === true ? undefined : pending?.nextAttemptScheduleTime;
  return {
    activityId: activityIdOf(run.workflowId),
    runId: run.runId,
    activityType: run.workflowType,
    status: activityStatus(run.status),
    runState: pending?.state,
    taskQueue: options.taskQueue ?? run.taskQueue,
    scheduleToCloseTimeout: options.scheduleToCloseTimeout ?? 0,
    scheduleToStartTimeout: options.scheduleToStartTimeout ?? 0,
    startToCloseTimeout: options.startToCloseTimeout ?? 0,
    heartbeatTimeout: options.heartbeatTimeout ?? 0,
    retryPolicy: options.retryPolicy,
    heartbeatDetails: (pending ?? end)?.heartbeatDetails,
    lastHeartbeatTime: (pending ?? end)?.lastHeartbeatTime,
    lastStartedTime: (pending ?? end)?.lastStartedTime ?? last?.eventTime,
    attempt: (pending ?? end)?.attempt ?? last?.attributes.attempt ?? 1,
    executionDuration: run.executionDuration,
    scheduleTime: run.startTime,
    executionTime: startDelay > 0 ? run.executionTime : undefined,
    expirationTime: pending?.expirationTime,
    closeTime: run.closeTime,
    lastFailure: (pending ?? end)?.lastFailure ?? lastAttemptFailure(told) ?? last?.attributes.lastFailure,
    lastWorkerIdentity: pending?.lastWorkerIdentity ?? end?.identity ?? last?.attributes.identity,
    currentRetryInterval: hasBegun && nextAttemptScheduleTime !== undefined ? pending?.currentRetryInterval : undefined,
    lastAttemptCompleteTime:
      pending !== undefined || isCutOff ? (pending ?? end)?.lastAttemptCompleteTime : run.closeTime,
    nextAttemptScheduleTime,
    priority: options.priority,
    stateTransitionCount: run.stateTransitionCount ?? 0,
    searchAttributes: run.searchAttributes,
    header: scheduled?.header,
    userMetadata: executionConfig.userMetadata,
    canceledReason: told.cancel?.reason,
    flowControl: pending?.flowControl,
    startDelay: orUndefined(startDelay),
    totalHeartbeatCount: described.standalone?.heartbeats,
    lastDeploymentVersion: described.standalone?.version,
  };
}

function describe(services: Services, to: ActorAddress, request: DescribeActivityExecutionRequest, call: Call): void {
  const runId = request.runId || undefined;
  services.engine.describe(to, runId, (error, described) => {
    if (error !== undefined || described === undefined) {
      if (error !== undefined) call.refuse(ofActivity(error, request.activityId));
      return;
    }
    const at = { runId: described.workflowExecutionInfo.runId, fromEventId: 1 };
    readEvents(services, to, at, call, (told) => {
      const info = infoOf(described, told);
      const open = described.pendingActivities.length > 0;
      if (request.includeHeartbeatDetails !== true) delete info.heartbeatDetails;
      if (request.includeLastFailure !== true) delete info.lastFailure;
      const answer: DescribeActivityExecutionResponse = { runId: info.runId, info, longPollToken: pollToken(info) };
      if (request.includeInput === true) answer.input = told.scheduled?.attributes.input;
      if (request.includeOutcome === true && !open) answer.outcome = told.outcome;
      withNames(services, to.namespace, [info.searchAttributes], (naming) => {
        info.searchAttributes = naming(info.searchAttributes);
        call.reply(answer);
      });
    });
  });
}

export const describeActivityExecution = method(
  object<DescribeActivityExecutionRequest>({
    ...targetFields,
    includeInput: optional(boolean),
    includeOutcome: optional(boolean),
    includeHeartbeatDetails: optional(boolean),
    includeLastFailure: optional(boolean),
    longPollToken: optional(bytes),
  }),
  (services, caller, request, call) => {
    const to = addressOf(services, caller, request);
    const { longPollToken } = request;
    if (longPollToken === undefined || longPollToken.length === 0) {
      describe(services, to, request, call);
      return;
    }
    const { runId, changedSince } = readPollToken(longPollToken);
    if (request.runId && request.runId !== runId) throw invalid('the long poll token is of another run');
    call.atDeadline(() => call.reply({}));
    const query: HistoryQuery = {
      ...{ runId, fromEventId: 1, maximumBytes: 1, waitNewEvent: true, closeEventOnly: false },
      changedSince,
    };
    call.waits(
      services.engine.history(to, query, (error) => {
        if (error !== undefined) call.refuse(ofActivity(error, request.activityId));
        else describe(services, to, { ...request, runId }, call);
      }),
    );
  },
  { defaultTimeoutMs: LONG_POLL_MS },
);

// ---------------------------------------------------------------- outcome

export const pollActivityExecution = method(
  object<ActivityExecutionTarget>(targetFields),
  (services, caller, request, call) => {
    const to = addressOf(services, caller, request);
    const wait: HistoryQuery = {
      ...{ runId: request.runId || undefined, fromEventId: 1, maximumBytes: HISTORY_BYTES },
      ...{ waitNewEvent: true, closeEventOnly: true },
    };
    call.atDeadline(() => call.reply({}));
    call.waits(
      services.engine.history(to, wait, (error, closed) => {
        if (error !== undefined || closed === undefined) {
          if (error !== undefined) call.refuse(ofActivity(error, request.activityId));
          return;
        }
        const { runId } = closed;
        // Behind the input, which may be large.
        readEvents(services, to, { runId, fromEventId: 3 }, call, ({ outcome }) =>
          call.reply({ runId, outcome } satisfies PollActivityExecutionResponse),
        );
      }),
    );
  },
  { defaultTimeoutMs: LONG_POLL_MS },
);
