// The transport over sockets of loopback, called by Node's own HTTP/2 client: what a call is given, what it says, and that it ends once. Clients of
// gRPC's libraries call it in test/compat.

import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
} from 'node:http2';
import { connect as connectSocket, createServer, type Server } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VirtualTime } from '../../../../test/support/matching-world.ts';
import { StatusCode } from '../../../wire/status.ts';
import { RpcError } from '../status.ts';
import { framed } from './frames.ts';
import { Transport } from './transport.ts';

const ECHO = '/test.Service/Echo';
const PING_EVERY_MS = 60_000;
const PING_TIMEOUT_MS = 20_000;
const MAX_AGE_MS = 300_000;
const MAX_STREAM_BYTES = 100_000;
const MAX_ARRIVING_BYTES = 1_500;
const ARRIVAL_TIMEOUT_MS = 40_000;
const MAX_UNREAD_BYTES = 1_000_000;

let time: VirtualTime;
let transport: Transport;
let listener: Server;
let session: ClientHttp2Session;
let faults: unknown[];
let port: number;

beforeEach(async () => {
  time = new VirtualTime();
  faults = [];
  transport = new Transport({
    tls: undefined,
    scheduler: time,
    maxMessageBytes: 1_000,
    maxStreams: 100,
    pingEveryMs: PING_EVERY_MS,
    pingTimeoutMs: PING_TIMEOUT_MS,
    maxAgeMs: MAX_AGE_MS,
    maxStreamBytes: MAX_STREAM_BYTES,
    maxArrivingBytes: MAX_ARRIVING_BYTES,
    arrivalTimeoutMs: ARRIVAL_TIMEOUT_MS,
    maxUnreadBytes: MAX_UNREAD_BYTES,
    onFault: (error) => faults.push(error),
  });
  transport.unary(ECHO, (call, request) => call.answer(framed(request)));
  listener = createServer({ pauseOnConnect: true }, (socket) => transport.accept(socket));
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const address = listener.address();
  port = typeof address === 'object' && address !== null ? address.port : 0;
  session = connect(`http://127.0.0.1:${port}`);
  session.on('error', () => {});
});

afterEach(() => {
  session.destroy();
  void transport.close(0);
  listener.close();
});

function open(path: string, headers: Record<string, string> = {}): ClientHttp2Stream {
  return session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', ...headers });
}

interface Answer {
  status: string | undefined;
  message: string | undefined;
  httpStatus: number | undefined;
  date: string | undefined;
  body: Buffer;
}

function answerOf(stream: ClientHttp2Stream): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let head: IncomingHttpHeaders & IncomingHttpStatusHeader = {};
    let trailers: IncomingHttpHeaders = {};
    const chunks: Buffer[] = [];
    stream.on('response', (headers) => {
      head = headers;
    });
    stream.on('trailers', (headers) => {
      trailers = headers;
    });
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', reject);
    stream.on('close', () => {
      const told = { ...head, ...trailers };
      const status = told['grpc-status'] as string | undefined;
      const message = told['grpc-message'] as string | undefined;
      resolve({ status, message, httpStatus: head[':status'], date: head.date, body: Buffer.concat(chunks) });
    });
  });
}

function call(path: string, bytes: Buffer, headers?: Record<string, string>): Promise<Answer> {
  const stream = open(path, headers);
  stream.end(bytes);
  return answerOf(stream);
}

describe('a unary call', () => {
  it('is answered with one message and its status', async () => {
    const request = framed(Buffer.from('hello'));
    expect(await call(ECHO, request)).toMatchObject({ httpStatus: 200, status: '0', body: request, date: undefined });
  });

  it.each([
    ['without a message', ECHO, Buffer.alloc(0), {}, StatusCode.UNIMPLEMENTED],
    [
      'with two',
      ECHO,
      Buffer.concat([framed(Buffer.from('1')), framed(Buffer.from('2'))]),
      {},
      StatusCode.UNIMPLEMENTED,
    ],
    ['with half of one', ECHO, framed(Buffer.from('hello')).subarray(0, 7), {}, StatusCode.INTERNAL],
    ['that is too large', ECHO, framed(Buffer.alloc(1_001)), {}, StatusCode.RESOURCE_EXHAUSTED],
    ['of a method there is not', '/test.Service/None', framed(Buffer.from('1')), {}, StatusCode.UNIMPLEMENTED],
    ['with a deadline that is none', ECHO, framed(Buffer.from('1')), { 'grpc-timeout': 'soon' }, StatusCode.INTERNAL],
  ])('%s is refused', async (_, path, bytes, headers, code) => {
    expect(await call(path, bytes, headers)).toMatchObject({ httpStatus: 200, status: String(code) });
  });

  it.each([
    ['JSON', { 'content-type': 'application/json' }, 415],
    ['gRPC-Web', { 'content-type': 'application/grpc-web+proto' }, 415],
    ['a word that begins alike', { 'content-type': 'application/grpcish' }, 415],
    ['another method of HTTP', { ':method': 'PUT' }, 405],
  ])('as %s is none', async (_, headers, httpStatus) => {
    expect(await call(ECHO, Buffer.from('{}'), headers)).toMatchObject({ httpStatus, status: undefined });
  });

  it.each(['application/grpc', 'application/grpc+proto', 'application/grpc; charset=utf-8', 'application/grpc+json'])(
    'of content type %s is one',
    async (type) => {
      expect(await call(ECHO, framed(Buffer.from('1')), { 'content-type': type })).toMatchObject({ status: '0' });
    },
  );

  it('that is compressed as nobody here can read is refused with what can be read', async () => {
    const frame = framed(Buffer.from('1'));
    frame[0] = 1;
    const stream = open(ECHO, { 'grpc-encoding': 'snappy' });
    const told = new Promise<IncomingHttpHeaders>((resolve) => stream.once('response', resolve));
    stream.resume().end(frame);
    expect(await told).toMatchObject({
      'grpc-status': String(StatusCode.UNIMPLEMENTED),
      'grpc-accept-encoding': 'identity,deflate,gzip',
    });
  });

  it.each([
    ['10S', 10_000],
    ['1500m', 1_500],
    ['2M', 120_000],
    ['5u', 1],
    [undefined, undefined],
  ])('says how long its client waits: %s', async (header, timeoutMs) => {
    let told: number | undefined = -1;
    transport.unary('/test.Service/Waits', (wire, request) => {
      told = wire.timeoutMs;
      wire.answer(framed(request));
    });
    await call('/test.Service/Waits', framed(Buffer.from('1')), header === undefined ? {} : { 'grpc-timeout': header });
    expect(told).toBe(timeoutMs);
  });

  it('fails with a text of any characters', async () => {
    transport.unary('/test.Service/Fails', (wire) =>
      wire.end(new RpcError(StatusCode.NOT_FOUND, '100 % größer \ud800')),
    );
    const { status, message } = await call('/test.Service/Fails', framed(Buffer.from('1')));
    expect(status).toBe(String(StatusCode.NOT_FOUND));
    expect(decodeURI(message ?? '')).toBe('100 % größer \ufffd');
  });

  it('whose method throws fails, and the fault is told', async () => {
    transport.unary('/test.Service/Throws', () => {
      throw new Error('ours');
    });
    const { status } = await call('/test.Service/Throws', framed(Buffer.from('1')));
    expect(status).toBe(String(StatusCode.INTERNAL));
    expect(faults).toEqual([new Error('ours')]);
  });

  it('is answered once', async () => {
    transport.unary('/test.Service/Twice', (wire, request) => {
      wire.answer(framed(request));
      wire.answer(framed(request));
      wire.end(new RpcError(StatusCode.INTERNAL, 'late'));
    });
    const request = framed(Buffer.from('1'));
    expect(await call('/test.Service/Twice', request)).toMatchObject({ status: '0', body: request });
  });
});

describe('a status with more than its client takes', () => {
  const MAX_HEADER_LIST = 8_192;

  beforeEach(async () => {
    session.settings({ maxHeaderListSize: MAX_HEADER_LIST });
    await call(ECHO, framed(Buffer.from('1')));
  });

  it.each([
    ['a text', '€'.repeat(20_000)],
    ['details', 'short'],
  ])('%s is told with what there is room for', async (_, text) => {
    const anys = [{ type_url: 'x', value: Buffer.alloc(10_000) }];
    transport.unary('/test.Service/Fails', (wire) => wire.end(new RpcError(StatusCode.NOT_FOUND, text, anys)));
    const { status, message = '' } = await call('/test.Service/Fails', framed(Buffer.from('1')));
    expect(status).toBe(String(StatusCode.NOT_FOUND));
    expect(message.length).toBeGreaterThan(0);
    expect(message.length).toBeLessThan(MAX_HEADER_LIST);
    expect(text.startsWith(decodeURI(message))).toBe(true);
  });
});

describe('a request that does not become whole', () => {
  const half = (bytes: number): Buffer => framed(Buffer.alloc(1_000)).subarray(0, bytes);
  const echoed = async (): Promise<void> => {
    expect(await call(ECHO, framed(Buffer.alloc(1_000)))).toMatchObject({ status: '0' });
  };

  it.each([
    ['without a byte', 0],
    ['with half of a message', 500],
  ])('%s is refused after some time', async (_, bytes) => {
    const stream = open(ECHO);
    stream.resume();
    const answer = answerOf(stream);
    if (bytes > 0) stream.write(half(bytes));
    await echoed();
    time.advance(ARRIVAL_TIMEOUT_MS / 2);
    await echoed();
    expect(stream.closed).toBe(false);
    time.advance(ARRIVAL_TIMEOUT_MS);
    stream.end();
    expect(await answer).toMatchObject({ status: String(StatusCode.DEADLINE_EXCEEDED) });
  });

  it('is refused when it began first and all take too much', async () => {
    const streams = [open(ECHO), open(ECHO)];
    const [first, second] = streams.map(answerOf);
    for (const stream of streams) {
      stream.resume();
      stream.write(half(800));
      // One after the other.
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await first).toMatchObject({ status: String(StatusCode.RESOURCE_EXHAUSTED) });
    streams[1]?.end(framed(Buffer.alloc(1_000)).subarray(800));
    expect(await second).toMatchObject({ status: '0' });
    await echoed();
  });

  it('counts with a message that is whole, too', async () => {
    const streams = [open(ECHO), open(ECHO)];
    const [first, second] = streams.map(answerOf);
    for (const stream of streams) {
      stream.resume();
      stream.write(framed(Buffer.alloc(1_000)));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await first).toMatchObject({ status: String(StatusCode.RESOURCE_EXHAUSTED) });
    streams[1]?.end();
    expect(await second).toMatchObject({ status: '0' });
    await echoed();
  });

  it('leaves nothing when its client goes', async () => {
    for (let i = 0; i < 5; i += 1) {
      const stream = open(ECHO);
      stream.on('error', () => {});
      stream.write(half(900));
      await echoed();
      stream.close(8);
      await echoed();
    }
  });
});

describe('streams that are open', () => {
  const headers = { 'x-large': 'x'.repeat(30_000) };

  it('are refused when their headers take too much, and are taken again when others are over', async () => {
    const streams = [1, 2, 3].map(() => open(ECHO, headers));
    for (const stream of streams) stream.resume();
    await new Promise((resolve) => setTimeout(resolve));
    const small = framed(Buffer.from('small'));
    expect(await call(ECHO, small)).toMatchObject({ status: '0' });
    const refused = {
      status: String(StatusCode.RESOURCE_EXHAUSTED),
      message: expect.stringContaining('as%20many'),
    };
    expect(await call(ECHO, small, headers)).toMatchObject(refused);
    streams[0]?.end(small);
    if (streams[0] !== undefined) await answerOf(streams[0]);
    expect(await call(ECHO, small, headers)).toMatchObject({ status: '0' });
    expect(await call(ECHO, small, headers)).toMatchObject({ status: '0' });
  });

  it('share headers that were said before', async () => {
    // Seventy times all of it would be too much.
    const repeated = { 'x-repeated': 'x'.repeat(2_000) };
    await call(ECHO, framed(Buffer.from('first')), repeated);
    const streams = Array.from({ length: 70 }, () => open(ECHO, repeated));
    const answers = streams.map(answerOf);
    for (const stream of streams) stream.end(framed(Buffer.from('again')));
    for (const answer of answers) expect(await answer).toMatchObject({ status: '0' });
  });
});

it('refuses calls of a client that reads no answers, until it has read them', async () => {
  transport.unary('/test.Service/Large', (wire) => wire.answer(framed(Buffer.alloc(600_000))));
  const unread = [1, 2].map(() => {
    const stream = open('/test.Service/Large');
    stream.end(framed(Buffer.from('1')));
    return stream;
  });
  await Promise.all(unread.map((stream) => new Promise((resolve) => stream.once('response', resolve))));
  const refused = await call(ECHO, framed(Buffer.from('1')));
  expect(refused).toMatchObject({ status: String(StatusCode.RESOURCE_EXHAUSTED) });
  await Promise.all(unread.map(answerOf));
  expect(await call(ECHO, framed(Buffer.from('1')))).toMatchObject({ status: '0' });
});

describe('a transport that goes', () => {
  it('tells its clients, and answers what is under way', async () => {
    const polls: (() => void)[] = [];
    const waits = new Promise<void>((resolve) => {
      transport.unary('/test.Service/Poll', (wire, request) => {
        polls.push(() => wire.answer(framed(request)));
        resolve();
      });
    });
    const told = new Promise((resolve) => session.once('goaway', resolve));
    const waiting = call('/test.Service/Poll', framed(Buffer.from('1')));
    await waits;
    transport.retire();
    expect(await told).toBe(0);
    for (const answer of polls) answer();
    const closing = transport.close(1_000);
    expect(await waiting).toMatchObject({ status: '0', body: framed(Buffer.from('1')) });
    await closing;
  });

  it('ends what does not end by itself', async () => {
    const waits = new Promise<void>((resolve) => transport.unary('/test.Service/Poll', () => resolve()));
    const stream = open('/test.Service/Poll');
    const closed = new Promise((resolve) => stream.once('close', resolve));
    stream.on('error', () => {});
    stream.end(framed(Buffer.from('1')));
    await waits;
    const closing = transport.close(1_000);
    time.advance(1_000);
    await closing;
    await closed;
  });
});

describe('a client that gives up', () => {
  it('is told of once, and is not answered', async () => {
    let gone = 0;
    const waits = new Promise<void>((resolve) => {
      transport.unary('/test.Service/Poll', (wire) => {
        wire.whenGone(() => {
          gone += 1;
          wire.answer(framed(Buffer.from('late')));
          expect(wire.isOver).toBe(true);
          resolve();
        });
        stream.close(8);
      });
    });
    const stream = open('/test.Service/Poll');
    stream.on('error', () => {});
    stream.end(framed(Buffer.from('1')));
    await waits;
    expect(await call(ECHO, framed(Buffer.from('1')))).toMatchObject({ status: '0' });
    expect(gone).toBe(1);
  });

  it('after an answer is nobody that is told of', async () => {
    let gone = 0;
    transport.unary('/test.Service/Quick', (wire, request) => {
      wire.whenGone(() => {
        gone += 1;
      });
      wire.answer(framed(request));
    });
    await call('/test.Service/Quick', framed(Buffer.from('1')));
    session.destroy();
    await new Promise<void>((resolve) => listener.close(() => resolve()));
    expect(gone).toBe(0);
  });
});

it('streams in both directions', async () => {
  transport.register('/test.Service/Chat', (wire) => ({
    message: (bytes) => wire.send(framed(bytes)),
    ended: () => wire.end(),
  }));
  const said = Buffer.concat([framed(Buffer.from('one')), framed(Buffer.from('two'))]);
  expect(await call('/test.Service/Chat', said)).toMatchObject({ status: '0', body: said });
});

it('reads no more of a stream than its client reads of the answers', async () => {
  let read = 0;
  transport.register('/test.Service/Flood', (wire) => ({
    message: () => {
      read += 1;
      wire.send(framed(Buffer.alloc(100_000)));
    },
    ended: () => wire.end(),
  }));
  const stream = open('/test.Service/Flood');
  stream.on('error', () => {});
  stream.on('response', () => stream.pause());
  const asks = 200;
  for (let i = 0; i < asks; i += 1) stream.write(framed(Buffer.alloc(900)));
  stream.end();
  // Calls of the same connection come after what it reads of the stream meanwhile.
  for (let i = 0; i < 5; i += 1) await call(ECHO, framed(Buffer.from('1')));
  expect(read).toBeLessThan(asks);
  stream.resume();
  stream.on('data', () => {});
  await new Promise<void>((resolve) => stream.once('close', resolve));
  expect(read).toBe(asks);
});

describe('a connection', () => {
  it('that answers pings is kept', async () => {
    await call(ECHO, framed(Buffer.from('1')));
    for (let i = 0; i < 3; i += 1) {
      const pinged = new Promise((resolve) => session.once('ping', resolve));
      time.advance(PING_EVERY_MS);
      await pinged;
      // Answers come in the order of what was sent: the ping's is there before this call's.
      expect(await call(ECHO, framed(Buffer.from('1')))).toMatchObject({ status: '0' });
    }
  });

  it('is asked to end when it is old, and another one serves', async () => {
    await call(ECHO, framed(Buffer.from('1')));
    const closed = new Promise((resolve) => session.once('close', resolve));
    for (let age = 0; age < 1.1 * MAX_AGE_MS && !session.closed; age += PING_EVERY_MS) {
      time.advance(PING_EVERY_MS);
      // Its answer to the ping is on its way.
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await closed;
    session = connect(`http://127.0.0.1:${port}`);
    expect(await call(ECHO, framed(Buffer.from('1')))).toMatchObject({ status: '0' });
  });

  it('that answers none is closed', async () => {
    const socket = connectSocket(port, '127.0.0.1');
    // What it has sent may not be read by then.
    socket.on('error', () => {});
    const settings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
    socket.write(Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), settings]));
    await new Promise((resolve) => socket.once('data', resolve));
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    socket.resume();
    time.advance(PING_EVERY_MS);
    time.advance(PING_TIMEOUT_MS);
    await closed;
  });
});
