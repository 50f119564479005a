// The priority of a workflow that runs, changed through either door, by a batch job and from the command line: who gets a task first, and what is shown.

import { status } from '@grpc/grpc-js';
import { beforeAll, expect, it } from 'vitest';
import type { Client } from '../../sdk/client/index.ts';
import { Server } from '../../src/server.ts';
import { EventType } from '../../src/wire/enums.ts';
import { ApiClient } from '../support/api-client.ts';
import { undoneAtFileEnd } from '../support/at-file-end.ts';
import { tenuto, until } from '../support/processes.ts';
import { inhabit } from './world.ts';

const atFileEnd = undoneAtFileEnd();

let client: Client;
let door: ApiClient;
let address: string;
beforeAll(async () => {
  const server = await Server.create({ port: 0, grpcPort: 0, logLevel: 'error' });
  atFileEnd(() => server.close());
  address = server.address ?? '';
  ({ client } = await inhabit({ address }, atFileEnd));
  door = new ApiClient(server.grpcAddress ?? '');
  atFileEnd(() => door.close());
});

const call: ApiClient['call'] = (method, request) => door.call(method, request);

const change = (workflowId: string, priority: object | undefined, ...paths: string[]) =>
  call('UpdateWorkflowExecutionOptions', {
    workflowExecution: { workflowId },
    workflowExecutionOptions: { priority },
    updateMask: { paths },
  });

/** Of the next workflow task. */
async function next(queue: string): Promise<unknown> {
  const { workflowExecution } = await call('PollWorkflowTaskQueue', { taskQueue: { name: queue }, identity: 'poller' });
  return (workflowExecution as { workflowId?: string } | undefined)?.workflowId;
}

async function started(queue: string, ...ids: string[]): Promise<void> {
  for (const workflowId of ids) await client.workflow.start('order', { workflowId, taskQueue: queue });
}

it('lets the one that waits be first, and is shown by describe, lists and its history', async () => {
  await started('line', 'first', 'second', 'third');
  const priority = { priorityKey: 1, fairnessKey: 'gold' };
  expect(await change('third', priority, 'priority')).toEqual({ workflowExecutionOptions: { priority } });
  expect(await change('second', { priorityKey: 2, fairnessKey: 'unsaid' }, 'priority.priority_key')).toEqual({
    workflowExecutionOptions: { priority: { priorityKey: 2 } },
  });
  expect(await call('DescribeWorkflowExecution', { execution: { workflowId: 'third' } })).toMatchObject({
    workflowExecutionInfo: { priority },
  });
  const { executions } = await call('ListWorkflowExecutions', { query: "WorkflowId = 'third'" });
  expect(executions).toMatchObject([{ priority }]);
  const { history } = await call('GetWorkflowExecutionHistory', { execution: { workflowId: 'third' } });
  expect((history as { events: object[] }).events.at(-1)).toMatchObject({
    eventType: 'EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED',
    workerMayIgnore: true,
    workflowExecutionOptionsUpdatedEventAttributes: { unsetVersioningOverride: true, priority },
  });
  expect([await next('line'), await next('line'), await next('line')]).toEqual(['third', 'second', 'first']);
});

it.each<[string, object, status, RegExp]>([
  ['no mask', { workflowExecutionOptions: {} }, status.INVALID_ARGUMENT, /UpdateMask is required/],
  ['no options', { updateMask: {} }, status.INVALID_ARGUMENT, /WorkflowExecutionOptions is required/],
  [
    'a mask of what is no option',
    { workflowExecutionOptions: {}, updateMask: { paths: ['priority.colour'] } },
    status.INVALID_ARGUMENT,
    /error parsing UpdateMask: proto: invalid path "priority.colour"/,
  ],
  [
    'a negative priority',
    { workflowExecutionOptions: { priority: { priorityKey: -1 } }, updateMask: { paths: ['priority'] } },
    status.INVALID_ARGUMENT,
    /priority key can't be negative/,
  ],
  [
    'time skipping',
    { workflowExecutionOptions: { timeSkippingConfig: {} }, updateMask: { paths: ['time_skipping_config'] } },
    status.UNIMPLEMENTED,
    /Time-Skipping feature is not enabled/,
  ],
])('refuses %s', async (_, request, code, details) => {
  await started('refused', 'refused');
  const workflowExecution = { workflowId: 'refused' };
  const refused = call('UpdateWorkflowExecutionOptions', { workflowExecution, ...request });
  await expect(refused).rejects.toMatchObject({ code, details: expect.stringMatching(details) as string });
  await client.workflow.getHandle('refused').terminate();
});

it('changes nothing by an empty mask, and nothing of what is not there', async () => {
  await started('quiet', 'quiet');
  expect(await change('quiet', { priorityKey: 1 })).toEqual({ workflowExecutionOptions: {} });
  const { events = [] } = await client.workflow.getHandle('quiet').fetchHistory();
  expect(events.map(({ eventType }) => eventType)).not.toContain(EventType.WORKFLOW_EXECUTION_OPTIONS_UPDATED);
  await expect(change('nobody', {}, 'priority')).rejects.toMatchObject({ code: status.NOT_FOUND });
});

it('takes a batch job, and the operations after a reset', async () => {
  await started('many', 'one', 'two');
  const executions = [{ workflowId: 'one' }, { workflowId: 'two' }];
  const updateWorkflowOptions = {
    workflowExecutionOptions: { priority: { priorityKey: 5 } },
    updateMask: { paths: ['priority.priority_key'] },
  };
  const jobId = 'slow-down';
  const request = { executions, reason: 'later', updateWorkflowOptionsOperation: updateWorkflowOptions };
  await call('StartBatchOperation', { jobId, ...request });
  const job = await until(async () => {
    const described = await call('DescribeBatchOperation', { jobId });
    return described.state === 'BATCH_OPERATION_STATE_COMPLETED' ? described : undefined;
  });
  expect(job).toMatchObject({ completeOperationCount: '2' });
  expect((await client.workflow.getHandle('two').describe()).priority).toMatchObject({ priorityKey: 5 });
  const task = await call('PollWorkflowTaskQueue', { taskQueue: { name: 'many' }, identity: 'poller' });
  const { taskToken, workflowExecution } = task as { taskToken: string; workflowExecution: { workflowId: string } };
  await call('RespondWorkflowTaskCompleted', { taskToken: Buffer.from(taskToken, 'base64'), identity: 'poller' });
  updateWorkflowOptions.workflowExecutionOptions.priority.priorityKey = 1;
  await call('ResetWorkflowExecution', {
    ...{ workflowExecution, reason: 'sooner', requestId: 'again', workflowTaskFinishEventId: 5 },
    postResetOperations: [{ updateWorkflowOptions }],
  });
  expect(await next('many')).toBe(workflowExecution.workflowId);
});

it('takes the native client and the command line', async () => {
  await started('by-hand', 'hand');
  const handle = client.workflow.getHandle('hand');
  expect(await handle.updateOptions({ priority: { priorityKey: 2, fairnessKey: 'tin' } })).toEqual({
    priority: { priorityKey: 2, fairnessKey: 'tin', fairnessWeight: undefined },
    versioningOverride: undefined,
  });
  expect(await handle.updateOptions({ versioningOverride: 'AUTO_UPGRADE' })).toMatchObject({
    ...{ priority: { priorityKey: 2 }, versioningOverride: 'AUTO_UPGRADE' },
  });
  const options = (...args: string[]) =>
    tenuto(['workflow', 'update-options', '-w', 'hand', ...args, '-o', 'json'], { env: { TENUTO_ADDRESS: address } });
  const { stdout } = await options('--priority-key', '1', '--fairness-key', '');
  expect(JSON.parse(stdout)).toMatchObject({ workflowId: 'hand', priority: { priorityKey: 1 } });
  expect((await handle.describe()).priority).toEqual({
    ...{ priorityKey: 1, fairnessKey: undefined, fairnessWeight: undefined },
  });
  expect(await options()).toMatchObject({ code: 2, stderr: expect.stringContaining('change what?') as string });
  expect(await handle.updateOptions({ priority: null, versioningOverride: null })).toMatchObject({
    ...{ priority: { priorityKey: undefined }, versioningOverride: undefined },
  });
  await handle.terminate();
  await expect(handle.updateOptions({ priority: null })).rejects.toThrow(/completed|closed/);
});
