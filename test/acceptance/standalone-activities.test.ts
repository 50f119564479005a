// Activities without a workflow, from outside: the client's every call, lists that are true at once, and a node that is killed while they run.

import { setTimeout as wait } from 'node:timers/promises';
import { beforeAll, expect, it } from 'vitest';
import { ApplicationFailure, CompleteAsyncError, Context } from '../../sdk/activity/index.ts';
import {
  ActivityExecutionAlreadyStartedError,
  ActivityExecutionFailedError,
  ActivityNotFoundError,
  Client,
  Connection,
} from '../../sdk/client/index.ts';
import { CancelledFailure, TerminatedFailure, TimeoutFailure } from '../../sdk/common/failure.ts';
import { Worker } from '../../sdk/worker/index.ts';
import { undoneAtFileEnd } from '../support/at-file-end.ts';
import { restartServer, type ServerProcess, startServer, temporaryDir, until } from '../support/processes.ts';

const taskQueue = 'jobs';
const PATIENCE = { timeout: 120_000 };
const atFileEnd = undoneAtFileEnd();

const activities = {
  double: async (n: number): Promise<number> => 2 * n,
  info: async () => {
    const { workflowExecution, workflowType, activityRunId, inWorkflow, activityId } = Context.current().info;
    return {
      workflowExecution: workflowExecution ?? null,
      workflowType: workflowType ?? null,
      activityRunId,
      inWorkflow,
      activityId,
    };
  },
  twice: async (): Promise<number> => {
    const { attempt } = Context.current().info;
    if (attempt < 2) throw ApplicationFailure.retryable('not yet');
    return attempt;
  },
  breakDown: async (): Promise<void> => {
    throw ApplicationFailure.nonRetryable('out of order', 'Broken', { part: 7 });
  },
  forever: async (): Promise<void> => {
    const context = Context.current();
    for (;;) {
      context.heartbeat('alive');
      await context.sleep(50);
    }
  },
  later: async (): Promise<never> => {
    throw new CompleteAsyncError();
  },
};

const args = ['start', '--data-dir', temporaryDir(atFileEnd), '--log-level', 'error'];
let node: ServerProcess;
let client: Client;
beforeAll(async () => {
  node = await startServer([...args, '--port', '0'], { atEnd: atFileEnd });
  const connection = await Connection.connect({ address: node.address });
  atFileEnd(() => connection.close());
  client = new Client({ connection });
  const worker = await Worker.create({ connection, taskQueue, activities });
  const running = worker.run();
  atFileEnd(async () => {
    worker.shutdown();
    await running;
  });
});

const options = (id: string, more: object = {}) => ({ id, taskQueue, startToCloseTimeout: '1m', ...more }) as const;

it('is started, run and gives its result', PATIENCE, async () => {
  expect(await client.activity.execute('double', options('double', { args: [21] }))).toBe(42);
  const handle = client.activity.getHandle('double');
  const described = await handle.describe({ includeInput: true, includeOutcome: true });
  expect(described).toMatchObject({
    activityType: 'double',
    status: 'COMPLETED',
    attempt: 1,
    taskQueue,
    hasResult: true,
  });
  expect(await described.getInput()).toEqual([21]);
  expect(await described.getResult()).toBe(42);
  expect(await handle.result()).toBe(42);
});

it('knows that it has no workflow', PATIENCE, async () => {
  const handle = await client.activity.start('info', options('info'));
  expect(await handle.result()).toEqual({
    ...{ workflowExecution: null, workflowType: null, inWorkflow: false, activityId: 'info' },
    activityRunId: handle.runId,
  });
});

it('is retried, and told apart from one that failed for good', PATIENCE, async () => {
  expect(await client.activity.execute('twice', options('twice', { retry: { initialInterval: 10 } }))).toBe(2);
  const failed = await client.activity.execute('breakDown', options('broken')).catch((error: unknown) => error);
  expect(failed).toBeInstanceOf(ActivityExecutionFailedError);
  expect(failed).toMatchObject({ activityId: 'broken', cause: { message: 'out of order', type: 'Broken' } });
  const described = await client.activity.getHandle('broken').describe({ includeOutcome: true });
  expect(described).toMatchObject({ status: 'FAILED', hasOutcomeFailure: true, hasResult: false });
  const whole = await client.activity.getHandle('broken').describe({ includeLastFailure: true });
  expect(await whole.getLastFailure()).toMatchObject({ message: 'out of order', type: 'Broken' });
});

it('is cancelled, terminated, timed out', PATIENCE, async () => {
  const cancelled = await client.activity.start('forever', options('cancelled', { heartbeatTimeout: '5s' }));
  await until(async () => ((await cancelled.describe()).runState === 'STARTED' ? true : undefined));
  await cancelled.cancel('enough');
  await expect(cancelled.result()).rejects.toMatchObject({ cause: expect.any(CancelledFailure) });
  expect(await cancelled.describe()).toMatchObject({ status: 'CANCELED', canceledReason: 'enough' });
  const terminated = await client.activity.start('forever', options('terminated', { heartbeatTimeout: '5s' }));
  await terminated.terminate('stop');
  await expect(terminated.result()).rejects.toMatchObject({ cause: expect.any(TerminatedFailure) });
  const late = options('late', { taskQueue: 'nobody', scheduleToStartTimeout: 100 });
  await expect(client.activity.execute('double', late)).rejects.toMatchObject({ cause: expect.any(TimeoutFailure) });
});

it('is completed from outside, by its id alone', PATIENCE, async () => {
  const handle = await client.activity.start('later', options('later'));
  await until(async () => ((await handle.describe()).runState === 'STARTED' ? true : undefined));
  await client.activity.heartbeat({ activityId: 'later' }, 'half way');
  expect((await handle.describe({ includeHeartbeatDetails: true })).hasHeartbeatDetails).toBe(true);
  await client.activity.complete({ activityId: 'later' }, 'done');
  expect(await handle.result()).toBe('done');
});

it('is paused, changed and goes on', PATIENCE, async () => {
  const handle = await client.activity.start('double', options('paused', { taskQueue: 'nobody', args: [1] }));
  await handle.pause({ reason: 'a look' });
  expect((await handle.describe()).runState).toBe('PAUSED');
  expect(await handle.updateOptions({ taskQueue, startToCloseTimeout: '7s' })).toMatchObject({
    ...{ taskQueue, startToCloseTimeout: 7_000 },
  });
  await handle.unpause();
  expect(await handle.result()).toBe(2);
});

it('is one per id: started again by policy, found at once, gone when deleted', PATIENCE, async () => {
  const first = await client.activity.start('double', options('only', { args: [1] }));
  await first.result();
  const again = { ...options('only', { args: [2] }), idReusePolicy: 'REJECT_DUPLICATE' } as const;
  const refused = await client.activity.start('double', again).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(ActivityExecutionAlreadyStartedError);
  expect(refused).toMatchObject({ activityId: 'only', runId: first.runId });
  await client.activity.execute('double', options('only', { args: [3] }));
  const listed = async (query: string) => {
    const ids: string[] = [];
    for await (const { activityId, status } of client.activity.list(query)) ids.push(`${activityId} ${status}`);
    return ids;
  };
  expect(await listed("ActivityId = 'only'")).toEqual(['only COMPLETED', 'only COMPLETED']);
  expect((await client.activity.count("ActivityType = 'double' AND ActivityId = 'only'")).count).toBe(2);
  const { groups } = await client.activity.count('GROUP BY ExecutionStatus');
  expect(groups.length).toBeGreaterThan(1);
  // No list of workflows has any of them.
  expect((await client.workflow.count()).count).toBe(0);
  await client.connection.request('deleteActivityExecution', {
    namespace: 'default',
    activityId: 'only',
    identity: '',
  });
  await until(async () => ((await listed("ActivityId = 'only'")).length === 1 ? true : undefined));
  await expect(client.activity.getHandle('only').describe()).rejects.toBeInstanceOf(ActivityNotFoundError);
  await expect(client.activity.getHandle('none').result()).rejects.toBeInstanceOf(ActivityNotFoundError);
});

it('tells who waits for it when something of it changes', PATIENCE, async () => {
  const handle = await client.activity.start('double', options('watched', { taskQueue: 'nobody' }));
  const ask = (longPollToken?: Uint8Array) =>
    client.connection.request('describeActivityExecution', {
      namespace: 'default',
      activityId: 'watched',
      longPollToken,
    });
  const seen = await ask();
  if (seen.info === undefined) throw new Error('no description');
  const waiting = ask(seen.longPollToken);
  await handle.pause();
  const next = await waiting;
  expect(next.info?.runState).not.toBe(seen.info.runState);
  await handle.terminate();
});

it('survives kill -9 of its node: each ends once, with its own result', PATIENCE, async () => {
  const handles = await Promise.all(
    Array.from({ length: 40 }, (_, i) =>
      client.activity.start(
        'double',
        options(`kill-${i}`, { args: [i], startDelay: i * 50, startToCloseTimeout: '3s' }),
      ),
    ),
  );
  const results = Promise.all(handles.map((handle) => handle.result()));
  await wait(500);
  node.kill('SIGKILL');
  await node.ended;
  node = await restartServer([...args, '--port', node.address.slice(node.address.lastIndexOf(':') + 1)], {
    atEnd: atFileEnd,
  });
  expect(await results).toEqual(handles.map((_, i) => 2 * i));
  const { count } = await client.activity.count("ActivityId STARTS_WITH 'kill-' AND ExecutionStatus = 'Completed'");
  expect(count).toBe(handles.length);
});
