// A session against a client that says one frame after the other: how requests come in however they were cut, what has no room, and how a session goes.

import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { numbers } from './payloads.ts';
import { ErrorCode, Flag, FrameType, PREFACE, Setting } from './protocol.ts';
import { frame, literal, number, RawClient, request, setting } from './raw-client.test-support.ts';
import {
  dataOf,
  echo,
  isEnd,
  MAX_STREAMS,
  open,
  SessionWorld,
  STATUS,
  TRAILERS,
} from './session-world.test-support.ts';
import { STREAM_WINDOW } from './stream.ts';

const { DATA, HEADERS, RST_STREAM, SETTINGS, GOAWAY, WINDOW_UPDATE, CONTINUATION } = FrameType;
const { END_STREAM, END_HEADERS, PADDED } = Flag;

let world: SessionWorld;

beforeEach(async () => {
  world = await SessionWorld.begin();
});

afterEach(() => world.end());

describe('what comes of a client', () => {
  it('is read the same however it was cut', async () => {
    world.answer = echo;
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
          const other = await RawClient.connect(world.server.port, Buffer.alloc(0));
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
    world.client.send(open(1));
    let room = STREAM_WINDOW;
    let seen = 0;
    for (let i = 0; i < count; i += 1) {
      world.client.send(frame(DATA, 0, 1, chunk));
      room -= chunk.length;
      await world.client.settled();
      const widened = world.client.frames.filter((f) => f.type === WINDOW_UPDATE && f.stream === 1);
      for (const { payload } of widened.slice(seen)) room += payload.readUInt32BE();
      seen = widened.length;
      expect(room).toBeGreaterThanOrEqual(chunk.length);
    }
    world.client.send(frame(DATA, END_STREAM, 1));
    await world.client.settled();
    expect(world.whole.get(1)?.length).toBe(Math.ceil(count) * chunk.length);
  });

  it('has no more than that, and what is not read takes its room', async () => {
    const chunk = Buffer.alloc(16_000);
    world.client.send(frame(SETTINGS, 0, 0, setting(Setting.INITIAL_WINDOW_SIZE, 0)));
    // What was held of one is given back: the connection has room for as much again, and again.
    for (let i = 0; i < 8; i += 1) {
      const id = 2 * i + 1;
      world.client.send(open(id));
      await world.client.settled();
      // An answer that has no room: what comes then is not read.
      world.streams[i]?.respond(STATUS);
      world.streams[i]?.send(Buffer.from('waits'));
      for (let sent = 0; sent <= STREAM_WINDOW; sent += chunk.length) world.client.send(frame(DATA, 0, id, chunk));
      const reset = await world.client.frame((f) => f.type === RST_STREAM && f.stream === id);
      expect(reset?.payload).toEqual(number(ErrorCode.FLOW_CONTROL_ERROR));
    }
    expect(world.client.frames.filter(({ type }) => type === GOAWAY)).toEqual([]);
  });

  it('has no smaller pieces than can be kept', async () => {
    world.client.send(frame(SETTINGS, 0, 0, setting(Setting.INITIAL_WINDOW_SIZE, 0)), open(1));
    await world.client.settled();
    world.streams[0]?.respond(STATUS);
    world.streams[0]?.send(Buffer.from('waits'));
    world.client.send(...Array.from({ length: 1_100 }, () => frame(DATA, 0, 1, Buffer.from('.'))));
    const reset = await world.client.frame(({ type }) => type === RST_STREAM);
    expect(reset).toMatchObject({ stream: 1, payload: number(ErrorCode.FLOW_CONTROL_ERROR) });
  });

  it('is not read while the answers before it wait, and is then', async () => {
    world.client.send(frame(SETTINGS, 0, 0, setting(Setting.INITIAL_WINDOW_SIZE, 0)), open(1));
    await world.client.settled();
    const [stream] = world.streams;
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
    world.client.send(...['one', 'two', 'three'].map((text) => frame(DATA, 0, 1, Buffer.from(text))));
    world.client.send(frame(DATA, END_STREAM, 1));
    await world.client.settled();
    expect([read, ended]).toEqual([['one'], false]);
    world.client.send(frame(WINDOW_UPDATE, 0, 1, number(4)));
    await world.client.settled();
    expect([read, ended]).toEqual([['one', 'two'], false]);
    world.client.send(frame(WINDOW_UPDATE, 0, 1, number(100)));
    await world.client.frame(isEnd(1));
    expect([read, ended]).toEqual([['one', 'two', 'three'], true]);
    expect(dataOf(world.client.frames, 1)).toBe('onetwothree');
  });

  it('ends with headers as well', async () => {
    world.answer = echo;
    world.client.send(open(1), frame(DATA, 0, 1, Buffer.from('text')), open(1, END_STREAM, literal('a', 'b')));
    await world.client.frame(isEnd(1));
    expect(dataOf(world.client.frames, 1)).toBe('text');
  });

  it('of extensions, and of streams that are over, is passed over', async () => {
    world.answer = echo;
    world.client.send(open(1, END_STREAM));
    await world.client.frame(isEnd(1));
    world.client.send(frame(0xfa, 0xff, 1, Buffer.alloc(20)), frame(DATA, 0, 1, Buffer.alloc(5)));
    world.client.send(frame(WINDOW_UPDATE, 0, 1, number(5)), frame(RST_STREAM, 0, 1, number(8)), open(1));
    world.client.send(open(3, END_STREAM));
    expect(await world.client.frame(isEnd(3))).toBeDefined();
  });

  it('may break off streams, but not for ever', async () => {
    const burst = 2 * MAX_STREAMS;
    const resets = (from: number, count: number): Buffer[] =>
      Array.from({ length: count }, (_, i) => {
        const id = 2 * (from + i) + 1;
        return Buffer.concat([open(id), frame(RST_STREAM, 0, id, number(8))]);
      });
    world.client.send(...resets(0, burst));
    await world.client.settled();
    expect(world.closed.length).toBe(burst);
    world.time.advance(1_000);
    world.client.send(...resets(burst, burst));
    await world.client.settled();
    expect(world.closed.length).toBe(2 * burst);
    world.client.send(...resets(2 * burst, 1));
    const farewell = await world.client.frame(({ type }) => type === GOAWAY);
    expect(farewell?.payload.readUInt32BE(4)).toBe(ErrorCode.ENHANCE_YOUR_CALM);
    await world.client.closed();
  });
});

describe('a session that goes', () => {
  it('serves what has begun, names what has not, and ends', async () => {
    world.client.send(open(1));
    await world.client.settled();
    world.server.sessions[0]?.close();
    world.client.send(open(3, END_STREAM));
    const farewell = await world.client.frame(({ type }) => type === GOAWAY);
    expect([farewell?.payload.readUInt32BE(0), farewell?.payload.readUInt32BE(4)]).toEqual([1, ErrorCode.NO_ERROR]);
    world.answer = echo;
    world.client.send(frame(DATA, END_STREAM, 1, Buffer.from('text')));
    await world.client.closed();
    expect(dataOf(world.client.frames, 1)).toBe('text');
    expect(world.streams.length).toBe(1);
  });

  it('passes over all of a request that was sent before its client could know', async () => {
    world.client.send(open(1));
    await world.client.settled();
    world.server.sessions[0]?.close();
    const unheard = [frame(DATA, 0, 3, Buffer.from('not begun')), frame(WINDOW_UPDATE, 0, 3, numbers(9))];
    world.client.send(open(3), ...unheard, frame(RST_STREAM, 0, 3, numbers(ErrorCode.CANCEL)));
    world.answer = echo;
    world.client.send(frame(DATA, END_STREAM, 1, Buffer.from('text')));
    await world.client.closed();
    expect(dataOf(world.client.frames, 1)).toBe('text');
    const farewells = world.client.frames.filter(({ type }) => type === GOAWAY);
    expect(farewells.map(({ payload }) => payload.readUInt32BE(4))).toEqual([ErrorCode.NO_ERROR]);
  });

  it('when its client says farewell', async () => {
    world.answer = echo;
    world.client.send(open(1), frame(GOAWAY, 0, 0, Buffer.alloc(8)), frame(DATA, END_STREAM, 1, Buffer.from('text')));
    await world.client.closed();
    expect(dataOf(world.client.frames, 1)).toBe('text');
  });

  it('tells its streams, once', async () => {
    world.client.send(open(1), open(3, END_STREAM));
    await world.client.settled();
    world.client.close();
    await new Promise<void>((resolve) => world.server.sessions[0]?.whenClosed(resolve));
    expect(world.closed).toEqual([1, 3]);
  });
});
