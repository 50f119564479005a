// Where all cores are reached: listens, looks which core a connection is for, and hands it over. A connection that names none goes to the next core in
// turn. Peers are strangers: what they send first is bounded in size, time and number.

import { createServer, type Server, type Socket } from 'node:net';
import { startErrorOf } from '../node-errors.ts';
import type { Door } from './messages.ts';
import { MAX_HEAD_BYTES, type Wanted, wantedOfHello, wantedOfRequest } from './peek.ts';

/** How long a peer may take to say which core it wants, ms: as long as a request's head may take. */
const HEAD_MS = 10_000;
/** Reading stops as soon as so many bytes wait in a stream: what comes while a connection is handed over is the core's to read. */
const STOP_AT_BYTES = 1;
/** Connections that have not said it yet. */
const MAX_SILENT = 10_000;

export interface DoorListenerOptions {
  readonly door: Door;
  readonly ip: string;
  /** 0: any free one. */
  readonly port: number;
  readonly tls: 'tls' | 'plain';
  hand(wanted: number | 'any', socket: Socket, head: Buffer): void;
}

export class DoorListener {
  readonly #options: DoorListenerOptions;
  readonly #server: Server;
  readonly #silent = new Set<Socket>();
  /** `host:port`, once it listens. */
  address = '';

  private constructor(options: DoorListenerOptions) {
    this.#options = options;
    this.#server = createServer({ pauseOnConnect: true, noDelay: true, highWaterMark: STOP_AT_BYTES }, (socket) =>
      this.#accept(socket),
    );
  }

  /** @throws NodeStartError when the port is taken, or may not be used */
  static async listen(options: DoorListenerOptions): Promise<DoorListener> {
    const listener = new DoorListener(options);
    const { ip, port, door } = options;
    const server = listener.#server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) =>
        reject(startErrorOf(error, { ip, port }, door === 'grpc' ? '--grpc-port' : '--port')),
      );
      server.listen({ host: ip, port }, resolve);
    });
    const bound = server.address();
    if (typeof bound === 'object' && bound !== null) {
      listener.address = `${bound.family === 'IPv6' ? `[${bound.address}]` : bound.address}:${bound.port}`;
    }
    return listener;
  }

  /** Takes no further connection; those that were handed over go on. */
  close(): void {
    this.#server.close();
    for (const socket of this.#silent) socket.destroy();
  }

  #accept(socket: Socket): void {
    socket.on('error', () => socket.destroy());
    // No client of this door knows of cores.
    if (this.#options.door === 'grpc') this.#options.hand('any', socket, Buffer.alloc(0));
    else if (this.#silent.size >= MAX_SILENT) socket.destroy();
    else this.#peek(socket);
  }

  #peek(socket: Socket): void {
    const { tls, hand } = this.#options;
    const wantedOf: (head: Buffer) => Wanted = tls === 'tls' ? wantedOfHello : wantedOfRequest;
    let head: Buffer = Buffer.alloc(0);
    const timer = setTimeout(() => socket.destroy(), HEAD_MS);
    const forget = (): void => {
      clearTimeout(timer);
      this.#silent.delete(socket);
      socket.off('data', look).off('close', forget);
    };
    const look = (bytes: Buffer): void => {
      head = head.length === 0 ? bytes : Buffer.concat([head, bytes]);
      const wanted = wantedOf(head);
      if (wanted.type === 'more' && head.length < MAX_HEAD_BYTES) return;
      socket.pause();
      forget();
      // Back into the stream, which only so stops to read: else bytes that come until the core has it would be read here, and lost.
      socket.unshift(bytes);
      hand(wanted.type === 'core' ? wanted.core : 'any', socket, head);
    };
    this.#silent.add(socket);
    socket.on('data', look).once('close', forget).resume();
  }
}
