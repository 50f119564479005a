// The official SDK's workers as versions of a deployment, through the gRPC door: pinned workflows stay, others move, a ramp takes its share.
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { Server } from 'tenuto/server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addressOf } from './grpc-door.ts';
import { next, once, pinned, upgrading } from './versioned-workflows.ts';

const deploymentName = 'shop';
const taskQueue = 'versioned';
const namespace = 'default';
const identity = 'deployer';

let server: Server;
let connection: Connection;
let native: NativeConnection;
let client: Client;
const running: { worker: Worker; done: Promise<void> }[] = [];

async function startVersion(buildId: string): Promise<void> {
  const worker = await Worker.create({
    connection: native,
    taskQueue,
    workflowsPath: fileURLToPath(new URL('versioned-workflows.ts', import.meta.url)),
    activities: { version: async () => buildId },
    workerDeploymentOptions: {
      version: { deploymentName, buildId },
      useWorkerVersioning: true,
      defaultVersioningBehavior: 'PINNED',
    },
  });
  running.push({ worker, done: worker.run() });
  await expect
    .poll(async () => (await describeVersion(buildId))?.taskQueueInfos?.length ?? 0, { timeout: 10_000 })
    .toBe(2);
}

const describeVersion = async (buildId: string) => {
  try {
    const { workerDeploymentVersionInfo } = await connection.workflowService.describeWorkerDeploymentVersion({
      namespace,
      deploymentVersion: { deploymentName, buildId },
    });
    return workerDeploymentVersionInfo;
  } catch {
    return undefined;
  }
};

const setCurrent = (buildId: string) =>
  connection.workflowService.setWorkerDeploymentCurrentVersion({ namespace, deploymentName, buildId, identity });

const info = async (workflowId: string) => {
  const { workflowExecutionInfo } = await connection.workflowService.describeWorkflowExecution({
    namespace,
    execution: { workflowId },
  });
  return workflowExecutionInfo?.versioningInfo;
};

/** Until its activity has run so often. */
const completedActivities = async (workflowId: string): Promise<number> =>
  (await eventsOf(workflowId)).filter((event) => event.activityTaskCompletedEventAttributes).length;

/** In the API's own form. */
const eventsOf = async (workflowId: string) => {
  const request = { namespace, execution: { workflowId } };
  return (await connection.workflowService.getWorkflowExecutionHistory(request)).history?.events ?? [];
};

beforeAll(async () => {
  server = await Server.create({ port: 0, grpcPort: 0, logLevel: 'error' });
  const address = addressOf(server);
  connection = await Connection.connect({ address });
  native = await NativeConnection.connect({ address });
  client = new Client({ connection });
});

afterAll(async () => {
  for (const { worker } of running) worker.shutdown();
  await Promise.all(running.map(({ done }) => done));
  await connection.close();
  await native.close();
  await server.close();
});

describe('a rolling deploy', () => {
  it('finishes pinned workflows on their version, moves the others, and reports the old one drained', async () => {
    await startVersion('v1');
    await setCurrent('v1');
    const stays = await client.workflow.start(pinned, { taskQueue, workflowId: 'stays' });
    const moves = await client.workflow.start(upgrading, { taskQueue, workflowId: 'moves' });
    for (const id of ['stays', 'moves']) await expect.poll(() => completedActivities(id), { timeout: 10_000 }).toBe(1);
    await startVersion('v2');
    await setCurrent('v2');
    await stays.signal(next);
    await moves.signal(next);
    for (const id of ['stays', 'moves']) await expect.poll(() => completedActivities(id), { timeout: 10_000 }).toBe(2);
    expect((await info('stays'))?.deploymentVersion).toMatchObject({ deploymentName, buildId: 'v1' });
    expect((await info('moves'))?.deploymentVersion).toMatchObject({ deploymentName, buildId: 'v2' });
    // DRAINING
    expect((await describeVersion('v1'))?.drainageInfo?.status).toBe(1);
    await stays.signal(next);
    await moves.signal(next);
    expect(await stays.result()).toEqual(['v1', 'v1', 'v1']);
    expect(await moves.result()).toEqual(['v1', 'v2', 'v2']);
    // DRAINED
    await expect.poll(async () => (await describeVersion('v1'))?.drainageInfo?.status, { timeout: 10_000 }).toBe(2);
  }, 60_000);

  it('tells pollers of a task queue with their version, and not among the unversioned ones', async () => {
    const asked = { namespace, taskQueue: { name: taskQueue }, taskQueueType: 1 };
    const { pollers } = await connection.workflowService.describeTaskQueue(asked);
    expect(pollers?.map(({ deploymentOptions }) => deploymentOptions)).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ deploymentName, buildId: 'v2', workerVersioningMode: 2 }),
        expect.objectContaining({ deploymentName, buildId: 'v1', workerVersioningMode: 2 }),
      ]),
    );
    const { versionsInfo } = await connection.workflowService.describeTaskQueue({
      ...{ namespace, taskQueue: { name: taskQueue }, apiMode: 1, reportPollers: true, reportTaskReachability: true },
    });
    expect(versionsInfo?.['']?.typesInfo?.['1']?.pollers).toEqual([]);
    expect(versionsInfo?.['']?.taskReachability).toBe(1);
  }, 60_000);

  it('tells of a task queue where its tasks go, and of a version what waits for it', async () => {
    const ramp = { namespace, deploymentName, identity };
    const routing = async () => {
      const asked = { namespace, taskQueue: { name: taskQueue }, taskQueueType: 1 };
      return (await connection.workflowService.describeTaskQueue(asked)).versioningInfo;
    };
    await connection.workflowService.setWorkerDeploymentRampingVersion({ ...ramp, buildId: 'v1', percentage: 0.5 });
    expect(await routing()).toMatchObject({
      ...{ currentVersion: 'shop.v2', currentDeploymentVersion: { deploymentName, buildId: 'v2' } },
      ...{ rampingVersion: 'shop.v1', rampingVersionPercentage: 0.5 },
    });
    await connection.workflowService.setWorkerDeploymentRampingVersion({ ...ramp, buildId: '', percentage: 0 });
    expect(await routing()).toMatchObject({ currentVersion: 'shop.v2', rampingVersion: '' });
    const { workerDeploymentInfo } = await connection.workflowService.describeWorkerDeployment(ramp);
    expect(workerDeploymentInfo?.routingConfig?.rampingVersionPercentageChangedTime).toBeTruthy();
    const { versionTaskQueues } = await connection.workflowService.describeWorkerDeploymentVersion({
      ...{ namespace, deploymentVersion: { deploymentName, buildId: 'v2' }, reportTaskQueueStats: true },
    });
    expect(versionTaskQueues?.map(({ name, stats }) => [name, stats?.approximateBacklogCount?.toNumber()])).toEqual([
      [taskQueue, 0],
      [taskQueue, 0],
    ]);
  }, 60_000);

  it('refuses versions that are none, and deletes one that is gone once more', async () => {
    const { workflowService } = connection;
    const describes = (version: string) => workflowService.describeWorkerDeploymentVersion({ namespace, version });
    for (const version of ['nodot', '.v1', 'shop.', 'shop:v1'])
      await expect(describes(version)).rejects.toThrow(`invalid version string "${version}", expected format is`);
    expect((await describes('shop.v1')).workerDeploymentVersionInfo?.version).toBe('shop.v1');
    const other = { namespace, deploymentName, version: 'other.v1', identity };
    await expect(workflowService.setWorkerDeploymentCurrentVersion(other)).rejects.toThrow(
      "invalid version string 'other.v1' does not match deployment name 'shop'",
    );
    await workflowService.deleteWorkerDeploymentVersion({ namespace, version: 'shop.never', identity });
    await expect(
      workflowService.deleteWorkerDeploymentVersion({ namespace, version: 'nobody.v1', identity }),
    ).rejects.toMatchObject({ code: 5 });
  }, 60_000);

  it('gives a ramp its share, by workflow id', async () => {
    await startVersion('v3');
    await connection.workflowService.setWorkerDeploymentRampingVersion({
      ...{ namespace, deploymentName, identity },
      ...{ buildId: 'v3', percentage: 50 },
    });
    const results = await Promise.all(
      Array.from({ length: 60 }, (_, n) => client.workflow.execute(once, { taskQueue, workflowId: `ramp-${n}` })),
    );
    expect(new Set(results)).toEqual(new Set(['v2', 'v3']));
    const again = await client.workflow.execute(once, { taskQueue, workflowId: 'ramp-0' });
    expect(again).toBe(results[0]);
  }, 60_000);

  it('pins one workflow by an override, at its start or while it runs', async () => {
    const start = await client.workflow.start(upgrading, {
      ...{ taskQueue, workflowId: 'overridden' },
      versioningOverride: { pinnedTo: { deploymentName, buildId: 'v1' } },
    });
    await expect.poll(() => completedActivities('overridden'), { timeout: 10_000 }).toBe(1);
    await connection.workflowService.updateWorkflowExecutionOptions({
      namespace,
      identity,
      workflowExecution: { workflowId: 'overridden' },
      workflowExecutionOptions: {
        versioningOverride: { pinned: { behavior: 1, version: { deploymentName, buildId: 'v2' } } },
      },
      updateMask: { paths: ['versioning_override'] },
    });
    // As older clients read it, too.
    expect((await info('overridden'))?.versioningOverride).toMatchObject({ behavior: 1, pinnedVersion: 'shop.v2' });
    await start.signal(next);
    await start.signal(next);
    expect(await start.result()).toEqual(['v1', 'v2', 'v2']);
  }, 60_000);

  it('pins what a reset begins', async () => {
    const workflowExecution = { workflowId: 'overridden' };
    const first = (await eventsOf('overridden')).find((event) => event.workflowTaskCompletedEventAttributes);
    const { runId } = await connection.workflowService.resetWorkflowExecution({
      ...{ namespace, workflowExecution, workflowTaskFinishEventId: first?.eventId ?? null },
      ...{ reason: 'on another version', requestId: 'pins', resetReapplyExcludeTypes: [1] },
      postResetOperations: [
        {
          updateWorkflowOptions: {
            workflowExecutionOptions: {
              versioningOverride: { pinned: { behavior: 1, version: { deploymentName, buildId: 'v1' } } },
            },
            updateMask: { paths: ['versioning_override'] },
          },
        },
        ...[1, 2].map(() => ({ signalWorkflow: { signalName: 'next' } })),
      ],
    });
    expect(await client.workflow.getHandle('overridden', runId ?? '').result()).toEqual(['v1', 'v1', 'v1']);
  }, 60_000);
});
