// What the gRPC door answers to plain calls, where the official SDK's own client and worker would hide it.

import { Client, Connection, defaultPayloadConverter, type WorkflowService } from '@temporalio/client';
import { Server } from 'tenuto/server';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { addressOf } from './grpc-door.ts';

const namespace = 'default';
const CONTINUE_AS_NEW = 10;
const undo: (() => Promise<unknown>)[] = [];
let service: WorkflowService;

beforeAll(async () => {
  const server = await Server.create({ port: 0, grpcPort: 0, logLevel: 'error' });
  undo.push(() => server.close());
  const connection = await Connection.connect({ address: addressOf(server) });
  undo.push(() => connection.close());
  service = new Client({ connection }).workflowService;
});

afterAll(async () => {
  for (const close of undo.reverse()) await close();
});

const payload = defaultPayloadConverter.toPayload('text');
/** Of a workflow and a queue of the same name. */
const startOf = (workflowId: string) => ({
  ...{ namespace, workflowId, workflowType: { name: 'T' }, taskQueue: { name: workflowId } },
  requestId: `start of ${workflowId}`,
});
const pollOf = (workflowId: string) => service.pollWorkflowTaskQueue({ namespace, taskQueue: { name: workflowId } });

it('a run that continues another has nothing that its worker does not say', async () => {
  const memo = { fields: { colour: payload } };
  await service.startWorkflowExecution({ ...startOf('continued'), memo, retryPolicy: { maximumAttempts: 3 } });
  const { taskToken } = await pollOf('continued');
  const continueAsNewWorkflowExecutionCommandAttributes = { workflowType: { name: 'T' } };
  const commands = [{ commandType: CONTINUE_AS_NEW, continueAsNewWorkflowExecutionCommandAttributes }];
  await service.respondWorkflowTaskCompleted({ namespace, taskToken, commands });
  const { history } = await service.getWorkflowExecutionHistory({ namespace, execution: { workflowId: 'continued' } });
  const begun = history?.events?.[0]?.workflowExecutionStartedEventAttributes;
  expect(begun).toMatchObject({ workflowType: { name: 'T' }, continuedExecutionRunId: expect.stringMatching(/./) });
  expect([begun?.memo, begun?.retryPolicy]).toEqual([null, null]);
});
