// The kinds of programs that the official samples show, and what clients do to running workflows, by the official SDK, unmodified.

import { randomUUID } from 'node:crypto';
import {
  Client as OfficialClient,
  ScheduleOverlapPolicy,
  WithStartWorkflowOperation,
  WorkflowFailedError,
} from '@temporalio/client';
import { type Payload, type PayloadCodec, WorkflowIdConflictPolicy } from '@temporalio/common';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until as untilFound } from '../support/processes.ts';
import * as workflows from './workflows.ts';
import { obeys, TASK_QUEUE, World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await World.open();
}, 120_000);
afterAll(async () => await world?.close());

/** Waits for what is there, and is not false. */
const until = <T>(look: () => Promise<T>): Promise<NonNullable<T>> =>
  untilFound(async () => (await look()) || undefined);

const options = (name = 'kind') => ({ taskQueue: TASK_QUEUE, workflowId: `${name}-${randomUUID()}` });
describe('programs', () => {
  it('a saga undoes what it did, the last first', async () => {
    const steps = ['flight', 'hotel', 'impossible'];
    const undone = await world.client.workflow.execute(workflows.saga, { ...options(), args: [steps] });
    expect(undone).toEqual(['impossible', 'hotel', 'flight']);
  });

  it('an early return: the update answers while the workflow goes on', async () => {
    const { workflowId } = options('early');
    const startWorkflowOperation = new WithStartWorkflowOperation(workflows.earlyReturn, {
      ...{ taskQueue: TASK_QUEUE, workflowId },
      workflowIdConflictPolicy: WorkflowIdConflictPolicy.FAIL,
    });
    const early = await world.client.workflow.executeUpdateWithStart(workflows.confirmed, { startWorkflowOperation });
    expect(early).toBe('Hello, early!');
    const handle = await startWorkflowOperation.workflowHandle();
    expect(await handle.result()).toBe('Hello, early! And done.');
  });

  it('a mutex serves one after the other', async () => {
    const lock = await world.client.workflow.start(workflows.mutex, options('mutex'));
    const workers = [1, 2, 3].map(() =>
      world.client.workflow.execute(workflows.locked, { ...options('locked'), args: [lock.workflowId] }),
    );
    expect(await Promise.all(workers)).toEqual(['Hello, locked!', 'Hello, locked!', 'Hello, locked!']);
    expect(new Set(await lock.result()).size).toBe(3);
  });

  it('polling by retries', async () => {
    const result = await world.client.workflow.execute(workflows.polling, { ...options(), args: [randomUUID()] });
    expect(result).toBe('there at attempt 3');
  });

  it('activities and local ones at once', async () => {
    const said = await world.client.workflow.execute(workflows.fan, { ...options(), args: [8] });
    expect(said).toHaveLength(8);
  });

  it('a workflow that is retried as a whole', async () => {
    const retry = { initialInterval: '20 milliseconds', maximumAttempts: 5 } as const;
    expect(await world.client.workflow.execute(workflows.retriedWhole, { ...options(), retry })).toBe(3);
  });
});

describe('times', () => {
  it('a cron workflow runs again', async () => {
    const handle = await world.client.workflow.start(workflows.timed, {
      ...options('cron'),
      cronSchedule: '@every 1s',
    });
    const first = handle.firstExecutionRunId;
    await until(async () => (await world.client.workflow.getHandle(handle.workflowId).describe()).runId !== first);
    await world.client.workflow.getHandle(handle.workflowId).terminate();
  });

  it('a schedule is made, triggered, paused, changed and deleted', async () => {
    const scheduleId = `schedule-${randomUUID()}`;
    const handle = await world.client.schedule.create({
      scheduleId,
      spec: { intervals: [{ every: '1 hour' }] },
      action: { type: 'startWorkflow', workflowType: workflows.hello, args: ['schedule'], taskQueue: TASK_QUEUE },
      policies: { overlap: ScheduleOverlapPolicy.ALLOW_ALL },
    });
    await handle.trigger();
    const done = await until(async () => (await handle.describe()).info.recentActions[0]);
    expect(await world.client.workflow.getHandle(done.action.workflow.workflowId).result()).toBe('Hello, schedule!');
    await handle.pause('enough');
    expect((await handle.describe()).state).toMatchObject({ paused: true, note: 'enough' });
    await handle.update((before) => ({ ...before, spec: { intervals: [{ every: '2 hours' }] } }));
    expect((await handle.describe()).spec.intervals?.[0]?.every).toBe(7_200_000);
    const found = [];
    for await (const one of world.client.schedule.list()) found.push(one.scheduleId);
    expect(found).toContain(scheduleId);
    await handle.delete();
    await expect(handle.describe()).rejects.toThrow();
  });
});

describe('what clients do to workflows and activities', () => {
  const execution = (handle: { workflowId: string }) => ({ workflowId: handle.workflowId });
  const service = () => world.client.workflowService;

  it('a reset does it again, with the signals since', async () => {
    const handle = await world.client.workflow.start(workflows.ticking, options('reset'));
    await handle.signal(workflows.tick);
    await until(async () => (await handle.query(workflows.ticks)) === 1);
    const { runId } = await service().resetWorkflowExecution({
      namespace: 'default',
      workflowExecution: execution(handle),
      // Its typings ask for a Long, its serializer takes a number.
      workflowTaskFinishEventId: 4 as never,
      requestId: randomUUID(),
      reason: 'again',
    });
    const again = world.client.workflow.getHandle<typeof workflows.ticking>(handle.workflowId, runId);
    await again.signal(workflows.tick);
    expect(await again.result()).toBe('Hello, ticking! 2');
  });

  it('a reset does it again, with the updates since', async () => {
    const handle = await world.client.workflow.start(workflows.ticking, options('reset'));
    await handle.executeUpdate(workflows.countUp, { args: [1] });
    await handle.executeUpdate(workflows.countUp, { args: [10] });
    // None of the updates is in the history up to there.
    const asked = { namespace: 'default', execution: execution(handle) };
    const { history } = await service().getWorkflowExecutionHistory(asked);
    const first = history?.events?.find(({ workflowTaskCompletedEventAttributes: completed }) => completed != null);
    const { runId } = await service().resetWorkflowExecution({
      namespace: 'default',
      workflowExecution: execution(handle),
      workflowTaskFinishEventId: first?.eventId ?? null,
      requestId: randomUUID(),
      reason: 'again',
    });
    const again = world.client.workflow.getHandle<typeof workflows.ticking>(handle.workflowId, runId);
    expect(await again.result()).toBe('Hello, ticking! 11');
    const workflowsPath = new URL('workflows.ts', import.meta.url).pathname;
    await Worker.runReplayHistory({ workflowsPath }, await again.fetchHistory(), again.workflowId);
  });

  it('a batch ends all that a query finds', async () => {
    const handles = await Promise.all(
      [1, 2, 3].map(() => world.client.workflow.start(workflows.sleeper, options('batched'))),
    );
    const jobId = randomUUID();
    await service().startBatchOperation({
      ...{ namespace: 'default', jobId, reason: 'enough' },
      visibilityQuery: "WorkflowType = 'sleeper' AND ExecutionStatus = 'Running'",
      terminationOperation: { identity: 'test' },
    });
    await until(async () => (await service().describeBatchOperation({ namespace: 'default', jobId })).state === 2);
    for (const handle of handles) await expect(handle.result()).rejects.toThrow(WorkflowFailedError);
  });

  it('an activity is paused, changed, reset and unpaused', async () => {
    const id = randomUUID();
    const handle = await world.client.workflow.start(workflows.obedient, { ...options('obedient'), args: [id] });
    const pending = async () => (await handle.describe()).raw.pendingActivities?.[0];
    await until(async () => (await pending())?.lastFailure?.message === 'not allowed yet');
    const target = { namespace: 'default', execution: execution(handle), type: 'obey' };
    await service().pauseActivity(target);
    expect((await pending())?.paused).toBe(true);
    await service().updateActivityOptions({
      ...target,
      activityOptions: { retryPolicy: { initialInterval: { nanos: 20_000_000 } } },
      updateMask: { paths: ['retry_policy.initial_interval'] },
    });
    obeys.add(id);
    await service().resetActivity({ ...target, keepPaused: true });
    await service().unpauseActivity(target);
    expect(await handle.result()).toBe('attempt 1');
  });

  it('a workflow is cancelled, and its activity with it', async () => {
    const handle = await world.client.workflow.start(workflows.beating, options('beating'));
    await until(async () => (await handle.describe()).raw.pendingActivities?.[0]?.lastHeartbeatTime);
    await handle.cancel();
    await expect(handle.result()).rejects.toThrow(WorkflowFailedError);
    expect((await handle.describe()).status.name).toBe('CANCELLED');
  });

  it('a start hands out its first task at once, to a worker that stands by', async () => {
    const client = new OfficialClient({ connection: world.native });
    const handle = await client.workflow.start(workflows.hello, {
      ...options('eager'),
      args: ['eager'],
      requestEagerStart: true,
    });
    expect(handle.eagerlyStarted).toBe(true);
    expect(await handle.result()).toBe('Hello, eager!');
  });
});

it('accepts by replay every history that came of this', async () => {
  const histories = [];
  for await (const { workflowId, runId, status } of world.client.workflow.list()) {
    if (status.name === 'RUNNING') continue;
    histories.push({ workflowId, history: await world.client.workflow.getHandle(workflowId, runId).fetchHistory() });
  }
  expect(histories.length).toBeGreaterThan(15);
  const workflowsPath = new URL('workflows.ts', import.meta.url).pathname;
  for await (const { error } of Worker.runReplayHistories({ workflowsPath }, histories)) expect(error).toBeUndefined();
});

describe('a client and a worker of their own', () => {
  /** Not secret, but not readable either. */
  const codec: PayloadCodec = {
    encode: async (payloads) => payloads.map(turned('binary/turned')),
    decode: async (payloads) => payloads.map((payload) => turnedBack(payload)),
  };

  it('encryption: the server has no readable payload', async () => {
    const own = await World.open({ dataConverter: { payloadCodecs: [codec] } });
    try {
      const handle = await own.client.workflow.start(workflows.hello, { ...options(), args: ['secret'] });
      expect(await handle.result()).toBe('Hello, secret!');
      expect(Buffer.from(JSON.stringify(await handle.fetchHistory())).includes('secret')).toBe(false);
    } finally {
      await own.close();
    }
  }, 60_000);

  it('interceptors: of the client and of workflows', async () => {
    const seen: string[] = [];
    const own = await World.open({
      client: {
        interceptors: {
          workflow: [
            {
              async startWithDetails(input, next) {
                seen.push(input.workflowType);
                return await next(input);
              },
            },
          ],
        },
      },
      worker: { interceptors: { workflowModules: [new URL('interceptors.ts', import.meta.url).pathname] } },
    });
    try {
      const said = await own.client.workflow.execute(workflows.hello, { ...options(), args: ['World'] });
      expect(said).toBe('Hello, World, intercepted!');
      expect(seen).toEqual(['hello']);
    } finally {
      await own.close();
    }
  }, 60_000);
});

const flip = (bytes: Uint8Array): Uint8Array => bytes.map((byte) => byte ^ 0x55);
const turned =
  (encoding: string) =>
  (payload: Payload): Payload => ({
    metadata: {
      ...payload.metadata,
      encoding: Buffer.from(encoding),
      was: flip(payload.metadata?.encoding ?? Buffer.alloc(0)),
    },
    data: flip(payload.data ?? Buffer.alloc(0)),
  });
function turnedBack({ metadata: given, data }: Payload): Payload {
  const { was = Buffer.alloc(0), ...metadata } = given ?? {};
  return { metadata: { ...metadata, encoding: flip(was) }, data: flip(data ?? Buffer.alloc(0)) };
}
