import { describe, expect, it } from 'vitest';
import { encode } from '../../src/wire/codec.ts';
import type { Payload } from '../../src/wire/common.ts';
import { WorkflowExecutionStatus } from '../../src/wire/enums.ts';
import { StatusCode } from '../../src/wire/status.ts';
import { decodeUtf8, defaultPayloadConverter, encodeUtf8, type PayloadCodec } from '../common/index.ts';
import { completed, payloads, setUp, started, target, values } from './client.test-support.ts';
import {
  type Client,
  type ScheduleClientInterceptor,
  WithStartWorkflowOperation,
  type WorkflowClientInterceptor,
} from './index.ts';

describe('start', () => {
  it('says all that the options say', async () => {
    const { client, server, run } = setUp({ startWorkflowExecution: started });
    const handle = await run(
      client.workflow.start('order', {
        ...target,
        args: [{ item: 'tea' }, 2],
        workflowExecutionTimeout: '1 hour',
        workflowRunTimeout: '30m',
        workflowTaskTimeout: 5_000,
        startDelay: '2s',
        retry: { maximumAttempts: 3 },
        memo: { note: 'n' },
        searchAttributes: { Customer: ['c'] },
        staticSummary: 'An order',
        priority: { priorityKey: 1 },
        workflowIdReusePolicy: 'REJECT_DUPLICATE',
        workflowIdConflictPolicy: 'USE_EXISTING',
        cronSchedule: '* * * * *',
      }),
    );
    expect(handle).toMatchObject({ workflowId: 'order-1', firstExecutionRunId: 'run-1', eagerlyStarted: false });
    const { body } = server.last;
    expect(body).toMatchObject({
      namespace: 'ns',
      workflowId: 'order-1',
      workflowType: 'order',
      taskQueue: 'orders',
      identity: 'me',
      workflowExecutionTimeout: 3_600_000,
      workflowRunTimeout: 1_800_000,
      workflowTaskTimeout: 5_000,
      workflowStartDelay: 2_000,
      retryPolicy: { maximumAttempts: 3, initialInterval: 1_000 },
      priority: { priorityKey: 1 },
      workflowIdReusePolicy: 3,
      workflowIdConflictPolicy: 2,
      cronSchedule: '* * * * *',
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect(values(body.input)).toEqual([{ item: 'tea' }, 2]);
    expect(body.header).toBeUndefined();
  });

  it('keeps its request id over a reconnect, so that nothing starts twice', async () => {
    let calls = 0;
    const { client, server, run } = setUp({
      startWorkflowExecution: (_body, { link }) => {
        if (calls++ > 0) return started();
        link.drop();
        return undefined;
      },
    });
    await run(client.workflow.start('order', target));
    expect(server.requests.map(({ body }) => body.requestId)).toEqual([
      server.last.body.requestId,
      server.last.body.requestId,
    ]);
  });

  it.each([
    [{ ...target, workflowId: '' }, /workflowId is required/],
    [{ workflowId: 'w' } as typeof target, /taskQueue is required/],
    [{ ...target, startDelay: -1 }, /startDelay must not be negative/],
    [{ ...target, retry: { maximumAttempts: -1 } }, /maximumAttempts/],
  ])('refuses %j before anything is sent', async (options, message) => {
    const { client, server, fails } = setUp({});
    expect(String(await fails(client.workflow.start('order', options)))).toMatch(message);
    expect(server.requests).toEqual([]);
  });

  it.each([
    [{ code: StatusCode.ALREADY_EXISTS, message: 'taken' }, 'WorkflowExecutionAlreadyStartedError', /already started/],
    [
      { code: StatusCode.NOT_FOUND, message: 'x', detail: { kind: 'NamespaceNotFound', namespace: 'ns' } },
      'NamespaceNotFoundError',
      /'ns'/,
    ],
    [{ code: StatusCode.INVALID_ARGUMENT, message: 'bad' }, 'ServiceError', /Failed to start workflow 'order-1': bad/],
  ])('%j rejects with %s', async (status, name, message) => {
    const { client, fails } = setUp({ startWorkflowExecution: () => status });
    const error = await fails(client.workflow.start('order', target));
    expect(error).toMatchObject({ name, message: expect.stringMatching(message) });
  });
});

describe('a handle', () => {
  const ok = () => ({});

  it('from start reaches the current run, but only of its chain', async () => {
    const { client, server, run } = setUp({
      startWorkflowExecution: started,
      signalWorkflowExecution: ok,
      requestCancelWorkflowExecution: ok,
      terminateWorkflowExecution: ok,
    });
    const handle = await run(client.workflow.start('order', target));
    await run(handle.signal('approve', 'alice'));
    expect(server.last.body).toMatchObject({ workflowId: 'order-1', signalName: 'approve' });
    expect(server.last.body.runId).toBeUndefined();
    expect(values(server.last.body.input)).toEqual(['alice']);
    await run(handle.cancel());
    expect(server.last.body).toMatchObject({ workflowId: 'order-1', firstExecutionRunId: 'run-1' });
    await run(handle.terminate('enough'));
    expect(server.last.body).toMatchObject({ reason: 'enough', firstExecutionRunId: 'run-1' });
  });

  it('queries, and says what went wrong', async () => {
    let answer: unknown = { queryResult: payloads('shipped') };
    const { client, server, run, fails } = setUp(
      { queryWorkflow: () => answer },
      { workflow: { queryRejectCondition: 'NOT_OPEN' } },
    );
    const handle = client.workflow.getHandle('order-1', 'run-7');
    expect(await run(handle.query('status', 1))).toBe('shipped');
    expect(server.last.body).toMatchObject({ queryType: 'status', runId: 'run-7', queryRejectCondition: 2 });
    answer = { queryRejected: { status: WorkflowExecutionStatus.COMPLETED } };
    expect(await fails(handle.query('status'))).toMatchObject({ name: 'QueryRejectedError', status: 2 });
    answer = {
      code: StatusCode.INVALID_ARGUMENT,
      message: 'no handler',
      detail: { kind: 'QueryFailed', failure: { message: 'no handler', applicationFailureInfo: { type: 'X' } } },
    };
    expect(await fails(handle.query('status'))).toMatchObject({
      name: 'QueryNotRegisteredError',
      message: 'no handler',
      cause: { type: 'X' },
    });
  });

  it('describes with names, dates and values', async () => {
    const { client, run } = setUp({
      describeWorkflowExecution: () => ({
        executionConfig: { userMetadata: { summary: defaultPayloadConverter.toPayload('An order') } },
        workflowExecutionInfo: {
          workflowId: 'order-1',
          runId: 'run-1',
          workflowType: 'order',
          taskQueue: 'orders',
          status: WorkflowExecutionStatus.CANCELED,
          startTime: 1_000,
          executionTime: 2_000,
          closeTime: 3_000,
          historyLength: 12,
          historySizeBytes: 999,
          memo: { fields: { note: defaultPayloadConverter.toPayload('n') } },
          parentWorkflowId: 'parent',
          parentRunId: 'parent-run',
          firstRunId: 'run-1',
        },
        pendingActivities: [],
        pendingTimers: [],
        cancelRequested: true,
      }),
    });
    const description = await run(client.workflow.getHandle('order-1').describe());
    expect(description).toMatchObject({
      type: 'order',
      status: { code: 4, name: 'CANCELLED' },
      startTime: new Date(1_000),
      closeTime: new Date(3_000),
      memo: { note: 'n' },
      parentExecution: { workflowId: 'parent', runId: 'parent-run' },
      raw: { cancelRequested: true },
    });
    expect(await description.staticSummary()).toBe('An order');
    expect(await description.staticDetails()).toBeUndefined();
  });

  it('fetches a history page by page, of one run, without what a batch repeats', async () => {
    const event = (eventId: number) => ({
      eventId,
      eventTime: 0,
      eventType: 18,
      attributes: { timerId: 't', startedEventId: 1 },
    });
    const { client, server, run } = setUp({
      getWorkflowExecutionHistory: (body) =>
        body.fromEventId === 1
          ? { runId: 'run-1', events: [encode([event(1), event(2)])], nextEventId: 3, closed: false }
          : { runId: 'run-1', events: [encode([event(2), event(3)]), encode([event(4)])], closed: false },
    });
    const { events } = await run(client.workflow.getHandle('order-1').fetchHistory());
    expect(events.map(({ eventId }) => eventId)).toEqual([1, 2, 3, 4]);
    expect(server.last.body).toMatchObject({ runId: 'run-1', fromEventId: 3 });
  });
});

describe('signalWithStart, list and count', () => {
  it('signalWithStart sends both, and its handle awaits the run that got the signal', async () => {
    const { client, server, run } = setUp({
      signalWithStartWorkflowExecution: () => ({ ...started(), runId: 'run-5' }),
      awaitWorkflowResult: completed(1),
    });
    const handle = await run(
      client.workflow.signalWithStart('order', { ...target, args: [1], signal: 'add', signalArgs: [2, 3] }),
    );
    expect(handle.signaledRunId).toBe('run-5');
    expect(server.last.body).toMatchObject({ workflowType: 'order', signalName: 'add' });
    expect(values(server.last.body.signalInput)).toEqual([2, 3]);
    await run(handle.result());
    expect(server.last.body.runId).toBe('run-5');
  });

  const info = (workflowId: string) => ({
    workflowId,
    runId: `${workflowId}-run`,
    workflowType: 'order',
    taskQueue: 'q',
    status: 1,
    startTime: 0,
    executionTime: 0,
    historyLength: 1,
    historySizeBytes: 1,
    firstRunId: 'r',
  });
  const pages = (body: Record<string, unknown>) =>
    body.nextPageToken === undefined
      ? { executions: [info('a'), info('b')], nextPageToken: Uint8Array.of(7) }
      : { executions: [info('c')] };

  it('list asks for the next page only when it is wanted', async () => {
    const { client, server, run } = setUp({ listWorkflowExecutions: pages });
    const iterator = client.workflow.list({ query: "WorkflowType = 'order'", pageSize: 2 })[Symbol.asyncIterator]();
    const ids: (string | undefined)[] = [];
    for (let i = 0; i < 2; i++) ids.push((await run(iterator.next())).value?.workflowId);
    expect(server.requests).toHaveLength(1);
    ids.push((await run(iterator.next())).value?.workflowId);
    expect((await run(iterator.next())).done).toBe(true);
    expect(ids).toEqual(['a', 'b', 'c']);
    expect(server.requests.map(({ body }) => body.query)).toEqual(["WorkflowType = 'order'", "WorkflowType = 'order'"]);
  });

  it('intoHistories gives the history of each', async () => {
    const { client, run } = setUp({
      listWorkflowExecutions: pages,
      getWorkflowExecutionHistory: (body) => ({ runId: body.runId, events: [], closed: true }),
    });
    const seen: string[] = [];
    await run(
      (async () => {
        for await (const { workflowId } of client.workflow.list().intoHistories({ concurrency: 2 }))
          seen.push(workflowId);
      })(),
    );
    expect(seen.sort()).toEqual(['a', 'b', 'c']);
  });

  it('count counts, in groups too; a filter that cannot be parsed is a ServiceError', async () => {
    let answer: unknown = { count: 3, groups: [{ groupValues: ['Running'], count: 3 }] };
    const { client, run, fails } = setUp({ countWorkflowExecutions: () => answer });
    expect(await run(client.workflow.count())).toEqual({
      count: 3,
      groups: [{ groupValues: [['Running']], count: 3 }],
    });
    answer = { code: StatusCode.INVALID_ARGUMENT, message: "unexpected ')' at 7" };
    expect(await fails(client.workflow.count('('))).toMatchObject({
      message: "Failed to count workflows: unexpected ')' at 7",
    });
  });
});

describe('interceptors', () => {
  it('of schedules see what is created, outermost first, and give its action headers', async () => {
    const seen: string[] = [];
    const tracing = (name: string): ScheduleClientInterceptor => ({
      async create({ options, headers }, next) {
        seen.push(`${name} ${options.scheduleId} ${options.action.workflowType}`);
        return await next({ options, headers: { ...headers, [name]: defaultPayloadConverter.toPayload(name) } });
      },
    });
    const { client, run, server } = setUp(
      { createSchedule: () => ({ conflictToken: new Uint8Array([1]) }) },
      { interceptors: { schedule: [tracing('a'), tracing('b')] } },
    );
    const action = { type: 'startWorkflow', workflowType: 'report', taskQueue: 'q', args: [] } as const;
    const handle = await run(client.schedule.create({ scheduleId: 'nightly', spec: {}, action }));
    expect(handle.scheduleId).toBe('nightly');
    expect(seen).toEqual(['a nightly report', 'b nightly report']);
    const { body } = server.requests.find(({ method }) => method === 'createSchedule') ?? {};
    expect(body).toMatchObject({ schedule: { action: { startWorkflow: { header: { fields: { a: {}, b: {} } } } } } });
  });

  it('wrap calls, first outermost, and may change what goes out and comes back', async () => {
    const log: string[] = [];
    const tracing = (name: string): WorkflowClientInterceptor => ({
      async startWithDetails(input, next) {
        log.push(`${name} in`);
        const headers = { ...input.headers, [name]: defaultPayloadConverter.toPayload(name) };
        const output = await next({ ...input, headers });
        log.push(`${name} out`);
        return output;
      },
      async query(input, next) {
        return `${name}(${await next(input)})`;
      },
    });
    const older: WorkflowClientInterceptor = {
      async start(input, next) {
        log.push('older');
        return await next(input);
      },
    };
    const { client, server, run } = setUp(
      { startWorkflowExecution: started, queryWorkflow: () => ({ queryResult: payloads('x') }) },
      { interceptors: { workflow: [tracing('a'), older, tracing('b')] } },
    );
    const handle = await run(client.workflow.start('order', target));
    expect(log).toEqual(['a in', 'older', 'b in', 'b out', 'a out']);
    expect(Object.keys((server.last.body.header as { fields: object }).fields)).toEqual(['a', 'b']);
    expect(handle.firstExecutionRunId).toBe('run-1');
    expect(await run(handle.query('q'))).toBe('a(b(x))');
  });
});

describe('payload codecs', () => {
  const rot: PayloadCodec = {
    encode: async (list) => list.map(() => ({ metadata: { encoding: encodeUtf8('rot') }, data: encodeUtf8('secret') })),
    decode: async (list) => list.map(() => defaultPayloadConverter.toPayload('decoded')),
  };

  it('encode what leaves and decode what comes', async () => {
    const { client, server, run } = setUp(
      { startWorkflowExecution: started, awaitWorkflowResult: completed('x') },
      { dataConverter: { payloadCodecs: [rot] } },
    );
    expect(await run(client.workflow.execute('order', { ...target, args: ['a'], memo: { m: 1 } }))).toBe('decoded');
    const { input, memo } = (server.requests[0]?.body ?? {}) as {
      input: { payloads: Payload[] };
      memo: { fields: { m: Payload } };
    };
    expect(decodeUtf8(input.payloads[0]?.data ?? new Uint8Array())).toBe('secret');
    expect(decodeUtf8(memo.fields.m.data ?? new Uint8Array())).toBe('secret');
  });
});

describe('activities completed from outside', () => {
  const token = Uint8Array.of(1, 2, 3);
  const byId = { workflowId: 'w', activityId: 'a' };

  it('by token and by ids', async () => {
    const ok = () => ({});
    const { client, server, run } = setUp({
      respondActivityTaskCompleted: ok,
      respondActivityTaskFailed: ok,
      respondActivityTaskCanceled: ok,
      recordActivityTaskHeartbeat: () => ({ cancelRequested: false }),
    });
    await run(client.activity.complete(token, 'done'));
    expect(Buffer.from((server.last.body.target as { token: Uint8Array }).token)).toEqual(Buffer.from(token));
    expect(values(server.last.body.result)).toEqual(['done']);
    expect(server.last.body.credit).toBe(0);
    await run(client.activity.fail(byId, new RangeError('x')));
    expect(server.last.body).toMatchObject({
      target: { namespace: 'ns', ...byId },
      failure: { message: 'x', applicationFailureInfo: { type: 'RangeError' } },
    });
    await run(client.activity.reportCancellation(byId, 'why'));
    expect(values(server.last.body.details)).toEqual(['why']);
    await run(client.activity.heartbeat(byId, 5));
    expect(values(server.last.body.details)).toEqual([5]);
  });

  it('refusals are typed', async () => {
    let answer: unknown = { cancelRequested: true };
    const { client, fails } = setUp({ recordActivityTaskHeartbeat: () => answer });
    expect(await fails(client.activity.heartbeat(token))).toMatchObject({ name: 'ActivityCancelledError' });
    answer = { code: StatusCode.NOT_FOUND, message: 'gone' };
    expect(await fails(client.activity.heartbeat(token))).toMatchObject({
      name: 'ActivityNotFoundError',
      message: 'gone',
    });
    answer = { code: StatusCode.INVALID_ARGUMENT, message: 'bad token' };
    expect(await fails(client.activity.heartbeat(token))).toMatchObject({
      name: 'ActivityCompletionError',
      cause: { code: StatusCode.INVALID_ARGUMENT },
    });
  });
});

describe('a definition that is none', () => {
  // As JavaScript gives it, where an import was not there.
  const missing = undefined as unknown as string;
  const conflict = { workflowIdConflictPolicy: 'USE_EXISTING' } as const;
  it.each([
    [
      'signal',
      (client: Client) => client.workflow.getHandle('w').signal(missing),
      /A signal .*not by undefined: is it imported/,
    ],
    ['query', (client: Client) => client.workflow.getHandle('w').query(missing), /A query .*not by undefined/],
    [
      'executeUpdate',
      (client: Client) => client.workflow.getHandle('w').executeUpdate(missing),
      /An update .*defineUpdate\(\)/,
    ],
    ['an empty name', (client: Client) => client.workflow.getHandle('w').signal(''), /not by an empty text/],
    [
      'an object',
      (client: Client) => client.workflow.getHandle('w').signal({} as unknown as string),
      /not by an object without a name/,
    ],
    [
      'signalWithStart',
      (client: Client) => client.workflow.signalWithStart('order', { ...target, signal: missing }),
      /A signal/,
    ],
    [
      'startUpdateWithStart',
      (client: Client) =>
        client.workflow.executeUpdateWithStart(missing, {
          startWorkflowOperation: new WithStartWorkflowOperation('order', { ...target, ...conflict }),
        }),
      /An update/,
    ],
  ])('%s: says what was expected, and sends nothing', async (_what, call, message) => {
    const { client, server, fails } = setUp({});
    expect(String(await fails(call(client)))).toMatch(message);
    expect(server.requests).toEqual([]);
  });
});
