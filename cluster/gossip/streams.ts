// Streams over TCP: one request, one answer, at most one last word, and a deadline over all of it. Bounded (I9) in number, in bytes before
// and after the envelope proved its sender, and in time; a peer that breaks a bound loses its connection, nobody else's.

import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Scheduler } from '../../src/ports/clock.ts';
import { formatAddress, parseAddress } from './core/address.ts';
import type { RefusalReason } from './core/refusal.ts';
import type { Envelopes } from './envelope.ts';
import { FrameReader, frame } from './frames.ts';
import type { Answer } from './transport.ts';

/** Of strangers: a digest of 4,096 members with the longest names. */
const MAX_REQUEST_BYTES = 512 * 1024;
/** Of those that answered us, or proved to be members: records of 4,096 members at their longest. */
const MAX_RECORDS_BYTES = 4 * 1024 * 1024;

export interface StreamOptions {
  readonly envelopes: Envelopes;
  readonly scheduler: Scheduler;
  readonly timeoutMs: number;
  readonly maxStreams: number;
}

export interface StreamEvents {
  request(from: string, body: Uint8Array): Uint8Array | undefined;
  lastWord(from: string, body: Uint8Array): void;
  stranger(from: string, reason: RefusalReason): void;
  garbage(from: string, why: string): void;
}

export class Streams {
  readonly #options: StreamOptions;
  readonly #events: StreamEvents;
  readonly #server: Server;
  readonly #open = new Set<Socket>();

  constructor(options: StreamOptions, events: StreamEvents) {
    this.#options = options;
    this.#events = events;
    this.#server = createServer((socket) => this.#serve(socket));
    this.#server.maxConnections = options.maxStreams;
  }

  /** @returns the port. Rejects when it cannot, or is closed meanwhile. */
  listen(ip: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      // Closed before it listened, it says nothing else.
      this.#server.once('close', () => reject(new Error('closed')));
      this.#server.listen(port, ip, () => {
        this.#server.off('error', reject);
        // Of accepting: too many files, for one. The next connection may fare better.
        this.#server.on('error', () => {});
        const bound = this.#server.address();
        resolve(typeof bound === 'object' && bound !== null ? bound.port : port);
      });
    });
  }

  dial(to: string, body: Uint8Array, done: (answer: Answer) => Uint8Array | undefined): void {
    const target = parseAddress(to);
    let settled = false;
    const settle = (answer: Answer): Uint8Array | undefined => {
      if (settled) return undefined;
      settled = true;
      return done(answer);
    };
    if (target === undefined) {
      this.#options.scheduler.soon(() => settle({ type: 'silent' }));
      return;
    }
    const socket = connect(target);
    this.#guard(socket, () => settle({ type: 'silent' }));
    const reader = new FrameReader();
    socket.write(frame(this.#options.envelopes.wrap(body)));
    socket.on('data', (chunk) => {
      reader.push(chunk);
      const next = reader.next(MAX_RECORDS_BYTES);
      if (next.type === 'more') return;
      const last = next.type === 'frame' ? settle(this.#answerIn(next.frame)) : settle({ type: 'silent' });
      if (last === undefined) socket.end();
      else socket.end(frame(this.#options.envelopes.wrap(last)));
    });
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      for (const socket of this.#open) socket.destroy();
    });
  }

  #answerIn(bytes: Buffer): Answer {
    const opened = this.#options.envelopes.open(bytes);
    switch (opened.type) {
      case 'body':
        return { type: 'answered', body: opened.body };
      case 'stranger':
      case 'refusal':
        return { type: 'refused', reason: opened.reason };
      case 'garbage':
        return { type: 'silent' };
    }
  }

  #serve(socket: Socket): void {
    const from = formatAddress(socket.remoteAddress ?? 'unknown', socket.remotePort ?? 0);
    const reader = new FrameReader();
    let stage: 'request' | 'lastWord' | 'over' = 'request';
    this.#guard(socket, () => {
      stage = 'over';
    });
    socket.on('data', (chunk) => {
      if (stage === 'over') return;
      reader.push(chunk);
      const next = reader.next(stage === 'request' ? MAX_REQUEST_BYTES : MAX_RECORDS_BYTES);
      if (next.type === 'more') return;
      if (next.type === 'tooLong') {
        stage = 'over';
        this.#events.garbage(from, `a frame of ${next.length} bytes is too long`);
        socket.destroy();
      } else if (stage === 'request') {
        stage = this.#serveRequest(socket, from, next.frame) ? 'lastWord' : 'over';
      } else {
        stage = 'over';
        const opened = this.#options.envelopes.open(next.frame);
        if (opened.type === 'body') this.#events.lastWord(from, opened.body);
        socket.end();
      }
    });
  }

  /** Whether a last word may follow. */
  #serveRequest(socket: Socket, from: string, bytes: Buffer): boolean {
    const { envelopes } = this.#options;
    const opened = envelopes.open(bytes);
    switch (opened.type) {
      case 'body': {
        const answer = this.#events.request(from, opened.body);
        if (answer === undefined) break;
        socket.write(frame(envelopes.wrap(answer)));
        return true;
      }
      case 'stranger':
        // Whoever dialed is told why, in a form that any version and key can read.
        if (opened.reason !== 'yourself') this.#events.stranger(from, opened.reason);
        socket.end(frame(envelopes.refusal(opened.reason)));
        return false;
      case 'refusal':
        break;
      case 'garbage':
        this.#events.garbage(from, opened.why);
        break;
    }
    socket.destroy();
    return false;
  }

  /** No socket outlives its time, and no error of one leaves it. `ended` may be called more than once. */
  #guard(socket: Socket, ended: () => void): void {
    this.#open.add(socket);
    const deadline = this.#options.scheduler.after(this.#options.timeoutMs, () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      deadline.cancel();
      this.#open.delete(socket);
      ended();
    });
  }
}
