import { afterEach, describe, expect, it, vi } from 'vitest';
import { StatusCode } from '../../src/wire/status.ts';
import { makeLogger } from '../common/logger.ts';
import { RpcError } from '../connection/rpc-error.ts';
import type { AnswerOwner } from './answers.ts';
import {
  activityTask,
  bytes,
  FakeConnection,
  fixedLane,
  notFound,
  settle,
  workflowTask,
} from './fakes.test-support.ts';
import type { NodeSession } from './node-session.ts';
import { Session, type SessionHandlers, type SessionOptions } from './session.ts';

afterEach(() => {
  vi.useRealTimers();
  origins.clear();
});

/** Where each task came from, by its token. */
const origins = new Map<string, NodeSession>();
const noted = ({ token }: { token: Uint8Array }, from: NodeSession): void => {
  origins.set(Buffer.from(token).toString(), from);
};

function origin(token: string): NodeSession {
  const from = origins.get(token);
  if (from === undefined) throw new Error(`task ${token} was not pushed`);
  return from;
}

function owner(token = 'a'): AnswerOwner & { refusals: unknown[] } {
  const refusals: unknown[] = [];
  return {
    key: token,
    from: origin(token),
    refusals,
    answered: (refusal) => refusals.push(refusal),
    substitute: () => ({ method: 'respondActivityTaskFailed', body: { failure: { message: 'too large' } } }),
  };
}

async function open(options: Partial<SessionOptions> = {}, handlers: Partial<SessionHandlers> = {}) {
  const connection = new FakeConnection();
  const session = new Session(
    {
      connection,
      workerId: 'w',
      namespace: 'default',
      taskQueue: 'q',
      identity: 'me',
      buildId: 'b',
      stickyQueue: 'q-w',
      stickyScheduleToStartTimeout: 10_000,
      workflowLane: fixedLane(4),
      activityLane: fixedLane(10),
      maxActivitiesPerSecond: undefined,
      maxTaskQueueActivitiesPerSecond: undefined,
      logger: makeLogger(() => {}),
      ...options,
    },
    {
      workflowTask: noted,
      activityTask: noted,
      cancelActivity: () => {},
      durable: () => {},
      over: () => {},
      heldTokens: () => [],
      fatal: () => {},
      ...handlers,
    },
  );
  await session.start();
  return { connection, session };
}

function complete(session: Session, token = 'a', to: AnswerOwner = owner(token)): void {
  const request = { target: { token: bytes(token) }, identity: 'me' };
  session.answer('activity', 'respondActivityTaskCompleted', request, to);
}

describe('a session', () => {
  it('registers with its slots as credit, and each answer gives its own back', async () => {
    const { connection, session } = await open();
    expect(connection.last('registerWorker').body).toMatchObject({ workflowCredit: 4, activityCredit: 10 });
    connection.push('activityTask', activityTask('a'));
    expect(session.running('activity')).toBe(1);
    complete(session);
    expect(connection.last('respondActivityTaskCompleted').body.credit).toBe(1);
    expect(session.running('activity')).toBe(0);
  });

  it('ignores what is pushed to another worker of the same connection', async () => {
    const tasks: unknown[] = [];
    const { connection, session } = await open({}, { workflowTask: (task) => tasks.push(task) });
    connection.push('workflowTask', { ...workflowTask('t'), workerId: 'other' });
    expect(tasks).toEqual([]);
    expect(session.running('workflow')).toBe(0);
  });

  it('registers anew after a reconnect, with the tokens it holds and only its free slots', async () => {
    const { connection } = await open({}, { heldTokens: () => [bytes('a')] });
    connection.push('activityTask', activityTask('a'));
    connection.reconnect();
    await settle();
    expect(connection.last('registerWorker').body).toMatchObject({ activityCredit: 9, heldTokens: [bytes('a')] });
  });

  it('says once that it lost the server, and once that it is back', async () => {
    const logs: [level: string, message: string, meta: Record<string | symbol, unknown>][] = [];
    const logger = makeLogger((level, message, meta) => {
      if (level !== 'DEBUG') logs.push([level, message, meta]);
    });
    const { connection, session } = await open({ logger });
    // The link is about to go, then gone: one loss.
    connection.disconnect('the server is going away');
    connection.disconnect('the connection to ws://fake:7280 was lost');
    connection.reconnect();
    await settle();
    connection.disconnect('again');
    session.close();
    connection.disconnect('nobody minds any more');
    expect(logs.map(([level, message]) => [level, message.split(':')[0]])).toEqual([
      ['WARN', 'Lost the server'],
      ['INFO', 'The server is back'],
      ['WARN', 'Lost the server'],
    ]);
    const [lost, back] = logs.map(([, , meta]) => meta);
    expect(lost).toMatchObject({
      address: 'ws://fake:7280/',
      reason: 'the server is going away',
      retryEveryMs: '50 doubling to 5000',
    });
    expect(back).toMatchObject({ address: 'ws://fake:7280/', awayMs: expect.any(Number) });
  });

  it('sends an answer that got lost again after registering, with the credit left to the registration', async () => {
    const { connection, session } = await open();
    connection.manual.add('respondActivityTaskCompleted');
    connection.push('activityTask', activityTask('a'));
    const to = owner();
    complete(session, 'a', to);
    connection.reconnect();
    await settle();
    expect(connection.last('registerWorker').body.activityCredit).toBe(10);
    expect(connection.of('respondActivityTaskCompleted').map((r) => r.body.credit)).toEqual([1, 0]);
    connection.last('respondActivityTaskCompleted').resolve({});
    await settle();
    expect(to.refusals).toEqual([undefined]);
    expect(connection.of('registerWorker')).toHaveLength(2);
  });

  it('counts no credit of what comes late over a link that is being left, or before its registration is answered', async () => {
    const { connection, session } = await open();
    connection.push('activityTask', activityTask('a'), 'leaving');
    complete(session, 'a');
    connection.manual.add('registerWorker');
    connection.reconnect();
    connection.push('activityTask', activityTask('b'));
    connection.last('registerWorker').resolve({});
    await settle();
    complete(session, 'b');
    await settle();
    // The server has the 10 of the registration: one back would be 11.
    expect(connection.of('respondActivityTaskCompleted').map((r) => r.body.credit)).toEqual([0, 0]);
    expect(session.running('activity')).toBe(0);
  });

  it('counts the credit of what comes behind the answer to its registration, in the same message', async () => {
    const { connection, session } = await open();
    connection.manual.add('registerWorker');
    connection.reconnect();
    connection.last('registerWorker').resolve({});
    connection.push('activityTask', activityTask('a'));
    await settle();
    complete(session, 'a');
    expect(connection.last('respondActivityTaskCompleted').body.credit).toBe(1);
  });

  it('gives back the credit of every task pushed beyond its slots: the server counts them as owed', async () => {
    const { connection, session } = await open({ activityLane: fixedLane(1) });
    connection.reconnect();
    await settle();
    // One for the slot, and one that was started before the link was lost and never came.
    connection.push('activityTask', activityTask('a'));
    connection.push('activityTask', activityTask('b'));
    complete(session, 'a');
    complete(session, 'b');
    await settle();
    // 1 registered, 2 pushed: what comes back must leave 1.
    expect(connection.of('respondActivityTaskCompleted').map((request) => request.body.credit)).toEqual([1, 1]);
  });

  it('gives no credit back for what ran beyond its slots when it registered with none', async () => {
    const { connection, session } = await open({ activityLane: fixedLane(1) });
    connection.push('activityTask', activityTask('a'));
    connection.push('activityTask', activityTask('b'));
    connection.reconnect();
    await settle();
    expect(connection.last('registerWorker').body.activityCredit).toBe(0);
    complete(session, 'a');
    complete(session, 'b');
    await settle();
    expect(connection.of('respondActivityTaskCompleted').map((request) => request.body.credit)).toEqual([0, 1]);
  });

  it('grants what tasks pushed beyond its slots took, with a rate limit too', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    const { connection, session } = await open({ activityLane: fixedLane(1), maxActivitiesPerSecond: 10 });
    connection.push('activityTask', activityTask('a'));
    connection.push('activityTask', activityTask('b'));
    complete(session, 'a');
    complete(session, 'b');
    await vi.advanceTimersByTimeAsync(1_000);
    const granted = connection.of('grantCredit').reduce((sum, request) => sum + (request.body.activity ?? 0), 0);
    // 1 registered, 2 pushed: what comes back must leave 1.
    expect(granted).toBe(2);
  });

  it('grants the slot of a task that ended without an answer while it registered', async () => {
    const { connection, session } = await open();
    connection.push('activityTask', activityTask('a'));
    connection.manual.add('registerWorker');
    connection.reconnect();
    expect(connection.last('registerWorker').body.activityCredit).toBe(9);
    session.release('activity', owner('a'));
    connection.last('registerWorker').resolve({});
    await settle();
    expect(connection.last('grantCredit').body.activity).toBe(1);
  });

  it('holds answers made while it registers until the registration is through', async () => {
    const { connection, session } = await open();
    connection.push('activityTask', activityTask('a'));
    connection.manual.add('registerWorker');
    connection.reconnect();
    complete(session, 'a');
    await settle();
    expect(connection.of('respondActivityTaskCompleted')).toHaveLength(0);
    connection.last('registerWorker').resolve({});
    await settle();
    expect(connection.last('respondActivityTaskCompleted').body.credit).toBe(1);
  });

  it('counts the slot of an answer that waits for the registration in the next one, if the first gets lost', async () => {
    const { connection, session } = await open();
    connection.push('activityTask', activityTask('a'));
    connection.manual.add('registerWorker');
    connection.reconnect();
    expect(connection.last('registerWorker').body.activityCredit).toBe(9);
    complete(session, 'a');
    connection.reconnect();
    await settle();
    expect(connection.last('registerWorker').body.activityCredit).toBe(10);
    connection.last('registerWorker').resolve({});
    await settle();
    expect(connection.last('respondActivityTaskCompleted').body.credit).toBe(0);
  });

  it('repeats an answer the server cannot take now, and reports a refusal for good', async () => {
    vi.useFakeTimers();
    const { connection, session } = await open();
    connection.manual.add('respondActivityTaskCompleted');
    connection.push('activityTask', activityTask('a'));
    const to = owner();
    complete(session, 'a', to);
    connection.last('respondActivityTaskCompleted').reject(new RpcError(StatusCode.RESOURCE_EXHAUSTED, 'later'));
    await vi.advanceTimersByTimeAsync(60);
    expect(connection.of('respondActivityTaskCompleted')).toHaveLength(2);
    connection.last('respondActivityTaskCompleted').reject(notFound);
    await settle();
    expect(to.refusals).toEqual([notFound]);
  });

  it('sends a substitute for an answer that is too large for a message', async () => {
    const { connection, session } = await open();
    connection.manual.add('respondActivityTaskCompleted');
    connection.push('activityTask', activityTask('a'));
    const result = { payloads: [{ data: new Uint8Array(5 * 1024 * 1024) }] };
    const request = { target: { token: bytes('a') }, identity: 'me', result };
    session.answer('activity', 'respondActivityTaskCompleted', request, owner());
    const refusal = new RpcError(StatusCode.RESOURCE_EXHAUSTED, 'large', {
      kind: 'ResourceExhausted',
      cause: 'client',
    });
    connection.last('respondActivityTaskCompleted').reject(refusal);
    await settle();
    expect(connection.last('respondActivityTaskFailed').body).toMatchObject({
      failure: { message: 'too large' },
      credit: 1,
    });
  });

  it('grants the credit of tasks without an answer once per tick', async () => {
    const { connection, session } = await open();
    for (const token of ['a', 'b']) connection.push('activityTask', activityTask(token));
    for (const token of ['a', 'b']) session.release('activity', owner(token));
    await settle();
    expect(connection.of('grantCredit').map((r) => r.body.activity)).toEqual([2]);
  });

  it('grants no faster than maxActivitiesPerSecond', async () => {
    vi.useFakeTimers();
    const { connection, session } = await open({ maxActivitiesPerSecond: 10 });
    expect(connection.last('registerWorker').body.activityCredit).toBe(1);
    let granted = 1;
    for (let ms = 0; ms < 1000; ms += 10) {
      await vi.advanceTimersByTimeAsync(10);
      const total = 1 + connection.of('grantCredit').reduce((sum, r) => sum + (r.body.activity ?? 0), 0);
      for (; granted <= total; granted++) {
        connection.push('activityTask', activityTask(`a${granted}`));
        complete(session, `a${granted}`);
        expect(connection.last('respondActivityTaskCompleted').body.credit).toBe(0);
      }
    }
    const pushed = connection.of('respondActivityTaskCompleted').length;
    expect(pushed).toBeGreaterThanOrEqual(9);
    expect(pushed).toBeLessThanOrEqual(11);
    session.close();
  });

  it('tells of another limit while it runs, grants by it, and registers with it', async () => {
    vi.useFakeTimers();
    const { connection, session } = await open({ maxActivitiesPerSecond: 0.001 });
    const granted = () => connection.of('grantCredit').reduce((sum, { body }) => sum + (body.activity ?? 0), 0);
    connection.push('activityTask', activityTask('a'));
    complete(session, 'a');
    await vi.advanceTimersByTimeAsync(5_000);
    expect(granted()).toBe(0);
    session.limitActivities(1_000);
    await vi.advanceTimersByTimeAsync(100);
    expect(connection.of('grantCredit').map(({ body }) => body.maxActivitiesPerSecond)).toContain(1_000);
    expect(granted()).toBe(10);
    session.limitActivities(undefined);
    await vi.advanceTimersByTimeAsync(1);
    expect(connection.last('grantCredit').body).toEqual({ workerId: 'w', maxActivitiesPerSecond: 0 });
    connection.reconnect();
    await vi.advanceTimersByTimeAsync(1);
    expect(connection.last('registerWorker').body.maxActivitiesPerSecond).toBeUndefined();
    session.close();
  });

  it('takes nothing more once it drains, and gives no credit back', async () => {
    const { connection, session } = await open();
    connection.push('activityTask', activityTask('a'));
    await session.drain();
    expect(connection.of('unregisterWorker')).toHaveLength(1);
    complete(session, 'a');
    expect(connection.last('respondActivityTaskCompleted').body.credit).toBe(0);
  });

  it('is fatal when the server refuses the registration', async () => {
    const fatal: unknown[] = [];
    const { connection } = await open({}, { fatal: (error) => fatal.push(error) });
    connection.manual.add('registerWorker');
    connection.reconnect();
    const refusal = new RpcError(StatusCode.PERMISSION_DENIED, 'no');
    connection.last('registerWorker').reject(refusal);
    await settle();
    expect(fatal).toEqual([refusal]);
  });
});
