// Answers of a session: how fast they leave, what they wait for, and what they cost while they do.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ErrorCode, Flag, FrameType, MAX_WINDOW, Setting } from './protocol.ts';
import { frame, number, RawClient, setting } from './raw-client.test-support.ts';
import { dataOf, echo, isEnd, MAX_STREAMS, open, SessionWorld, STATUS } from './session-world.test-support.ts';

const { DATA, RST_STREAM, SETTINGS, PING, WINDOW_UPDATE } = FrameType;
const { END_STREAM } = Flag;

let world: SessionWorld;

beforeEach(async () => {
  world = await SessionWorld.begin();
});

afterEach(() => world.end());

describe('an answer', () => {
  it('leaves as fast as there is room for it', async () => {
    const text = 'x'.repeat(30);
    world.answer = (stream) => echo(stream, text);
    world.client.send(frame(SETTINGS, 0, 0, setting(Setting.INITIAL_WINDOW_SIZE, 10)), open(1, END_STREAM));
    expect(dataOf(await world.client.settled(), 1).length).toBe(10);
    world.client.send(frame(WINDOW_UPDATE, 0, 1, number(5)));
    expect(dataOf(await world.client.settled(), 1).length).toBe(15);
    // Less than it has sent already.
    world.client.send(frame(SETTINGS, 0, 0, setting(Setting.INITIAL_WINDOW_SIZE, 0)));
    world.client.send(frame(WINDOW_UPDATE, 0, 1, number(12)));
    expect(dataOf(await world.client.settled(), 1).length).toBe(17);
    expect(world.server.sessions[0]?.unreadBytes).toBe(13);
    world.client.send(frame(SETTINGS, 0, 0, setting(Setting.INITIAL_WINDOW_SIZE, 20)));
    await world.client.frame(isEnd(1));
    expect(dataOf(world.client.frames, 1)).toBe(text);
    expect(world.server.sessions[0]?.unreadBytes).toBe(0);
  });

  it('of one stream waits for no other one, and all for the connection', async () => {
    world.answer = (stream) => echo(stream, stream.id === 1 ? 'x'.repeat(70_000) : 'short');
    world.client.send(frame(SETTINGS, 0, 0, setting(Setting.INITIAL_WINDOW_SIZE, 65_533)), open(1, END_STREAM));
    await world.client.settled();
    world.client.send(open(3, END_STREAM));
    expect(dataOf(await world.client.settled(), 3)).toBe('sh');
    world.client.send(frame(WINDOW_UPDATE, 0, 0, number(100)));
    await world.client.frame(isEnd(3));
    expect(dataOf(world.client.frames, 1).length).toBe(65_533);
    world.client.send(frame(WINDOW_UPDATE, 0, 0, number(10_000)), frame(WINDOW_UPDATE, 0, 1, number(10_000)));
    await world.client.frame(isEnd(1));
    expect(dataOf(world.client.frames, 1).length).toBe(70_000);
  });

  it('that has no room of its own costs nothing while others go', async () => {
    // What has no window is not looked at again until it has one.
    let looks = 0;
    world.answer = (stream) => {
      if (stream.id < 9) {
        const proceed = stream.proceed.bind(stream);
        stream.proceed = () => {
          looks += 1;
          proceed();
        };
      }
      echo(stream, stream.id < 9 ? 'waits' : 'goes');
    };
    world.client.send(frame(SETTINGS, 0, 0, setting(Setting.INITIAL_WINDOW_SIZE, 0)));
    for (let id = 1; id <= 9; id += 2) world.client.send(open(id, END_STREAM));
    await world.client.settled();
    expect(world.server.sessions[0]?.unreadBytes).toBe(4 * 5 + 4);
    for (let i = 0; i < 100; i += 1) world.client.send(frame(WINDOW_UPDATE, 0, 0, number(1)));
    world.client.send(frame(WINDOW_UPDATE, 0, 9, number(4)));
    await world.client.frame(isEnd(9));
    expect(looks).toBe(0);
    world.client.send(
      frame(RST_STREAM, 0, 1, number(8)),
      frame(SETTINGS, 0, 0, setting(Setting.INITIAL_WINDOW_SIZE, 5)),
    );
    for (const id of [3, 5, 7]) {
      await world.client.frame(isEnd(id));
      expect(dataOf(world.client.frames, id)).toBe('waits');
    }
    expect(looks).toBe(3);
    expect(world.server.sessions[0]?.unreadBytes).toBe(0);
  });

  it('is its own, however many leave at once and of whatever size', async () => {
    const others = await Promise.all([1, 2, 3].map(() => RawClient.connect(world.server.port)));
    const sizes = [1, 100, 2_000, 2_100, 15_000, 40_000];
    world.answer = (stream, text) => echo(stream, text.repeat(sizes[stream.id % sizes.length] ?? 1));
    const everybody = [world.client, ...others];
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
      if (each !== world.client) each.close();
    }
  });

  it('waits in no system when its client reads nothing, and neither is that client read', async () => {
    world.answer = (stream) => echo(stream, 'x'.repeat(4_000_000));
    const large = setting(Setting.INITIAL_WINDOW_SIZE, MAX_WINDOW);
    world.client.send(frame(SETTINGS, 0, 0, large), frame(WINDOW_UPDATE, 0, 0, number(1_000_000_000)));
    await world.client.settled();
    world.client.pause();
    for (let id = 1; id < 2 * MAX_STREAMS; id += 2) world.client.send(open(id, END_STREAM));
    const unreadBytes = (): number => world.server.sessions[0]?.unreadBytes ?? 0;
    const turns = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i += 1) await new Promise((resolve) => setImmediate(resolve));
    };
    while (unreadBytes() < 20_000_000) await turns(1);
    await turns(100);
    const before = unreadBytes();
    world.client.send(Buffer.concat(new Array<Buffer>(200_000).fill(frame(PING, 0, 0, Buffer.alloc(8)))));
    await turns(500);
    // Of 3.4 MB of answers to pings, next to nothing.
    expect(unreadBytes() - before).toBeLessThan(1_000_000);
    world.client.resume();
    await world.client.settled();
    for (let id = 1; id < 2 * MAX_STREAMS; id += 2) {
      await world.client.frame(isEnd(id));
      expect(dataOf(world.client.frames, id).length).toBe(4_000_000);
    }
    expect(world.client.frames.filter(({ type }) => type === PING).length).toBe(200_002);
    expect(world.server.sessions[0]?.unreadBytes).toBe(0);
  });

  it('before its request is whole breaks off the rest', async () => {
    world.client.send(open(1), frame(DATA, 0, 1, Buffer.from('half')));
    await world.client.settled();
    world.streams[0]?.end(STATUS);
    const reset = await world.client.frame(({ type }) => type === RST_STREAM);
    expect(reset).toMatchObject({ stream: 1, payload: number(ErrorCode.NO_ERROR) });
    world.client.send(frame(DATA, END_STREAM, 1, Buffer.from('the rest')));
    await world.client.settled();
    expect([world.whole.size, world.closed]).toEqual([0, [1]]);
  });
});
