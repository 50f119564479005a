// Reads of one execution other than its history: describe and query.

import type { DescribeWorkflowExecutionResponse, WorkflowExecutionInfo } from '../../../wire/api.ts';
import { TaskQueueKind } from '../../../wire/enums.ts';
import { type Message, native, part } from '../rpc.ts';

const execution = (workflowId: string | undefined, runId: string | undefined): object | undefined =>
  workflowId === undefined ? undefined : { workflowId, runId };

/** An execution as lists and describe show it. */
export function executionInfo(info: WorkflowExecutionInfo): Message {
  const { workflowId, runId, workflowType, parentWorkflowId, parentRunId, rootWorkflowId, rootRunId, ...rest } = info;
  return {
    ...rest,
    execution: { workflowId, runId },
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

function describeAnswer(described: DescribeWorkflowExecutionResponse): object {
  const { executionConfig, workflowExecutionInfo: info, pendingActivities, pendingChildren } = described;
  const { workflowExecutionTimeout, workflowRunTimeout } = executionConfig;
  const expiration = (timeout: number, from: number): number | undefined => (timeout > 0 ? from + timeout : undefined);
  return {
    executionConfig: {
      ...executionConfig,
      taskQueue: { name: executionConfig.taskQueue, kind: TaskQueueKind.NORMAL },
    },
    workflowExecutionInfo: executionInfo(info),
    pendingActivities: pendingActivities.map(({ activityType, ...activity }) => ({
      ...activity,
      activityType: { name: activityType },
      activityOptions: {
        taskQueue: { name: activity.taskQueue, kind: TaskQueueKind.NORMAL },
        scheduleToCloseTimeout: activity.scheduleToCloseTimeout,
        scheduleToStartTimeout: activity.scheduleToStartTimeout,
        startToCloseTimeout: activity.startToCloseTimeout,
        heartbeatTimeout: activity.heartbeatTimeout,
        retryPolicy: activity.retryPolicy,
        priority: activity.priority,
      },
    })),
    pendingChildren: pendingChildren.map(({ workflowType, initiatedEventId, ...child }) => ({
      ...child,
      workflowTypeName: workflowType,
      initiatedId: initiatedEventId,
    })),
    pendingWorkflowTask: described.pendingWorkflowTask,
    workflowExtendedInfo: {
      executionExpirationTime: expiration(workflowExecutionTimeout, info.startTime),
      runExpirationTime: expiration(workflowRunTimeout, info.executionTime),
      cancelRequested: described.cancelRequested,
      originalStartTime: info.startTime,
    },
  };
}

export const DescribeWorkflowExecution = native('describeWorkflowExecution', onExecution, (reply) =>
  // The method's answer.
  describeAnswer(reply as unknown as DescribeWorkflowExecutionResponse),
);

export const QueryWorkflow = native('queryWorkflow', (request) => ({
  ...onExecution(request),
  ...part(request, 'query'),
  queryRejectCondition: request.queryRejectCondition,
}));
