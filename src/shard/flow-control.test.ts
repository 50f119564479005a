// Flow control over real shards: permits pass through the outbox, once, whatever is killed when; runs wait as executions, and children, activities and
// resets keep to their keys.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { flowAddress } from '../core/flow/address.ts';
import { MemoryDisk, openMemoryStore } from '../store/index.ts';
import { CommandType, EventType, WorkflowExecutionStatus, WorkflowIdConflictPolicy } from '../wire/enums.ts';
import type { DescribeWorkflowExecutionResponse } from '../wire/execution-info.ts';
import type { DescribeFlowKeyResponse, FlowControl } from '../wire/flow-control.ts';
import type { UpdateWorkflowExecutionResponse } from '../wire/update.ts';
import type { ListWorkflowExecutionsResponse } from '../wire/visibility.ts';
import { HOUR, NAMESPACE, QUEUE, typesOf, World } from './testing.ts';

const KEY = flowAddress({ key: 'tenant', scope: 'namespace' });
const flow = (limits: Omit<FlowControl, 'key'>): { flowControl: FlowControl } => ({
  flowControl: { key: 'tenant', ...limits },
});
const one = flow({ concurrency: { limit: 1 } });
const { RUNNING, COMPLETED, TERMINATED, CANCELED, FAILED } = WorkflowExecutionStatus;

async function opened(disk = new MemoryDisk(), shardCount = 8): Promise<World> {
  const w = new World(() => openMemoryStore({ disk, shardCount }));
  return await w.open();
}

async function describeRun(w: World, workflowId: string): Promise<DescribeWorkflowExecutionResponse> {
  const { value, error } = await w.call<DescribeWorkflowExecutionResponse>((done) =>
    w.engine.describe({ namespace: NAMESPACE, workflowId }, undefined, done),
  );
  if (value === undefined) throw new Error(error?.message);
  return value;
}

const statusOf = async (w: World, workflowId: string): Promise<WorkflowExecutionStatus> =>
  (await describeRun(w, workflowId)).workflowExecutionInfo.status;

async function describeKey(w: World): Promise<DescribeFlowKeyResponse> {
  const { value, error } = await w.send(KEY, { type: 'describeFlow' });
  if (value?.type !== 'flowDescribed') throw new Error(error?.message ?? 'it is not described');
  return value.response;
}

const ask = { identity: 'client', requestId: 'once', target: {} };

describe('a run that waits for its permit', () => {
  it('is an execution without a workflow task, and begins when the one before it has closed', async () => {
    const w = await opened();
    await w.start('a', one);
    await w.start('b', one);
    expect((await describeRun(w, 'a')).flowControl).toMatchObject({ key: 'tenant', state: 'held' });
    const waiting = await describeRun(w, 'b');
    expect(waiting.flowControl).toMatchObject({ state: 'queued' });
    expect(waiting.pendingWorkflowTask).toBeUndefined();
    await w.send('b', w.signalMessage('early'));
    expect(typesOf(await w.history('b'))).toEqual([
      EventType.WORKFLOW_EXECUTION_STARTED,
      EventType.WORKFLOW_EXECUTION_SIGNALED,
    ]);
    w.autopilot(0);
    await w.time.settle();
    expect([await statusOf(w, 'a'), await statusOf(w, 'b')]).toEqual([COMPLETED, COMPLETED]);
    expect(await describeKey(w)).toMatchObject({ held: 0, waiting: 0, counts: { granted: 2 } });
  });

  it('can be terminated and cancelled, and then waits no more', async () => {
    const w = await opened();
    await w.start('a', one);
    for (const id of ['b', 'c', 'd']) await w.start(id, one);
    await w.send('b', { type: 'terminate', ...ask });
    await w.send('c', { type: 'requestCancel', ...ask });
    expect([await statusOf(w, 'b'), await statusOf(w, 'c')]).toEqual([TERMINATED, CANCELED]);
    expect((await describeKey(w)).waiters.map(({ workflowId }) => workflowId)).toEqual(['d']);
    await w.send('a', { type: 'terminate', ...ask });
    expect((await describeRun(w, 'd')).flowControl?.state).toBe('held');
  });

  it('counts its run time-out from its permit on, its execution time-out from its start on', async () => {
    const w = await opened();
    await w.start('a', one);
    await w.start('b', { ...one, workflowRunTimeout: 10_000 });
    await w.start('c', { ...one, workflowExecutionTimeout: 30_000 });
    await w.time.advance(29_000);
    expect(await statusOf(w, 'b')).toBe(RUNNING);
    await w.time.advance(2_000);
    expect(await statusOf(w, 'c')).toBe(WorkflowExecutionStatus.TIMED_OUT);
    await w.send('a', { type: 'terminate', ...ask });
    await w.time.advance(9_000);
    expect(await statusOf(w, 'b')).toBe(RUNNING);
    await w.time.advance(1_500);
    expect(await statusOf(w, 'b')).toBe(WorkflowExecutionStatus.TIMED_OUT);
  });

  it('asks only after its start delay', async () => {
    const w = await opened();
    await w.start('later', { ...one, workflowStartDelay: 60_000 });
    await w.start('now', one);
    expect((await describeRun(w, 'later')).flowControl?.state).toBe('delayed');
    expect((await describeRun(w, 'now')).flowControl?.state).toBe('held');
    await w.time.advance(61_000);
    expect((await describeRun(w, 'later')).flowControl?.state).toBe('queued');
  });

  it('leaves its place to the run that terminates it by its id', async () => {
    const w = await opened();
    await w.start('a', one);
    await w.start('b', one);
    await w.start('b', { ...one, conflictPolicy: WorkflowIdConflictPolicy.TERMINATE_EXISTING });
    expect((await describeKey(w)).waiting).toBe(1);
    await w.send('a', { type: 'terminate', ...ask });
    expect((await describeRun(w, 'b')).flowControl?.state).toBe('held');
  });
});

describe('a chain of runs', () => {
  it('keeps its permit over continue-as-new, and gives it back at its end', async () => {
    const w = await opened();
    const worker = w.worker({ workflow: 10 });
    let runs = 0;
    worker.onTask = (task) => {
      worker.credit.workflow += 1;
      runs += 1;
      const again = {
        commandType: CommandType.CONTINUE_AS_NEW_WORKFLOW_EXECUTION,
        attributes: { workflowType: { name: 'order' }, taskQueue: { name: QUEUE } },
      } as const;
      if (runs < 3) w.post(task.workflowId, w.completion(task, [again]));
    };
    await w.start('a', one);
    await w.start('b', one);
    await w.time.advance(5_000);
    expect(runs).toBe(3);
    expect(await describeKey(w)).toMatchObject({ held: 1, waiting: 1 });
    await w.send('a', { type: 'terminate', ...ask });
    expect(await describeKey(w)).toMatchObject({ held: 1, waiting: 0 });
  });

  it('goes on with its permit when it is reset, and asks for another one when it had closed', async () => {
    const w = await opened();
    const worker = w.autopilot(1);
    const { onTask } = worker;
    let tasks = 0;
    worker.onTask = (task) => {
      tasks += 1;
      onTask?.(task);
    };
    await w.start('a', one);
    await w.time.settle();
    await w.start('b', { ...one, taskQueue: 'nobody' });
    const before = tasks;
    const reset = {
      type: 'reset',
      ...{ target: {}, runId: w.random.uuid(), requestId: 'reset', reason: 'again', identity: 'x' },
      ...{ workflowTaskFinishEventId: 10, exclude: [] },
    } as const;
    const { error } = await w.send('a', reset);
    expect(error).toBeUndefined();
    expect(await statusOf(w, 'a')).toBe(RUNNING);
    expect((await describeRun(w, 'a')).flowControl?.state).toBe('queued');
    // Not even for an update, which a run that has been running gets a task for at once.
    const update = { callId: 'call', until: 'accepted', updateId: 'u', updateName: 'note', identity: 'x' } as const;
    w.begin<UpdateWorkflowExecutionResponse>((done) =>
      w.engine.update({ namespace: NAMESPACE, workflowId: 'a' }, { type: 'update', target: {}, ...update }, done),
    );
    await w.time.settle();
    expect(tasks).toBe(before);
    await w.send('b', { type: 'terminate', ...ask });
    await w.time.settle();
    expect(await statusOf(w, 'a')).toBe(COMPLETED);
    expect(await describeKey(w)).toMatchObject({ held: 0, waiting: 0 });
  });
});

describe('a debounced start', () => {
  it('ends those before it as superseded, and begins once it is quiet', async () => {
    const w = await opened();
    const quiet = flow({ debounce: { quietMs: 10_000 } });
    await w.start('a', quiet);
    await w.time.advance(9_000);
    await w.start('b', quiet);
    expect(await statusOf(w, 'a')).toBe(TERMINATED);
    await w.time.advance(9_000);
    expect((await describeRun(w, 'b')).flowControl?.state).toBe('queued');
    await w.time.advance(1_500);
    expect((await describeRun(w, 'b')).flowControl?.state).toBe('held');
  });
});

describe('a singleton', () => {
  it('that takes over ends the one before it, and begins after it', async () => {
    const w = await opened();
    await w.start('a', flow({ singleton: 'terminateExisting' }));
    await w.start('b', flow({ singleton: 'terminateExisting' }));
    expect([await statusOf(w, 'a'), await statusOf(w, 'b')]).toEqual([TERMINATED, RUNNING]);
    expect((await describeRun(w, 'b')).flowControl?.state).toBe('held');
  });

  it('that nobody waits for fails when it is refused', async () => {
    const w = await opened();
    await w.start('a', flow({ singleton: 'reject' }));
    await w.start('b', flow({ singleton: 'reject' }));
    expect(await statusOf(w, 'b')).toBe(FAILED);
    const closing = (await w.history('b')).at(-1);
    expect(closing?.attributes).toMatchObject({
      failure: { applicationFailureInfo: { type: 'FlowControlRejected', nonRetryable: true } },
    });
    expect(await describeKey(w)).toMatchObject({ held: 1, waiting: 0 });
  });
});

describe('an activity with a key', () => {
  const activity = (id: string, over: object = {}) => ({
    commandType: CommandType.SCHEDULE_ACTIVITY_TASK,
    attributes: {
      activityId: id,
      activityType: { name: 'charge' },
      taskQueue: { name: QUEUE },
      startToCloseTimeout: HOUR,
      ...one,
      ...over,
    },
  });

  it('is offered once it has a permit, and gives that back when its attempt ends, before its back-off', async () => {
    const w = await opened();
    const worker = w.worker({ workflow: 10, activity: 10 });
    const running: string[] = [];
    const tasks: Parameters<NonNullable<typeof worker.onTask>>[0][] = [];
    worker.onTask = (task) => {
      if (task.kind === 'workflow') {
        const commands = [activity('1'), activity('2'), activity('3')] as Parameters<typeof w.completion>[1];
        if (task.started.task.firstEventId === 1 && task.started.ref.scheduledEventId === 2)
          w.post(task.workflowId, w.completion(task, commands));
        return;
      }
      if (task.kind !== 'activity') return;
      running.push(task.started.task.activityId);
      tasks.push(task);
    };
    await w.start('a');
    expect(running).toEqual(['1']);
    const states = (await describeRun(w, 'a')).pendingActivities.map(({ flowControl }) => flowControl?.state);
    expect(states).toEqual(['held', 'queued', 'queued']);
    const [first] = tasks;
    if (first?.kind !== 'activity') throw new Error('no activity');
    await w.send('a', {
      type: 'failActivityTask',
      activity: { task: first.started.ref },
      identity: 'worker',
      failure: { message: 'no', applicationFailureInfo: {} },
    });
    expect(running).toEqual(['1', '2']);
    const [, second] = tasks;
    if (second === undefined) throw new Error('no activity');
    await w.time.advance(2_000);
    await w.send('a', w.result(second));
    expect(running).toEqual(['1', '2', '3']);
    await w.send('a', { type: 'terminate', ...ask });
    expect(await describeKey(w)).toMatchObject({ held: 0, waiting: 0 });
  });

  it('that is paused gives its permit back, and asks anew when it goes on', async () => {
    const w = await opened();
    const worker = w.worker({ workflow: 10 });
    worker.onTask = (task) => {
      if (task.kind === 'workflow')
        w.post(task.workflowId, w.completion(task, [activity('1')] as Parameters<typeof w.completion>[1]));
    };
    await w.start('a');
    const which = { target: {}, activities: { id: '1' } };
    await w.send('a', { type: 'pauseActivity', ...which, identity: 'x', reason: 'y', requestId: 'z' });
    expect(await describeKey(w)).toMatchObject({ held: 0, waiting: 0 });
    const again = { resetAttempts: false, resetHeartbeats: false, jitter: 0, jitterSeed: 0 };
    await w.send('a', { type: 'unpauseActivity', ...which, ...again });
    expect(await describeKey(w)).toMatchObject({ held: 1, waiting: 0 });
  });
});

it('holds its limit at every instant, and finishes all, over restarts at any moment', async () => {
  const kills = fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(
      kills,
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 3 }),
      async (steps, shards, limit) => {
        const disk = new MemoryDisk();
        const w = new World(() => openMemoryStore({ disk, shardCount: shards }), {
          bounds: { cachedActors: 3, actorIdleMs: 1_000 },
        });
        await w.open();
        w.autopilot(0);
        const limited = flow({ concurrency: { limit } });
        let at = 0;
        const check = async (): Promise<void> => {
          const { value } = await w.call<ListWorkflowExecutionsResponse>((done) =>
            w.engine.list({ namespace: NAMESPACE, query: '', pageSize: 1_000, nextPageToken: undefined }, done),
          );
          let held = 0;
          for (const { workflowId } of value?.executions ?? [])
            if ((await describeRun(w, workflowId)).flowControl?.state === 'held') held += 1;
          expect(held).toBeLessThanOrEqual(limit);
        };
        for (const pause of steps) {
          for (let n = 0; n < 3; n += 1) w.post(`w${at++}`, w.startMessage(limited));
          // In the midst of what follows from them: not settled.
          await w.time.advance(pause % 3 === 0 ? 0 : pause);
          if (pause % 2 === 0) {
            await w.restart();
            w.autopilot(0);
          }
          await check();
        }
        await w.time.advance(60_000);
        for (let n = 0; n < at; n += 1) {
          const { value } = await w.call<DescribeWorkflowExecutionResponse>((done) =>
            w.engine.describe({ namespace: NAMESPACE, workflowId: `w${n}` }, undefined, done),
          );
          // A start that was not acknowledged may not be there.
          if (value !== undefined) expect(value.workflowExecutionInfo.status).toBe(COMPLETED);
        }
        expect(await describeKey(w)).toMatchObject({ held: 0, waiting: 0 });
      },
    ),
    { numRuns: 25 },
  );
}, 60_000);

it('keys are listed until they are forgotten', async () => {
  const w = await opened();
  await w.start('a', one);
  const list = async (): Promise<string[]> => {
    const request = {
      namespace: NAMESPACE,
      query: '',
      of: 'flowKeys' as const,
      pageSize: 10,
      nextPageToken: undefined,
    };
    const { value } = await w.call<ListWorkflowExecutionsResponse>((done) => w.engine.list(request, done));
    return (value?.executions ?? []).map(({ workflowId }) => workflowId);
  };
  expect(await list()).toEqual([KEY]);
  await w.send('a', { type: 'terminate', ...ask });
  await w.time.advance(HOUR);
  expect(await list()).toEqual([]);
});
