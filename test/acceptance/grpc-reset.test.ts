// ResetWorkflowExecution through the Temporal-compatible door, as a Temporal client calls it: the bytes of the API, and the run that comes of it.

import { credentials, Client as GrpcClient, type ServiceError, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Client } from '../../sdk/client/index.ts';
import { messageType } from '../../src/frontend/grpc/proto/descriptors.ts';
import { Server } from '../../src/server.ts';
import type { AtEnd } from '../support/processes.ts';
import { inhabit, TASK_QUEUE } from './world.ts';

const undo: (() => unknown)[] = [];
const atFileEnd: AtEnd = (step) => undo.push(step);
afterAll(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

let client: Client;
let door: GrpcClient;
beforeAll(async () => {
  const server = await Server.create({ port: 0, grpcPort: 0, logLevel: 'error' });
  atFileEnd(() => server.close());
  ({ client } = await inhabit({ address: server.address ?? '' }, atFileEnd));
  door = new GrpcClient(server.grpcAddress ?? '', credentials.createInsecure());
  atFileEnd(() => door.close());
});

const API = 'temporal.api.workflowservice.v1';

function reset(request: object): Promise<string> {
  const [asked, answered] = [
    messageType(`${API}.ResetWorkflowExecutionRequest`),
    messageType(`${API}.ResetWorkflowExecutionResponse`),
  ];
  return new Promise((resolve, reject) => {
    door.makeUnaryRequest(
      `/${API}.WorkflowService/ResetWorkflowExecution`,
      (message: object) => Buffer.from(asked.encode(message).finish()),
      (bytes) => String(answered.decode(bytes).toJSON().runId),
      { namespace: 'default', reason: 'it was wrong', requestId: crypto.randomUUID(), ...request },
      (error, runId) => (error === null ? resolve(runId ?? '') : reject(error)),
    );
  });
}

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
    'operations after it, which this server does not do',
    { workflowExecution: { workflowId: 'w' }, postResetOperations: [{ signalWorkflow: { signalName: 's' } }] },
    status.UNIMPLEMENTED,
  ],
])('refuses %s', async (_, request, code) => {
  const refused = reset({ workflowTaskFinishEventId: 4, ...request });
  await expect(refused).rejects.toMatchObject({ code } satisfies Partial<ServiceError>);
});
