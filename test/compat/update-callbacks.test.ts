// Callbacks of updates through the gRPC door, with the official SDK's worker: attached to a request, and called with what came of it.

import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { Client, Connection, defaultPayloadConverter } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { Server } from 'tenuto/server';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { EventType } from '../../src/wire/enums.ts';
import { addressOf } from './grpc-door.ts';
import './runtime.ts';
import { addUpdate, counter, finish } from './workflows.ts';

const taskQueue = 'update-callbacks';
const ACCEPTED = 2;
const undo: (() => Promise<unknown>)[] = [];
const calls: { path: string | undefined; state: unknown; token: unknown; body: string }[] = [];
let hook: string;
let client: Client;

async function noted(request: IncomingMessage): Promise<void> {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  const { token, 'nexus-operation-state': state } = request.headers;
  calls.push({ path: request.url, state, token, body });
}

beforeAll(async () => {
  const receiver = createServer((request, response) => {
    noted(request).then(() => response.end());
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  undo.push(async () => receiver.close());
  const { port } = receiver.address() as AddressInfo;
  hook = `http://127.0.0.1:${port}`;
  const server = await Server.create({
    ...{ port: 0, grpcPort: 0, logLevel: 'error' },
    callbacks: { allowedAddresses: [{ pattern: `127.0.0.1:${port}`, allowInsecure: true }] },
  });
  undo.push(() => server.close());
  const address = addressOf(server);
  const connection = await Connection.connect({ address });
  undo.push(() => connection.close());
  client = new Client({ connection });
  const native = await NativeConnection.connect({ address });
  undo.push(() => native.close());
  const workflowsPath = fileURLToPath(new URL('workflows.ts', import.meta.url));
  const worker = await Worker.create({ connection: native, taskQueue, workflowsPath });
  const running = worker.run();
  undo.push(async () => {
    worker.shutdown();
    await running;
  });
}, 60_000);

afterAll(async () => {
  for (const close of undo.reverse()) await close();
});

it('an update calls back with its result, and one that is rejected does not', async () => {
  const handle = await client.workflow.start(counter, { taskQueue, workflowId: 'counted' });
  const update = (updateId: string, value: number) =>
    client.workflowService.updateWorkflowExecution({
      namespace: 'default',
      workflowExecution: { workflowId: 'counted' },
      waitPolicy: { lifecycleStage: ACCEPTED },
      request: {
        meta: { updateId, identity: 'me' },
        input: { name: addUpdate.name, args: { payloads: [defaultPayloadConverter.toPayload(value)] } },
        requestId: `request-${updateId}`,
        completionCallbacks: [{ nexus: { url: `${hook}/${updateId}`, header: { token: 'secret' } } }],
      },
    });
  const rejected = await update('less', -1);
  expect(rejected.outcome?.failure?.message).toBe('only what is not negative');
  const of = { namespace: 'default', workflowId: 'counted', runId: handle.firstExecutionRunId };
  expect(rejected.link).toMatchObject({ workflow: { ...of, reason: 'Update rejected' } });
  const eventType = EventType.WORKFLOW_EXECUTION_UPDATE_ACCEPTED;
  const requestIdRef = { requestId: 'request-more', eventType };
  expect((await update('more', 7)).link).toMatchObject({ workflowEvent: { ...of, requestIdRef } });
  const { requestIdInfos } = (await handle.describe()).raw.workflowExtendedInfo ?? {};
  expect(requestIdInfos?.['request-more']).toMatchObject({ eventType });
  const call = { path: '/more', state: 'succeeded', token: 'secret', body: '7' };
  await expect.poll(() => calls, { timeout: 10_000 }).toEqual([call]);
  const describe = async () => (await handle.describe()).raw.callbacks;
  // SUCCEEDED, once the answer to the call is noted.
  await expect.poll(async () => (await describe())?.[0]?.state, { timeout: 10_000 }).toBe(5);
  expect((await describe())?.[0]?.trigger).toMatchObject({ updateWorkflowExecutionCompleted: { updateId: 'more' } });
  await handle.signal(finish);
  expect(await handle.result()).toBe(7);
  expect(calls).toHaveLength(1);
}, 60_000);
