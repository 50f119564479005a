// `tenuto worker …` and `workflow update-options`: what they print, and their exit codes.

import { fileURLToPath } from 'node:url';
import { beforeAll, expect, it } from 'vitest';
import { Client } from '../../sdk/client/index.ts';
import { EventType } from '../../src/wire/enums.ts';
import { undoneAtFileEnd } from '../support/at-file-end.ts';
import { type Finished, runNode, type ServerProcess, startServer, tenuto, until } from '../support/processes.ts';
import { connect, startWorker, TASK_QUEUE, workflowsPath } from './world.ts';

const MORTAL_WORKER = fileURLToPath(new URL('../support/mortal-worker.mjs', import.meta.url));

const atFileEnd = undoneAtFileEnd();

let node: ServerProcess;
const startVersion = async (buildId: string): Promise<void> => {
  await startWorker(await connect({ address: node.address }, atFileEnd), atFileEnd, {
    workerDeploymentOptions: {
      version: { deploymentName: 'shop', buildId },
      useWorkerVersioning: true,
      defaultVersioningBehavior: 'PINNED',
    },
  });
};
beforeAll(async () => {
  node = await startServer(['start-dev', '--port', '0'], { atEnd: atFileEnd });
  await startVersion('v1');
  await startVersion('v2');
});

const run = (...args: string[]): Promise<Finished> => tenuto(args, { env: { TENUTO_ADDRESS: node.address } });

async function json(...args: string[]): Promise<Record<string, unknown>> {
  const { code, stdout } = await run(...args, '-o', 'json');
  return code === 0 ? (JSON.parse(stdout) as Record<string, unknown>) : {};
}

const deployment = (verb: string, ...args: string[]) => ['worker', 'deployment', verb, '-d', 'shop', ...args];

it('routes new work to a version, and shows it', async () => {
  await until(async () => {
    const { versions } = await json(...deployment('describe'));
    return (versions as unknown[] | undefined)?.length === 2 ? true : undefined;
  });
  expect(await json(...deployment('set-current-version', '--build-id', 'v1'))).toEqual({
    deploymentName: 'shop',
    currentVersion: 'v1',
  });
  expect(await json(...deployment('set-ramping-version', '--build-id', 'v2', '--percentage', '10'))).toMatchObject({
    rampingVersion: 'v2',
    percentage: 10,
  });
  expect(await json('worker', 'deployment', 'list')).toMatchObject([
    { name: 'shop', currentVersion: 'v1', rampingVersion: 'v2', rampingPercentage: 10 },
  ]);
  await json(...deployment('set-ramping-version', '--delete'));
  expect(await json(...deployment('describe-version', '--build-id', 'v1'))).toMatchObject({
    status: 'CURRENT',
    taskQueues: expect.arrayContaining([{ name: TASK_QUEUE, type: 'WORKFLOW' }]) as unknown,
  });
  const table = await run(...deployment('describe'));
  expect(table.stdout).toMatch(/v2 +DRAIN/);
});

it('keeps notes on a version, and lets one identity alone change the routing', async () => {
  const noted = await json(
    ...deployment('update-metadata-version', '--build-id', 'v2', '--metadata', 'commit="1f3a"', '--metadata', 'n=7'),
  );
  expect(noted.metadata).toEqual({ commit: '1f3a', n: 7 });
  const left = await json(...deployment('update-version-metadata', '--build-id', 'v2', '--remove-entries', 'n'));
  expect(left.metadata).toEqual({ commit: '1f3a' });
  expect(await json(...deployment('manager-identity', '--set', 'ci'))).toEqual({
    deploymentName: 'shop',
    managerIdentity: 'ci',
  });
  const refused = await run(...deployment('set-current-version', '--build-id', 'v2'));
  expect(refused.code).not.toBe(0);
  expect(refused.stderr).toContain("ManagerIdentity 'ci'");
  await json(...deployment('manager-identity', '--unset'));
});

it('refuses to delete what is in use, and says why', async () => {
  const current = await run(...deployment('delete-version', '--build-id', 'v1'));
  expect(current.stderr).toContain('cannot be deleted');
  const unknown = await run(...deployment('describe-version', '--build-id', 'v9'));
  expect(unknown.stderr).toContain("'v9' not found");
  const whole = await run(...deployment('delete'));
  expect(whole.stderr).toContain('2 versions');
});

it('lists workers by a filter, and describes one', async () => {
  const list = (await json('worker', 'list', '-q', "BuildId = 'v1'")) as unknown as Record<string, string>[];
  expect(list).toMatchObject([{ status: 'RUNNING', taskQueue: TASK_QUEUE, deployment: 'shop', buildId: 'v1' }]);
  const described = await json('worker', 'describe', '--worker-instance-key', list[0]?.workerInstanceKey ?? '');
  expect(described).toMatchObject({ status: 'RUNNING', activityTaskSlotsInfo: { slotSupplierKind: 'Fixed' } });
  expect(await json('worker', 'count')).toEqual({ count: 2 });
  expect(await json('worker', 'count', '-q', "BuildId = 'v1'")).toEqual({ count: 1 });
  expect(await json('worker', 'list', '--limit', '1')).toHaveLength(1);
  const wrong = await run('worker', 'list', '-q', 'what ever');
  expect(wrong.code).not.toBe(0);
});

it('forgets a worker that was killed, whose work others take over', { timeout: 120_000 }, async () => {
  const taskQueue = 'mortal';
  const killed = runNode(MORTAL_WORKER, [node.address, taskQueue, workflowsPath], { atEnd: atFileEnd });
  const connection = await connect({ address: node.address }, atFileEnd);
  const { workflow } = new Client({ connection });
  const names = ['a', 'b', 'c', 'd', 'e'];
  const handles = await Promise.all(
    names.map((name) => workflow.start('hello', { workflowId: `mortal-${name}`, taskQueue, args: [name] })),
  );
  for (const name of names) await killed.says(new RegExp(`began ${name}`));
  const list = async () =>
    (await json('worker', 'list', '-q', `TaskQueue = '${taskQueue}'`)) as unknown as Record<string, string>[];
  const [victim] = await until(async () => {
    const workers = await list();
    return workers.length === 1 ? workers : undefined;
  });
  killed.kill('SIGKILL');
  await killed.ended;
  await startWorker(await connect({ address: node.address }, atFileEnd), atFileEnd, { taskQueue });
  expect(await Promise.all(handles.map((handle) => handle.result()))).toEqual(names.map((name) => `Hello, ${name}!`));
  await until(async () => {
    const workers = await list();
    return workers.length === 1 && workers[0]?.workerInstanceKey !== victim?.workerInstanceKey ? true : undefined;
  });
  const gone = await run('worker', 'describe', '--worker-instance-key', victim?.workerInstanceKey ?? '');
  expect(gone.code).not.toBe(0);
});

it('hands over what it keeps warm when it shuts down: nothing waits for it', { timeout: 120_000 }, async () => {
  const taskQueue = 'handover';
  const address = { address: node.address };
  const connection = await connect(address, atFileEnd);
  const { workflow } = new Client({ connection });
  // What waited for the old worker would wait for an hour.
  const patient = { taskQueue, stickyQueueScheduleToStartTimeout: '1 hour' } as const;
  const before = await startWorker(await connect(address, atFileEnd), atFileEnd, { ...patient, identity: 'before' });
  const ids = Array.from({ length: 20 }, (_, n) => `handover-${n}`);
  const handles = await Promise.all(ids.map((workflowId) => workflow.start('approval', { workflowId, taskQueue })));
  await until(() => (before.getStatus().numCachedWorkflows === ids.length ? true : undefined));
  await startWorker(await connect(address, atFileEnd), atFileEnd, { ...patient, identity: 'after' });
  before.shutdown();
  // Some come while it drains, some after it.
  for (const handle of handles) await handle.signal('approve', handle.workflowId);
  expect(await Promise.all(handles.map((handle) => handle.result()))).toEqual(ids);
  const histories = await Promise.all(handles.map((handle) => handle.fetchHistory()));
  const timedOut = histories.flatMap(({ events = [] }) =>
    events.filter(({ eventType }) => eventType === EventType.WORKFLOW_TASK_TIMED_OUT),
  );
  expect(timedOut).toEqual([]);
  await until(() => (before.getState() === 'STOPPED' ? true : undefined));
});

it('shows what waits in a queue, for how long, and how fast it comes and goes', { timeout: 120_000 }, async () => {
  const taskQueue = 'waiting';
  const connection = await connect({ address: node.address }, atFileEnd);
  const { workflow } = new Client({ connection });
  const stats = async () => {
    const described = await json('task-queue', 'describe', '-t', taskQueue);
    return (described.workflow ?? {}) as Partial<Record<string, number>>;
  };
  const handles = await Promise.all(
    [1, 2, 3].map((n) => workflow.start('echo', { workflowId: `waits-${n}`, taskQueue, args: [n] })),
  );
  const first = await until(async () => {
    const waiting = await stats();
    return waiting.approximateBacklogCount === 3 && (waiting.approximateBacklogAge ?? 0) > 0 ? waiting : undefined;
  });
  await until(async () => {
    const { approximateBacklogAge = 0 } = await stats();
    return approximateBacklogAge > (first.approximateBacklogAge ?? 0) ? true : undefined;
  });
  await startWorker(await connect({ address: node.address }, atFileEnd), atFileEnd, { taskQueue });
  expect(await Promise.all(handles.map((handle) => handle.result()))).toEqual([1, 2, 3]);
  // While somebody listens, what comes is counted, too.
  await workflow.execute('echo', { workflowId: 'waits-not', taskQueue, args: [4] });
  const { approximateBacklogCount, tasksAddRate, tasksDispatchRate } = await stats();
  expect(approximateBacklogCount).toBe(0);
  expect(tasksAddRate).toBeGreaterThan(0);
  expect(tasksDispatchRate).toBeGreaterThan(0);
});

it('pins one workflow to a version, and lets it go', async () => {
  await run('workflow', 'start', '--type', 'nothing', '-t', TASK_QUEUE, '-w', 'one', '--start-delay', '1h');
  const pinned = await json(
    ...['workflow', 'update-options', '-w', 'one', '--versioning-override-behavior', 'pinned'],
    ...['--versioning-override-deployment-name', 'shop', '--versioning-override-build-id', 'v2'],
  );
  expect(pinned).toMatchObject({ versioningOverride: { pinned: { version: { buildId: 'v2' } } } });
  const free = await json('workflow', 'update-options', '-w', 'one', '--versioning-override-behavior', 'unspecified');
  expect(free).toEqual({ workflowId: 'one' });
  const nowhere = await run(
    ...['workflow', 'update-options', '-w', 'one', '--versioning-override-behavior', 'pinned'],
    ...['--versioning-override-deployment-name', 'shop', '--versioning-override-build-id', 'v9'],
  );
  expect(nowhere.stderr).toContain('start its workers there first');
});

it('pins what a reset begins to a version', async () => {
  const pin = (buildId: string) => [
    ...['--versioning-override-behavior', 'pinned', '--versioning-override-deployment-name', 'shop'],
    ...['--versioning-override-build-id', buildId],
  ];
  const { workflow } = new Client({ connection: await connect({ address: node.address }, atFileEnd) });
  const pinnedTo = { deploymentName: 'shop', buildId: 'v1' };
  const first = { workflowId: 'moved', taskQueue: TASK_QUEUE, args: [7], versioningOverride: { pinnedTo } };
  expect(await workflow.execute('echo', first)).toBe(7);
  const reset = ['workflow', 'reset', '--reason', 'on the other', 'with-workflow-update-options', '-w', 'moved'];
  const { runId } = await json(...reset, '--type', 'LastWorkflowTask', ...pin('v2'));
  const again = workflow.getHandle('moved', String(runId));
  expect(await again.result()).toBe(7);
  const { events = [] } = await again.fetchHistory();
  const last = events.findLast(({ eventType }) => eventType === EventType.WORKFLOW_TASK_COMPLETED);
  expect(last?.attributes).toMatchObject({ deploymentVersion: { deploymentName: 'shop', buildId: 'v2' } });
  expect((await run(...reset, '--type', 'LastWorkflowTask', ...pin('v9'))).stderr).toContain('is not present');
});
