import { describe, expect, it } from 'vitest';
import { FrameKind } from '../../src/wire/frame.ts';
import { StatusCode } from '../../src/wire/status.ts';
import { caught, describeNamespace, setUp } from './connection.test-support.ts';

describe('a lost connection', () => {
  it('comes back, and what was unanswered is sent again', async () => {
    const { server, scheduler, connection } = setUp();
    const answers = Promise.all([describeNamespace(connection, 'a'), describeNamespace(connection, 'b')]);
    await scheduler.settle();
    const [a] = server.requests;
    if (a) server.respond(a, 'A');
    server.link.drop();
    await scheduler.settle();
    expect(server.links).toHaveLength(2);
    const again = server.requests.slice(2);
    expect(again.map((request) => [request.method, request.body])).toEqual([['describeNamespace', { namespace: 'b' }]]);
    server.respond(server.last, 'B');
    expect(await answers).toEqual(['A', 'B']);
  });

  it('tells the worker before it repeats requests, so that its registration goes first', async () => {
    const { server, scheduler, connection } = setUp();
    connection.onReconnected((welcome) => {
      expect(welcome.nodeId).toBe('node-1');
      connection.request('unregisterWorker', { workerId: 'w' }).catch(() => {});
    });
    const lost: string[] = [];
    connection.onDisconnected((reason) => lost.push(reason));
    const answer = describeNamespace(connection);
    await scheduler.settle();
    expect(server.requests).toHaveLength(1);
    server.link.drop('cable cut');
    await scheduler.settle();
    expect(server.requests.slice(1).map((request) => request.method)).toEqual([
      'unregisterWorker',
      'describeNamespace',
    ]);
    expect(lost).toEqual([expect.stringContaining('cable cut')]);
    server.respond(server.last, 'ok');
    await answer;
    await connection.close();
  });

  it('does not repeat grants of credit: they would count double', async () => {
    const { server, scheduler, connection } = setUp();
    const error = caught(connection.request('grantCredit', { workerId: 'w', activity: 1 }));
    await scheduler.settle();
    server.link.drop();
    expect(await error).toMatchObject({
      code: StatusCode.UNAVAILABLE,
      detail: { kind: 'Unavailable', applied: 'maybe' },
    });
    await scheduler.advance(1_000);
    expect(server.requests).toHaveLength(1);
  });

  it('does not repeat a change that nothing tells from its repeat', async () => {
    const { server, scheduler, connection } = setUp();
    const error = caught(
      connection.request('updateWorkflowExecutionOptions', { namespace: 'default', workflowId: 'w', identity: 'i' }),
    );
    await scheduler.settle();
    server.link.drop('cable cut');
    expect(await error).toMatchObject({
      code: StatusCode.UNAVAILABLE,
      message: expect.stringContaining('cable cut'),
      detail: { kind: 'Unavailable', applied: 'maybe' },
    });
    await scheduler.advance(1_000);
    expect(server.requests).toHaveLength(1);
  });

  it('says of an update that it is sent again only where it may have been applied', async () => {
    const { server, scheduler, connection } = setUp();
    const refusal = (applied: 'no' | 'maybe') =>
      ({ code: StatusCode.UNAVAILABLE, message: 'moving', detail: { kind: 'Unavailable', applied } }) as const;
    const answer = connection.request('updateWorkflowExecution', {
      ...{ namespace: 'default', workflowId: 'w', updateId: 'u', updateName: 'add', identity: 'i' },
    });
    await scheduler.settle();
    server.fail(server.last, refusal('no'));
    await scheduler.advance(1_000);
    server.fail(server.last, refusal('maybe'));
    await scheduler.advance(1_000);
    server.link.drop();
    await scheduler.advance(1_000);
    server.respond(server.last, {});
    await answer;
    expect(server.requests.map(({ body }) => body.repeated)).toEqual([undefined, undefined, true, true]);
  });

  it('sends such a change with the next link when it was made without one', async () => {
    const { server, scheduler, connection } = setUp();
    await connection.ensureConnected();
    server.link.drop();
    const answer = connection.request('unpauseActivityExecution', {
      ...{ namespace: 'default', workflowId: '', activityId: 'a', identity: 'i' },
    });
    await scheduler.advance(1_000);
    server.respond(server.last, {});
    expect(await answer).toEqual({});
  });

  it('is not opened again when nobody needs it', async () => {
    const { server, scheduler, connection } = setUp();
    await connection.ensureConnected();
    server.link.drop();
    await scheduler.advance(60_000);
    expect(server.links).toHaveLength(1);
    expect(connection.isConnected).toBe(false);
  });

  it('is opened again, for ever, for those who listen to pushes', async () => {
    const { server, scheduler, connection } = setUp();
    const stop = connection.onPush('durable', () => {});
    await scheduler.settle();
    server.unreachable = new Error('down');
    server.link.drop();
    await scheduler.advance(600_000);
    server.unreachable = undefined;
    await scheduler.advance(5_000);
    expect(server.links).toHaveLength(2);
    expect(connection.isConnected).toBe(true);
    stop();
  });

  it('expires requests that find no way to the server, and says why', async () => {
    const { server, scheduler, connection } = setUp({ requestTimeout: 2_000 });
    server.unreachable = new Error('connect ECONNREFUSED');
    const error = caught(describeNamespace(connection));
    await scheduler.advance(2_000);
    expect(await error).toMatchObject({ message: expect.stringContaining('ECONNREFUSED') });
  });

  it('is noticed by silence: asked once, then given up', async () => {
    const { server, scheduler, connection } = setUp();
    const stop = connection.onPush('durable', () => {});
    await scheduler.advance(19_000);
    expect(server.requests.map((request) => request.method)).toEqual(['getServerInfo']);
    expect(server.link.open).toBe(true);
    await scheduler.advance(7_000);
    expect(server.links[0]?.open).toBe(false);
    expect(server.links).toHaveLength(2);
    stop();
  });

  it('is not suspected while anything arrives', async () => {
    const { server, scheduler, connection } = setUp();
    const stop = connection.onPush('durable', () => {});
    await scheduler.settle();
    for (let i = 0; i < 20; i++) {
      await scheduler.advance(4_000);
      server.link.send([FrameKind.PUSH, 'durable', {}]);
    }
    expect(server.requests).toEqual([]);
    stop();
  });
});

describe('a server that goes away', () => {
  it('still answers what it was asked, while new requests go to a new connection', async () => {
    const { server, scheduler, connection } = setUp();
    const old = describeNamespace(connection, 'old');
    await scheduler.settle();
    const [asked] = server.requests;
    server.link.send([FrameKind.GOAWAY, 'upgrade']);
    const fresh = describeNamespace(connection, 'fresh');
    await scheduler.settle();
    expect(server.last.link).toBe(server.links[1]);
    expect(server.last.body).toEqual({ namespace: 'fresh' });
    if (asked) server.respond(asked, 'from the old one');
    server.respond(server.last, 'from the new one');
    expect(await Promise.all([old, fresh])).toEqual(['from the old one', 'from the new one']);
  });

  it('has what it left unanswered sent again', async () => {
    const { server, scheduler, connection } = setUp();
    const old = describeNamespace(connection, 'old');
    await scheduler.settle();
    server.link.send([FrameKind.GOAWAY, 'upgrade']);
    await scheduler.settle();
    server.links[0]?.drop();
    await scheduler.settle();
    expect(server.requests).toHaveLength(2);
    server.respond(server.last, 'ok');
    expect(await old).toBe('ok');
  });
});

describe('malformed input', () => {
  it.each([
    ['bytes that are no MessagePack', Uint8Array.of(0xc1)],
    ['a frame that is no array', Uint8Array.of(0x01)],
    ['an unknown kind', Uint8Array.of(0x91, 0x63)],
    ['a response without id', Uint8Array.of(0x92, 0x04, 0xa1, 0x78)],
    ['an error without status', Uint8Array.of(0x93, 0x05, 0x01, 0xc0)],
    ['a truncated frame', Uint8Array.of(0x93, 0x04, 0x01)],
    ['a second welcome', Uint8Array.of(0x92, 0x01, 0x80)],
  ])('%s closes the connection, and the request is answered over the next', async (_name, bytes) => {
    const { server, scheduler, connection } = setUp();
    const answer = describeNamespace(connection);
    await scheduler.settle();
    server.link.sendBytes(bytes);
    expect(server.links[0]?.open).toBe(false);
    await scheduler.settle();
    server.respond(server.last, 'ok');
    expect(await answer).toBe('ok');
  });

  it('an answer nobody waits for is ignored', async () => {
    const { server, connection } = setUp();
    await connection.ensureConnected();
    server.link.send([FrameKind.RESPONSE, 77, {}], [FrameKind.ERROR, 78, { code: 5, message: '' }]);
    expect(connection.isConnected).toBe(true);
  });
});
