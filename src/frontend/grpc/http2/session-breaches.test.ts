// A client that breaks the protocol: what ends its connection, and what only one of its streams. Nobody's library would say that; what libraries say,
// ../transport/transport.test.ts and test/compat do.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ErrorCode, Flag, FrameType, MAX_WINDOW, PREFACE, Setting } from './protocol.ts';
import { frame, literal, number, RawClient, request, setting } from './raw-client.test-support.ts';
import { echo, isEnd, MAX_STREAMS, open, SessionWorld } from './session-world.test-support.ts';

const { DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION } =
  FrameType;
const { END_STREAM, END_HEADERS, PADDED, ACK } = Flag;

let world: SessionWorld;

beforeEach(async () => {
  world = await SessionWorld.begin();
});

afterEach(() => world.end());

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
    world.client.send(...frames);
    const farewell = await world.client.frame(({ type }) => type === GOAWAY);
    expect(farewell?.payload.readUInt32BE(4)).toBe(code);
    await world.client.closed();
  });

  it.each([
    ['HTTP/1.1', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['no settings', Buffer.concat([PREFACE, frame(PING, 0, 0, Buffer.alloc(8))])],
  ])('%s at its beginning', async (_, greeting) => {
    const other = await RawClient.connect(world.server.port, greeting);
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
    world.client.send(...frames);
    const reset = await world.client.frame(({ type }) => type === RST_STREAM);
    expect(reset).toMatchObject({ stream: 1, payload: number(code) });
    // The connection serves on, and what its client's headers refer to is still known.
    world.answer = echo;
    world.client.send(open(3, END_STREAM));
    expect(await world.client.frame(isEnd(3))).toBeDefined();
    expect(world.closed).toEqual(world.streams.length === 2 ? [1, 3] : [3]);
  });

  it('more at once than there may be', async () => {
    for (let i = 0; i < MAX_STREAMS; i += 1) world.client.send(open(2 * i + 1));
    world.client.send(open(101, END_STREAM));
    const reset = await world.client.frame(({ type }) => type === RST_STREAM);
    expect(reset).toMatchObject({ stream: 101, payload: number(ErrorCode.REFUSED_STREAM) });
    expect(world.streams.length).toBe(MAX_STREAMS);
  });
});

describe('who makes us break off streams', () => {
  it.each([
    ['by headers twice', (id: number) => open(id)],
    ['by a window that grows by nothing', (id: number) => frame(WINDOW_UPDATE, 0, id, number(0))],
    ['by data after the end', (id: number) => frame(DATA, 0, id, Buffer.alloc(1))],
  ])('%s, may do so as often as he may himself', async (_, mistake) => {
    const burst = 2 * MAX_STREAMS;
    for (let i = 0; i < burst; i += 1) world.client.send(open(2 * i + 1, END_STREAM), mistake(2 * i + 1));
    await world.client.settled();
    expect(world.closed.length).toBe(burst);
    world.client.send(open(201, END_STREAM), mistake(201));
    const farewell = await world.client.frame(({ type }) => type === GOAWAY);
    expect(farewell?.payload.readUInt32BE(4)).toBe(ErrorCode.ENHANCE_YOUR_CALM);
  });
});
