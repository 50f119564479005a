// A session against a client that says one frame after the other: what breaks the protocol, what has no room, what there is too much of. Nobody's library
// would say that; what libraries say, ../transport/transport.test.ts and test/compat do.

import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VirtualTime } from '../../../../test/support/matching-world.ts';
import { numbers } from './payloads.ts';
import { ErrorCode, Flag, FrameType, MAX_WINDOW, PREFACE, Setting } from './protocol.ts';
import {
  type Frame,
  frame,
  literal,
  number,
  RawClient,
  request,
  type SessionServer,
  serveSessions,
  setting,
} from './raw-client.test-support.ts';
import { STREAM_WINDOW, type Stream } from './stream.ts';

const { DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION } =
  FrameType;
const { END_STREAM, END_HEADERS, PADDED, ACK } = Flag;
const MAX_STREAMS = 10;
const STATUS = [{ name: ':status', value: '200' }];
const TRAILERS = [{ name: 'grpc-status', value: '0', isKept: true }];

let time: VirtualTime;
let server: SessionServer;
let client: RawClient;
/** Requests that are whole, by the stream's number. */
let whole: Map<number, string>;
let streams: Stream[];
/** What becomes of a whole request. */
let answer: (stream: Stream, text: string) => void;
let closed: number[];

beforeEach(async () => {
  time = new VirtualTime();
  whole = new Map();
  streams = [];
  closed = [];
  answer = () => {};
  server = await serveSessions(time, MAX_STREAMS, (stream) => {
    const chunks: Buffer[] = [];
    streams.push(stream);
    stream.receiver = {
      data: (bytes) => void chunks.push(bytes),
      ended: () => {
        const text = Buffer.concat(chunks).toString('latin1');
        whole.set(stream.id, text);
        answer(stream, text);
      },
      closed: () => void closed.push(stream.id),
    };
  });
  client = await RawClient.connect(server.port);
});

afterEach(() => {
  expect(server.faults).toEqual([]);
  client.close();
  server.close();
});

const open = (stream: number, flags = 0, block = request()): Buffer =>
  frame(HEADERS, END_HEADERS | flags, stream, block);
const echo = (stream: Stream, text: string): void => {
  stream.respond(STATUS);
  stream.send(Buffer.from(text, 'latin1'));
  stream.end(TRAILERS);
};
const dataOf = (frames: readonly Frame[], stream: number): string =>
  Buffer.concat(frames.filter((f) => f.type === DATA && f.stream === stream).map((f) => f.payload)).toString('latin1');
const isEnd =
  (stream: number) =>
  (f: Frame): boolean =>
    f.stream === stream && f.type === HEADERS && (f.flags & END_STREAM) !== 0;

describe('what breaks the protocol ends the connection', () => {
  const { PROTOCOL_ERROR, FRAME_SIZE_ERROR, FLOW_CONTROL_ERROR, COMPRESSION_ERROR, ENHANCE_YOUR_CALM } = ErrorCode;
  const bytes = (...of: number[]): Buffer => Buffer.from(of);
  /** A header that is kept, with a value of so many bytes. */
  const kept = (length: number): Buffer => {
    const rest = length - 0x7f;
    const size = rest < 0 ? bytes(length) : bytes(0x7f, (rest & 0x7f) | 0x80, rest >>> 7);
    return Buffer.concat([bytes(0x40, 1, 0x61), size, Buffer.alloc(length, 0x62)]);
  };

  it.each([
    ['a frame that is too large', [frame(DATA, 0, 1, Buffer.alloc(16_385))], FRAME_SIZE_ERROR],
    ['data of no stream', [frame(DATA, 0, 0, bytes(1))], PROTOCOL_ERROR],
    ['data of a stream that there is not', [frame(DATA, 0, 1, bytes(1))], PROTOCOL_ERROR],
    ['headers of a stream of the server', [open(2)], PROTOCOL_ERROR],
    ['headers of no stream', [open(0)], PROTOCOL_ERROR],
    ['more padding than frame', [open(1), frame(DATA, PADDED, 1, bytes(5, 1))], PROTOCOL_ERROR],
    ['a priority that is cut off', [frame(HEADERS, END_HEADERS | Flag.PRIORITY, 1, bytes(0))], FRAME_SIZE_ERROR],
    ['headers that are broken off', [frame(HEADERS, 0, 1, request()), frame(PING, 0, 0, Buffer.alloc(8))], 1],
    ['headers that go on for another stream', [frame(HEADERS, 0, 1, request()), frame(CONTINUATION, 4, 3)], 1],
    ['headers that go on and had not begun', [frame(CONTINUATION, END_HEADERS, 1)], PROTOCOL_ERROR],
    [
      'headers that never end',
      [frame(HEADERS, 0, 1, request()), ...Array.from({ length: 1_100 }, () => frame(CONTINUATION, 0, 1))],
      ENHANCE_YOUR_CALM,
    ],
    ['a header that there is not', [open(1, 0, bytes(0xff, 0x20))], COMPRESSION_ERROR],
    ['a header that went when others came', [open(1, 0, Buffer.concat([kept(4_000), kept(100), bytes(0xbf)]))], 9],
    ['a header from before one without room', [open(1, 0, Buffer.concat([kept(10), kept(5_000), bytes(0xbe)]))], 9],
    ['a header of number 0', [open(1, 0, bytes(0x80))], COMPRESSION_ERROR],
    ['a number that does not end', [open(1, 0, bytes(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1))], COMPRESSION_ERROR],
    ['a header that is cut off', [open(1, 0, bytes(0x00, 5, 0x61))], COMPRESSION_ERROR],
    ['a text of no Huffman code', [open(1, 0, bytes(0x00, 0x84, 0xff, 0xff, 0xff, 0xff, 0))], COMPRESSION_ERROR],
    ['a text with more than a byte after it', [open(1, 0, bytes(0x00, 0x82, 0x1f, 0xff, 0))], COMPRESSION_ERROR],
    ['a table that is larger than allowed', [open(1, 0, bytes(0x3f, 0xe2, 0x1f))], COMPRESSION_ERROR],
    ['a table whose size comes late', [open(1, 0, Buffer.concat([request(), bytes(0x20)]))], COMPRESSION_ERROR],
    ['a reset of a stream that there is not', [frame(RST_STREAM, 0, 1, number(8))], PROTOCOL_ERROR],
    ['a reset that is cut off', [open(1), frame(RST_STREAM, 0, 1, bytes(0))], FRAME_SIZE_ERROR],
    ['a window that grows by nothing', [frame(WINDOW_UPDATE, 0, 0, number(0))], PROTOCOL_ERROR],
    ['a window that is cut off', [frame(WINDOW_UPDATE, 0, 0, bytes(0))], FRAME_SIZE_ERROR],
    ['a window of a stream that there is not', [frame(WINDOW_UPDATE, 0, 1, number(1))], PROTOCOL_ERROR],
    ['a window that is too large', [frame(WINDOW_UPDATE, 0, 0, number(MAX_WINDOW))], FLOW_CONTROL_ERROR],
    ['settings of a stream', [frame(SETTINGS, 0, 1)], PROTOCOL_ERROR],
    ['settings that are cut off', [frame(SETTINGS, 0, 0, bytes(0, 1, 0))], FRAME_SIZE_ERROR],
    ['settings that are taken with a word', [frame(SETTINGS, ACK, 0, setting(1, 1))], FRAME_SIZE_ERROR],
    ['a push that may be perhaps', [frame(SETTINGS, 0, 0, setting(Setting.ENABLE_PUSH, 2))], PROTOCOL_ERROR],
    ['a window of streams that is too large', [frame(SETTINGS, 0, 0, setting(4, 2 ** 31))], FLOW_CONTROL_ERROR],
    ['frames that are too small', [frame(SETTINGS, 0, 0, setting(Setting.MAX_FRAME_SIZE, 100))], PROTOCOL_ERROR],
    ['settings all the time', Array.from({ length: 1_001 }, () => frame(SETTINGS, 0, 0)), ENHANCE_YOUR_CALM],
    ['a ping of a stream', [frame(PING, 0, 1, Buffer.alloc(8))], PROTOCOL_ERROR],
    ['a ping that is cut off', [frame(PING, 0, 0, Buffer.alloc(7))], FRAME_SIZE_ERROR],
    ['a farewell of a stream', [frame(GOAWAY, 0, 1, Buffer.alloc(8))], PROTOCOL_ERROR],
    ['a priority of no stream', [frame(PRIORITY, 0, 0, Buffer.alloc(5))], PROTOCOL_ERROR],
    ['a push of a client', [frame(PUSH_PROMISE, 0, 1, Buffer.alloc(4))], PROTOCOL_ERROR],
  ] as [string, Buffer[], number][])('%s', async (_, frames, code) => {
    client.send(...frames);
    const farewell = await client.frame(({ type }) => type === GOAWAY);
    expect(farewell?.payload.readUInt32BE(4)).toBe(code);
    await client.closed();
  });

  it.each([
    ['HTTP/1.1', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['no settings', Buffer.concat([PREFACE, frame(PING, 0, 0, Buffer.alloc(8))])],
  ])('%s at its beginning', async (_, greeting) => {
    const other = await RawClient.connect(server.port, greeting);
    expect((await other.frame(({ type }) => type === GOAWAY))?.payload.readUInt32BE(4)).toBe(PROTOCOL_ERROR);
    await other.closed();
  });
});

describe('what one stream has wrong ends that one', () => {
  const { PROTOCOL_ERROR, FLOW_CONTROL_ERROR, STREAM_CLOSED, ENHANCE_YOUR_CALM } = ErrorCode;
  const withHeader = (name: string, value = 'x'): Buffer => Buffer.concat([request(), literal(name, value)]);
  const many = Buffer.concat([request(), ...Array.from({ length: 200 }, () => literal('a', 'b'))]);
  /** Each as long as it gets by saying it once: what is said of it is short. */
  const large = Buffer.concat([
    request(),
    Buffer.from([0x40, 1, 0x61, 0x7f, 0xa1, 0x1e]),
    Buffer.alloc(4_000, 0x62),
    Buffer.alloc(100, 0xbe),
  ]);

  it.each([
    ['a name in capitals', [open(1, 0, withHeader('Name'))], PROTOCOL_ERROR],
    ['a header of HTTP/1.1', [open(1, 0, withHeader('connection'))], PROTOCOL_ERROR],
    ['another coding than trailers', [open(1, 0, withHeader('te', 'gzip'))], PROTOCOL_ERROR],
    ['a path after other headers', [open(1, 0, Buffer.concat([literal('a', 'b'), request()]))], PROTOCOL_ERROR],
    ['two paths', [open(1, 0, withHeader(':path'))], PROTOCOL_ERROR],
    ['no path', [open(1, 0, Buffer.from([0x83, 0x86]))], PROTOCOL_ERROR],
    ['an empty path', [open(1, 0, request(''))], PROTOCOL_ERROR],
    ['a status', [open(1, 0, withHeader(':status', '200'))], PROTOCOL_ERROR],
    ['too many headers', [open(1, 0, many)], ENHANCE_YOUR_CALM],
    ['headers that are too large', [open(1, 0, large)], ENHANCE_YOUR_CALM],
    ['further headers that do not end it', [open(1), open(1)], PROTOCOL_ERROR],
    ['a path at its end', [open(1), open(1, END_STREAM)], PROTOCOL_ERROR],
    ['data after its end', [open(1, END_STREAM), frame(DATA, 0, 1, Buffer.alloc(1))], STREAM_CLOSED],
    ['headers after its end', [open(1, END_STREAM), open(1, END_STREAM)], STREAM_CLOSED],
    ['a window that grows by nothing', [open(1), frame(WINDOW_UPDATE, 0, 1, number(0))], PROTOCOL_ERROR],
    ['a window that is too large', [open(1), frame(WINDOW_UPDATE, 0, 1, number(MAX_WINDOW))], FLOW_CONTROL_ERROR],
  ] as [string, Buffer[], number][])('%s', async (_, frames, code) => {
    client.send(...frames);
    const reset = await client.frame(({ type }) => type === RST_STREAM);
    expect(reset).toMatchObject({ stream: 1, payload: number(code) });
    // The connection serves on, and what its client's headers refer to is still known.
    answer = echo;
    client.send(open(3, END_STREAM));
    expect(await client.frame(isEnd(3))).toBeDefined();
    expect(closed).toEqual(streams.length === 2 ? [1, 3] : [3]);
  });

  it('more at once than there may be', async () => {
    for (let i = 0; i < MAX_STREAMS; i += 1) client.send(open(2 * i + 1));
    client.send(open(101, END_STREAM));
    const reset = await client.frame(({ type }) => type === RST_STREAM);
    expect(reset).toMatchObject({ stream: 101, payload: number(ErrorCode.REFUSED_STREAM) });
    expect(streams.length).toBe(MAX_STREAMS);
  });
});

describe('what comes of a client', () => {
  it('is read the same however it was cut', async () => {
    answer = echo;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ maxLength: 300, unit: 'binary-ascii' }), { minLength: 1, maxLength: 3 }),
        fc.array(fc.nat(600), { maxLength: 12 }),
        async (texts, cuts) => {
          const said = Buffer.concat([
            PREFACE,
            frame(SETTINGS, 0, 0),
            ...texts.flatMap((text, i) => [
              frame(HEADERS, 0, 2 * i + 1, request().subarray(0, 3)),
              frame(CONTINUATION, END_HEADERS, 2 * i + 1, request().subarray(3)),
              frame(DATA, PADDED, 2 * i + 1, Buffer.from([3, ...Buffer.from(text), 0, 0, 0])),
              frame(DATA, END_STREAM, 2 * i + 1),
            ]),
          ]);
          const other = await RawClient.connect(server.port, Buffer.alloc(0));
          let from = 0;
          for (const at of [...cuts.sort((a, b) => a - b), said.length]) {
            other.send(said.subarray(from, at));
            from = Math.max(from, at);
            await new Promise((resolve) => setImmediate(resolve));
          }
          for (const [i, text] of texts.entries()) {
            await other.frame(isEnd(2 * i + 1));
            expect(dataOf(other.frames, 2 * i + 1)).toBe(text);
          }
          other.close();
        },
      ),
      { numRuns: 60 },
    );
  });

  it('has as much room again as was read', async () => {
    const chunk = Buffer.alloc(16_000, 0x61);
    const count = (2 * STREAM_WINDOW) / chunk.length;
    client.send(open(1));
    let room = STREAM_WINDOW;
    let seen = 0;
    for (let i = 0; i < count; i += 1) {
      client.send(frame(DATA, 0, 1, chunk));
      room -= chunk.length;
      await client.settled();
      const widened = client.frames.filter((f) => f.type === WINDOW_UPDATE && f.stream === 1);
      for (const { payload } of widened.slice(seen)) room += payload.readUInt32BE();
      seen = widened.length;
      expect(room).toBeGreaterThanOrEqual(chunk.length);
    }
    client.send(frame(DATA, END_STREAM, 1));
    await client.settled();
    expect(whole.get(1)?.length).toBe(Math.ceil(count) * chunk.length);
  });

  it('has no more than that, and what is not read takes its room', async () => {
    const chunk = Buffer.alloc(16_000);
    client.send(frame(SETTINGS, 0, 0, setting(Setting.INITIAL_WINDOW_SIZE, 0)));
    // What was held of one is given back: the connection has room for as much again, and again.
    for (let i = 0; i < 8; i += 1) {
      const id = 2 * i + 1;
      client.send(open(id));
      await client.settled();
      // An answer that has no room: what comes then is not read.
      streams[i]?.respond(STATUS);
      streams[i]?.send(Buffer.from('waits'));
      for (let sent = 0; sent <= STREAM_WINDOW; sent += chunk.length) client.send(frame(DATA, 0, id, chunk));
      const reset = await client.frame((f) => f.type === RST_STREAM && f.stream === id);
      expect(reset?.payload).toEqual(number(ErrorCode.FLOW_CONTROL_ERROR));
    }
    expect(client.frames.filter(({ type }) => type === GOAWAY)).toEqual([]);
  });

  it('has no smaller pieces than can be kept', async () => {
    client.send(frame(SETTINGS, 0, 0, setting(Setting.INITIAL_WINDOW_SIZE, 0)), open(1));
    await client.settled();
    streams[0]?.respond(STATUS);
    streams[0]?.send(Buffer.from('waits'));
    client.send(...Array.from({ length: 1_100 }, () => frame(DATA, 0, 1, Buffer.from('.'))));
    const reset = await client.frame(({ type }) => type === RST_STREAM);
    expect(reset).toMatchObject({ stream: 1, payload: number(ErrorCode.FLOW_CONTROL_ERROR) });
  });

  it('is not read while the answers before it wait, and is then', async () => {
    client.send(frame(SETTINGS, 0, 0, setting(Setting.INITIAL_WINDOW_SIZE, 0)), open(1));
    await client.settled();
    const [stream] = streams;
    const read: string[] = [];
    let ended = false;
    if (stream === undefined) throw new Error('no stream');
    stream.receiver = {
      data: (bytes) => {
        read.push(bytes.toString());
        stream.send(bytes);
      },
      ended: () => {
        ended = true;
        stream.end(TRAILERS);
      },
      closed() {},
    };
    stream.respond(STATUS);
    client.send(...['one', 'two', 'three'].map((text) => frame(DATA, 0, 1, Buffer.from(text))));
    client.send(frame(DATA, END_STREAM, 1));
    await client.settled();
    expect([read, ended]).toEqual([['one'], false]);
    client.send(frame(WINDOW_UPDATE, 0, 1, number(4)));
    await client.settled();
    expect([read, ended]).toEqual([['one', 'two'], false]);
    client.send(frame(WINDOW_UPDATE, 0, 1, number(100)));
    await client.frame(isEnd(1));
    expect([read, ended]).toEqual([['one', 'two', 'three'], true]);
    expect(dataOf(client.frames, 1)).toBe('onetwothree');
  });

  it('ends with headers as well', async () => {
    answer = echo;
    client.send(open(1), frame(DATA, 0, 1, Buffer.from('text')), open(1, END_STREAM, literal('a', 'b')));
    await client.frame(isEnd(1));
    expect(dataOf(client.frames, 1)).toBe('text');
  });

  it('of extensions, and of streams that are over, is passed over', async () => {
    answer = echo;
    client.send(open(1, END_STREAM));
    await client.frame(isEnd(1));
    client.send(frame(0xfa, 0xff, 1, Buffer.alloc(20)), frame(DATA, 0, 1, Buffer.alloc(5)));
    client.send(frame(WINDOW_UPDATE, 0, 1, number(5)), frame(RST_STREAM, 0, 1, number(8)), open(1));
    client.send(open(3, END_STREAM));
    expect(await client.frame(isEnd(3))).toBeDefined();
  });

  it('may break off streams, but not for ever', async () => {
    const burst = 2 * MAX_STREAMS;
    const resets = (from: number, count: number): Buffer[] =>
      Array.from({ length: count }, (_, i) => {
        const id = 2 * (from + i) + 1;
        return Buffer.concat([open(id), frame(RST_STREAM, 0, id, number(8))]);
      });
    client.send(...resets(0, burst));
    await client.settled();
    expect(closed.length).toBe(burst);
    time.advance(1_000);
    client.send(...resets(burst, burst));
    await client.settled();
    expect(closed.length).toBe(2 * burst);
    client.send(...resets(2 * burst, 1));
    const farewell = await client.frame(({ type }) => type === GOAWAY);
    expect(farewell?.payload.readUInt32BE(4)).toBe(ErrorCode.ENHANCE_YOUR_CALM);
    await client.closed();
  });
});

describe('who makes us break off streams', () => {
  it.each([
    ['by headers twice', (id: number) => open(id)],
    ['by a window that grows by nothing', (id: number) => frame(WINDOW_UPDATE, 0, id, number(0))],
    ['by data after the end', (id: number) => frame(DATA, 0, id, Buffer.alloc(1))],
  ])('%s, may do so as often as he may himself', async (_, mistake) => {
    const burst = 2 * MAX_STREAMS;
    for (let i = 0; i < burst; i += 1) client.send(open(2 * i + 1, END_STREAM), mistake(2 * i + 1));
    await client.settled();
    expect(closed.length).toBe(burst);
    client.send(open(201, END_STREAM), mistake(201));
    const farewell = await client.frame(({ type }) => type === GOAWAY);
    expect(farewell?.payload.readUInt32BE(4)).toBe(ErrorCode.ENHANCE_YOUR_CALM);
  });
});

describe('an answer', () => {
  it('leaves as fast as there is room for it', async () => {
    const text = 'x'.repeat(30);
    answer = (stream) => echo(stream, text);
    client.send(frame(SETTINGS, 0, 0, setting(Setting.INITIAL_WINDOW_SIZE, 10)), open(1, END_STREAM));
    expect(dataOf(await client.settled(), 1).length).toBe(10);
    client.send(frame(WINDOW_UPDATE, 0, 1, number(5)));
    expect(dataOf(await client.settled(), 1).length).toBe(15);
    // Less than it has sent already.
    client.send(frame(SETTINGS, 0, 0, setting(Setting.INITIAL_WINDOW_SIZE, 0)));
    client.send(frame(WINDOW_UPDATE, 0, 1, number(12)));
    expect(dataOf(await client.settled(), 1).length).toBe(17);
    expect(server.sessions[0]?.unreadBytes).toBe(13);
    client.send(frame(SETTINGS, 0, 0, setting(Setting.INITIAL_WINDOW_SIZE, 20)));
    await client.frame(isEnd(1));
    expect(dataOf(client.frames, 1)).toBe(text);
    expect(server.sessions[0]?.unreadBytes).toBe(0);
  });

  it('of one stream waits for no other one, and all for the connection', async () => {
    answer = (stream) => echo(stream, stream.id === 1 ? 'x'.repeat(70_000) : 'short');
    client.send(frame(SETTINGS, 0, 0, setting(Setting.INITIAL_WINDOW_SIZE, 65_533)), open(1, END_STREAM));
    await client.settled();
    client.send(open(3, END_STREAM));
    expect(dataOf(await client.settled(), 3)).toBe('sh');
    client.send(frame(WINDOW_UPDATE, 0, 0, number(100)));
    await client.frame(isEnd(3));
    expect(dataOf(client.frames, 1).length).toBe(65_533);
    client.send(frame(WINDOW_UPDATE, 0, 0, number(10_000)), frame(WINDOW_UPDATE, 0, 1, number(10_000)));
    await client.frame(isEnd(1));
    expect(dataOf(client.frames, 1).length).toBe(70_000);
  });

  it('that has no room of its own costs nothing while others go', async () => {
    // What has no window is not looked at again until it has one.
    let looks = 0;
    answer = (stream) => {
      if (stream.id < 9) {
        const proceed = stream.proceed.bind(stream);
        stream.proceed = () => {
          looks += 1;
          proceed();
        };
      }
      echo(stream, stream.id < 9 ? 'waits' : 'goes');
    };
    client.send(frame(SETTINGS, 0, 0, setting(Setting.INITIAL_WINDOW_SIZE, 0)));
    for (let id = 1; id <= 9; id += 2) client.send(open(id, END_STREAM));
    await client.settled();
    expect(server.sessions[0]?.unreadBytes).toBe(4 * 5 + 4);
    for (let i = 0; i < 100; i += 1) client.send(frame(WINDOW_UPDATE, 0, 0, number(1)));
    client.send(frame(WINDOW_UPDATE, 0, 9, number(4)));
    await client.frame(isEnd(9));
    expect(looks).toBe(0);
    client.send(frame(RST_STREAM, 0, 1, number(8)), frame(SETTINGS, 0, 0, setting(Setting.INITIAL_WINDOW_SIZE, 5)));
    for (const id of [3, 5, 7]) {
      await client.frame(isEnd(id));
      expect(dataOf(client.frames, id)).toBe('waits');
    }
    expect(looks).toBe(3);
    expect(server.sessions[0]?.unreadBytes).toBe(0);
  });

  it('is its own, however many leave at once and of whatever size', async () => {
    const others = await Promise.all([1, 2, 3].map(() => RawClient.connect(server.port)));
    const sizes = [1, 100, 2_000, 2_100, 15_000, 40_000];
    answer = (stream, text) => echo(stream, text.repeat(sizes[stream.id % sizes.length] ?? 1));
    const everybody = [client, ...others];
    const letters = ['a', 'b', 'c', 'd'];
    for (const [i, each] of everybody.entries()) {
      each.send(frame(WINDOW_UPDATE, 0, 0, number(1_000_000)));
      for (let id = 1; id <= 11; id += 2)
        each.send(open(id), frame(DATA, END_STREAM, id, Buffer.from(letters[i] ?? '')));
    }
    for (const [i, each] of everybody.entries()) {
      for (let id = 1; id <= 11; id += 2) {
        await each.frame(isEnd(id));
        const letter = letters[i] ?? '';
        expect(dataOf(each.frames, id)).toBe(letter.repeat(sizes[id % sizes.length] ?? 1));
      }
      if (each !== client) each.close();
    }
  });

  it('waits in no system when its client reads nothing, and neither is that client read', async () => {
    answer = (stream) => echo(stream, 'x'.repeat(4_000_000));
    const large = setting(Setting.INITIAL_WINDOW_SIZE, MAX_WINDOW);
    client.send(frame(SETTINGS, 0, 0, large), frame(WINDOW_UPDATE, 0, 0, number(1_000_000_000)));
    await client.settled();
    client.pause();
    for (let id = 1; id < 2 * MAX_STREAMS; id += 2) client.send(open(id, END_STREAM));
    const unreadBytes = (): number => server.sessions[0]?.unreadBytes ?? 0;
    const turns = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i += 1) await new Promise((resolve) => setImmediate(resolve));
    };
    while (unreadBytes() < 20_000_000) await turns(1);
    await turns(100);
    const before = unreadBytes();
    client.send(Buffer.concat(new Array<Buffer>(200_000).fill(frame(PING, 0, 0, Buffer.alloc(8)))));
    await turns(500);
    // Of 3.4 MB of answers to pings, next to nothing.
    expect(unreadBytes() - before).toBeLessThan(1_000_000);
    client.resume();
    await client.settled();
    for (let id = 1; id < 2 * MAX_STREAMS; id += 2) {
      await client.frame(isEnd(id));
      expect(dataOf(client.frames, id).length).toBe(4_000_000);
    }
    expect(client.frames.filter(({ type }) => type === PING).length).toBe(200_002);
    expect(server.sessions[0]?.unreadBytes).toBe(0);
  });

  it('before its request is whole breaks off the rest', async () => {
    client.send(open(1), frame(DATA, 0, 1, Buffer.from('half')));
    await client.settled();
    streams[0]?.end(STATUS);
    const reset = await client.frame(({ type }) => type === RST_STREAM);
    expect(reset).toMatchObject({ stream: 1, payload: number(ErrorCode.NO_ERROR) });
    client.send(frame(DATA, END_STREAM, 1, Buffer.from('the rest')));
    await client.settled();
    expect([whole.size, closed]).toEqual([0, [1]]);
  });
});

describe('a session that goes', () => {
  it('serves what has begun, names what has not, and ends', async () => {
    client.send(open(1));
    await client.settled();
    server.sessions[0]?.close();
    client.send(open(3, END_STREAM));
    const farewell = await client.frame(({ type }) => type === GOAWAY);
    expect([farewell?.payload.readUInt32BE(0), farewell?.payload.readUInt32BE(4)]).toEqual([1, ErrorCode.NO_ERROR]);
    answer = echo;
    client.send(frame(DATA, END_STREAM, 1, Buffer.from('text')));
    await client.closed();
    expect(dataOf(client.frames, 1)).toBe('text');
    expect(streams.length).toBe(1);
  });

  it('passes over all of a request that was sent before its client could know', async () => {
    client.send(open(1));
    await client.settled();
    server.sessions[0]?.close();
    const unheard = [frame(DATA, 0, 3, Buffer.from('not begun')), frame(WINDOW_UPDATE, 0, 3, numbers(9))];
    client.send(open(3), ...unheard, frame(RST_STREAM, 0, 3, numbers(ErrorCode.CANCEL)));
    answer = echo;
    client.send(frame(DATA, END_STREAM, 1, Buffer.from('text')));
    await client.closed();
    expect(dataOf(client.frames, 1)).toBe('text');
    const farewells = client.frames.filter(({ type }) => type === GOAWAY);
    expect(farewells.map(({ payload }) => payload.readUInt32BE(4))).toEqual([ErrorCode.NO_ERROR]);
  });

  it('when its client says farewell', async () => {
    answer = echo;
    client.send(open(1), frame(GOAWAY, 0, 0, Buffer.alloc(8)), frame(DATA, END_STREAM, 1, Buffer.from('text')));
    await client.closed();
    expect(dataOf(client.frames, 1)).toBe('text');
  });

  it('tells its streams, once', async () => {
    client.send(open(1), open(3, END_STREAM));
    await client.settled();
    client.close();
    await new Promise<void>((resolve) => server.sessions[0]?.whenClosed(resolve));
    expect(closed).toEqual([1, 3]);
  });
});
