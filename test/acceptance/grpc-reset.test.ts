// ResetWorkflowExecution, alone and of many, through the Temporal-compatible door, as a Temporal client calls it: the bytes of the API, and the run that comes of it.

import { type ServiceError, status } from '@grpc/grpc-js';
import { beforeAll, expect, it } from 'vitest';
import type { Client } from '../../sdk/client/index.ts';
import { Server } from '../../src/server.ts';
import { EventType } from '../../src/wire/enums.ts';
import { ApiClient } from '../support/api-client.ts';
import { undoneAtFileEnd } from '../support/at-file-end.ts';
import { until } from '../support/processes.ts';
import { inhabit, TASK_QUEUE } from './world.ts';

const atFileEnd = undoneAtFileEnd();

let client: Client;
let door: ApiClient;
beforeAll(async () => {
  const server = await Server.create({ port: 0, grpcPort: 0, logLevel: 'error' });
  atFileEnd(() => server.close());
  ({ client } = await inhabit({ address: server.address ?? '' }, atFileEnd));
  door = new ApiClient(server.grpcAddress ?? '', { reason: 'it was wrong' });
  atFileEnd(() => door.close());
});

const call: ApiClient['call'] = (method, request) => door.call(method, request);

const reset = async (request: object): Promise<string> =>
  String((await call('ResetWorkflowExecution', { requestId: crypto.randomUUID(), ...request })).runId);

/** A batch job, once it is through. */
async function batch(jobId: string, workflowIds: readonly string[], operation: object) {
  const executions = workflowIds.map((workflowId) => ({ workflowId }));
  await call('StartBatchOperation', { jobId, executions, ...operation });
  return through(jobId);
}

const through = (jobId: string) =>
  until(async () => {
    const described = await call('DescribeBatchOperation', { jobId });
    return described.state === 'BATCH_OPERATION_STATE_COMPLETED' ? described : undefined;
  });

/** Pinned, or `undefined`: as the workflow says itself. */
const toVersion = (buildId: string | undefined) => ({
  updateWorkflowOptions: {
    workflowExecutionOptions: {
      versioningOverride: buildId && { pinned: { behavior: 1, version: { deploymentName: 'shop', buildId } } },
    },
    updateMask: { paths: ['versioning_override'] },
  },
});

it('does the workflow again as a new run, and once for one request id', async () => {
  const first = await client.workflow.start('hello', { workflowId: 'w', taskQueue: TASK_QUEUE, args: ['you'] });
  await first.result();
  const workflowExecution = { workflowId: 'w', runId: first.firstExecutionRunId };
  const asked = { workflowExecution, workflowTaskFinishEventId: 4, requestId: 'once' };
  const runId = await reset(asked);
  expect(runId).not.toBe(first.firstExecutionRunId);
  expect(await client.workflow.getHandle('w', runId).result()).toBe('Hello, you!');
  expect(await reset(asked)).toBe(runId);
});

it.each<[string, object, status]>([
  ['a workflow that is not there', { workflowExecution: { workflowId: 'nobody' } }, status.NOT_FOUND],
  ['no workflow', {}, status.INVALID_ARGUMENT],
  [
    'an operation after it that is none',
    { workflowExecution: { workflowId: 'w' }, postResetOperations: [{}] },
    status.INVALID_ARGUMENT,
  ],
  [
    'a pin to a version whose workers nobody knows',
    { workflowExecution: { workflowId: 'w' }, postResetOperations: [toVersion('nowhere')] },
    status.FAILED_PRECONDITION,
  ],
])('refuses %s', async (_, request, code) => {
  const refused = reset({ workflowTaskFinishEventId: 4, ...request });
  await expect(refused).rejects.toMatchObject({ code } satisfies Partial<ServiceError>);
});

it('signals what it begins, alone and of many', async () => {
  const adder = (workflowId: string) => client.workflow.start('sum', { workflowId, taskQueue: TASK_QUEUE });
  const signal = (signalName: string, ...args: unknown[]) => ({
    signalWorkflow: {
      signalName,
      input: {
        payloads: args.map((arg) => ({
          metadata: { encoding: Buffer.from('json/plain') },
          data: Buffer.from(JSON.stringify(arg)),
        })),
      },
    },
  });
  const postResetOperations = [signal('add', 40), signal('add', 2), signal('finish')];
  const ids = ['adds', 'adds-too'];
  for (const id of ids) {
    const first = await adder(id);
    await first.signal('finish');
    expect(await first.result()).toBe(0);
  }
  const workflowExecution = { workflowId: 'adds' };
  const none = { resetReapplyExcludeTypes: [1] };
  const runId = await reset({ workflowExecution, workflowTaskFinishEventId: 4, ...none, postResetOperations });
  expect(await client.workflow.getHandle('adds', runId).result()).toBe(42);
  const options = { firstWorkflowTask: {}, ...none };
  expect(await batch('add', ['adds-too'], { resetOperation: { options, postResetOperations } })).toMatchObject({
    completeOperationCount: '1',
  });
  expect(await client.workflow.getHandle('adds-too').result()).toBe(42);
});

it('cancels, terminates and deletes activities without a workflow, by query or by name', async () => {
  const start = (activityId: string) =>
    call('StartActivityExecution', {
      ...{ activityId, activityType: { name: 'many' }, taskQueue: { name: 'nobody' } },
      ...{ startToCloseTimeout: { seconds: 10 }, requestId: activityId },
    });
  for (const id of ['a', 'b', 'c']) await start(id);
  const job = async (jobId: string, request: object) => {
    await call('StartBatchOperation', { jobId, ...request });
    return through(jobId);
  };
  const cancelled = await job('cancel', {
    targetExecutions: [{ type: 2, businessId: 'a' }],
    cancelActivitiesOperation: { identity: 'boss', reason: 'enough' },
  });
  expect(cancelled).toMatchObject({
    operationType: 'BATCH_OPERATION_TYPE_CANCEL_ACTIVITY',
    completeOperationCount: '1',
  });
  await job('end', { executions: [{ workflowId: 'b' }], terminateActivitiesOperation: { reason: 'enough' } });
  const status = async (activityId: string) => {
    const { info } = await call('DescribeActivityExecution', { activityId });
    return (info as { status: string }).status;
  };
  expect(await status('a')).toBe('ACTIVITY_EXECUTION_STATUS_CANCELED');
  expect(await status('b')).toBe('ACTIVITY_EXECUTION_STATUS_TERMINATED');
  const gone = await job('delete', { visibilityQuery: "ActivityType = 'many'", deleteActivitiesOperation: {} });
  expect(gone).toMatchObject({ completeOperationCount: '3' });
  expect(await call('CountActivityExecutions', {})).toEqual({});
});

it('resets many, and steers the activities of many', async () => {
  const ids = ['one', 'two'];
  for (const workflowId of ids)
    await client.workflow.execute('hello', { workflowId, taskQueue: TASK_QUEUE, args: ['you'] });
  const again = { resetOperation: { options: { firstWorkflowTask: {} } } };
  expect(await batch('again', ids, again)).toMatchObject({
    ...{ operationType: 'BATCH_OPERATION_TYPE_RESET', totalOperationCount: '2', completeOperationCount: '2' },
  });
  for (const workflowId of ids) {
    const handle = client.workflow.getHandle(workflowId);
    expect(await handle.result()).toBe('Hello, you!');
    expect(
      (await handle.fetchHistory()).events.some(({ eventType }) => eventType === EventType.WORKFLOW_TASK_FAILED),
    ).toBe(true);
  }
  const { workflowId } = await client.workflow.start('elsewhere', {
    ...{ workflowId: 'steered', taskQueue: TASK_QUEUE, args: ['nowhere'] },
  });
  const pending = async () => (await client.workflow.getHandle(workflowId).describe()).raw.pendingActivities[0];
  await until(pending);
  await batch('slower', [workflowId], {
    updateActivityOptionsOperation: {
      ...{ matchAll: true, activityOptions: { startToCloseTimeout: { seconds: 77 } } },
      updateMask: { paths: ['start_to_close_timeout'] },
    },
  });
  expect(await pending()).toMatchObject({ startToCloseTimeout: 77_000 });
  await batch('as-before', [workflowId], {
    resetActivitiesOperation: { type: 'greet', restoreOriginalOptions: true, jitter: { seconds: 1 } },
  });
  expect((await pending())?.startToCloseTimeout).not.toBe(77_000);
  await client.workflow.getHandle(workflowId).terminate();
});
