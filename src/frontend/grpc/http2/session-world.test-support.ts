// A session and a client that says one frame after the other, with what has come of its requests.

import { expect } from 'vitest';
import { VirtualTime } from '../../../../test/support/matching-world.ts';
import { Flag, FrameType } from './protocol.ts';
import { type Frame, frame, RawClient, request, type SessionServer, serveSessions } from './raw-client.test-support.ts';
import type { Stream } from './stream.ts';

export const MAX_STREAMS = 10;
export const STATUS = [{ name: ':status', value: '200' }];
export const TRAILERS = [{ name: 'grpc-status', value: '0', isKept: true }];

export class SessionWorld {
  readonly time: VirtualTime;
  readonly server: SessionServer;
  readonly client: RawClient;
  /** Requests that are whole, by the stream's number. */
  readonly whole = new Map<number, string>();
  readonly streams: Stream[] = [];
  /** Numbers of streams that are over. */
  readonly closed: number[] = [];
  /** What becomes of a whole request. */
  answer: (stream: Stream, text: string) => void = () => {};

  private constructor(time: VirtualTime, server: SessionServer, client: RawClient) {
    this.time = time;
    this.server = server;
    this.client = client;
  }

  static async begin(): Promise<SessionWorld> {
    const time = new VirtualTime();
    // Nothing of a client comes before there is one.
    let world: SessionWorld | undefined;
    const server = await serveSessions(time, MAX_STREAMS, (stream) => world?.receive(stream));
    world = new SessionWorld(time, server, await RawClient.connect(server.port));
    return world;
  }

  /** Keeps what its request says, and answers it once it is whole. */
  receive(stream: Stream): void {
    const chunks: Buffer[] = [];
    this.streams.push(stream);
    stream.receiver = {
      data: (bytes) => void chunks.push(bytes),
      ended: () => {
        const text = Buffer.concat(chunks).toString('latin1');
        this.whole.set(stream.id, text);
        this.answer(stream, text);
      },
      closed: () => void this.closed.push(stream.id),
    };
  }

  end(): void {
    expect(this.server.faults).toEqual([]);
    this.client.close();
    this.server.close();
  }
}

export const open = (stream: number, flags = 0, block = request()): Buffer =>
  frame(FrameType.HEADERS, Flag.END_HEADERS | flags, stream, block);

export const echo = (stream: Stream, text: string): void => {
  stream.respond(STATUS);
  stream.send(Buffer.from(text, 'latin1'));
  stream.end(TRAILERS);
};

export const dataOf = (frames: readonly Frame[], stream: number): string =>
  Buffer.concat(frames.filter((f) => f.type === FrameType.DATA && f.stream === stream).map((f) => f.payload)).toString(
    'latin1',
  );

export const isEnd =
  (stream: number) =>
  (f: Frame): boolean =>
    f.stream === stream && f.type === FrameType.HEADERS && (f.flags & Flag.END_STREAM) !== 0;
