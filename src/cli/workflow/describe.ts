// `tenuto workflow describe`: what a person wants to know first, then what is pending.

import type { WorkflowExecutionDescription } from '../../../sdk/client/index.ts';
import type { WorkerDeploymentVersion } from '../../wire/common.ts';
import {
  CallbackState,
  ParentClosePolicy,
  PendingActivityState,
  PendingNexusOperationState,
  PendingWorkflowTaskState,
  VersioningBehavior,
  WorkflowTaskFailedCause,
} from '../../wire/enums.ts';
import type { DescribeWorkflowExecutionResponse, WorkflowVersioningInfo } from '../../wire/execution-info.ts';
import type { ExecutionFlowControl } from '../../wire/flow-control.ts';
import type { Session } from '../connect.ts';
import { ATTRIBUTE_HINT } from '../errors.ts';
import { nameOf } from '../output.ts';
import { outcomeFields, outcomeOfRun, printOutcome } from './outcome.ts';
import { whyUnserved } from './unserved.ts';

const time = (ms: number | undefined): string | undefined =>
  ms === undefined || ms === 0 ? undefined : new Date(ms).toISOString();

const execution = (workflowId: string | undefined, runId: string | undefined): string | undefined =>
  workflowId === undefined ? undefined : `${workflowId} (run ${runId})`;

const filled = (fields: Record<string, unknown> | undefined): Record<string, unknown> | undefined =>
  fields !== undefined && Object.keys(fields).length > 0 ? fields : undefined;

function flowText({ key, scope, state, position, debouncedUntil }: ExecutionFlowControl): string {
  const place = position === undefined ? '' : `, ${position}. in the queue`;
  const quiet = debouncedUntil === undefined ? '' : `, until it is quiet: ${time(debouncedUntil)}`;
  return `${state}: key ${key}${scope === 'taskQueue' ? ' of its task queue' : ''}${place}${quiet}`;
}

const versionText = (version: WorkerDeploymentVersion | undefined): string =>
  version === undefined ? 'unversioned' : `${version.deploymentName}:${version.buildId}`;

/** `PINNED of shop:v1`, and what somebody ordered instead. */
function versioningText(info: WorkflowVersioningInfo): string {
  const { behavior, deploymentVersion, versioningOverride, versionTransition } = info;
  const { pinned, autoUpgrade } = versioningOverride ?? {};
  const own = nameOf(VersioningBehavior, behavior);
  const parts = [deploymentVersion === undefined ? own : `${own} of ${versionText(deploymentVersion)}`];
  if (pinned !== undefined) parts.push(`overridden: PINNED to ${versionText(pinned.version)}`);
  else if (autoUpgrade) parts.push('overridden: AUTO_UPGRADE');
  if (versionTransition !== undefined) parts.push(`on its way to ${versionText(versionTransition.deploymentVersion)}`);
  return parts.join(', ');
}

/** Where it can be reset to, by build. */
export const resetPointsOf = ({ raw }: { raw: DescribeWorkflowExecutionResponse }) =>
  raw.autoResetPoints.map((point) => ({
    buildId: point.buildId ?? point.binaryChecksum ?? '',
    eventId: point.firstWorkflowTaskCompletedId,
    runId: point.runId,
    createTime: time(point.createTime) ?? '',
    expireTime: time(point.expireTime) ?? '',
    resettable: point.resettable === true,
  }));

export async function describeWorkflow(session: Session, description: WorkflowExecutionDescription): Promise<void> {
  const { output } = session;
  const raw: DescribeWorkflowExecutionResponse = description.raw;
  const { workflowExecutionInfo: info, executionConfig } = raw;
  const summary = {
    workflowId: info.workflowId,
    runId: info.runId,
    type: info.workflowType,
    status: description.status.name,
    cancelRequested: raw.cancelRequested || undefined,
    paused: raw.pauseInfo && {
      by: raw.pauseInfo.identity,
      reason: raw.pauseInfo.reason,
      since: time(raw.pauseInfo.pausedTime),
    },
    taskQueue: info.taskQueue,
    priority: info.priority && filled({ ...description.priority }),
    flowControl: raw.flowControl && flowText(raw.flowControl),
    versioning: raw.versioningInfo && versioningText(raw.versioningInfo),
    parent: execution(info.parentWorkflowId, info.parentRunId),
    // Of a workflow without a parent that is itself.
    root: info.parentWorkflowId === undefined ? undefined : execution(info.rootWorkflowId, info.rootRunId),
    startTime: time(info.startTime),
    executionTime: info.executionTime === info.startTime ? undefined : time(info.executionTime),
    closeTime: time(info.closeTime),
    historyLength: info.historyLength,
    historySizeBytes: info.historySizeBytes,
    memo: filled(description.memo),
    searchAttributes: filled(description.searchAttributes),
    executionTimeoutMs: executionConfig.workflowExecutionTimeout || undefined,
    runTimeoutMs: executionConfig.workflowRunTimeout || undefined,
    taskTimeoutMs: executionConfig.defaultWorkflowTaskTimeout,
  };
  const activities = raw.pendingActivities.map((activity) => ({
    activityId: activity.activityId,
    type: activity.activityType,
    state: nameOf(PendingActivityState, activity.state),
    attempt:
      activity.maximumAttempts > 0 ? `${activity.attempt} of ${activity.maximumAttempts}` : String(activity.attempt),
    nextAttempt: time(activity.nextAttemptScheduleTime) ?? '',
    lastFailure: activity.lastFailure?.message ?? '',
    worker: activity.lastWorkerIdentity ?? '',
    pausedBecause: activity.pauseInfo?.reason ?? '',
    pausedBy: activity.pauseInfo?.identity ?? '',
  }));
  const children = raw.pendingChildren.map((child) => ({
    workflowId: child.workflowId,
    type: child.workflowType,
    // Empty until it is known to have started.
    runId: child.runId ?? '',
    parentClosePolicy: nameOf(ParentClosePolicy, child.parentClosePolicy),
  }));
  const timers = raw.pendingTimers.map((timer) => ({ timerId: timer.timerId, fireTime: time(timer.fireTime) ?? '' }));
  const callbacks = raw.callbacks.map(({ callback, state, attempt, ...callbackInfo }) => ({
    url: callback.nexus?.url ?? '',
    state: nameOf(CallbackState, state),
    attempt,
    nextAttempt: time(callbackInfo.nextAttemptScheduleTime) ?? '',
    lastFailure: callbackInfo.lastAttemptFailure?.message ?? '',
  }));
  const operations = raw.pendingNexusOperations.map((operation) => ({
    endpoint: operation.endpoint,
    service: operation.service,
    operation: operation.operation,
    state: nameOf(PendingNexusOperationState, operation.state),
    attempt: operation.attempt,
    nextAttempt: time(operation.nextAttemptScheduleTime) ?? '',
    lastFailure: operation.blockedReason ?? operation.lastAttemptFailure?.message ?? '',
  }));
  const pending = raw.pendingWorkflowTask;
  const task = pending && {
    state: nameOf(PendingWorkflowTaskState, pending.state),
    attempt: pending.attempt,
    scheduledTime: time(pending.scheduledTime),
    startedTime: time(pending.startedTime),
    nextAttempt: time(pending.notBefore),
  };
  const failed = pending?.lastFailure;
  const lastFailure = failed && {
    attempt: failed.attempt,
    time: time(failed.time),
    cause: failed.cause === undefined ? 'TIMED_OUT' : nameOf(WorkflowTaskFailedCause, failed.cause),
    message: failed.message,
    worker: failed.workerIdentity,
  };

  const outcome = info.closeTime === undefined ? undefined : await outcomeOfRun(session, info.workflowId, info.runId);

  if (output.format !== 'table') {
    const pendingWorkflowTask = task && { ...task, lastFailure };
    output.record({
      ...summary,
      ...outcomeFields(outcome),
      pendingActivities: activities,
      pendingChildren: children,
      pendingTimers: timers,
      pendingNexusOperations: operations,
      callbacks,
      pendingWorkflowTask,
    });
    return;
  }
  output.record(summary);
  const { bold } = output.colors;
  if (task) {
    output.line(bold('\nPending workflow task'));
    output.record(task);
    const { SCHEDULED } = PendingWorkflowTaskState;
    if (pending?.state === SCHEDULED && pending.notBefore === undefined) {
      const why = await whyUnserved(session, raw);
      if (why !== undefined) output.line(output.colors.yellow(`${why.charAt(0).toUpperCase()}${why.slice(1)}.`));
    }
  }
  if (lastFailure) {
    output.line(bold('\nIts last failure'));
    output.record({ ...lastFailure, cause: output.colors.red(lastFailure.cause) });
    // The task is tried again by itself, and succeeds once it is registered.
    if (failed?.cause === WorkflowTaskFailedCause.BAD_SEARCH_ATTRIBUTES) output.line(ATTRIBUTE_HINT);
  }
  if (activities.length > 0) {
    output.line(bold(`\nPending activities: ${activities.length}`));
    // Two columns more only where somebody paused one.
    const anyPaused = raw.pendingActivities.some(({ pauseInfo }) => pauseInfo !== undefined);
    output.table(anyPaused ? activities : activities.map(({ pausedBecause: _, pausedBy: __, ...rest }) => rest));
  }
  const tables = [
    ['Pending children', children],
    ['Pending timers', timers],
    ['Pending Nexus operations', operations],
    ['Callbacks', callbacks],
  ] as const;
  for (const [title, rows] of tables) {
    if (rows.length === 0) continue;
    output.line(bold(`\n${title}: ${rows.length}`));
    output.table(rows);
  }
  if (outcome) printOutcome(session, outcome);
}
