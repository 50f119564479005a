// Describe: the state of one run as the API shows it; for closed runs too.

import { isActivityAddress } from '../../wire/activity-address.ts';
import type { WorkerVersionStamp } from '../../wire/common.ts';
import { EventType, isOpenStatus, PendingActivityState, PendingWorkflowTaskState } from '../../wire/enums.ts';
import type {
  DescribeWorkflowExecutionResponse,
  PendingChildInfo,
  PendingWorkflowTaskInfo,
  WorkflowTaskFailureInfo,
} from '../../wire/execution-info.ts';
import type { ExecutionFlowControl } from '../../wire/flow-control.ts';
import type { PendingActivityInfo } from '../../wire/pending-activity.ts';
import { versionOfKey } from '../deployment/versioned-queue.ts';
import { shownAttempt } from './activity-task.ts';
import { callbackInfos } from './callbacks.ts';
import { operationInfo } from './operation-info.ts';
import { retryInterval } from './retry.ts';
import type { ActivityRow, ChildRow, RunRow, TaskFailureRow, WorkflowTaskRow } from './rows.ts';
import { startRequest } from './start-request.ts';
import { type ActorState, findRun, isOpen, type RunState, taskOf } from './state.ts';
import { countsFrom, optionsOf } from './timeouts.ts';
import { versioningInfo } from './versioning-info.ts';
import { executionInfo } from './visibility.ts';

/** A requested cancellation shows before a pause. */
function pendingState({ facts, startId, pause }: ActivityRow): PendingActivityState {
  if (facts.cancelRequestedEventId !== 0) return PendingActivityState.CANCEL_REQUESTED;
  if (startId !== undefined) {
    return pause === undefined ? PendingActivityState.STARTED : PendingActivityState.PAUSE_REQUESTED;
  }
  return pause === undefined ? PendingActivityState.SCHEDULED : PendingActivityState.PAUSED;
}

/** Of an attempt that waits: how long it has been held back, or how long a next one would be. None while one runs. */
function shownInterval(activity: ActivityRow): number | undefined {
  if (activity.inBackoff) return activity.retryInterval;
  const { retryPolicy } = optionsOf(activity);
  const isFirst = activity.startId === undefined && shownAttempt(activity) === 1;
  return isFirst && retryPolicy !== undefined ? retryInterval(retryPolicy, 1) : undefined;
}

function activityInfo(activity: ActivityRow): PendingActivityInfo {
  const { facts, pause } = activity;
  const options = optionsOf(activity);
  const { scheduleToCloseTimeout } = options;
  return {
    activityId: facts.activityId,
    activityType: facts.activityType,
    state: pendingState(activity),
    attempt: shownAttempt(activity),
    maximumAttempts: options.retryPolicy?.maximumAttempts ?? 0,
    scheduledTime: activity.scheduledTime,
    lastStartedTime: activity.startedTime ?? activity.lastStartedTime,
    lastHeartbeatTime: activity.lastHeartbeatTime,
    lastAttemptCompleteTime: activity.lastAttemptCompleteTime,
    nextAttemptScheduleTime: activity.inBackoff ? activity.scheduledTime : undefined,
    currentRetryInterval: shownInterval(activity),
    expirationTime: scheduleToCloseTimeout > 0 ? countsFrom(activity) + scheduleToCloseTimeout : undefined,
    heartbeatDetails: activity.heartbeatDetails,
    lastFailure: activity.lastFailure,
    lastWorkerIdentity: activity.identity,
    taskQueue: options.taskQueue,
    scheduleToCloseTimeout,
    scheduleToStartTimeout: options.scheduleToStartTimeout,
    startToCloseTimeout: options.startToCloseTimeout,
    heartbeatTimeout: options.heartbeatTimeout,
    retryPolicy: options.retryPolicy,
    priority: options.priority,
    paused: pause !== undefined,
    flowControl: facts.flowControl && { ...facts.flowControl, state: activityPermit(activity) },
    pauseInfo: pause && { pauseTime: pause.at, identity: pause.identity, reason: pause.reason },
  };
}

type RequestIdInfos = NonNullable<DescribeWorkflowExecutionResponse['workflowExtendedInfo']>['requestIdInfos'];

const activityPermit = ({ permit, startId }: ActivityRow): 'queued' | 'held' | 'none' => {
  if (permit === undefined) return 'none';
  return permit.held || startId !== undefined ? 'held' : 'queued';
};

function failureInfo({ attempt, at, cause, message, identity }: TaskFailureRow): WorkflowTaskFailureInfo {
  return { attempt, time: at, cause, message, workerIdentity: identity };
}

function taskInfo(task: WorkflowTaskRow, failure: TaskFailureRow | undefined): PendingWorkflowTaskInfo {
  const started = task.startId !== undefined;
  return {
    state: started ? PendingWorkflowTaskState.STARTED : PendingWorkflowTaskState.SCHEDULED,
    scheduledTime: task.scheduledTime,
    originalScheduledTime: task.originalScheduledTime,
    startedTime: task.startedTime,
    attempt: task.attempt,
    notBefore: task.notBefore,
    lastFailure: failure && failureInfo(failure),
  };
}

function childInfo({
  workflowId,
  runId,
  workflowType,
  initiatedEventId,
  parentClosePolicy,
}: ChildRow): PendingChildInfo {
  return { workflowId, runId, workflowType, initiatedEventId, parentClosePolicy };
}

const lastStamp = (buildId: string | undefined): WorkerVersionStamp | undefined =>
  buildId === undefined ? undefined : { buildId };

function flowControl({ start, row }: RunState): ExecutionFlowControl | undefined {
  const flow = start.attributes.flowControl;
  if (flow === undefined) return undefined;
  const { accepted: _accepted, ...shown } = flow;
  if (!isOpenStatus(row.facts.status)) return { ...shown, state: 'released' };
  if (row.permit === undefined) return { ...shown, state: 'held' };
  return { ...shown, state: row.permit === 'asked' ? 'queued' : 'delayed' };
}

function standalone({ standalone: told }: RunRow): DescribeWorkflowExecutionResponse['standalone'] {
  if (told === undefined) return undefined;
  const { heartbeats, version, end } = told;
  return { heartbeats, version: version === undefined ? undefined : versionOfKey(version), end };
}

/** The request whose event a run begins with. */
/** Which event each request has led to: the start's, those that joined the run, those of updates. */
function requestIdInfos({ chain, workflowId }: ActorState, run: RunState): RequestIdInfos | undefined {
  if (chain === undefined || isActivityAddress(workflowId)) return undefined;
  const infos: NonNullable<RequestIdInfos> = {};
  for (const { requestId, acceptedEventId: eventId } of run.updates?.values() ?? []) {
    if (requestId !== undefined)
      infos[requestId] = { eventType: EventType.WORKFLOW_EXECUTION_UPDATE_ACCEPTED, eventId };
  }
  for (const { requestId, eventId } of run.row.facts.attached ?? []) {
    const eventType = EventType.WORKFLOW_EXECUTION_OPTIONS_UPDATED;
    infos[requestId] = eventId === 0 ? { eventType, eventId, buffered: true } : { eventType, eventId };
  }
  return { ...infos, [startRequest(chain, run)]: { eventType: EventType.WORKFLOW_EXECUTION_STARTED, eventId: 1 } };
}

/** Each of the runs that the current one was reset from went on as the next of them, the last one as itself. */
function resetRunId({ run: current }: ActorState, runId: string): string | undefined {
  const former = current?.start.former ?? [];
  const at = former.findIndex((one) => one.runId === runId);
  if (at < 0) return undefined;
  return at === 0 ? current?.runId : former[at - 1]?.runId;
}

/** Undefined when the state holds no such run. Without a run id: the current one. */
export function describe(state: ActorState, runId?: string): DescribeWorkflowExecutionResponse | undefined {
  const run = findRun(state, runId);
  if (run === undefined) return undefined;
  const { attributes, userMetadata } = run.start;
  const { parentWorkflowNamespaceId: parentNamespaceId } = attributes;
  const task = taskOf(run);
  const pause = isOpen(run) ? run.row.facts.pause : undefined;
  const info = executionInfo(state, run.runId, run.start, run.row);
  const pauseInfo = pause && { identity: pause.identity, pausedTime: pause.at, reason: pause.reason };
  const startRequestId = state.chain?.start.runId === run.runId ? state.chain.start.requestId : undefined;
  const expiration = (timeout: number | undefined, from: number): number | undefined =>
    timeout ? from + timeout : undefined;
  return {
    executionConfig: {
      taskQueue: attributes.taskQueue.name,
      workflowExecutionTimeout: attributes.workflowExecutionTimeout ?? 0,
      workflowRunTimeout: attributes.workflowRunTimeout ?? 0,
      defaultWorkflowTaskTimeout: attributes.workflowTaskTimeout ?? 0,
      userMetadata,
      retryPolicy: attributes.retryPolicy,
    },
    workflowExecutionInfo: parentNamespaceId === undefined ? info : { ...info, parentNamespaceId },
    pendingActivities: Array.from(run.activities.values(), activityInfo),
    pendingWorkflowTask: task === undefined ? undefined : taskInfo(task, run.row.taskFailure),
    pendingTimers: Array.from(run.timers.values(), ({ timerId, fireTime }) => ({ timerId, fireTime })),
    pendingChildren: Array.from(run.children.values(), childInfo),
    cancelRequested: run.row.facts.cancelRequested,
    pauseInfo,
    autoResetPoints: run.row.facts.resetPoints,
    callbacks: callbackInfos(state, run),
    pendingNexusOperations: Array.from(run.operations.values(), operationInfo),
    startRequestId,
    workflowExtendedInfo: {
      executionExpirationTime: expiration(attributes.workflowExecutionTimeout, info.startTime),
      runExpirationTime: expiration(attributes.workflowRunTimeout, info.executionTime),
      cancelRequested: run.row.facts.cancelRequested,
      originalStartTime: info.startTime,
      lastResetTime: run.start.former === undefined ? undefined : run.start.startTime,
      resetRunId: resetRunId(state, run.runId),
      requestIdInfos: requestIdInfos(state, run),
      pauseInfo,
    },
    versioningInfo: versioningInfo(run),
    mostRecentWorkerVersionStamp: lastStamp(run.row.facts.lastBuildId),
    flowControl: flowControl(run),
    standalone: standalone(run.row),
  };
}
