// What the gRPC door answers to plain calls, where the official SDK's own client and worker would hide it.

import { Client, Connection, defaultPayloadConverter, type WorkflowService } from '@temporalio/client';
import { Server } from 'tenuto/server';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { EventType } from '../../src/wire/enums.ts';
import { addressOf } from './grpc-door.ts';

const namespace = 'default';
const CONTINUE_AS_NEW = 10;
const undo: (() => Promise<unknown>)[] = [];
let service: WorkflowService;
/** Of a client that does not say who it is. */
let nameless: WorkflowService;

beforeAll(async () => {
  const server = await Server.create({ port: 0, grpcPort: 0, logLevel: 'error' });
  undo.push(() => server.close());
  const connect = async (metadata: Record<string, string>): Promise<WorkflowService> => {
    const connection = await Connection.connect({ address: addressOf(server), metadata });
    undo.push(() => connection.close());
    return new Client({ connection }).workflowService;
  };
  service = await connect({});
  nameless = await connect({ 'client-name': '' });
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

const { WORKFLOW_EXECUTION_SIGNALED, WORKFLOW_EXECUTION_OPTIONS_UPDATED } = EventType;
const USE_EXISTING = 2;

it('who starts and signals is told where that has led to, if it says who it is', async () => {
  const workflowId = 'linked';
  const started = await service.startWorkflowExecution(startOf(workflowId));
  const { runId } = started;
  const of = { namespace, workflowId, runId };
  expect(started).toMatchObject({ firstExecutionRunId: runId, link: { workflowEvent: of } });
  const byRequest = (requestId: string, eventType: number) => ({
    workflowEvent: { ...of, requestIdRef: { requestId, eventType } },
  });
  const signal = { namespace, workflowExecution: { workflowId }, signalName: 's', requestId: 'signalled' };
  // The second time as well: it is the same signal.
  for (let i = 0; i < 2; i += 1) {
    const link = byRequest('signalled', WORKFLOW_EXECUTION_SIGNALED);
    expect(await service.signalWorkflowExecution(signal)).toMatchObject({ link });
  }
  const withStart = { ...startOf(workflowId), signalName: 's', requestId: 'with' };
  const signalLink = byRequest('with', WORKFLOW_EXECUTION_SIGNALED);
  expect(await service.signalWithStartWorkflowExecution(withStart)).toMatchObject({ signalLink });
  const nobody = await nameless.startWorkflowExecution(startOf(workflowId));
  expect([nobody.runId, nobody.firstExecutionRunId]).toEqual([runId, '']);
  expect((await nameless.signalWorkflowExecution(signal)).link).toBeNull();
});

it('a start that joins a running workflow is known by its request, and told which run was the first', async () => {
  const workflowId = 'joined';
  const { runId: first } = await service.startWorkflowExecution(startOf(workflowId));
  const { taskToken } = await pollOf(workflowId);
  const commands = [{ commandType: CONTINUE_AS_NEW, continueAsNewWorkflowExecutionCommandAttributes: {} }];
  await service.respondWorkflowTaskCompleted({ namespace, taskToken, commands });
  const join = {
    ...{ ...startOf(workflowId), requestId: 'joins', workflowIdConflictPolicy: USE_EXISTING },
    onConflictOptions: { attachRequestId: true },
  };
  const told = async () => {
    const { workflowExtendedInfo } = await service.describeWorkflowExecution({ namespace, execution: { workflowId } });
    const { joins } = workflowExtendedInfo?.requestIdInfos ?? {};
    return [joins?.eventType, Number(joins?.eventId), joins?.buffered];
  };
  // It waits for the end of the task that has been begun.
  const task = await pollOf(workflowId);
  for (let i = 0; i < 2; i += 1) {
    const requestIdRef = { requestId: 'joins', eventType: WORKFLOW_EXECUTION_OPTIONS_UPDATED };
    const link = { workflowEvent: { workflowId, requestIdRef } };
    expect(await service.startWorkflowExecution(join)).toMatchObject({ firstExecutionRunId: first, link });
  }
  expect(await told()).toEqual([WORKFLOW_EXECUTION_OPTIONS_UPDATED, 0, true]);
  await service.respondWorkflowTaskCompleted({ namespace, taskToken: task.taskToken });
  expect(await told()).toEqual([WORKFLOW_EXECUTION_OPTIONS_UPDATED, 5, false]);
});

it('workers are listed page by page, and not by what is no page', async () => {
  const keys = ['first', 'second', 'third'];
  const workerHeartbeat = keys.map((workerInstanceKey) => ({ workerInstanceKey, taskQueue: 'listed' }));
  await service.recordWorkerHeartbeat({ namespace, workerHeartbeat });
  const query = "TaskQueue = 'listed'";
  const page = await service.listWorkers({ namespace, query, pageSize: 2 });
  const rest = await service.listWorkers({ namespace, query, nextPageToken: page.nextPageToken, pageSize: -1 });
  const listed = [...page.workers, ...rest.workers].map((one) => one.workerInstanceKey);
  expect(listed.sort()).toEqual(keys);
  await expect(service.listWorkers({ namespace, query, nextPageToken: Buffer.from('none') })).rejects.toThrow(
    'invalid next_page_token',
  );
});

it('a start is pinned to a version whose workers are on its queue, and says so as clients say it today', async () => {
  const AUTO_UPGRADE = 2;
  const PINNED = 1;
  await expect(
    service.startWorkflowExecution({
      ...startOf('pinned'),
      versioningOverride: { behavior: PINNED, pinnedVersion: 'nobody.v1' },
    }),
  ).rejects.toThrow("Pinned version 'nobody:v1' is not present in task queue 'pinned'");
  await service.startWorkflowExecution({ ...startOf('upgraded'), versioningOverride: { behavior: AUTO_UPGRADE } });
  const { history } = await service.getWorkflowExecutionHistory({ namespace, execution: { workflowId: 'upgraded' } });
  const { versioningOverride } = history?.events?.[0]?.workflowExecutionStartedEventAttributes ?? {};
  expect(versioningOverride).toMatchObject({ autoUpgrade: true, behavior: 0 });
});

it('what would be understood as something else is refused', async () => {
  const taskQueue = { name: 'some', normalName: 'other' };
  const spec = { timezoneData: Buffer.from('TZif'), interval: [{ interval: {} }] };
  const schedule = { spec, action: { startWorkflow: startOf('scheduled') } };
  const deploymentVersion = { deploymentName: 'shop', buildId: 'v1' };
  const refused: readonly [Promise<unknown>, string][] = [
    [service.describeTaskQueue({ namespace, taskQueue }), 'only sticky queues can have normal name. tq: some'],
    [service.listTaskQueuePartitions({ namespace, taskQueue }), 'only sticky queues can have normal name. tq: some'],
    [
      service.createSchedule({ namespace, scheduleId: 's', requestId: 's', schedule }),
      'time zone data is not read here',
    ],
    [
      service.describeWorkerDeploymentVersion({ namespace, version: 'none', deploymentVersion }),
      'invalid version string "none"',
    ],
    [
      service.setWorkerDeploymentCurrentVersion({ namespace, deploymentName: 'shop', buildId: 'v1', version: 'none' }),
      'invalid version string "none"',
    ],
  ];
  for (const [call, message] of refused) await expect(call).rejects.toThrow(message);
});

it('a termination by nobody says that it came through the door', async () => {
  await service.startWorkflowExecution(startOf('ended'));
  await service.terminateWorkflowExecution({ namespace, workflowExecution: { workflowId: 'ended' } });
  const { history } = await service.getWorkflowExecutionHistory({ namespace, execution: { workflowId: 'ended' } });
  const said = { identity: 'frontend-service', reason: 'terminated by user via frontend' };
  expect(history?.events?.at(-1)?.workflowExecutionTerminatedEventAttributes).toMatchObject(said);
});
