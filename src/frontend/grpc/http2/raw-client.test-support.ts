// A client that speaks HTTP/2 frame by frame, and a server of sessions for it: what nobody's library would send.

import { connect as connectSocket, createServer, type Server, type Socket } from 'node:net';
import type { Scheduler } from '../../../ports/clock.ts';
import { FrameType, PREFACE } from './protocol.ts';
import { Session } from './session.ts';
import type { Stream } from './stream.ts';

export interface Frame {
  type: number;
  flags: number;
  stream: number;
  payload: Buffer;
}

export function frame(type: number, flags: number, stream: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A header that HPACK takes as it is, and does not keep. */
export const literal = (name: string, value: string): Buffer =>
  Buffer.concat([Buffer.from([0, name.length]), Buffer.from(name), Buffer.from([value.length]), Buffer.from(value)]);

export const number = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

export function setting(id: number, value: number): Buffer {
  const bytes = Buffer.alloc(6);
  bytes.writeUInt16BE(id);
  bytes.writeUInt32BE(value, 2);
  return bytes;
}

/** `:method POST`, `:scheme http` and the path. */
export const request = (path = '/x'): Buffer => Buffer.concat([Buffer.from([0x83, 0x86]), literal(':path', path)]);

export class RawClient {
  readonly frames: Frame[] = [];
  readonly #socket: Socket;
  readonly #isClosed: Promise<void>;
  #rest = Buffer.alloc(0);
  #heard: () => void = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    this.#isClosed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#heard();
        resolve();
      });
    });
  }

  static async connect(port: number, greeting: Buffer = Buffer.concat([PREFACE, frame(FrameType.SETTINGS, 0, 0)])) {
    const socket = connectSocket({ port, host: '127.0.0.1', noDelay: true });
    await new Promise((resolve) => socket.once('connect', resolve));
    const client = new RawClient(socket);
    client.send(greeting);
    return client;
  }

  send(...bytes: Buffer[]): void {
    this.#socket.write(Buffer.concat(bytes));
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  close(): void {
    this.#socket.destroy();
  }

  closed(): Promise<void> {
    return this.#isClosed;
  }

  /** The first frame, of those that came and will, that is one; undefined when the connection closes before. */
  async frame(is: (frame: Frame) => boolean): Promise<Frame | undefined> {
    for (;;) {
      const found = this.frames.find(is);
      if (found !== undefined || this.#socket.destroyed) return found;
      await new Promise<void>((resolve) => {
        this.#heard = resolve;
      });
    }
  }

  /** What the server has made of everything that was sent: its answer to a ping comes after that. */
  async settled(): Promise<Frame[]> {
    const payload = Buffer.alloc(8);
    payload.writeUInt32BE(Math.floor(Math.random() * 2 ** 32));
    this.send(frame(FrameType.PING, 0, 0, payload));
    await this.frame(({ type, payload: answered }) => type === FrameType.PING && answered.equals(payload));
    return this.frames;
  }

  #read(chunk: Buffer): void {
    let bytes = Buffer.concat([this.#rest, chunk]);
    while (bytes.length >= 9) {
      const end = 9 + bytes.readUIntBE(0, 3);
      if (bytes.length < end) break;
      const stream = bytes.readUInt32BE(5);
      this.frames.push({ type: bytes[3] ?? 0, flags: bytes[4] ?? 0, stream, payload: bytes.subarray(9, end) });
      bytes = bytes.subarray(end);
    }
    this.#rest = bytes;
    this.#heard();
  }
}

export interface SessionServer {
  readonly port: number;
  readonly sessions: Session[];
  readonly faults: unknown[];
  close(): void;
}

/** @param onStream makes a receiver, or answers at once */
export async function serveSessions(
  scheduler: Scheduler,
  maxStreams: number,
  onStream: (stream: Stream) => void,
): Promise<SessionServer> {
  const sessions: Session[] = [];
  const faults: unknown[] = [];
  const onFault = (error: unknown): void => void faults.push(error);
  const listener: Server = createServer({ pauseOnConnect: true, noDelay: true }, (socket) => {
    sessions.push(new Session(socket, { scheduler, maxStreams, onStream, onFault }));
    socket.resume();
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const address = listener.address();
  const close = (): void => {
    for (const session of sessions) session.destroy();
    listener.close();
  };
  return { port: typeof address === 'object' && address !== null ? address.port : 0, sessions, faults, close };
}
