// Of clients of workflows.

import { payload, payloads, seconds, taskQueue } from '../values.ts';
import { closed, executionOf, on, open, shown, startOf, waiting, withActivity } from './made.ts';
import { identity, namespace, type Templates } from './template.ts';

export const WORKFLOWS_REQUESTS: Templates = {
  StartWorkflowExecution: [
    (pair) => {
      const request = startOf(pair, { retryPolicy: { maximumAttempts: 3 }, workflowRunTimeout: seconds(100) });
      return { request, after: shown(request.workflowId) };
    },
    async (pair) => {
      const { workflowId, queue } = await open(pair);
      const request = { ...startOf(pair, { workflowId, taskQueue: taskQueue(queue) }) };
      return { request, after: shown(workflowId) };
    },
    async (pair) => {
      const { workflowId } = await closed(pair);
      const request = { ...startOf(pair, { workflowId }) };
      return { request, after: shown(workflowId) };
    },
    (pair) => {
      const metadata = { encoding: Buffer.from('json/plain') };
      const request = startOf(pair, {
        ...{ memo: { fields: { key: payload } }, header: { fields: { key: payload } }, cronSchedule: '0 0 1 1 *' },
        ...{ searchAttributes: { indexedFields: { CustomKeywordField: { metadata, data: Buffer.from('"x"') } } } },
        ...{ priority: { priorityKey: 2, fairnessKey: 'k', fairnessWeight: 2 }, userMetadata: { summary: payload } },
      });
      return { request, after: [] };
    },
    (pair) => {
      const request = startOf(pair, {
        ...{ completionCallbacks: [{ nexus: { url: 'http://127.0.0.1:9/x', header: {} } }] },
        ...{
          links: [
            { workflowEvent: { namespace, workflowId: 'w', runId: 'r', eventRef: { eventId: 1, eventType: 1 } } },
          ],
        },
        ...{ versioningOverride: { pinned: { behavior: 1, version: { deploymentName: 'd', buildId: 'b' } } } },
      });
      return { request, after: [] };
    },
  ],
  ExecuteMultiOperation: async (pair) => {
    const request = startOf(pair, { workflowIdConflictPolicy: 2 });
    const { workflowId } = request;
    const updateRequest = { meta: { updateId: 'u', identity }, input: { name: 'update', args: payloads } };
    const update = {
      namespace,
      workflowExecution: { workflowId },
      waitPolicy: { lifecycleStage: 2 },
      request: updateRequest,
    };
    return { request: { namespace, operations: [{ startWorkflow: request }, { updateWorkflow: update }] } };
  },
  GetWorkflowExecutionHistory: [
    on(waiting, 'execution', () => ({ maximumPageSize: 100 })),
    on(closed, 'execution', () => ({ waitNewEvent: true, historyEventFilterType: 2 })),
  ],
  GetWorkflowExecutionHistoryReverse: on(waiting, 'execution', () => ({ maximumPageSize: 100 })),
  RequestCancelWorkflowExecution: [
    on(open, 'workflowExecution', () => ({ reason: 'why', requestId: 'r' })),
    on(closed, 'workflowExecution', () => ({ reason: 'why' })),
  ],
  SignalWorkflowExecution: [
    on(open, 'workflowExecution', () => ({ signalName: 's', input: payloads, requestId: 'r' })),
    on(closed, 'workflowExecution', () => ({ signalName: 's' })),
  ],
  SignalWithStartWorkflowExecution: [
    (pair) => {
      const request = startOf(pair, { signalName: 's', signalInput: payloads });
      return { request, after: shown(request.workflowId) };
    },
    async (pair) => {
      const { workflowId } = await open(pair);
      return { request: startOf(pair, { workflowId, signalName: 's' }), after: shown(workflowId) };
    },
    async (pair) => {
      const { workflowId } = await closed(pair);
      return { request: startOf(pair, { workflowId, signalName: 's' }), after: shown(workflowId) };
    },
  ],
  ResetWorkflowExecution: on(waiting, 'workflowExecution', () => ({
    ...{ reason: 'why', workflowTaskFinishEventId: 4, requestId: 'r' },
  })),
  TerminateWorkflowExecution: [
    on(open, 'workflowExecution', () => ({ reason: 'why', details: payloads })),
    on(closed, 'workflowExecution', () => ({ reason: 'why' })),
  ],
  DeleteWorkflowExecution: on(closed, 'workflowExecution'),
  QueryWorkflow: on(closed, 'execution', () => ({ query: { queryType: '__stack_trace' }, queryRejectCondition: 2 })),
  DescribeWorkflowExecution: [on(waiting, 'execution'), on(closed, 'execution'), on(withActivity, 'execution')],
  UpdateWorkflowExecution: [
    on(closed, 'workflowExecution', () => ({
      waitPolicy: { lifecycleStage: 2 },
      request: { meta: { updateId: 'u', identity }, input: { name: 'update', args: payloads } },
    })),
    on(open, 'workflowExecution', () => ({
      waitPolicy: { lifecycleStage: 2 },
      request: { meta: { updateId: 'u', identity }, input: { name: 'update', args: payloads } },
    })),
  ],
  PollWorkflowExecutionUpdate: async (pair) => {
    const workflow = await closed(pair);
    const updateRef = { workflowExecution: executionOf(workflow), updateId: 'u' };
    return { request: { namespace, identity, updateRef, waitPolicy: { lifecycleStage: 3 } } };
  },
  UpdateWorkflowExecutionOptions: on(open, 'workflowExecution', () => ({
    workflowExecutionOptions: { priority: { priorityKey: 2 } },
    updateMask: { paths: ['priority.priority_key'] },
  })),
  PauseWorkflowExecution: async (pair) => {
    const { workflowId, runId } = await open(pair);
    return { request: { namespace, workflowId, runId, identity, reason: 'why', requestId: 'r' } };
  },
  UnpauseWorkflowExecution: async (pair) => {
    const { workflowId, runId } = await open(pair);
    return { request: { namespace, workflowId, runId, identity, reason: 'why', requestId: 'r' } };
  },
  PollWorkflowExecutionTimeSkipping: on(open, 'workflowExecution', () => ({ fastForwardId: 'f' })),
};
