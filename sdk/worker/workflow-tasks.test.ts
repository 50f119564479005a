import { afterEach, describe, expect, it, vi } from 'vitest';
import { decode, encode } from '../../src/wire/codec.ts';
import type { Command } from '../../src/wire/command.ts';
import { CommandType, WorkflowTaskFailedCause } from '../../src/wire/enums.ts';
import { StatusCode } from '../../src/wire/status.ts';
import { defaultDataConverter } from '../common/data-converter.ts';
import { DefaultFailureConverter } from '../common/failure-converter.ts';
import { RpcError } from '../connection/rpc-error.ts';
import { bytes, completed, notFound, settle, startEngine, workflowTask } from './fakes.test-support.ts';
import type { LocalActivityTask } from './thread-protocol.ts';

afterEach(() => {
  vi.useRealTimers();
});

const localTask: LocalActivityTask = {
  runId: 'run',
  workflowId: 'wf',
  workflowType: 'Type',
  namespace: 'default',
  seq: 1,
  activityId: '1',
  activityType: 'act',
  args: {},
  header: undefined,
  attempt: 1,
  originalScheduledTime: undefined,
  scheduleToCloseTimeout: undefined,
  scheduleToStartTimeout: undefined,
  startToCloseTimeout: undefined,
  retryPolicy: undefined,
  localRetryThreshold: 60_000,
};

const sinkCall = { iface: 'sink', fn: 'call', args: [1], replaying: false };

describe('workflow tasks', () => {
  it('go to the thread of their run, and are answered with what the thread decided', async () => {
    const { connection, threads } = await startEngine();
    connection.push('workflowTask', workflowTask('t'));
    await settle();
    expect(threads.last.of('task').map(({ task }) => task.workflowId)).toEqual(['wf']);
    threads.last.say(completed('t'));
    expect(connection.last('respondWorkflowTaskCompleted').body).toEqual({
      token: bytes('t'),
      commands: [],
      sticky: true,
      identity: 'me',
      workerVersion: { buildId: 'build' },
      credit: 1,
    });
  });

  it.each([
    [undefined, [true, true, true]],
    [2, [true, true, false]],
    [0, [false, false, false]],
  ])('ask for no more eager activities than the worker wants: %s', async (limit, eager) => {
    const options = limit === undefined ? {} : { maxEagerActivityReservationsPerWorkflowTask: limit };
    const { connection, threads } = await startEngine(options);
    connection.push('workflowTask', workflowTask('t'));
    await settle();
    const activity = (activityId: string): Command => ({
      commandType: CommandType.SCHEDULE_ACTIVITY_TASK,
      attributes: { activityId, activityType: { name: 'a' }, taskQueue: { name: 'q' }, requestEagerExecution: true },
    });
    const timer = {
      commandType: CommandType.START_TIMER,
      attributes: { timerId: '1', startToFireTimeout: 1 },
    } as const;
    const commands: Command[] = [activity('1'), timer, activity('2'), activity('3')];
    threads.last.say({
      ...{ type: 'completed', runId: 'run', sinkCalls: [] },
      request: { token: bytes('t'), commands, sticky: true },
    });
    const { body } = connection.last('respondWorkflowTaskCompleted');
    expect(body).toMatchObject({ commands: [{}, timer, {}, {}] });
    const asked = (body as { commands: typeof commands }).commands.flatMap(({ attributes }) =>
      'requestEagerExecution' in attributes ? [attributes.requestEagerExecution] : [],
    );
    expect(asked).toEqual(eager);
  });

  it('of one tick travel to a thread as one batch', async () => {
    const { connection, threads } = await startEngine();
    connection.push('workflowTask', workflowTask('a', { runId: 'r1' }));
    connection.push('workflowTask', workflowTask('b', { runId: 'r2' }));
    await settle();
    expect(threads.last.batches).toEqual([2]);
  });

  it('of one run wait for the answer before them to be taken', async () => {
    const { connection, threads } = await startEngine();
    connection.manual.add('respondWorkflowTaskCompleted');
    connection.push('workflowTask', workflowTask('a'));
    connection.push('workflowTask', workflowTask('b'));
    threads.last.say(completed('a'));
    await settle();
    expect(threads.last.of('task')).toHaveLength(1);
    connection.last('respondWorkflowTaskCompleted').resolve({});
    await settle();
    expect(threads.last.of('task').map(({ task }) => task.token)).toEqual([bytes('a'), bytes('b')]);
  });

  it('whose answer is refused evict the warm execution before the next task of the run', async () => {
    const { connection, threads, engine } = await startEngine();
    connection.manual.add('respondWorkflowTaskCompleted');
    connection.push('workflowTask', workflowTask('a'));
    connection.push('workflowTask', workflowTask('b'));
    threads.last.say(completed('a'));
    expect(engine.workflowTasks.cached).toBe(1);
    connection.last('respondWorkflowTaskCompleted').reject(notFound);
    await settle();
    expect(threads.last.received.map((message) => message.type)).toEqual(['task', 'evict', 'task']);
    expect(engine.workflowTasks.cached).toBe(0);
  });

  it('whose answer is refused for what it says are named in the log, with their workflow', async () => {
    const { connection, threads, logs } = await startEngine();
    connection.manual.add('respondWorkflowTaskCompleted');
    connection.push('workflowTask', workflowTask('a'));
    threads.last.say(completed('a'));
    const refusal = RpcError.fromStatus({ code: StatusCode.INVALID_ARGUMENT, message: 'no such attribute' });
    connection.last('respondWorkflowTaskCompleted').reject(refusal);
    await settle();
    expect(logs).toContainEqual(
      expect.objectContaining({
        level: 'WARN',
        message: expect.stringContaining('was not taken'),
        meta: expect.objectContaining({
          ...{ workflowId: expect.any(String), workflowType: expect.any(String), runId: 'run' },
          reason: expect.stringContaining('no such attribute'),
        }),
      }),
    );
  });

  it('whose answer is too large to send are failed instead, and replay next time', async () => {
    const { connection, threads } = await startEngine();
    connection.manual.add('respondWorkflowTaskCompleted');
    connection.push('workflowTask', workflowTask('t'));
    const details = { data: { payloads: [{ data: new Uint8Array(5 * 1024 * 1024) }] } };
    const command = { commandType: CommandType.RECORD_MARKER, attributes: { markerName: 'm', details } } as const;
    const request = { token: bytes('t'), commands: [command], sticky: true };
    threads.last.say({ type: 'completed', runId: 'run', request, sinkCalls: [] });
    const detail = { kind: 'ResourceExhausted', cause: 'client' } as const;
    connection
      .last('respondWorkflowTaskCompleted')
      .reject(new RpcError(StatusCode.RESOURCE_EXHAUSTED, 'large', detail));
    await settle();
    expect(connection.last('respondWorkflowTaskFailed').body).toMatchObject({
      cause: WorkflowTaskFailedCause.GRPC_MESSAGE_TOO_LARGE,
      credit: 1,
    });
    expect(threads.last.of('evict')).toHaveLength(1);
  });

  it('that come twice are worked on once', async () => {
    const { connection, threads } = await startEngine();
    connection.push('workflowTask', workflowTask('t'));
    connection.push('workflowTask', workflowTask('t'));
    await settle();
    expect(threads.last.of('task')).toHaveLength(1);
    expect(connection.last('grantCredit').body.workflow).toBe(1);
  });

  it('list their tokens when the worker registers again, answered ones until the answer is taken', async () => {
    const { connection, threads } = await startEngine();
    connection.manual.add('respondWorkflowTaskCompleted');
    connection.push('workflowTask', workflowTask('a'));
    connection.push('workflowTask', workflowTask('b', { runId: 'other' }));
    threads.last.say(completed('a'));
    connection.reconnect();
    expect(connection.last('registerWorker').body.heldTokens).toEqual([bytes('a'), bytes('b')]);
  });

  it('that are failed by the thread are reported with their cause', async () => {
    const { connection, threads, logs } = await startEngine();
    connection.push('workflowTask', workflowTask('t'));
    const cause = WorkflowTaskFailedCause.NON_DETERMINISTIC_ERROR;
    const request = { token: bytes('t'), cause, failure: { message: 'no' } };
    threads.last.say({ type: 'failed', runId: 'run', request, sinkCalls: [] });
    expect(connection.last('respondWorkflowTaskFailed').body).toMatchObject({ cause, identity: 'me', credit: 1 });
    expect(logs.find((entry) => entry.level === 'WARN')?.meta).toMatchObject({ workflowId: 'wf', failure: 'no' });
  });

  it('get the history a cold thread asks for', async () => {
    const { connection, threads } = await startEngine();
    connection.manual.add('getWorkflowTaskHistory');
    connection.push('workflowTask', workflowTask('t'));
    threads.last.say({ type: 'needHistory', token: bytes('t'), fromEventId: 1 });
    await settle();
    const page = { events: [encode([])], firstEventId: 1, nextEventId: 5 };
    connection.last('getWorkflowTaskHistory').resolve(page);
    await settle();
    expect(threads.last.of('history')).toMatchObject([{ token: bytes('t'), firstEventId: 1, nextEventId: 5 }]);
    threads.last.say({ type: 'needHistory', token: bytes('t'), fromEventId: 5 });
    connection.last('getWorkflowTaskHistory').reject(notFound);
    await settle();
    expect(threads.last.of('historyFailed')).toMatchObject([{ token: bytes('t') }]);
  });

  it('are answered when their history cannot be had, so that the next task of the run is worked on', async () => {
    const { connection, threads } = await startEngine();
    connection.manual.add('getWorkflowTaskHistory').add('respondWorkflowTaskFailed');
    connection.push('workflowTask', workflowTask('t'));
    connection.push('workflowTask', workflowTask('next'));
    threads.last.say({ type: 'needHistory', token: bytes('t'), fromEventId: 1 });
    await settle();
    connection.last('getWorkflowTaskHistory').reject(notFound);
    await settle();
    expect(connection.last('respondWorkflowTaskFailed').body).toMatchObject({ token: bytes('t'), credit: 1 });
    connection.last('respondWorkflowTaskFailed').reject(notFound);
    await settle();
    expect(threads.last.of('task').map(({ task }) => task.token)).toEqual([bytes('t'), bytes('next')]);
  });

  it('answer direct queries without evicting anything when the query is gone', async () => {
    const { connection, threads } = await startEngine();
    connection.manual.add('respondQueryTaskCompleted');
    connection.push('workflowTask', workflowTask('q', { query: { queryType: 'state' } }));
    threads.last.say({ type: 'queryAnswered', token: bytes('q'), result: { answer: { payloads: [] } } });
    connection.last('respondQueryTaskCompleted').reject(notFound);
    await settle();
    expect(threads.last.of('evict')).toEqual([]);
    expect(connection.last('respondQueryTaskCompleted').body.credit).toBe(1);
  });

  it('that fail are told of in the log as the code said it, though the server is told nothing', async () => {
    const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
    const dataConverter = { ...defaultDataConverter, failureConverter };
    const { connection, threads, logs } = await startEngine({}, dataConverter);
    connection.push('workflowTask', workflowTask('t'));
    const failure = failureConverter.errorToFailure(new Error('the reason'), defaultDataConverter.payloadConverter);
    const request = { token: bytes('t'), cause: WorkflowTaskFailedCause.WORKFLOW_WORKER_UNHANDLED_FAILURE, failure };
    threads.last.say({ type: 'failed', runId: 'run', request, sinkCalls: [] });
    await settle();
    expect(connection.last('respondWorkflowTaskFailed').body.failure?.message).toBe('Encoded failure');
    expect(logs).toContainEqual(
      expect.objectContaining({
        message: 'A workflow task failed',
        meta: expect.objectContaining({ failure: 'the reason', cause: 'WORKFLOW_WORKER_UNHANDLED_FAILURE' }),
      }),
    );
  });

  it('have their payloads decoded by the codecs on the way in and encoded on the way out', async () => {
    const add = (by: number) => async (payloads: { data?: Uint8Array | undefined }[]) =>
      payloads.map((payload) => ({ ...payload, data: payload.data?.map((byte) => byte + by) }));
    const payloadCodecs = [{ encode: add(1), decode: add(-1) }];
    const { connection, threads } = await startEngine({}, { ...defaultDataConverter, payloadCodecs });
    const payload = (byte: number) => ({ metadata: { encoding: bytes('binary/plain') }, data: new Uint8Array([byte]) });
    const event = {
      eventId: 1,
      attributes: { input: { payloads: [payload(8)] }, header: { fields: { h: payload(8) } } },
    };
    connection.push('workflowTask', workflowTask('t', { history: [encode([event])] }));
    await vi.waitFor(() => expect(threads.last.of('task')).toHaveLength(1));
    const received = decode(threads.last.of('task')[0]?.task.history[0] ?? bytes(''));
    expect(received).toMatchObject([{ attributes: { input: { payloads: [{ data: new Uint8Array([7]) }] } } }]);
    expect(received).toMatchObject([{ attributes: { header: { fields: { h: { data: new Uint8Array([8]) } } } } }]);
    const queryResults = { id: { answer: { payloads: [payload(7)] } } };
    const request = { token: bytes('t'), commands: [], sticky: true, queryResults };
    threads.last.say({ type: 'completed', runId: 'run', request, sinkCalls: [] });
    await vi.waitFor(() => connection.last('respondWorkflowTaskCompleted'));
    const { body } = connection.last('respondWorkflowTaskCompleted');
    expect(body.queryResults?.id?.answer?.payloads?.[0]?.data).toEqual(new Uint8Array([8]));
  });
});

describe('a task pushed ahead of its entry (I1)', () => {
  it('starts its local activities only once the entry is durable', async () => {
    const act = vi.fn(async () => 'done');
    const { connection, threads } = await startEngine({ activities: { act } });
    connection.push('workflowTask', workflowTask('t', { ahead: true }));
    threads.last.say({ type: 'startLocalActivities', token: bytes('t'), tasks: [localTask] });
    await settle();
    expect(act).not.toHaveBeenCalled();
    connection.push('durable', { tokens: [bytes('t')] });
    await settle();
    expect(act).toHaveBeenCalledOnce();
    expect(threads.last.of('localActivityResolved')).toMatchObject([
      { seq: 1, result: { kind: 'completed', attempt: 1 } },
    ]);
  });

  it('never starts a local activity that was cancelled before', async () => {
    const act = vi.fn(async () => 'done');
    const { connection, threads } = await startEngine({ activities: { act } });
    connection.push('workflowTask', workflowTask('t', { ahead: true }));
    threads.last.say(
      { type: 'startLocalActivities', token: bytes('t'), tasks: [localTask] },
      { type: 'cancelLocalActivity', runId: 'run', seq: 1 },
    );
    connection.push('durable', { tokens: [bytes('t')] });
    await settle();
    expect(act).not.toHaveBeenCalled();
    expect(threads.last.of('localActivityResolved')).toMatchObject([{ result: { kind: 'cancelled' } }]);
  });

  it('that is over for the server is dropped: what it held back never runs, and the next task of its run is worked on', async () => {
    const act = vi.fn(async () => 'done');
    const { connection, threads } = await startEngine({ activities: { act } });
    connection.push('workflowTask', workflowTask('lost', { ahead: true }));
    connection.push('workflowTask', workflowTask('again'));
    await settle();
    threads.last.say({ type: 'startLocalActivities', token: bytes('lost'), tasks: [localTask] });
    connection.push('durable', { tokens: [], over: [bytes('lost'), bytes('unknown')] });
    await settle();
    expect(threads.last.received.map(({ type }) => type)).toEqual(['task', 'evict', 'task']);
    expect(act).not.toHaveBeenCalled();
    expect(connection.last('grantCredit').body).toMatchObject({ workflow: 1 });
    // One that is answered already hears it from its answer.
    connection.manual.add('respondWorkflowTaskCompleted');
    threads.last.say(completed('again'));
    connection.push('durable', { tokens: [], over: [bytes('again')] });
    await settle();
    expect(connection.of('grantCredit')).toHaveLength(1);
  });

  it('calls its sinks when the answer is taken, and never when it is refused', async () => {
    const fn = vi.fn();
    const { connection, threads } = await startEngine({ sinks: { sink: { call: { fn } } } });
    connection.manual.add('respondWorkflowTaskCompleted');
    for (const token of ['a', 'b']) {
      connection.push('workflowTask', workflowTask(token, { ahead: true }));
      await settle();
      threads.last.say({ ...completed(token), sinkCalls: [sinkCall] } as Parameters<typeof threads.last.say>[0]);
      expect(fn).toHaveBeenCalledTimes(token === 'a' ? 0 : 1);
      if (token === 'a') connection.last('respondWorkflowTaskCompleted').resolve({});
      else connection.last('respondWorkflowTaskCompleted').reject(notFound);
      await settle();
    }
    expect(fn).toHaveBeenCalledTimes(1);
    expect(fn).toHaveBeenCalledWith(expect.objectContaining({ workflowId: 'wf', runId: 'run' }), 1);
  });
});

describe('local activities', () => {
  it('make their task ask for another when 80 % of its time are over', async () => {
    vi.useFakeTimers();
    const { connection, threads } = await startEngine({ activities: { act: () => new Promise(() => {}) } });
    connection.push('workflowTask', workflowTask('t'));
    threads.last.say({ type: 'startLocalActivities', token: bytes('t'), tasks: [localTask] });
    await vi.advanceTimersByTimeAsync(1590);
    expect(threads.last.of('heartbeatDue')).toEqual([]);
    await vi.advanceTimersByTimeAsync(20);
    expect(threads.last.of('heartbeatDue')).toEqual([{ type: 'heartbeatDue', token: bytes('t') }]);
    // The task after it watches over the same, still running, local activity.
    threads.last.say(completed('t'));
    await settle();
    connection.push('workflowTask', workflowTask('u'));
    await vi.advanceTimersByTimeAsync(1620);
    expect(threads.last.of('heartbeatDue')).toHaveLength(2);
  });
});

describe('a workflow thread', () => {
  it('that is busy for over a second is replaced: its run fails the task, its other runs go to the new thread', async () => {
    vi.useFakeTimers({
      toFake: ['setTimeout', 'setInterval', 'clearInterval', 'clearTimeout', 'setImmediate', 'performance'],
    });
    const { connection, threads } = await startEngine();
    connection.push('workflowTask', workflowTask('a', { runId: 'loops', workflowId: 'looping' }));
    connection.push('workflowTask', workflowTask('b', { runId: 'fine' }));
    await settle();
    const first = threads.last;
    first.say({ type: 'busy', runId: 'loops', workflowId: 'looping' });
    await vi.advanceTimersByTimeAsync(900);
    expect(first.terminated).toBe(false);
    await vi.advanceTimersByTimeAsync(700);
    expect(first.terminated).toBe(true);
    expect(connection.last('respondWorkflowTaskFailed').body).toMatchObject({
      token: bytes('a'),
      cause: WorkflowTaskFailedCause.WORKFLOW_WORKER_UNHANDLED_FAILURE,
      failure: {
        message: '[TMPRL1101] Potential deadlock detected: workflow looping has been running synchronously for over 1s',
        applicationFailureInfo: { type: 'DeadlockError' },
      },
    });
    expect(threads.all).toHaveLength(2);
    expect(threads.last.of('task').map(({ task }) => task.runId)).toEqual(['fine']);
    first.say(completed('b', { runId: 'fine' }));
    expect(connection.of('respondWorkflowTaskCompleted')).toHaveLength(0);
    threads.last.say(completed('b', { runId: 'fine' }));
    expect(connection.of('respondWorkflowTaskCompleted')).toHaveLength(1);
  });

  it('that converts large values is left alone while it gets no processor, up to five times the limit', async () => {
    vi.useFakeTimers();
    const { connection, threads } = await startEngine();
    connection.push('workflowTask', workflowTask('a'));
    await vi.advanceTimersByTimeAsync(0);
    threads.last.cpuShare = 0.1;
    threads.last.say({ type: 'busy', runId: 'run', workflowId: 'wf', values: 'large' });
    await vi.advanceTimersByTimeAsync(4_500);
    expect(threads.all).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1_500);
    expect(threads.all).toHaveLength(2);
  });

  it('is left alone while it yields, and in debug mode', async () => {
    vi.useFakeTimers();
    for (const options of [{}, { debugMode: true }]) {
      const { connection, threads } = await startEngine(options);
      connection.push('workflowTask', workflowTask('a'));
      threads.last.say({ type: 'busy', runId: 'run', workflowId: 'wf' });
      if (!('debugMode' in options)) threads.last.say({ type: 'idle' });
      await vi.advanceTimersByTimeAsync(5000);
      expect(threads.all).toHaveLength(1);
    }
  });

  it('that is replaced again and again costs the runs that are not to blame nothing but time', async () => {
    vi.useFakeTimers({
      toFake: ['setTimeout', 'setInterval', 'clearInterval', 'clearTimeout', 'setImmediate', 'performance'],
    });
    const { connection, threads } = await startEngine();
    // Behind it waits the run's next task; its own has a timeout of 10 s, since it does not say.
    const patient = { runId: 'fine', history: [] };
    connection.push('workflowTask', workflowTask('b', patient));
    connection.push('workflowTask', workflowTask('c', patient));
    const deadlock = async (i: number): Promise<void> => {
      connection.push('workflowTask', workflowTask(`loop ${i}`, { runId: 'loops', workflowId: 'looping' }));
      await vi.advanceTimersByTimeAsync(1);
      threads.last.say({ type: 'busy', runId: 'loops', workflowId: 'looping' });
      await vi.advanceTimersByTimeAsync(1_600);
    };
    for (let i = 0; i < 5; i++) await deadlock(i);
    expect(threads.all).toHaveLength(6);
    expect(threads.last.of('task').map(({ task }) => task.token)).toEqual([bytes('b')]);
    // Once its timeout has passed the server gives it out again by itself: the task is dropped, and what came after it is worked on.
    for (let i = 5; i < 7; i++) await deadlock(i);
    expect(threads.last.of('task').map(({ task }) => task.token)).toEqual([bytes('c')]);
    const failed = connection.of('respondWorkflowTaskFailed').map(({ body }) => new TextDecoder().decode(body.token));
    expect(failed.filter((token) => !token.startsWith('loop'))).toEqual([]);
    expect(connection.of('grantCredit').map(({ body }) => body.workflow)).toEqual([1]);
  });

  it('that dies is replaced, and a task that kills each thread it gets is failed in the end', async () => {
    const { connection, threads } = await startEngine();
    connection.push('workflowTask', workflowTask('a'));
    await settle();
    for (let i = 0; i < 3; i++) {
      threads.last.die('out of memory');
      await settle();
    }
    expect(threads.all).toHaveLength(4);
    expect(connection.last('respondWorkflowTaskFailed').body.failure?.message).toContain('out of memory');
  });

  it('that does not even start is fatal', async () => {
    const { threads, fatal, connection } = await startEngine();
    connection.push('workflowTask', workflowTask('a'));
    threads.last.die('first');
    threads.last.die('second');
    expect(fatal).toMatchObject([{ name: 'UnexpectedError' }]);
  });
});
