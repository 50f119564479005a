// Nexus with the official TypeScript SDK, unmodified: callers in one namespace, handlers in another.

import { fileURLToPath } from 'node:url';
import { Client, Connection, WorkflowNotFoundError } from '@temporalio/client';
import { startWorkflow, WorkflowRunOperationHandler } from '@temporalio/nexus';
import { NativeConnection, Worker } from '@temporalio/worker';
import * as nexus from 'nexus-rpc';
import { Server } from 'tenuto/server';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { addressOf } from './grpc-door.ts';
import { payments } from './nexus-service.ts';
import * as workflows from './nexus-workflows.ts';
import './runtime.ts';

let attempts = 0;
let callbackUrl = '';

const handler = nexus.serviceHandler(payments, {
  greet: async (_ctx, name) => `Hello, ${name}!`,
  pay: new WorkflowRunOperationHandler<string, string>(async (ctx, order) => {
    callbackUrl = ctx.callbackUrl ?? '';
    return await startWorkflow(ctx, workflows.payment, { workflowId: `pay-${order}`, args: [order] });
  }),
  wait: new WorkflowRunOperationHandler<string, string>(
    async (ctx, order) =>
      await startWorkflow(ctx, workflows.waiting, {
        workflowId: `wait-${order}`,
        args: [order],
        workflowIdConflictPolicy: 'USE_EXISTING',
      }),
  ),
  fail: async () => {
    throw new nexus.OperationError('failed', 'no money');
  },
  broken: async () => {
    attempts += 1;
    throw new nexus.HandlerError(attempts < 2 ? 'INTERNAL' : 'BAD_REQUEST', 'handler broken');
  },
  slow: async () => await new Promise<string>((resolve) => setTimeout(() => resolve('late'), 4_000)),
});

let server: Server;
let caller: Client;
let billing: Client;
const undo: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  server = await Server.create({ port: 0, grpcPort: 0, logLevel: 'error', namespaces: ['default', 'billing'] });
  undo.push(() => server.close());
  const address = addressOf(server);
  const connection = await Connection.connect({ address });
  undo.push(() => connection.close());
  caller = new Client({ connection });
  billing = new Client({ connection, namespace: 'billing' });
  await connection.operatorService.createNexusEndpoint({
    spec: { name: workflows.ENDPOINT, target: { worker: { namespace: 'billing', taskQueue: 'payments' } } },
  });
  const native = await NativeConnection.connect({ address });
  undo.push(() => native.close());
  const workflowsPath = fileURLToPath(new URL('nexus-workflows.ts', import.meta.url));
  const workers = [
    await Worker.create({ connection: native, taskQueue: 'callers', workflowsPath }),
    await Worker.create({
      connection: native,
      namespace: 'billing',
      taskQueue: 'payments',
      workflowsPath,
      nexusServices: [handler],
    }),
  ];
  const running = workers.map((worker) => worker.run());
  undo.push(async () => {
    for (const worker of workers) worker.shutdown();
    await Promise.all(running);
  });
}, 120_000);
afterAll(async () => {
  for (const step of undo.reverse()) await step();
}, 60_000);

let ids = 0;
const options = () => ({ taskQueue: 'callers', workflowId: `nexus-${(ids += 1)}` });

/** In the API's own form. */
async function eventsOf(client: Client, workflowId: string) {
  const request = { namespace: client.options.namespace, execution: { workflowId } };
  return (await client.workflowService.getWorkflowExecutionHistory(request)).history?.events ?? [];
}

async function typesOf(workflowId: string): Promise<string[]> {
  const events = await eventsOf(caller, workflowId);
  const names = (await import('@temporalio/proto')).default.temporal.api.enums.v1.EventType;
  return events.map(({ eventType }) => names[eventType ?? 0] ?? '').filter((name) => name.includes('NEXUS'));
}

it('an operation that answers at once', async () => {
  const start = options();
  expect(await caller.workflow.execute(workflows.callSync, { ...start, args: ['World'] })).toBe('Hello, World!');
  expect(await typesOf(start.workflowId)).toEqual([
    'EVENT_TYPE_NEXUS_OPERATION_SCHEDULED',
    'EVENT_TYPE_NEXUS_OPERATION_COMPLETED',
  ]);
});

it('an operation backed by a workflow of the other namespace, with links both ways', async () => {
  const start = options();
  expect(await caller.workflow.execute(workflows.callPay, { ...start, args: ['o1'] })).toBe('paid o1 (token)');
  expect(callbackUrl).toBe('temporal://system');
  expect(await typesOf(start.workflowId)).toEqual([
    'EVENT_TYPE_NEXUS_OPERATION_SCHEDULED',
    'EVENT_TYPE_NEXUS_OPERATION_STARTED',
    'EVENT_TYPE_NEXUS_OPERATION_COMPLETED',
  ]);
  const events = await eventsOf(caller, start.workflowId);
  const started = events.find((event) => event.nexusOperationStartedEventAttributes);
  expect(started?.links?.[0]?.workflowEvent).toMatchObject({ namespace: 'billing', workflowId: 'pay-o1' });
  const backing = await eventsOf(billing, 'pay-o1');
  expect(backing[0]?.links?.[0]?.workflowEvent).toMatchObject({ workflowId: start.workflowId });
  const described = await billing.workflow.getHandle('pay-o1').describe();
  expect(described.raw.callbacks?.map(({ state }) => state)).toEqual([5]);
});

it('failures of the operation, and of its handler', async () => {
  const run = (operation: 'fail' | 'broken' | 'missing' | 'slow', timeout: string) =>
    caller.workflow.execute(workflows.callFailing, { ...options(), args: [operation, timeout] });
  expect(await run('fail', '10s')).toBe('ApplicationFailure: no money');
  // Tried again once, then refused for good.
  expect(await run('broken', '30s')).toBe('HandlerError: handler broken');
  expect(attempts).toBe(2);
  expect(await run('missing', '10s')).toContain('HandlerError');
  expect(await run('slow', '2s')).toBe('TimeoutFailure: operation timed out');
});

it('cancellation, which ends the workflow behind it', async () => {
  const start = options();
  expect(await caller.workflow.execute(workflows.callAndCancel, { ...start, args: ['c1'] })).toContain('cancelled');
  expect((await billing.workflow.getHandle('wait-c1').describe()).status.name).toBe('CANCELLED');
  expect(await typesOf(start.workflowId)).toEqual([
    'EVENT_TYPE_NEXUS_OPERATION_SCHEDULED',
    'EVENT_TYPE_NEXUS_OPERATION_STARTED',
    'EVENT_TYPE_NEXUS_OPERATION_CANCEL_REQUESTED',
    'EVENT_TYPE_NEXUS_OPERATION_CANCEL_REQUEST_COMPLETED',
    'EVENT_TYPE_NEXUS_OPERATION_CANCELED',
  ]);
});

it('a token that is made up completes nothing', async () => {
  const token = btoa(JSON.stringify(['default', 'nexus-1', 'run', 5, 'guessed']));
  const start = (header: Record<string, string>) =>
    billing.workflowService.startWorkflowExecution({
      namespace: 'billing',
      workflowId: 'forger',
      workflowType: { name: 'payment' },
      taskQueue: { name: 'payments' },
      completionCallbacks: [{ nexus: { url: 'temporal://system', header } }],
    });
  await expect(start({})).rejects.toThrow('takes the token of a Nexus operation');
  await start({ 'temporal-callback-token': token });
  await billing.workflow.getHandle('forger').terminate();
  await expect(caller.workflow.getHandle('nobody').describe()).rejects.toThrow(WorkflowNotFoundError);
});
