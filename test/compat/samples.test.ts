// Programs of the kinds that the official samples show, by the official SDK, unmodified. moved.test.ts runs the same text with this project's.

import { randomUUID } from 'node:crypto';
import { trace } from '@opentelemetry/api';
import {
  ScheduleOverlapPolicy,
  WithStartWorkflowOperation,
  WorkflowFailedError,
  WorkflowUpdateFailedError,
} from '@temporalio/client';
import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  TypedSearchAttributes,
  WorkflowIdConflictPolicy,
} from '@temporalio/common';
import { MockActivityEnvironment, TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../support/processes.ts';
import { createActivities } from './samples/activities.ts';
import * as messages from './samples/messages.ts';
import { ExtendedJsonPayloadConverter } from './samples/payload-converter.ts';
import { foo } from './samples/protos.ts';
import * as workflows from './samples/workflows.ts';
import { alerts, CONVERTED_QUEUE, here, MACHINE_QUEUE, QUEUE, SamplesWorld, spans } from './samples/world.ts';

let world: SamplesWorld;
beforeAll(async () => {
  world = await SamplesWorld.open();
}, 120_000);
afterAll(async () => await world?.close());

const options = (name = 'sample') => ({ taskQueue: QUEUE, workflowId: `${name}-${randomUUID()}` });
const workflow = () => world.client.workflow;
const converting = () => ({ ...options('converted'), taskQueue: CONVERTED_QUEUE });

describe.concurrent('hello', () => {
  it('an activity, a local one, one with what it was made with', async () => {
    expect(await workflow().execute(workflows.helloWorld, { ...options(), args: ['Temporal'] })).toBe(
      'Hello, Temporal!',
    );
    expect(await workflow().execute(workflows.local, { ...options(), args: ['local'] })).toBe('Hello, local!');
    expect(await workflow().execute(workflows.injected, options())).toBe(
      'greeting from the database, greetFromDatabase!',
    );
  });

  it('children, and a child that is cancelled', async () => {
    const said = await workflow().execute(workflows.parent, { ...options(), args: ['Alice', 'Bob', 'Charlie'] });
    expect(said).toBe('I am a child named Alice\nI am a child named Bob\nI am a child named Charlie');
    expect(await workflow().execute(workflows.cancellingParent, options())).toBe('the child was cancelled');
  });

  it('an activity that heartbeats and is cancelled, with clean-up', async () => {
    const handle = await workflow().start(workflows.cancellable, options());
    await until(async () => (await handle.describe()).raw.pendingActivities?.[0]?.lastHeartbeatTime ?? undefined);
    await handle.cancel();
    const error = await handle.result().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(WorkflowFailedError);
    expect((error as WorkflowFailedError).cause).toBeInstanceOf(CancelledFailure);
    const shielded = await workflow().start(workflows.shielded, options());
    await shielded.cancel();
    expect(await shielded.result()).toBe('Hello, shielded!');
  });

  it('patches, what is drawn, loops', async () => {
    expect(await workflow().execute(workflows.patchedOne, options())).toBe('new');
    const drawn = await workflow().execute(workflows.drawn, options());
    expect(drawn.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(drawn.random).toBeLessThan(1);
    const loop = await workflow().start(workflows.loop, options());
    expect(await loop.result()).toBe(3);
    await expect(loop.result()).resolves.toBe(3);
  });

  it('queries, while it works and after', async () => {
    const handle = await workflow().start(workflows.countdown, { ...options(), args: [5] });
    expect(await handle.query(workflows.daysLeft)).toBeLessThanOrEqual(5);
    await handle.result();
    expect(await handle.query<number>('daysLeft')).toBe(0);
  });

  it('search attributes and memo', async () => {
    const handle = await workflow().start(workflows.found, {
      ...options(),
      args: ['Rome'],
      typedSearchAttributes: new TypedSearchAttributes([{ key: workflows.CITY, value: 'Oslo' }]),
      memo: { asked: 'for it' },
    });
    expect(await handle.result()).toBe('Rome');
    const described = await handle.describe();
    expect(described.typedSearchAttributes.get(workflows.CITY)).toBe('Rome');
    expect(described.memo).toEqual({ asked: 'for it', visited: 'Rome' });
    const found = await until(async () => {
      for await (const { workflowId } of workflow().list({ query: `City = 'Rome'` })) return workflowId;
      return undefined;
    });
    expect(found).toBe(handle.workflowId);
    expect((await workflow().count(`City = 'Rome'`)).count).toBe(1);
  });

  it('a workflow in plain JavaScript', async () => {
    const taskQueue = 'javascript';
    const { native: connection } = world;
    const worker = await Worker.create({ connection, taskQueue, workflowsPath: here('plain.mjs') });
    expect(await worker.runUntil(workflow().execute('plain', { ...options(), taskQueue, args: ['JS'] }))).toBe('JS!');
  });
});

/** Events of a run whose first activity is done and whose timer has begun. */
const SENT_AND_SLEEPS = 11;

describe.concurrent('flows', () => {
  it('a document that is interpreted', async () => {
    const dsl: workflows.Dsl = {
      variables: { arg1: 'value1', arg2: 'value2' },
      root: {
        sequence: {
          elements: [
            {
              parallel: {
                branches: [
                  { activity: { name: 'activityA', arguments: ['arg1'], result: 'result1' } },
                  { activity: { name: 'activityB', arguments: ['arg2'], result: 'result2' } },
                ],
              },
            },
            { activity: { name: 'activityC', arguments: ['result1', 'result2'], result: 'result3' } },
          ],
        },
      },
    };
    const bindings = await workflow().execute(workflows.dslInterpreter, { ...options('dsl'), args: [dsl] });
    expect(bindings.result3).toBe('Result_C(Result_A(value1), Result_B(value2))');
  });

  it('state behind signals and queries', async () => {
    const handle = await workflow().start(workflows.state, options('state'));
    await handle.signal(workflows.setValue, 'meaning', { of: 'life' });
    expect(await handle.query(workflows.getValue, 'meaning')).toEqual({ of: 'life' });
    await handle.cancel();
    await expect(handle.result()).rejects.toThrow(WorkflowFailedError);
  });

  it('an expense that somebody approves, rejects, or forgets', async () => {
    const start = (timeout: number) =>
      workflow().start(workflows.expenseBySignal, { ...options('expense'), args: ['e-1', timeout] });
    const [approved, rejected, forgotten] = [await start(60_000), await start(60_000), await start(30)];
    await approved.signal(workflows.approve);
    await rejected.signal(workflows.reject);
    expect(await approved.result()).toEqual({ status: 'APPROVED', paid: 'paid e-1' });
    expect(await rejected.result()).toEqual({ status: 'REJECTED' });
    expect(await forgotten.result()).toEqual({ status: 'TIMED_OUT' });
    await expect(workflow().execute(workflows.expense, { ...options(), args: [''] })).rejects.toMatchObject({
      cause: { cause: { type: 'NoId', nonRetryable: true } },
    });
  });

  it('an expense whose activity is completed from outside', async () => {
    const handle = await workflow().start(workflows.expense, { ...options('expense'), args: ['e-2'] });
    const activityId = await until(async () => {
      const execution = { workflowId: handle.workflowId };
      const described = await world.connection.workflowService.describeWorkflowExecution({
        ...{ namespace: 'default', execution },
      });
      const [pending] = described.pendingActivities ?? [];
      return pending?.activityType?.name === 'waitForDecision' && pending.state === 2 ? pending.activityId : undefined;
    });
    await world.client.activity.complete({ workflowId: handle.workflowId, activityId: activityId ?? '' }, 'APPROVED');
    expect(await handle.result()).toEqual({ status: 'APPROVED', paid: 'paid e-2' });
  });

  it('an entity that lives through runs', async () => {
    const handle = await workflow().start(workflows.entity, options('entity'));
    const any = workflow().getHandle<typeof workflows.entity>(handle.workflowId);
    for (let n = 1; n <= 4; n += 1)
      expect(await any.executeUpdate(workflows.changeEntity, { args: [n] })).toBeTypeOf('number');
    await expect(any.executeUpdate(workflows.changeEntity, { args: [0.5] })).rejects.toThrow(WorkflowUpdateFailedError);
    await any.signal(workflows.closeEntity);
    expect(await handle.result()).toEqual({ total: 10, runs: 2 });
  });

  it('a transaction that answers early', async () => {
    const begin = async (amount: number) => {
      const startWorkflowOperation = new WithStartWorkflowOperation(workflows.transaction, {
        ...options('transaction'),
        args: [amount],
        workflowIdConflictPolicy: WorkflowIdConflictPolicy.FAIL,
      });
      const early = workflow().executeUpdateWithStart(workflows.transactionInitialized, { startWorkflowOperation });
      return { early: await early.catch((error: unknown) => error), operation: startWorkflowOperation };
    };
    const good = await begin(100);
    expect(good.early).toBe('Hello, transaction of 100!');
    expect(await (await good.operation.workflowHandle()).result()).toBe('completed: paid 100');
    const bad = await begin(-1);
    expect(bad.early).toBeInstanceOf(WorkflowUpdateFailedError);
    expect(bad.early).toMatchObject({ cause: { message: 'Invalid amount' } });
    expect(await (await bad.operation.workflowHandle()).result()).toBe('cancelled');
  });

  it('a mutex: never two at a time', async () => {
    const resource = randomUUID();
    const held = await Promise.all(
      [1, 2, 3].map(() => workflow().execute(workflows.oneAtATime, { ...options(), args: [resource, 40, 10_000] })),
    );
    const inOrder = held.sort(([a], [b]) => a - b);
    for (const [n, [from]] of inOrder.entries()) expect(from).toBeGreaterThanOrEqual(inOrder[n - 1]?.[1] ?? 0);
  });

  it('a purchase that is cancelled in time, and one that is not', async () => {
    const buy = (ms: number) => workflow().start(workflows.oneClickBuy, { ...options('buy'), args: ['item', ms] });
    const [kept, cancelled] = [await buy(20), await buy(60_000)];
    expect(await cancelled.query(workflows.purchaseState)).toBe('PENDING');
    await cancelled.signal(workflows.cancelPurchase);
    expect(await cancelled.result()).toBe('Hello, item cancelled!');
    expect(await kept.result()).toBe('Hello, item bought!');
  });

  it('a sleep of days that a signal ends', async () => {
    const handle = await workflow().start(workflows.sleepForDays, { ...options(), args: [30] });
    // One that comes with the start would leave nothing to wake it from.
    await until(async () => (await handle.describe()).historyLength >= SENT_AND_SLEEPS || undefined);
    await handle.signal(workflows.complete);
    expect(await handle.result()).toBeGreaterThanOrEqual(1);
  });
});

describe.concurrent('times', () => {
  it('a timer that tells of slow work, and does not of quick work', async () => {
    const run = (work: number, patience: number) =>
      workflow().execute(workflows.progressTimer, { ...options(), args: [work, patience] });
    expect(await Promise.all([run(300, 20), run(1, 60_000)])).toEqual(['done, late', 'done']);
  });

  it('a timer whose deadline moves', async () => {
    const handle = await workflow().start(workflows.countdownTimer, { ...options(), args: [3_600_000] });
    expect(await handle.query(workflows.timeLeft)).toBeGreaterThan(3_000_000);
    await handle.signal(workflows.setDeadline, 20);
    expect(await handle.result()).toBe('countdown done');
  });

  it('polling often, seldom, and in rounds', async () => {
    const run = (poll: (id: string) => Promise<string>) =>
      workflow().execute(poll, { ...options('poll'), args: [randomUUID()] });
    const polls = [workflows.pollingFrequently, workflows.pollingSeldom, workflows.pollingPeriodically];
    expect(await Promise.all(polls.map(run))).toEqual(['OK', 'OK at attempt 3', 'there in round 2']);
  });

  it('cron', async () => {
    const handle = await workflow().start(workflows.scheduled, {
      ...options('cron'),
      args: ['cron'],
      cronSchedule: '* * * * *',
    });
    expect((await handle.describe()).raw.workflowExecutionInfo?.startTime).toBeDefined();
    await handle.terminate('enough');
  });

  it('a schedule', async () => {
    const { schedule } = world.client;
    const handle = await schedule.create({
      scheduleId: `reminder-${randomUUID()}`,
      spec: { intervals: [{ every: '10 days' }], calendars: [{ comment: 'at noon', dayOfWeek: 'MONDAY', hour: 12 }] },
      policies: { overlap: ScheduleOverlapPolicy.ALLOW_ALL, catchupWindow: '1 day' },
      action: { type: 'startWorkflow', workflowType: workflows.scheduled, args: ['schedule'], taskQueue: QUEUE },
    });
    await handle.trigger();
    const { action } = await until(async () => (await handle.describe()).info.recentActions[0]);
    expect(await workflow().getHandle(action.workflow.workflowId).result()).toBe('Hello, schedule!');
    await handle.pause('holidays');
    expect((await handle.describe()).state.paused).toBe(true);
    await handle.unpause();
    await handle.delete();
  });
});

describe.concurrent('messages', () => {
  it('queries, updates and signals', async () => {
    const handle = await workflow().start(messages.greeting, options());
    expect(await handle.query(messages.getLanguages, { includeUnsupported: false })).toEqual(['ENGLISH', 'SPANISH']);
    expect(await handle.executeUpdate(messages.setLanguage, { args: ['SPANISH'] })).toBe('ENGLISH');
    await expect(handle.executeUpdate(messages.setLanguage, { args: ['FRENCH'] })).rejects.toThrow(
      WorkflowUpdateFailedError,
    );
    const update = await handle.startUpdate(messages.setLanguageByActivity, {
      args: ['FRENCH'],
      waitForStage: 'ACCEPTED',
      updateId: 'to-french',
    });
    expect(await update.result()).toBe('SPANISH');
    expect(await handle.getUpdateHandle('to-french').result()).toBe('SPANISH');
    expect(await handle.query(messages.getLanguage)).toBe('FRENCH');
    await handle.signal(messages.approve, { name: 'Ada' });
    expect(await handle.result()).toBe('Hello, setLanguageByActivity FRENCH!');
  });

  it('handlers that keep out of each other’s way', async () => {
    const handle = await workflow().start(messages.clusterManager, options());
    await handle.signal(messages.startCluster);
    const assign = (job: string) => handle.executeUpdate(messages.assignNodes, { args: [{ job, nodes: 2 }] });
    const given = await Promise.all(['a', 'b', 'c', 'd'].map(assign));
    expect(new Set(given.flat()).size).toBe(8);
    expect(await assign('a')).toEqual(given[0]);
    expect(await handle.executeUpdate(messages.unassignNodes, { args: ['b'] })).toBe(2);
    await expect(handle.executeUpdate(messages.assignNodes, { args: [{ job: 'e', nodes: 20 }] })).rejects.toMatchObject(
      { cause: { message: 'only 4 nodes are free' } },
    );
    await handle.signal(messages.stopCluster);
    expect(await handle.result()).toEqual({ assigned: 6 });
  });
});

describe.concurrent('workers', () => {
  it('sinks', async () => {
    expect(await workflow().execute(workflows.alerting, options())).toBe('done');
    expect(alerts).toEqual(['alerting: alerter: WARN: something is wrong']);
  });

  it('a task queue of one machine', async () => {
    await world.work({
      taskQueue: MACHINE_QUEUE,
      activities: {
        downloadFile: async () => '/tmp/file',
        processFile: async (path: string) => `processed ${path}`,
      },
    });
    await world.work({
      taskQueue: 'any-machine',
      workflowBundle: world.bundle,
      activities: { getUniqueTaskQueue: async () => MACHINE_QUEUE },
    });
    const start = { ...options(), taskQueue: 'any-machine', args: [2] as [number] };
    expect(await workflow().execute(workflows.fileProcessing, start)).toBe('processed /tmp/file');
  });

  it('Nexus operations: at once, and by a workflow', async () => {
    expect(await workflow().execute(workflows.nexusEcho, { ...options(), args: ['echo'] })).toBe('echo');
    expect(await workflow().execute(workflows.nexusHello, { ...options(), args: ['Nexus'] })).toBe('¡Hola! Nexus');
  });

  it('versions: pinned workflows stay, others move', async () => {
    const [deploymentName, taskQueue, namespace] = ['samples', 'versions', 'default'] as const;
    const { workflowService } = world.connection;
    const deploy = async (buildId: string): Promise<void> => {
      const version = { deploymentName, buildId };
      await world.work({
        taskQueue,
        workflowBundle: world.bundle,
        activities: { version: async () => buildId },
        workerDeploymentOptions: { useWorkerVersioning: true, version, defaultVersioningBehavior: 'PINNED' },
      });
      const current = { namespace, deploymentName, buildId, identity: 'deployer' };
      await until(() => workflowService.setWorkerDeploymentCurrentVersion(current).catch(() => undefined));
    };
    await deploy('1.0');
    const moving = await workflow().start(workflows.autoUpgrading, { ...options('moving'), taskQueue });
    const staying = await workflow().start(workflows.pinned, { ...options('staying'), taskQueue });
    const done = async (handle: typeof moving) =>
      (await handle.describe()).raw.pendingActivities?.length === 0 && (await handle.describe()).historyLength > 9;
    for (const handle of [moving, staying]) await until(async () => (await done(handle)) || undefined);
    await deploy('2.0');
    for (const handle of [moving, staying]) await handle.signal(workflows.doNext);
    expect([await moving.result(), await staying.result()]).toEqual([
      ['1.0', '2.0'],
      ['1.0', '1.0'],
    ]);
  });

  it('raw calls of the service', async () => {
    const { workflowExecutionInfo } = await world.connection.workflowService.describeWorkflowExecution({
      namespace: 'default',
      execution: {
        workflowId: (await workflow().start(workflows.helloWorld, { ...options(), args: ['raw'] })).workflowId,
      },
    });
    expect(workflowExecutionInfo?.type?.name).toBe('helloWorld');
    const { namespaceInfo } = await world.connection.workflowService.describeNamespace({ namespace: 'default' });
    expect(namespaceInfo?.name).toBe('default');
  });

  it('a replay of what was done', async () => {
    const handle = await workflow().start(workflows.parent, { ...options(), args: ['replayed'] });
    await handle.result();
    const history = await handle.fetchHistory();
    await Worker.runReplayHistory({ workflowBundle: world.bundle, replayName: 'samples' }, history, handle.workflowId);
  });
});

describe.concurrent('converters', () => {
  it('dates and big numbers', async () => {
    const born = new Date('1990-01-01T00:00:00Z');
    const result = await world.converting.workflow.execute(workflows.dated, {
      ...converting(),
      args: [{ id: 'u', hp: 2n ** 60n, born }],
    });
    expect(result).toEqual({
      ...{ isDate: true, success: 'bigint', hp: 2n ** 60n + 1n },
      at: new Date('1990-01-02T00:00:00Z'),
    });
    const alone = new ExtendedJsonPayloadConverter();
    expect(alone.fromPayload(alone.toPayload({ born }) ?? {})).toEqual({ born });
  });

  it('messages of Protocol Buffers', async () => {
    const input = foo.input.create({ name: 'Proto', age: 2 });
    const result = await world.converting.workflow.execute(workflows.protobufs, { ...converting(), args: [input] });
    expect(result.sentence).toBe('Proto is 2. And 2.');
    expect(result).toMatchObject({ $type: { name: 'ProtoResult' } });
  });

  it('nothing of it is readable, not even a failure', async () => {
    const handle = await world.converting.workflow.start(workflows.leaks, { ...converting(), args: ['sesame'] });
    await expect(handle.result()).rejects.toMatchObject({ cause: { message: 'not even sesame', details: ['sesame'] } });
    // What a client without the key has of it.
    const sealed = await workflow().getHandle(handle.workflowId).fetchHistory();
    expect(Buffer.from(JSON.stringify(sealed)).includes('sesame')).toBe(false);
    await expect(workflow().getHandle(handle.workflowId).result()).rejects.toThrow('binary/encrypted');
  });

  it('a trace from the caller to the activity', async () => {
    const { workflowId } = converting();
    await trace.getTracer('samples').startActiveSpan('caller', async (span) => {
      await world.converting.workflow.execute(workflows.dated, {
        ...{ workflowId, taskQueue: CONVERTED_QUEUE },
        args: [{ id: 'u', hp: 1n, born: new Date(0) }],
      });
      span.end();
    });
    const caller = spans.getFinishedSpans().find(({ name }) => name === 'caller');
    const { traceId } = caller?.spanContext() ?? {};
    const names = await until(async () => {
      const mine = spans.getFinishedSpans().filter((span) => span.spanContext().traceId === traceId);
      return mine.length >= 5 ? mine.map(({ name }) => name).sort() : undefined;
    });
    expect(names).toEqual([
      'RunActivity:when',
      'RunWorkflow:dated',
      'StartActivity:when',
      'StartWorkflow:dated',
      'caller',
    ]);
  });
});

describe.concurrent('tests of workflows and activities', () => {
  it('an environment on a server that is there', async () => {
    const env = await TestWorkflowEnvironment.createFromExistingServer({ address: world.address });
    const worker = await Worker.create({
      connection: env.nativeConnection,
      taskQueue: 'testing',
      workflowBundle: world.bundle,
      activities: { greet: async () => 'mocked' },
    });
    const start = { ...options(), taskQueue: 'testing', args: ['you'] as [string] };
    expect(await worker.runUntil(env.client.workflow.execute(workflows.helloWorld, start))).toBe('mocked');
    await env.sleep(1);
    await env.teardown();
  });

  it('activities by themselves', async () => {
    const env = new MockActivityEnvironment({ attempt: 2 });
    const { greet, slowly, createExpense } = createActivities({ get: async () => '' });
    expect(await env.run(greet, 'mock')).toBe('Hello, mock!');
    await expect(env.run(createExpense, '')).rejects.toThrow(ApplicationFailure);
    const beats: unknown[] = [];
    env.on('heartbeat', (details: unknown) => {
      beats.push(details);
      if (details === 2) env.cancel();
    });
    await expect(env.run(slowly)).rejects.toThrow(CancelledFailure);
    expect(beats).toEqual([1, 2, 'stopping']);
  });

  it('failures keep their causes', async () => {
    const error = await workflow()
      .execute(workflows.expense, { ...options(), args: [''] })
      .catch((thrown: unknown) => thrown);
    expect((error as WorkflowFailedError).cause).toBeInstanceOf(ActivityFailure);
    expect(((error as WorkflowFailedError).cause as ActivityFailure).cause).toBeInstanceOf(ApplicationFailure);
  });
});
