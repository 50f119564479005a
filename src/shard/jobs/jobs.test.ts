// Batch jobs on a node: they outlive it, come to each execution once, at their rate, and can be stopped.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JobOrder } from '../../core/batch/job.ts';
import type { JobAnswer, JobAsk } from '../../ports/jobs.ts';
import { MemoryDisk, openMemoryStore } from '../../store/index.ts';
import { activityAddress } from '../../wire/activity-address.ts';
import type { BatchOperationInfo } from '../../wire/batch.ts';
import {
  BatchOperationState,
  BatchOperationType,
  EventType,
  IndexedValueType,
  PinnedOverrideBehavior,
  WorkflowExecutionStatus,
} from '../../wire/enums.ts';
import type { DescribeWorkflowExecutionResponse } from '../../wire/execution-info.ts';
import { StatusCode } from '../../wire/status.ts';
import type { ListWorkflowExecutionsResponse } from '../../wire/visibility.ts';
import { NAMESPACE, stamped, typesOf, World } from '../testing.ts';
import { MAX_RUNNING } from './registry.ts';

const { RUNNING, COMPLETED, FAILED } = BatchOperationState;

const world = async (): Promise<World> => {
  const disk = new MemoryDisk();
  return new World(() => openMemoryStore({ disk, shardCount: 4 })).open();
};

const ask = (w: World, asked: JobAsk) => w.call<JobAnswer>((done) => w.engine.jobs(NAMESPACE, asked, done));

async function start(w: World, over: Partial<JobOrder> = {}) {
  const order: JobOrder = {
    ...{ jobId: 'job', requestId: 'request', reason: 'clean up', identity: 'me', perSecond: 50 },
    ...{ operation: { type: 'terminate' }, target: { query: "ExecutionStatus = 'Running'" } },
    ...over,
  };
  return ask(w, { type: 'start', order });
}

async function job(w: World, jobId = 'job'): Promise<BatchOperationInfo> {
  const { value, error } = await ask(w, { type: 'describe', jobId });
  if (value?.jobs[0] === undefined) throw new Error(error?.message);
  return value.jobs[0];
}

const signal = { operation: { type: 'signal', signalName: 'go' } } as const;

async function runs(w: World, n: number): Promise<void> {
  for (let i = 0; i < n; i += 1) await w.start(`w${i}`);
}

const signals = async (w: World, i: number): Promise<number> =>
  typesOf(await w.history(`w${i}`)).filter((type) => type === EventType.WORKFLOW_EXECUTION_SIGNALED).length;

async function count(w: World, query: string): Promise<number | undefined> {
  const counted = await w.call<{ count: number }>((done) => w.engine.count({ namespace: NAMESPACE, query }, done));
  return counted.value?.count;
}

async function activityOf(w: World, workflowId: string) {
  const to = { namespace: NAMESPACE, workflowId };
  const described = await w.call<DescribeWorkflowExecutionResponse>((done) => w.engine.describe(to, undefined, done));
  return described.value?.pendingActivities[0];
}

const standalone = (w: World, activityId: string, workflowType = 'send') =>
  w.start(activityAddress(activityId), { workflowType, activity: { activityId, startToCloseTimeout: 60_000 } });

/** Of each type that there is, how many there are and in which status, when they all agree. */
async function activitiesByStatus(w: World): Promise<Map<string, [WorkflowExecutionStatus, number]>> {
  const request = { namespace: NAMESPACE, query: '', of: 'activities', pageSize: 1_000 } as const;
  const { value } = await w.call<ListWorkflowExecutionsResponse>((done) =>
    w.engine.list({ ...request, nextPageToken: undefined }, done),
  );
  const found = new Map<string, [WorkflowExecutionStatus, number]>();
  for (const { workflowType, status } of value?.executions ?? []) {
    const [known, n] = found.get(workflowType) ?? [status, 0];
    expect(status).toBe(known);
    found.set(workflowType, [status, n + 1]);
  }
  return found;
}

describe('a batch job', () => {
  it('that deletes leaves nothing, and spares what began after it under a name', async () => {
    const w = await world();
    await runs(w, 30);
    await start(w, { operation: { type: 'delete' }, target: { query: "WorkflowId IN ('w0', 'w1', 'w2')" } });
    await w.time.advance(2_000);
    expect(await job(w)).toMatchObject({ state: COMPLETED, totalOperationCount: 3, completeOperationCount: 3 });
    const { value } = await w.call<{ count: number }>((done) =>
      w.engine.count({ namespace: NAMESPACE, query: '' }, done),
    );
    expect(value?.count).toBe(27);
    // Named without a run, it is the one that was there.
    const order = {
      operation: { type: 'delete' },
      target: { executions: [{ workflowId: 'w5' }, { workflowId: 'w6' }] },
    } as const;
    await start(w, { jobId: 'other', perSecond: 1, ...order, target: { executions: [...order.target.executions] } });
    await w.send('w6', { type: 'deleteExecution', target: {}, identity: '' });
    await w.time.advance(100);
    await w.start('w6');
    await w.time.advance(4_000);
    expect(await job(w, 'other')).toMatchObject({
      state: COMPLETED,
      completeOperationCount: 2,
      failureOperationCount: 0,
    });
    const left = await w.call<{ count: number }>((done) =>
      w.engine.count({ namespace: NAMESPACE, query: "WorkflowId IN ('w5', 'w6')" }, done),
    );
    expect(left.value?.count).toBe(1);
  });

  it('comes to every execution its filter finds, at its rate, and says so', async () => {
    const w = await world();
    await runs(w, 120);
    await start(w);
    await w.time.advance(1_500);
    const half = await job(w);
    expect(half).toMatchObject({ state: RUNNING, totalOperationCount: 120, identity: 'me', reason: 'clean up' });
    expect(half.completeOperationCount).toBeGreaterThanOrEqual(50);
    expect(half.completeOperationCount).toBeLessThan(100);
    await w.time.advance(1_500);
    const over = await job(w);
    expect(over).toMatchObject({ state: COMPLETED, completeOperationCount: 120, failureOperationCount: 0 });
    expect((over.closeTime ?? 0) - over.startTime).toBeGreaterThan(2_000);
    const last = (await w.history('w7')).at(-1);
    expect(last).toMatchObject({
      eventType: EventType.WORKFLOW_EXECUTION_TERMINATED,
      attributes: { reason: 'clean up', identity: 'tenuto-batch' },
    });
  });

  it('of executions named counts those that are not there as done, as the reference server does', async () => {
    const w = await world();
    const runId = await w.start('a');
    const executions = [{ workflowId: 'a', runId }, { workflowId: 'nobody' }];
    await start(w, { ...signal, target: { executions } });
    await w.time.advance(1_000);
    expect(await job(w)).toMatchObject({ state: COMPLETED, totalOperationCount: 2, completeOperationCount: 2 });
  });

  it('to reset counts those as failed that are not there: no run began', async () => {
    const w = await world();
    const reset = { type: 'reset', exclude: [] } as const;
    const target = { executions: [{ workflowId: 'nobody' }] };
    await start(w, { operation: { ...reset, point: { at: 'lastWorkflowTask' } }, target });
    await w.time.advance(1_000);
    expect(await job(w)).toMatchObject({ state: COMPLETED, completeOperationCount: 0, failureOperationCount: 1 });
    const event = { ...reset, point: { at: 'event', eventId: 3 } } as const;
    await start(w, { jobId: 'event', requestId: 'event', operation: event, target });
    await w.time.advance(1_000);
    expect(await job(w, 'event')).toMatchObject({ completeOperationCount: 1, failureOperationCount: 0 });
  });

  it('leaves alone what begins after it', async () => {
    const w = await world();
    await runs(w, 60);
    await start(w);
    await w.time.advance(100);
    await w.start('late');
    await w.time.advance(5_000);
    expect(await job(w)).toMatchObject({ state: COMPLETED, totalOperationCount: 60, completeOperationCount: 60 });
    expect(typesOf(await w.history('late'))).not.toContain(EventType.WORKFLOW_EXECUTION_TERMINATED);
  });

  it('goes on where it was after the node was killed, at whatever moments, and counts each execution once', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 700 }), { maxLength: 4 }),
        fc.constantFrom(20, 50, 400),
        async (kills, perSecond) => {
          const w = await world();
          await runs(w, 70);
          await start(w, { ...signal, perSecond });
          for (const ms of kills) {
            await w.time.advance(ms);
            await w.restart();
          }
          await w.time.advance(10_000);
          expect(await job(w)).toMatchObject({
            ...{ state: COMPLETED, totalOperationCount: 70, completeOperationCount: 70, failureOperationCount: 0 },
          });
          for (const i of [0, 1, 33, 69]) expect(await signals(w, i)).toBe(1);
        },
      ),
      { numRuns: 15 },
    );
  });

  it('that resets begins one run for each, also when the node is killed on the way', async () => {
    const w = await world();
    w.autopilot(1);
    await runs(w, 40);
    await w.time.settle();
    const point = { at: 'firstWorkflowTask' } as const;
    const target = { query: "ExecutionStatus = 'Completed'" };
    await start(w, { operation: { type: 'reset', point, exclude: [] }, target, perSecond: 20 });
    for (const ms of [300, 900]) {
      await w.time.advance(ms);
      await w.restart();
      w.autopilot(1);
    }
    await w.time.advance(5_000);
    expect(await job(w)).toMatchObject({
      ...{ state: COMPLETED, operationType: BatchOperationType.RESET },
      ...{ totalOperationCount: 40, completeOperationCount: 40, failureOperationCount: 0 },
    });
    expect(await count(w, '')).toBe(80);
    const types = typesOf(await w.history('w7'));
    expect(types).toContain(EventType.WORKFLOW_TASK_FAILED);
    expect(types.at(-1)).toBe(EventType.WORKFLOW_EXECUTION_COMPLETED);
  });

  it('that resets does what follows to each new run once, also when the node is killed on the way', async () => {
    const w = await world();
    w.autopilot(1);
    await runs(w, 10);
    await w.time.settle();
    const operation = {
      ...({ type: 'reset', point: { at: 'firstWorkflowTask' }, exclude: [] } as const),
      afterwards: [{ type: 'signal', signalName: 'after' }] as const,
    };
    await start(w, { operation, target: { query: "ExecutionStatus = 'Completed'" }, perSecond: 5 });
    for (const ms of [300, 900]) {
      await w.time.advance(ms);
      await w.restart();
      w.autopilot(1);
    }
    await w.time.advance(5_000);
    expect(await job(w)).toMatchObject({ state: COMPLETED, totalOperationCount: 10, completeOperationCount: 10 });
    for (const i of [0, 5, 9]) expect(await signals(w, i)).toBe(1);
    // A pin to a version that nobody serves would have it wait for ever.
    const version = { deploymentName: 'shop', buildId: 'v1' };
    const versioningOverride = { pinned: { behavior: PinnedOverrideBehavior.PINNED, version } };
    await start(w, {
      ...{ jobId: 'pin', requestId: 'pin', target: { query: "WorkflowId = 'w0'" } },
      operation: { ...operation, afterwards: [{ type: 'updateOptions', versioningOverride }] },
    });
    await w.time.advance(2_000);
    expect(await job(w, 'pin')).toMatchObject({ completeOperationCount: 0, failureOperationCount: 2 });
  });

  it('to a build resets what that build has worked on; others are refused, and count as failures', async () => {
    const w = await world();
    await runs(w, 2);
    const point = { at: 'build', buildId: 'b7', currentRunOnly: true } as const;
    await start(w, { operation: { type: 'reset', point, exclude: [] } });
    await w.time.advance(2_000);
    expect(await job(w)).toMatchObject({ state: COMPLETED, completeOperationCount: 0, failureOperationCount: 2 });
  });

  it('that pins to a version whose workers nobody knows refuses, rather than let tasks wait for ever', async () => {
    const w = await world();
    await runs(w, 2);
    const pinned = { behavior: PinnedOverrideBehavior.PINNED, version: { deploymentName: 'shop', buildId: 'v1' } };
    await start(w, { operation: { type: 'updateOptions', versioningOverride: { pinned } } });
    await start(w, {
      ...{ jobId: 'upgrade', requestId: 'upgrade' },
      operation: { type: 'updateOptions', versioningOverride: { autoUpgrade: true } },
    });
    await w.time.advance(2_000);
    expect(await job(w)).toMatchObject({ completeOperationCount: 0, failureOperationCount: 2 });
    expect(await job(w, 'upgrade')).toMatchObject({ completeOperationCount: 2, failureOperationCount: 0 });
    expect(typesOf(await w.history('w1'))).toContain(EventType.WORKFLOW_EXECUTION_OPTIONS_UPDATED);
  });

  it('pauses and unpauses workflows', async () => {
    const w = await world();
    await runs(w, 3);
    await start(w, { operation: { type: 'pauseWorkflow' } });
    await w.time.advance(1_000);
    expect(await count(w, "ExecutionStatus = 'Paused'")).toBe(3);
    const target = { query: "ExecutionStatus = 'Paused'" };
    await start(w, { jobId: 'on', requestId: 'on', operation: { type: 'unpauseWorkflow' }, target });
    await w.time.advance(1_000);
    expect(await job(w, 'on')).toMatchObject({ state: COMPLETED, completeOperationCount: 3 });
    expect(await count(w, "ExecutionStatus = 'Running'")).toBe(3);
  });

  it('steers activities; a workflow without such a one has nothing to do', async () => {
    const w = await world();
    const worker = w.autopilot(1);
    worker.credit.activity = 0;
    await runs(w, 2);
    await w.time.settle();
    worker.credit.workflow = 0;
    await w.start('other');
    const all = { all: true } as const;
    await start(w, { operation: { type: 'pauseActivities', activities: all } });
    await w.time.advance(1_000);
    expect(await job(w)).toMatchObject({ state: COMPLETED, completeOperationCount: 3, failureOperationCount: 0 });
    expect(await activityOf(w, 'w0')).toMatchObject({
      paused: true,
      pauseInfo: { identity: 'me', reason: 'clean up' },
    });
    const change = { startToCloseTimeout: 77_000 };
    await start(w, {
      ...{ jobId: 'change', requestId: 'change' },
      operation: { type: 'updateActivityOptions', activities: all, change },
    });
    const go = { resetAttempts: true, resetHeartbeats: true, jitter: 0, jitterSeed: 1 };
    await start(w, {
      ...{ jobId: 'go', requestId: 'go' },
      operation: { type: 'unpauseActivities', activities: all, ...go },
    });
    await w.time.advance(1_000);
    expect(await activityOf(w, 'w1')).toMatchObject({ paused: false, startToCloseTimeout: 77_000 });
    const anew = { resetHeartbeats: true, keepPaused: false, restoreOriginalOptions: true, jitter: 0, jitterSeed: 1 };
    await start(w, {
      ...{ jobId: 'anew', requestId: 'anew' },
      operation: { type: 'resetActivities', activities: all, ...anew },
    });
    await w.time.advance(1_000);
    expect(await job(w, 'anew')).toMatchObject({ completeOperationCount: 3, failureOperationCount: 0 });
    expect((await activityOf(w, 'w1'))?.startToCloseTimeout).not.toBe(77_000);
  });

  it.each([
    ['cancel', { type: 'cancelStandalone', reason: 'enough' }, WorkflowExecutionStatus.CANCELED],
    ['terminate', { type: 'terminateStandalone', reason: 'enough' }, WorkflowExecutionStatus.TERMINATED],
    ['delete', { type: 'deleteStandalone' }, undefined],
  ] as const)(
    'that is to %s activities without a workflow comes to each once, wherever it is killed, and to no workflow',
    async (_, operation, status) => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.integer({ min: 0, max: 700 }), { maxLength: 4 }),
          fc.constantFrom(20, 400),
          async (kills, perSecond) => {
            const w = await world();
            // Of the type that the job looks for among the activities.
            await w.start('workflow', { workflowType: 'send' });
            for (let i = 0; i < 40; i += 1) await standalone(w, `a${i}`, i < 30 ? 'send' : 'other');
            const target = { query: "ActivityType = 'send'" };
            await start(w, { operation, target, perSecond });
            for (const ms of kills) {
              await w.time.advance(ms);
              await w.restart();
            }
            await w.time.advance(10_000);
            expect(await job(w)).toMatchObject({
              ...{ state: COMPLETED, totalOperationCount: 30, completeOperationCount: 30, failureOperationCount: 0 },
            });
            const statuses = await activitiesByStatus(w);
            const running = WorkflowExecutionStatus.RUNNING;
            expect(statuses).toEqual(
              new Map([['other', [running, 10]], ...(status === undefined ? [] : [['send', [status, 30]] as const])]),
            );
            expect(await count(w, "ExecutionStatus = 'Running'")).toBe(1);
          },
        ),
        { numRuns: 6 },
      );
    },
  );

  it('names activities without a workflow, and counts those that are not there as done', async () => {
    const w = await world();
    await standalone(w, 'a');
    await standalone(w, 'b');
    const executions = ['a', 'nobody'].map((id) => ({ workflowId: activityAddress(id) }));
    await start(w, { operation: { type: 'cancelStandalone', reason: '' }, target: { executions } });
    await w.time.advance(1_000);
    expect(await job(w)).toMatchObject({
      ...{ operationType: BatchOperationType.CANCEL_ACTIVITY, completeOperationCount: 2, failureOperationCount: 0 },
    });
    const running = { namespace: NAMESPACE, query: "ExecutionStatus = 'Running'", of: 'activities' } as const;
    const { value } = await w.call<{ count: number }>((done) => w.engine.count(running, done));
    expect(value?.count).toBe(1);
    // Nothing is left to do for one that has ended.
    for (const type of ['cancelStandalone', 'terminateStandalone'] as const) {
      await start(w, { jobId: type, requestId: type, operation: { type, reason: '' }, target: { query: '' } });
      await w.time.advance(1_000);
      expect(await job(w, type)).toMatchObject({ completeOperationCount: 2, failureOperationCount: 0 });
    }
  });

  it('stops when told to: nothing more is begun, and what was is counted', async () => {
    const w = await world();
    await runs(w, 70);
    await start(w, { ...signal, perSecond: 20 });
    await w.time.advance(1_700);
    const stop = { type: 'stop', jobId: 'job', reason: 'wrong ones', identity: 'boss' } as const;
    expect((await ask(w, stop)).error).toBeUndefined();
    await w.time.advance(5_000);
    const stopped = await job(w);
    expect(stopped).toMatchObject({
      state: FAILED,
      closeReason: 'stopped by boss: wrong ones',
      totalOperationCount: 70,
    });
    let signalled = 0;
    for (let i = 0; i < 70; i += 1) signalled += await signals(w, i);
    expect(stopped.completeOperationCount).toBe(signalled);
    expect(signalled).toBeGreaterThan(25);
    expect(signalled).toBeLessThan(40);
    // The same request again; then another one.
    expect((await ask(w, stop)).error).toBeUndefined();
    expect((await ask(w, { ...stop, reason: 'again' })).error?.code).toBe(StatusCode.NOT_FOUND);
    expect((await ask(w, { ...stop, jobId: 'nobody' })).error?.code).toBe(StatusCode.NOT_FOUND);
  });

  it('has its id to itself; the same request again is answered alike', async () => {
    const w = await world();
    expect((await start(w)).error).toBeUndefined();
    expect((await start(w)).error).toBeUndefined();
    expect((await start(w, { requestId: 'another' })).error?.code).toBe(StatusCode.ALREADY_EXISTS);
  });

  it('is forgotten with its namespace’s retention', async () => {
    const w = await world();
    w.namespaces.set(NAMESPACE, { id: 'id-of-default', retention: 120_000 });
    await start(w);
    await w.time.advance(110_000);
    expect(await job(w)).toMatchObject({ state: COMPLETED, totalOperationCount: 0 });
    await w.restart();
    await w.time.advance(20_000);
    expect((await ask(w, { type: 'describe', jobId: 'job' })).error?.code).toBe(StatusCode.NOT_FOUND);
    expect((await start(w, { requestId: 'anew' })).error).toBeUndefined();
  });

  it('is one of so many that run, and is listed, newest first and in pages', async () => {
    const w = await world();
    await runs(w, 3);
    for (let i = 0; i < MAX_RUNNING; i += 1) {
      await w.time.advance(3);
      await start(w, { ...signal, jobId: `j${i}`, requestId: `q${i}`, perSecond: 1 });
    }
    const refused = await start(w, { jobId: 'more' });
    expect(refused.error).toMatchObject({ code: StatusCode.RESOURCE_EXHAUSTED });
    const first = (await ask(w, { type: 'list', pageSize: 7 })).value;
    const second = (await ask(w, { type: 'list', pageSize: 7, after: first?.next })).value;
    const ids = [...(first?.jobs ?? []), ...(second?.jobs ?? [])].map(({ jobId }) => jobId);
    expect(ids).toEqual(Array.from({ length: MAX_RUNNING }, (_, i) => `j${MAX_RUNNING - 1 - i}`));
    expect(second?.next).toBeUndefined();
    // Lists within lists, each of which claims all of the rest: gigabytes, for who believes it.
    const greedy = Buffer.alloc(1_000_000, 0xdd);
    for (let i = 1; i < greedy.length; i += 5) greedy.writeUInt32BE(greedy.length - i - 4, i);
    for (const after of [new Uint8Array([1]), greedy]) {
      const bad = await ask(w, { type: 'list', pageSize: 7, after });
      expect(bad.error?.code).toBe(StatusCode.INVALID_ARGUMENT);
    }
  });

  it('ends when its filter cannot be answered any more', async () => {
    const w = await world();
    const change = (add: object, remove: string[]) =>
      w.call((done) => w.engine.changeSearchAttributes(NAMESPACE, { add: { ...add }, remove }, done));
    await change({ City: IndexedValueType.KEYWORD }, []);
    await w.start('a', { searchAttributes: { indexedFields: { City: stamped('Keyword', 'Rome') } } });
    w.engine.jobs(
      NAMESPACE,
      {
        type: 'start',
        order: {
          ...{ jobId: 'job', requestId: 'q', reason: 'r', identity: '', perSecond: 1 },
          ...{ operation: { type: 'cancel' }, target: { query: "City = 'Rome'" } },
        },
      },
      () => undefined,
    );
    await change({}, ['City']);
    await w.time.advance(2_000);
    expect((await job(w)).state).toBe(FAILED);
    expect((await job(w)).closeReason).toContain('City');
  });
});
