import { afterEach, describe, expect, it, vi } from 'vitest';
import { Context } from '../activity/context.ts';
import { CompleteAsyncError } from '../common/errors.ts';
import { ApplicationFailure, CancelledFailure } from '../common/failure.ts';
import { defaultPayloadConverter, toPayloadsMessage } from '../common/payload-converter.ts';
import { currentExecution } from './activity-execution.ts';
import { activityTask, bytes, notFound, settle, startEngine } from './fakes.test-support.ts';

afterEach(() => {
  vi.useRealTimers();
});

const payloads = (...values: unknown[]) => toPayloadsMessage(defaultPayloadConverter, values);
const untilCancelled = () => Context.current().cancelled;

function start(activities: object, options = {}) {
  return startEngine({ activities, ...options });
}

describe('an activity', () => {
  it('is called with its arguments and context, and answered with its result', async () => {
    const { connection } = await start({
      act: async (a: number, b: string) => `${a}${b}${Context.current().info.attempt}`,
    });
    connection.push('activityTask', activityTask('t', { input: payloads(1, 'x'), attempt: 3 }));
    await settle();
    expect(connection.last('respondActivityTaskCompleted').body).toEqual({
      target: { token: bytes('t') },
      identity: 'me',
      result: payloads('1x3'),
      credit: 1,
    });
  });

  it("that someone else completes stays the worker's over a reconnect, until its attempt is over", async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    let calls = 0;
    const { connection } = await start({
      act: async () => {
        calls++;
        throw new CompleteAsyncError();
      },
    });
    connection.push('activityTask', activityTask('t', { startToCloseTimeout: 60_000 }));
    await settle();
    connection.reconnect();
    await settle();
    // What is not listed is sent again.
    expect(connection.last('registerWorker').body).toMatchObject({ heldTokens: [bytes('t')], activityCredit: 100 });
    connection.push('activityTask', activityTask('t', { startToCloseTimeout: 60_000 }));
    await settle();
    expect(calls).toBe(1);
    vi.advanceTimersByTime(60_000);
    connection.reconnect();
    await settle();
    expect(connection.last('registerWorker').body.heldTokens).toEqual([]);
  });

  it('that is not registered fails with the names that are, and may be retried', async () => {
    const { connection } = await start({ echo: async () => {}, fail: async () => {} });
    connection.push('activityTask', activityTask('t', { activityType: 'nobodyKnowsMe' }));
    await settle();
    const { failure } = connection.last('respondActivityTaskFailed').body;
    expect(failure.message).toBe(
      'Activity function nobodyKnowsMe is not registered on this Worker, available activities: ["echo","fail"]',
    );
    expect(failure.source).toBe('TypeScriptSDK');
    expect(failure.applicationFailureInfo).toMatchObject({ type: 'NotFoundError', nonRetryable: false });
  });

  it('falls back on the activity named default', async () => {
    const { connection } = await start({ default: async () => Context.current().info.activityType });
    connection.push('activityTask', activityTask('t', { activityType: 'other' }));
    await settle();
    expect(connection.last('respondActivityTaskCompleted').body.result).toEqual(payloads('other'));
  });

  it.each([
    [
      'a plain error by its class',
      () => Promise.reject(new RangeError('r')),
      { type: 'RangeError', nonRetryable: false },
    ],
    [
      'an ApplicationFailure as it is',
      () => Promise.reject(ApplicationFailure.nonRetryable('r', 'T')),
      { type: 'T', nonRetryable: true },
    ],
    ['a cancellation nobody asked for', () => Promise.reject(new CancelledFailure('r')), { type: 'CancelledFailure' }],
    [
      'an error thrown before the first await',
      () => {
        throw new TypeError('r');
      },
      { type: 'TypeError' },
    ],
  ])('fails with %s', async (_name, act, info) => {
    const { connection } = await start({ act });
    connection.push('activityTask', activityTask('t'));
    await settle();
    const { failure } = connection.last('respondActivityTaskFailed').body;
    expect(failure).toMatchObject({ message: 'r', applicationFailureInfo: info });
  });

  it('that completes asynchronously is not answered, and its slot is granted again', async () => {
    const { connection } = await start({ act: () => Promise.reject(new CompleteAsyncError()) });
    connection.push('activityTask', activityTask('t'));
    await settle();
    expect(connection.sent.map((r) => r.method)).toEqual(['registerWorker', 'grantCredit']);
  });

  it('fails its attempt with an error thrown in a callback', async () => {
    let execution: ReturnType<typeof currentExecution>;
    const { connection } = await start({
      act: () => {
        execution = currentExecution();
        return new Promise(() => {});
      },
    });
    connection.push('activityTask', activityTask('t'));
    execution?.fail(new Error('in a timer'));
    await settle();
    expect(connection.last('respondActivityTaskFailed').body.failure.message).toBe('in a timer');
  });

  it('runs inside the interceptors, first to last', async () => {
    const order: string[] = [];
    const interceptor = (name: string) => () => ({
      inbound: {
        execute: async (input: { args: unknown[] }, next: (input: never) => Promise<unknown>) => {
          order.push(name);
          return `${name}(${await next({ ...input, args: [name] } as never)})`;
        },
      },
    });
    const { connection } = await start(
      { act: async (from: string) => from },
      { interceptors: { activity: [interceptor('a'), interceptor('b')] } },
    );
    connection.push('activityTask', activityTask('t'));
    await settle();
    expect(order).toEqual(['a', 'b']);
    expect(connection.last('respondActivityTaskCompleted').body.result).toEqual(payloads('a(b(b))'));
  });
});

describe('a cancelled activity', () => {
  it('answers as cancelled when cancellation was requested and it lets it happen', async () => {
    const { connection } = await start({ act: untilCancelled });
    connection.push('activityTask', activityTask('t'));
    connection.push('cancelActivity', { token: bytes('t'), reason: 'cancelRequested' });
    await settle();
    expect(connection.last('respondActivityTaskCanceled').body).toMatchObject({ identity: 'me', credit: 1 });
  });

  it('answers with its result when it completes all the same', async () => {
    const { connection } = await start({ act: () => untilCancelled().catch(() => 'cleaned up') });
    connection.push('activityTask', activityTask('t'));
    connection.push('cancelActivity', { token: bytes('t'), reason: 'cancelRequested' });
    await settle();
    expect(connection.last('respondActivityTaskCompleted').body.result).toEqual(payloads('cleaned up'));
  });

  it('is not answered when the server has closed the attempt, and gives its credit back', async () => {
    const { connection } = await start({ act: untilCancelled });
    for (const reason of ['notFound', 'timedOut'] as const) {
      connection.push('activityTask', activityTask(reason));
      connection.push('cancelActivity', { token: bytes(reason), reason });
      await settle();
    }
    expect(connection.sent.map((r) => r.method)).toEqual(['registerWorker', 'grantCredit', 'grantCredit']);
  });

  it('learns of its cancellation from the answer to a heartbeat', async () => {
    const { connection } = await start({
      act: () => {
        Context.current().heartbeat(1);
        return untilCancelled();
      },
    });
    connection.manual.add('recordActivityTaskHeartbeat');
    connection.push('activityTask', activityTask('t'));
    await settle();
    connection
      .last('recordActivityTaskHeartbeat')
      .resolve({ cancelRequested: true, activityPaused: false, activityReset: false });
    await settle();
    expect(connection.of('respondActivityTaskCanceled')).toHaveLength(1);
    connection.push('activityTask', activityTask('u'));
    await settle();
    connection.last('recordActivityTaskHeartbeat').reject(notFound);
    await settle();
    expect(connection.of('respondActivityTaskCanceled')).toHaveLength(1);
    expect(connection.of('grantCredit')).toHaveLength(1);
  });
});

describe('an activity that is paused or reset', () => {
  it.each([
    ['paused', { activityPaused: true, activityReset: false }, 'Activity paused', 'ActivityPause'],
    ['reset', { activityPaused: false, activityReset: true }, 'Activity reset', 'ActivityReset'],
  ] as const)(
    '%s: is told by its heartbeat, and fails so that the server decides what follows',
    async (what, answer, message, type) => {
      let details: unknown;
      const { connection } = await start({
        act: async () => {
          Context.current().heartbeat(1);
          await untilCancelled().finally(() => {
            details = Context.current().cancellationDetails;
          });
        },
      });
      connection.manual.add('recordActivityTaskHeartbeat');
      connection.push('activityTask', activityTask('t'));
      await settle();
      connection.last('recordActivityTaskHeartbeat').resolve({ cancelRequested: false, ...answer });
      await settle();
      expect(details).toMatchObject({ cancelRequested: false, [what]: true });
      expect(connection.last('respondActivityTaskFailed').body.failure).toMatchObject({
        message,
        applicationFailureInfo: { type },
      });
    },
  );
});

describe('heartbeats', () => {
  it('go out at once, then once per 80 % of the timeout with the latest details', async () => {
    vi.useFakeTimers();
    let context: Context | undefined;
    const { connection } = await start({
      act: () => {
        context = Context.current();
        return new Promise(() => {});
      },
    });
    connection.push('activityTask', activityTask('t', { heartbeatTimeout: 1000 }));
    for (let i = 1; i <= 5; i++) context?.heartbeat(i);
    await vi.advanceTimersByTimeAsync(790);
    const sent = () => connection.of('recordActivityTaskHeartbeat').map((r) => r.body.details);
    expect(sent()).toEqual([payloads(1)]);
    await vi.advanceTimersByTimeAsync(20);
    expect(sent()).toEqual([payloads(1), payloads(5)]);
    await vi.advanceTimersByTimeAsync(5000);
    expect(sent()).toHaveLength(2);
  });

  it('not sent yet go with the failure', async () => {
    const { connection } = await start({
      act: async () => {
        Context.current().heartbeat('a');
        Context.current().heartbeat('b');
        throw new Error('no');
      },
    });
    connection.push('activityTask', activityTask('t', { heartbeatTimeout: 1000 }));
    await settle();
    expect(connection.last('respondActivityTaskFailed').body.lastHeartbeatDetails).toEqual(payloads('b'));
  });
});

describe('a worker that stops', () => {
  it('cancels its activities after the grace time; those that confirm fail retryably', async () => {
    vi.useFakeTimers();
    const { connection, engine } = await start({ act: untilCancelled }, { shutdownGraceTime: 500 });
    connection.push('activityTask', activityTask('t'));
    const stopped = engine.stop(() => {});
    await vi.advanceTimersByTimeAsync(490);
    expect(connection.of('unregisterWorker')).toHaveLength(1);
    expect(connection.of('respondActivityTaskFailed')).toEqual([]);
    await vi.advanceTimersByTimeAsync(20);
    await stopped;
    expect(connection.last('respondActivityTaskFailed').body).toMatchObject({
      failure: { applicationFailureInfo: { type: 'WorkerShutdown' } },
      credit: 0,
    });
  });

  it('lets activities end that take less than the grace time', async () => {
    let end: (value: string) => void = () => {};
    const act = () =>
      new Promise((resolve) => {
        end = resolve;
      });
    const { connection, engine } = await start({ act }, { shutdownGraceTime: '1 minute' });
    connection.push('activityTask', activityTask('t'));
    const stopped = engine.stop(() => {});
    await settle();
    end('in time');
    await stopped;
    expect(connection.last('respondActivityTaskCompleted').body.result).toEqual(payloads('in time'));
  });
});
