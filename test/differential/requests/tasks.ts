// Of workers: their polls and answers.

import type { Pair } from '../pair.ts';
import type { Plain, Ref } from '../side.ts';
import { failure, payload, payloads, seconds, taskQueue } from '../values.ts';
import {
  atActivity,
  atTask,
  describe,
  on,
  open,
  scheduleActivity,
  shown,
  type Workflow,
  waiting,
  withActivity,
} from './made.ts';
import { identity, namespace, simple, type Template, type Templates } from './template.ts';

const byIds =
  (more: Plain): Template =>
  async (pair) => {
    const { workflowId, runId } = await atActivity(pair);
    return { request: { namespace, identity, workflowId, runId, activityId: 'a1', ...more }, after: shown(workflowId) };
  };

const withToken =
  (make: (pair: Pair) => Promise<Workflow & { token: Ref }>, more: (workflow: Workflow) => Plain): Template =>
  async (pair) => {
    const { token, ...workflow } = await make(pair);
    return { request: { namespace, identity, taskToken: token, ...more(workflow) }, after: shown(workflow.workflowId) };
  };

const command = (make: (workflow: Workflow) => Plain): Template =>
  withToken(atTask, (workflow) => ({ commands: [make(workflow)] }));

export const TASKS_REQUESTS: Templates = {
  PollWorkflowTaskQueue: async (pair) => {
    const { queue, workflowId } = await open(pair);
    return { request: { namespace, identity, taskQueue: taskQueue(queue) }, after: shown(workflowId) };
  },
  RespondWorkflowTaskCompleted: [
    withToken(atTask, () => ({ commands: [], sdkMetadata: { sdkName: 's', sdkVersion: '1' } })),
    command(({ queue }) =>
      scheduleActivity(queue, { retryPolicy: { maximumAttempts: 2 }, heartbeatTimeout: seconds(3) }),
    ),
    command(() => ({ commandType: 3, startTimerCommandAttributes: { timerId: 't', startToFireTimeout: seconds(60) } })),
    command(() => ({ commandType: 4, completeWorkflowExecutionCommandAttributes: { result: payloads } })),
    command(() => ({ commandType: 5, failWorkflowExecutionCommandAttributes: { failure } })),
    command(() => ({ commandType: 7, cancelWorkflowExecutionCommandAttributes: { details: payloads } })),
    command(() => ({ commandType: 2, requestCancelActivityTaskCommandAttributes: { scheduledEventId: 5 } })),
    command(() => ({ commandType: 6, cancelTimerCommandAttributes: { timerId: 't' } })),
    command(() => ({
      commandType: 8,
      requestCancelExternalWorkflowExecutionCommandAttributes: { namespace, workflowId: 'other', reason: 'why' },
    })),
    command(() => ({ commandType: 9, recordMarkerCommandAttributes: { markerName: 'm', details: { a: payloads } } })),
    command(({ queue }) => ({
      commandType: 10,
      continueAsNewWorkflowExecutionCommandAttributes: { workflowType: { name: 'T' }, taskQueue: taskQueue(queue) },
    })),
    command(({ queue, workflowId }) => ({
      commandType: 11,
      startChildWorkflowExecutionCommandAttributes: {
        ...{ namespace, workflowId: `${workflowId}-child`, workflowType: { name: 'C' }, taskQueue: taskQueue(queue) },
        ...{ parentClosePolicy: 1, retryPolicy: { maximumAttempts: 2 } },
      },
    })),
    command(() => ({
      commandType: 12,
      signalExternalWorkflowExecutionCommandAttributes: {
        namespace,
        execution: { workflowId: 'other' },
        signalName: 's',
      },
    })),
    command(() => ({
      commandType: 13,
      upsertWorkflowSearchAttributesCommandAttributes: {
        searchAttributes: { indexedFields: { CustomKeywordField: payload } },
      },
    })),
    command(() => ({ commandType: 14, protocolMessageCommandAttributes: { messageId: 'none' } })),
    command(() => ({
      commandType: 16,
      modifyWorkflowPropertiesCommandAttributes: { upsertedMemo: { fields: { k: payload } } },
    })),
    command(() => ({
      commandType: 17,
      scheduleNexusOperationCommandAttributes: {
        endpoint: 'no-endpoint',
        service: 's',
        operation: 'o',
        input: payload,
      },
    })),
    command(() => ({ commandType: 18, requestCancelNexusOperationCommandAttributes: { scheduledEventId: 5 } })),
  ],
  RespondWorkflowTaskFailed: withToken(atTask, () => ({ cause: 24, failure })),
  PollActivityTaskQueue: async (pair) => {
    const { queue, workflowId } = await withActivity(pair);
    return { request: { namespace, identity, taskQueue: taskQueue(queue) }, after: [describe(workflowId)] };
  },
  RecordActivityTaskHeartbeat: withToken(atActivity, () => ({ details: payloads })),
  RecordActivityTaskHeartbeatById: byIds({ details: payloads }),
  RespondActivityTaskCompleted: withToken(atActivity, () => ({ result: payloads })),
  RespondActivityTaskCompletedById: byIds({ result: payloads }),
  RespondActivityTaskFailed: withToken(atActivity, () => ({ failure, lastHeartbeatDetails: payloads })),
  RespondActivityTaskFailedById: byIds({ failure, lastHeartbeatDetails: payloads }),
  RespondActivityTaskCanceled: withToken(atActivity, () => ({ details: payloads })),
  RespondActivityTaskCanceledById: byIds({ details: payloads }),
  RespondQueryTaskCompleted: simple({
    namespace,
    taskToken: Buffer.from('garbage'),
    completedType: 1,
    queryResult: payloads,
  }),
  ResetStickyTaskQueue: on(waiting, 'execution'),
};
