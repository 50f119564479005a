// Hostile sockets: whatever arrives at the gRPC door is answered with its status or dropped, the node serves on, and its memory returns to where it was.
// `npm run compat` opens and drops ten thousand connections, the tests of every day a thousand.

import { connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { status } from '@grpc/grpc-js';
import fc from 'fast-check';
import { Server } from 'tenuto/server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { field, RawClient } from './raw.ts';

const CONNECTIONS = Number(process.env.TENUTO_COMPAT_CONNECTIONS ?? 1_000);
const AT_ONCE = 50;
const ALLOWED_GROWTH_BYTES = 24 * 1024 * 1024;

let server: Server;
let client: RawClient;
let host = '';
let port = 0;
beforeAll(async () => {
  server = await Server.create({ port: 0, grpcPort: 0, logLevel: 'error' });
  const address = server.grpcAddress ?? '';
  client = new RawClient(address);
  host = address.slice(0, address.lastIndexOf(':'));
  port = Number(address.slice(address.lastIndexOf(':') + 1));
  await serves();
});
afterAll(async () => {
  client?.close();
  await server?.close();
});

async function serves(): Promise<void> {
  expect(await client.call('GetSystemInfo', Buffer.alloc(0))).toMatchObject({ code: status.OK });
}

const START = 'StartWorkflowExecution';
const COMPLETE = 'RespondWorkflowTaskCompleted';

describe('a request of bytes that are none', () => {
  it.each([
    ['cut off', START, Buffer.from([0x0a, 0x20, 0x61]), status.INTERNAL],
    ['with a field of number 0', START, Buffer.from([0x02, 0x01, 0x61]), status.INTERNAL],
    ['with a group', START, Buffer.from([0x0b, 0x0c]), status.INTERNAL],
    ['with a number for a text', START, Buffer.from([0x08, 0x01]), status.INTERNAL],
    ['with a text for a message', START, field(3, 'not a WorkflowType \u0001'), status.INTERNAL],
    [
      'with a number that does not end',
      START,
      Buffer.from([0x08, ...new Array<number>(12).fill(0xff)]),
      status.INTERNAL,
    ],
    ['with a text that is no UTF-8', START, field(1, Buffer.from([0xc3, 0x28])), status.INTERNAL],
    ['of nothing at all', START, Buffer.alloc(0), status.INVALID_ARGUMENT],
    ['of the health service, cut off', '/grpc.health.v1.Health/Check', Buffer.from([0x0a, 0x20]), status.INTERNAL],
    ['of the health service, for nobody', '/grpc.health.v1.Health/Check', field(1, 'x'), status.NOT_FOUND],
    ['with fields nobody knows', 'GetSystemInfo', field(15, 'from the future'), status.OK],
    ['for a method there is not', 'DropAllTables', Buffer.alloc(0), status.UNIMPLEMENTED],
    ['for a service there is not', '/acme.Nothing/Do', Buffer.alloc(0), status.UNIMPLEMENTED],
  ])('%s', async (_, method, bytes, code) => {
    expect((await client.call(method, bytes)).code).toBe(code);
  });

  it('messages that lie a thousand deep in one another', async () => {
    let failure = Buffer.alloc(0);
    for (let i = 0; i < 1_000; i += 1) {
      const length: number[] = [];
      for (let n = failure.length; ; n >>>= 7) {
        length.push(n > 0x7f ? (n & 0x7f) | 0x80 : n);
        if (n <= 0x7f) break;
      }
      failure = Buffer.concat([Buffer.from([0x22, ...length]), failure]);
    }
    // `cause` of a failure is field 4; field 3 of this request is a failure.
    const size = Buffer.from([0x1a, (failure.length & 0x7f) | 0x80, failure.length >>> 7]);
    expect((await client.call('RespondWorkflowTaskFailed', Buffer.concat([size, failure]))).code).toBe(status.INTERNAL);
  });

  it('at random: always a status, never silence', async () => {
    const methods = [START, COMPLETE, 'ListWorkflowExecutions', 'CreateSchedule', 'ExecuteMultiOperation'];
    const codes = new Set([
      status.OK,
      status.INTERNAL,
      status.INVALID_ARGUMENT,
      status.NOT_FOUND,
      status.UNIMPLEMENTED,
    ]);
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...methods), fc.uint8Array({ maxLength: 200 }), async (method, bytes) => {
        expect(codes).toContain((await client.call(method, bytes)).code);
      }),
      { numRuns: 300 },
    );
    await serves();
  });
});

describe('what is too large, or forged', () => {
  it('ten megabytes', async () => {
    const answer = await client.call(START, Buffer.alloc(10 * 1024 * 1024, 0x61));
    expect(answer.code).toBe(status.RESOURCE_EXHAUSTED);
    await serves();
  });

  it('tokens that nobody gave out', async () => {
    const tokens = ['', 'garbage', Buffer.alloc(100, 0xff), Buffer.from('{"a":1}'), Buffer.from([0x93, 0x01])];
    for (const token of tokens) {
      for (const method of [COMPLETE, 'RespondActivityTaskCompleted', 'RecordActivityTaskHeartbeat']) {
        const { code } = await client.call(method, field(1, token as string));
        expect([status.INVALID_ARGUMENT, status.NOT_FOUND]).toContain(code);
      }
    }
  });

  it('a page token of another time', async () => {
    // namespace 1, next_page_token 3
    const request = Buffer.concat([field(1, 'default'), field(3, 'not one of ours')]);
    expect((await client.call('ListWorkflowExecutions', request)).code).toBe(status.INVALID_ARGUMENT);
  });
});

describe('connections that are none', () => {
  it.each([
    ['nothing', ''],
    ['half a preface', 'PRI * HTTP/2.0\r\n'],
    ['HTTP/1.1', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['TLS', Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01])],
    ['a preface and garbage', `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${'\u0000'.repeat(500)}`],
  ])('%s', async (_, bytes) => {
    const socket = await open();
    socket.write(bytes);
    await delay(20);
    socket.destroy();
    await serves();
  });

  it('thousands, opened and dropped: the memory returns to where it was', async () => {
    const rounds = Math.ceil(CONNECTIONS / AT_ONCE);
    await dropped(AT_ONCE);
    const before = await heapBytes();
    for (let round = 0; round < rounds; round += 1) await dropped(AT_ONCE);
    const after = await heapBytes();
    expect(after - before).toBeLessThan(ALLOWED_GROWTH_BYTES);
    await serves();
  }, 120_000);

  it('streams that are reset as soon as they are open', async () => {
    const session = connectHttp2(`http://${host}:${port}`);
    session.on('error', () => {});
    for (let i = 0; i < 300; i += 1) {
      const path = '/temporal.api.workflowservice.v1.WorkflowService/GetSystemInfo';
      const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc' });
      stream.on('error', () => {});
      stream.close(8);
    }
    await delay(50);
    session.destroy();
    await serves();
  });
});

describe('frames by the thousand', () => {
  const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  const [DATA, HEADERS, SETTINGS, PING, CONTINUATION] = [0, 1, 4, 6, 9];
  const END_HEADERS = 4;
  const INITIAL_WINDOW_SIZE = 4;
  const frame = (type: number, flags: number, stream: number, payload: Buffer = Buffer.alloc(0)): Buffer => {
    const head = Buffer.alloc(9);
    head.writeUIntBE(payload.length, 0, 3);
    head[3] = type;
    head[4] = flags;
    head.writeUInt32BE(stream, 5);
    return Buffer.concat([head, payload]);
  };
  /** A header that HPACK takes as it is, and does not keep. */
  const literal = (name: string, value: string): Buffer =>
    Buffer.concat([Buffer.from([0, name.length]), Buffer.from(name), Buffer.from([value.length]), Buffer.from(value)]);
  const call = Buffer.concat([
    literal(':method', 'POST'),
    literal(':scheme', 'http'),
    literal(':path', '/grpc.health.v1.Health/Check'),
    literal('content-type', 'application/grpc'),
  ]);
  const many = (count: number, one: Buffer): Buffer => Buffer.concat(new Array<Buffer>(count).fill(one));
  const setting = (id: number, value: number): Buffer => {
    const payload = Buffer.alloc(6);
    payload.writeUInt16BE(id);
    payload.writeUInt32BE(value, 2);
    return payload;
  };

  it.each([
    ['pings', many(20_000, frame(PING, 0, 0, Buffer.alloc(8)))],
    ['settings', many(20_000, frame(SETTINGS, 0, 0))],
    ['settings in one frame', frame(SETTINGS, 0, 0, many(2_000, setting(INITIAL_WINDOW_SIZE, 65_535)))],
    [
      'continued headers without an end',
      Buffer.concat([frame(HEADERS, 0, 1, call), many(5_000, frame(CONTINUATION, 0, 1, many(100, literal('x', 'y'))))]),
    ],
    ['headers', frame(HEADERS, END_HEADERS, 1, Buffer.concat([call, many(1_500, literal('a', 'b'))]))],
    ['empty data', Buffer.concat([frame(HEADERS, END_HEADERS, 1, call), many(20_000, frame(DATA, 0, 1))])],
    ['calls whose headers never end', many(1, frame(HEADERS, 0, 1, call.subarray(0, 10)))],
    [
      'requests whose answers have no room',
      Buffer.concat([
        frame(SETTINGS, 0, 0, setting(INITIAL_WINDOW_SIZE, 0)),
        ...Array.from({ length: 1_000 }, (_, i) =>
          Buffer.concat([frame(HEADERS, END_HEADERS, 2 * i + 1, call), frame(DATA, 1, 2 * i + 1, Buffer.alloc(5))]),
        ),
      ]),
    ],
  ])('%s, by who reads nothing: others are served', async (_, bytes) => {
    const socket = await open();
    socket.pause();
    socket.write(Buffer.concat([PREFACE, frame(SETTINGS, 0, 0), bytes]));
    await serves();
    socket.destroy();
    await serves();
  });

  it('streams that are broken off: others are served', async () => {
    const session = connectHttp2(`http://${host}:${port}`);
    session.on('error', () => {});
    const path = '/temporal.api.workflowservice.v1.WorkflowService/PollActivityTaskQueue';
    for (let i = 0; i < 5_000 && !session.destroyed; i += 1) {
      const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc' });
      stream.on('error', () => {});
      stream.close(8);
      if (i % 500 === 0) await delay(1);
    }
    await serves();
    session.destroy();
    await serves();
  });

  it('a compressed message that becomes a thousand times as long is refused', async () => {
    const session = connectHttp2(`http://${host}:${port}`);
    session.on('error', () => {});
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
    const head = Buffer.alloc(5);
    head[0] = 1;
    head.writeUInt32BE(bomb.length, 1);
    const path = '/temporal.api.workflowservice.v1.WorkflowService/GetSystemInfo';
    const headers = { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', 'grpc-encoding': 'gzip' };
    const stream = session.request(headers);
    const answer = new Promise<Record<string, unknown>>((resolve) => stream.once('response', resolve));
    stream.on('error', () => {});
    stream.resume().end(Buffer.concat([head, bomb]));
    expect((await answer)['grpc-status']).toBe(String(status.RESOURCE_EXHAUSTED));
    session.destroy();
    await serves();
  });
});

describe('deadlines', () => {
  it('by the hundred, of a few milliseconds: all are over, and nothing of them stays', async () => {
    const queue = Buffer.concat([field(1, 'default'), field(2, field(1, 'nobody-here')), field(3, 'w')]);
    const storm = Array.from({ length: 500 }, (_, i) =>
      client.call('PollActivityTaskQueue', queue, { timeoutMs: 1 + (i % 20) }),
    );
    const codes = new Set((await Promise.all(storm)).map(({ code }) => code));
    for (const code of codes)
      expect([status.DEADLINE_EXCEEDED, status.FAILED_PRECONDITION, status.CANCELLED]).toContain(code);
    await serves();
  });

  it('of polls that wait: they end empty, before the deadline', async () => {
    const queue = Buffer.concat([field(1, 'default'), field(2, field(1, 'nobody-here')), field(3, 'w')]);
    const polls = Array.from({ length: 100 }, () => client.call('PollActivityTaskQueue', queue, { timeoutMs: 2_500 }));
    const answers = await Promise.all(polls);
    const codes = answers.map(({ code }) => code);
    // On a machine that is busy some come too late: src/frontend/grpc/dispatch.test.ts has the instant.
    expect(codes).toContain(status.OK);
    for (const code of codes) expect([status.OK, status.DEADLINE_EXCEEDED]).toContain(code);
  });
});

function open(): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port }, () => resolve(socket));
    socket.once('error', reject);
    socket.on('error', () => {});
  });
}

/** Each sends a little and goes, in one of three ways. */
async function dropped(count: number): Promise<void> {
  const sockets = await Promise.all(Array.from({ length: count }, open));
  for (const [i, socket] of sockets.entries()) {
    if (i % 3 !== 0) socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    if (i % 3 === 2) socket.resetAndDestroy();
    else socket.destroy();
  }
  await Promise.all(
    sockets.map((socket) => (socket.closed ? undefined : new Promise((resolve) => socket.once('close', resolve)))),
  );
}

async function heapBytes(): Promise<number> {
  // What waits to be closed gets its turns.
  for (let i = 0; i < 5; i += 1) {
    await delay(50);
    globalThis.gc?.();
  }
  return process.memoryUsage().heapUsed;
}
