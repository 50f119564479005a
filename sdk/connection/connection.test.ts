import { describe, expect, it } from 'vitest';
import { decodeAll } from '../../src/wire/codec.ts';
import { FrameKind } from '../../src/wire/frame.ts';
import { StatusCode } from '../../src/wire/status.ts';
import { caught, describeNamespace, setUp } from './connection.test-support.ts';
import { Connection } from './connection.ts';
import { FakeServer, VirtualScheduler } from './fake-server.test-support.ts';
import { isCancelledError, isDeadlineError, isUnavailableError, RpcError } from './rpc-error.ts';

describe('the handshake', () => {
  it('says who connects and waits for the welcome before anything else', async () => {
    const { server, scheduler, connection } = setUp({ token: 'secret', capabilities: ['ahead'] });
    await connection.ensureConnected();
    expect(server.link.hello).toEqual({
      protocol: [1, 1],
      client: expect.stringContaining('tenuto-js/'),
      identity: 'me',
      token: 'secret',
      capabilities: ['ahead'],
    });
    expect(connection.welcome?.nodeId).toBe('node-1');
    await scheduler.settle();
    expect(server.link.messages).toHaveLength(1);
  });

  it('rejects with what the server says when it refuses, and does not insist', async () => {
    const { server, scheduler, connection } = setUp();
    server.welcome = { code: StatusCode.UNAUTHENTICATED, message: 'who are you?' };
    const error = await caught(connection.ensureConnected());
    expect(error).toBeInstanceOf(RpcError);
    expect(error).toMatchObject({ code: StatusCode.UNAUTHENTICATED, details: 'who are you?' });
    await scheduler.advance(60_000);
    expect(server.links).toHaveLength(1);
  });

  it('tries again with growing pauses until connectTimeout, then names the last error', async () => {
    const { server, scheduler, connection } = setUp({ connectTimeout: '1s' });
    server.unreachable = new Error('connect ECONNREFUSED');
    const error = caught(connection.ensureConnected());
    await scheduler.advance(1_000);
    expect(await error).toMatchObject({
      code: StatusCode.DEADLINE_EXCEEDED,
      message: expect.stringContaining('ECONNREFUSED'),
    });
  });

  it('succeeds once the server is there', async () => {
    const { server, scheduler, connection } = setUp();
    server.unreachable = new Error('connect ECONNREFUSED');
    const connected = connection.ensureConnected();
    await scheduler.advance(500);
    server.unreachable = undefined;
    await scheduler.advance(5_000);
    await connected;
  });

  it('closes a connection that is never welcomed', async () => {
    const { server, scheduler, connection } = setUp({ connectTimeout: 100 });
    server.receive = () => {};
    const error = caught(connection.ensureConnected());
    await scheduler.advance(100);
    expect(isDeadlineError(await error)).toBe(true);
    expect(server.link.open).toBe(false);
  });
});

describe('requests', () => {
  it('of one tick travel as one message, and answers find their callers in any order', async () => {
    const { server, scheduler, connection } = setUp();
    await connection.ensureConnected();
    const answers = Promise.all(['a', 'b', 'c'].map((name) => describeNamespace(connection, name)));
    await scheduler.settle();
    expect(server.link.messages).toHaveLength(2);
    const [a, b, c] = server.requests;
    if (!a || !b || !c) throw new Error('three requests expected');
    server.link.send([FrameKind.RESPONSE, c.id, 'C'], [FrameKind.RESPONSE, a.id, 'A'], [FrameKind.RESPONSE, b.id, 'B']);
    expect(await answers).toEqual(['A', 'B', 'C']);
    expect(connection.inFlightRequests).toBe(0);
  });

  it('make a lazy connection connect', async () => {
    const { server, connection } = setUp();
    server.answer = () => ({ id: 'x' });
    const scheduler = connection.options.scheduler as VirtualScheduler;
    const answer = describeNamespace(connection);
    await scheduler.settle();
    expect(await answer).toEqual({ id: 'x' });
  });

  it('reject with the status, message and detail of an error', async () => {
    const { server, scheduler, connection } = setUp();
    const error = caught(describeNamespace(connection));
    await scheduler.settle();
    const detail = { kind: 'NamespaceNotFound', namespace: 'a' } as const;
    server.fail(server.last, { code: StatusCode.NOT_FOUND, message: 'no a', detail });
    expect(await error).toMatchObject({ code: 5, details: 'no a', detail, message: '5 NOT_FOUND: no a' });
  });

  it('tell the server a little less than their time limit, expire at it, and are cancelled on the server', async () => {
    const { server, scheduler, connection } = setUp();
    const error = caught(connection.request('describeNamespace', { namespace: 'a' }, { timeoutMs: 700 }));
    await scheduler.advance(699);
    expect(server.last.timeoutMs).toBe(665);
    expect(connection.inFlightRequests).toBe(1);
    await scheduler.advance(2);
    expect(isDeadlineError(await error)).toBe(true);
    expect(server.cancels).toEqual([server.last.id]);
    // The answer that comes too late changes nothing.
    server.respond(server.last, {});
  });

  it('expire each at its own deadline, whatever their order', async () => {
    const { scheduler, connection } = setUp();
    const expired: number[] = [];
    for (const timeoutMs of [300, 100, 200]) {
      connection.request('describeNamespace', { namespace: 'a' }, { timeoutMs }).catch(() => expired.push(timeoutMs));
    }
    await scheduler.advance(150);
    expect(expired).toEqual([100]);
    await scheduler.advance(100);
    expect(expired).toEqual([100, 200]);
    await scheduler.advance(100);
    expect(expired).toEqual([100, 200, 300]);
  });

  it('without a time limit wait for ever', async () => {
    const { server, scheduler, connection } = setUp();
    const answer = connection.request('describeNamespace', { namespace: 'a' }, { timeoutMs: 0 });
    for (let minute = 0; minute < 10; minute++) {
      await scheduler.advance(5_000);
      server.link.send([FrameKind.PUSH, 'durable', {}]);
    }
    expect(server.requests[0]?.timeoutMs).toBe(0);
    const first = server.requests[0];
    if (first) server.respond(first, 'late');
    expect(await answer).toBe('late');
  });

  it('are given up by their AbortSignal', async () => {
    const { server, scheduler, connection } = setUp();
    const controller = new AbortController();
    const error = caught(connection.request('describeNamespace', { namespace: 'a' }, { signal: controller.signal }));
    await scheduler.settle();
    controller.abort(new Error('enough'));
    expect(isCancelledError(await error)).toBe(true);
    await scheduler.settle();
    expect(server.cancels).toEqual([server.last.id]);
    expect(isCancelledError(await caught(connection.request('getServerInfo', {}, { signal: controller.signal })))).toBe(
      true,
    );
  });

  it('take deadline and AbortSignal from the scope they are made in', async () => {
    const { scheduler, connection } = setUp();
    const late = caught(
      connection.withDeadline(Date.now() + 50, async () => {
        await Promise.resolve();
        return await describeNamespace(connection);
      }),
    );
    await scheduler.advance(100);
    expect(isDeadlineError(await late)).toBe(true);
    const controller = new AbortController();
    const aborted = caught(connection.withAbortSignal(controller.signal, () => describeNamespace(connection)));
    await scheduler.settle();
    controller.abort();
    expect(isCancelledError(await aborted)).toBe(true);
  });

  it('beyond the bound fail at once, and the others are unharmed', async () => {
    const { server, scheduler, connection } = setUp({ maxInFlightRequests: 2 });
    const first = Promise.all([describeNamespace(connection), describeNamespace(connection)]);
    const third = await caught(describeNamespace(connection));
    expect(third).toMatchObject({ code: StatusCode.RESOURCE_EXHAUSTED });
    await scheduler.settle();
    for (const request of server.requests) server.respond(request, 'ok');
    expect(await first).toEqual(['ok', 'ok']);
  });

  it('larger than the server accepts are refused here', async () => {
    const { connection } = setUp();
    await connection.ensureConnected();
    const error = await caught(describeNamespace(connection, 'x'.repeat(1_000_001)));
    expect(error).toMatchObject({ code: StatusCode.RESOURCE_EXHAUSTED, message: expect.stringContaining('1000000') });
  });

  it('that together pass the largest message are split over several', async () => {
    const { server, scheduler, connection } = setUp();
    await connection.ensureConnected();
    server.answer = () => 'ok';
    const answers = Promise.all(Array.from({ length: 5 }, () => describeNamespace(connection, 'x'.repeat(400_000))));
    await scheduler.settle();
    expect(await answers).toHaveLength(5);
    expect(server.link.messages.map((message) => message.length < 1_000_000)).toEqual([true, true, true, true]);
  });

  it('wait while the transport is full', async () => {
    const { server, scheduler, connection } = setUp();
    await connection.ensureConnected();
    server.link.buffered = 10_000_000;
    const answer = describeNamespace(connection);
    await scheduler.advance(50);
    expect(server.requests).toHaveLength(0);
    server.link.buffered = 0;
    await scheduler.advance(10);
    server.respond(server.last, 'ok');
    expect(await answer).toBe('ok');
  });

  it('answered with "unavailable" are repeated with growing pauses within the time limit', async () => {
    const { server, scheduler, connection } = setUp();
    const answer = describeNamespace(connection);
    await scheduler.settle();
    const unavailable = { code: StatusCode.UNAVAILABLE, message: 'no leader' };
    server.fail(server.last, unavailable);
    await scheduler.advance(25);
    expect(server.requests).toHaveLength(2);
    server.fail(server.last, unavailable);
    await scheduler.advance(25);
    expect(server.requests).toHaveLength(2);
    await scheduler.advance(25);
    server.respond(server.last, 'ok');
    expect(await answer).toBe('ok');
  });

  it('that stay unavailable expire with the reason', async () => {
    const { server, scheduler, connection } = setUp({ requestTimeout: 1_000 });
    const error = caught(describeNamespace(connection));
    await scheduler.settle();
    server.receive = (link, frame) => link.send([FrameKind.ERROR, frame[1], { code: 14, message: 'no leader' }]);
    server.fail(server.last, { code: StatusCode.UNAVAILABLE, message: 'no leader' });
    await scheduler.advance(1_000);
    expect(await error).toMatchObject({
      code: StatusCode.DEADLINE_EXCEEDED,
      message: expect.stringContaining('no leader'),
    });
    expect(isUnavailableError(await error)).toBe(true);
  });
});

describe('pushes', () => {
  it('reach every handler of their topic in order, until it unsubscribes', async () => {
    const { server, scheduler, connection } = setUp();
    const seen: unknown[] = [];
    const stop = connection.onPush('durable', (push) => seen.push(['one', push]));
    connection.onPush('durable', (push) => seen.push(['two', push]));
    await scheduler.settle();
    server.link.send([FrameKind.PUSH, 'durable', 1], [FrameKind.PUSH, 'unknown topic', 2]);
    stop();
    server.link.send([FrameKind.PUSH, 'durable', 3]);
    expect(seen).toEqual([
      ['one', 1],
      ['two', 1],
      ['two', 3],
    ]);
    await connection.close();
  });
});

describe('notify and close', () => {
  it('a notification carries id 0 and is not sent without a connection', async () => {
    const { server, scheduler, connection } = setUp();
    expect(connection.notify('grantCredit', { workerId: 'w', workflow: 1 })).toBe(false);
    await connection.ensureConnected();
    expect(connection.notify('grantCredit', { workerId: 'w', workflow: 1 })).toBe(true);
    await scheduler.settle();
    expect(server.last).toMatchObject({ id: 0, method: 'grantCredit' });
  });

  it('close sends what waits, fails what is open, and refuses what comes', async () => {
    const { server, connection } = setUp();
    await connection.ensureConnected();
    const open = caught(describeNamespace(connection));
    await connection.close();
    expect(decodeAll(server.link.messages.at(-1) ?? new Uint8Array())).toHaveLength(1);
    expect(server.requests).toHaveLength(1);
    expect(isCancelledError(await open)).toBe(true);
    expect(await caught(describeNamespace(connection))).toMatchObject({ name: 'IllegalStateError' });
    expect(await caught(connection.ensureConnected())).toMatchObject({ name: 'IllegalStateError' });
    expect(server.link.open).toBe(false);
  });

  it('a single transport cannot be opened again', async () => {
    const server = new FakeServer();
    const scheduler = new VirtualScheduler();
    const connection = Connection.fromTransport(server.connect(), { scheduler });
    await connection.ensureConnected();
    server.link.drop();
    const error = caught(describeNamespace(connection));
    await scheduler.advance(100);
    expect(await error).toMatchObject({ code: StatusCode.FAILED_PRECONDITION });
  });
});
