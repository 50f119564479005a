// When a version is drained: not while an open execution is pinned to it, whatever that waits for.
import { expect, it } from 'vitest';
import { RoutingTable } from '../core/deployment/routes.ts';
import { versionedQueue, versionKey } from '../core/deployment/versioned-queue.ts';
import type { Message } from '../core/workflow/message.ts';
import { NAMESPACE, QUEUE, World } from '../shard/testing.ts';
import { MemoryDisk, openMemoryStore } from '../store/index.ts';
import { VersioningBehavior } from '../wire/enums.ts';
import { DeploymentDirectory } from './deployment-directory.ts';

const version = { deploymentName: 'shop', buildId: 'v1' };

it('a paused execution that is pinned to a version keeps it from being drained', async () => {
  const disk = new MemoryDisk();
  const table = new RoutingTable();
  const w = await new World(() => openMemoryStore({ disk, shardCount: 4 }), { routes: table }).open();
  const onRoutes = (changed: Parameters<typeof w.engine.reroute>[0]): void => w.engine.reroute(changed);
  const { engine, time: scheduler } = w;
  const directory = new DeploymentDirectory({ engine, scheduler, table, onRoutes });
  const settled = async (ask: (done: () => void) => void): Promise<void> => {
    await w.call((done) => ask(() => done(undefined, undefined)));
    await w.time.settle();
  };
  const change = async (what: object): Promise<void> => {
    await w.call((done) =>
      // Shapes as in core/deployment/change.ts; the test says which.
      engine.deployments({ type: 'change', namespace: NAMESPACE, name: 'shop', change: what as never }, done),
    );
    await settled((done) => directory.lookAgain(done));
  };
  const counted = async (): Promise<number | undefined> => {
    await settled((done) => directory.checkDrainage(NAMESPACE, 'shop', 'v1', done));
    await settled((done) => directory.lookAgain(done));
    return directory.get(NAMESPACE, 'shop')?.versions.find(({ buildId }) => buildId === 'v1')?.drainage?.status;
  };
  const current = { type: 'setCurrent', identity: 'me', missingQueues: 'refuse', unknownVersion: 'refuse' };
  for (const buildId of ['v1', 'v2'])
    await change({ type: 'poll', buildId, identity: 'w', queue: { name: QUEUE, type: 1 } });
  await change({ ...current, buildId: 'v1' });
  const worker = w.worker({ queue: versionedQueue(QUEUE, versionKey(version)), workflow: 1 });
  await w.start('a');
  const completion = w.completion(worker.take('workflow'), []);
  const pinned = { deploymentVersion: version, versioningBehavior: VersioningBehavior.PINNED };
  // It completes a workflow task.
  await w.send('a', { ...completion, ...pinned } as Message);
  await change({ ...current, buildId: 'v2' });
  const DRAINING = await counted();
  const asked = { target: {}, identity: 'ann', reason: '' };
  await w.send('a', { ...asked, type: 'pauseWorkflow', requestId: 'p' });
  expect(await counted()).toBe(DRAINING);
  await w.send('a', { type: 'terminate', target: {}, identity: 'ann', requestId: 't' });
  expect(await counted()).not.toBe(DRAINING);
});
