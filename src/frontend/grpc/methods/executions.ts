// One execution, other than its history: describe, query, reset.

import { overridePin } from '../../../core/workflow/versioning.ts';
import { versionText } from '../../../wire/deployment.ts';
import { TaskQueueKind, VersioningBehavior } from '../../../wire/enums.ts';
import type {
  DescribeWorkflowExecutionResponse,
  PendingNexusOperationInfo,
  WorkflowExecutionInfo,
  WorkflowVersioningInfo,
} from '../../../wire/execution-info.ts';
import type { PendingActivityInfo } from '../../../wire/pending-activity.ts';
import { type Message, mask, native, part } from '../rpc.ts';
import { pendingOptions } from './activities.ts';
import { refuseTimeSkipping } from './start.ts';

const execution = (workflowId: string | undefined, runId: string | undefined): object | undefined =>
  workflowId === undefined ? undefined : { workflowId, runId };

/** An execution as lists and describe show it. */
export function executionInfo(info: WorkflowExecutionInfo): Message {
  const { workflowId, runId, workflowType, parentWorkflowId, parentRunId, rootWorkflowId, rootRunId, ...rest } = info;
  return {
    ...rest,
    execution: { workflowId, runId },
    memo: rest.memo ?? {},
    searchAttributes: rest.searchAttributes ?? {},
    type: { name: workflowType },
    parentExecution: execution(parentWorkflowId, parentRunId),
    rootExecution: execution(rootWorkflowId, rootRunId),
  };
}

/** `execution` as the native door has it. */
const onExecution = (request: Message): Message => {
  const { workflowId, runId } = part(request, 'execution');
  return { ...request, workflowId, runId };
};

/** The first instant of the year 1: Go's zero time. */
export const NO_TIME_MS = -62_135_596_800_000;

function activityOptions(activity: PendingActivityInfo): object {
  const { taskQueue, scheduleToCloseTimeout, scheduleToStartTimeout, startToCloseTimeout, heartbeatTimeout } = activity;
  const { retryPolicy, priority } = activity;
  return pendingOptions({
    ...{ taskQueue, scheduleToCloseTimeout, scheduleToStartTimeout, startToCloseTimeout, heartbeatTimeout },
    ...{ retryPolicy, priority },
  });
}

const pendingOperation = (operation: PendingNexusOperationInfo): Message => ({
  ...operation,
  operationId: operation.operationToken,
  scheduleToCloseTimeout: operation.scheduleToCloseTimeout || undefined,
  scheduleToStartTimeout: operation.scheduleToStartTimeout || undefined,
  startToCloseTimeout: operation.startToCloseTimeout || undefined,
});
/** With an override in the form of older clients, too. */
function versioned(info: WorkflowVersioningInfo | undefined): object {
  if (info === undefined) return {};
  const { versioningOverride: override, deploymentVersion } = info;
  if (override === undefined) {
    return { versioningInfo: info, workerDeploymentName: deploymentVersion?.deploymentName };
  }
  const pin = overridePin(override);
  const behavior = pin === undefined ? VersioningBehavior.AUTO_UPGRADE : VersioningBehavior.PINNED;
  const pinnedVersion = pin && versionText(pin.deploymentName ?? '', pin.buildId ?? '');
  return {
    versioningInfo: { ...info, versioningOverride: { ...override, behavior, pinnedVersion } },
    workerDeploymentName: (pin ?? deploymentVersion)?.deploymentName,
  };
}

function describeAnswer(described: DescribeWorkflowExecutionResponse): object {
  const { executionConfig, workflowExecutionInfo: info, pendingActivities, pendingChildren } = described;
  const { workflowExtendedInfo: extended } = described;
  const { workflowExecutionTimeout, workflowRunTimeout } = executionConfig;
  return {
    executionConfig: {
      ...executionConfig,
      workflowExecutionTimeout: workflowExecutionTimeout || undefined,
      workflowRunTimeout: workflowRunTimeout || undefined,
      taskQueue: { name: executionConfig.taskQueue, kind: TaskQueueKind.NORMAL },
    },
    workflowExecutionInfo: {
      ...executionInfo(info),
      autoResetPoints: { points: described.autoResetPoints },
      mostRecentWorkerVersionStamp: described.mostRecentWorkerVersionStamp,
      ...versioned(described.versioningInfo),
    },
    pendingActivities: pendingActivities.map((activity) => ({
      ...activity,
      activityType: { name: activity.activityType },
      activityOptions: activityOptions(activity),
      pauseInfo: activity.pauseInfo && {
        pauseTime: activity.pauseInfo.pauseTime,
        manual: { identity: activity.pauseInfo.identity, reason: activity.pauseInfo.reason },
      },
    })),
    pendingChildren: pendingChildren.map(({ workflowType, initiatedEventId, ...child }) => ({
      ...child,
      workflowTypeName: workflowType,
      initiatedId: initiatedEventId,
    })),
    pendingWorkflowTask: described.pendingWorkflowTask,
    callbacks: described.callbacks,
    pendingNexusOperations: described.pendingNexusOperations.map(pendingOperation),
    // None is said as the year 1, as the reference server does.
    workflowExtendedInfo: { ...extended, runExpirationTime: extended?.runExpirationTime ?? NO_TIME_MS },
  };
}

export const DescribeWorkflowExecution = native('describeWorkflowExecution', onExecution, describeAnswer);

export const UpdateWorkflowExecutionOptions = native('updateWorkflowExecutionOptions', (request) => {
  const { workflowId, runId } = part(request, 'workflowExecution');
  refuseTimeSkipping(part(request, 'workflowExecutionOptions'));
  return { ...request, workflowId, runId, updateMask: mask(request, 'updateMask') };
});

export const QueryWorkflow = native('queryWorkflow', (request) => ({
  ...onExecution(request),
  ...part(request, 'query'),
  queryRejectCondition: request.queryRejectCondition,
}));

export const ResetWorkflowExecution = native('resetWorkflowExecution', (request) => {
  const { workflowId, runId } = part(request, 'workflowExecution');
  return { ...request, workflowId, runId, postResetOperations: postResetOperations(request) };
});

/** Masks as lists. */
export function postResetOperations({ postResetOperations: asked }: Message): Message[] {
  // Decoded by its descriptor: messages.
  return ((asked ?? []) as Message[]).map((one) => {
    const options = part(one, 'updateWorkflowOptions');
    if (one.updateWorkflowOptions === undefined) return one;
    refuseTimeSkipping(part(options, 'workflowExecutionOptions'));
    return { updateWorkflowOptions: { ...options, updateMask: mask(options, 'updateMask') } };
  });
}
