// One stream: a request comes in, an answer goes out, as fast as its client takes it. It is over when the answer is: of a request that is not whole by then
// the rest is not wanted.

import type { Header } from './header-decoder.ts';
import type { AnswerHeader } from './header-encoder.ts';
import { DEFAULT_WINDOW, ErrorCode } from './protocol.ts';

/** What is made of a request. */
export interface Receiver {
  /** A view of what was read: it may be kept. */
  data(bytes: Buffer): void;
  /** Its client sends no more. */
  ended(): void;
  /** Once: nothing comes or goes any more, whoever ended it. */
  closed(): void;
}

/** The connection, as its streams use it. */
export interface StreamHost {
  /** What the client says for each stream. */
  readonly initialSendWindow: number;
  headers(stream: Stream, headers: readonly AnswerHeader[], end: boolean): void;
  /** Sends from `start` on what there is room for; returns up to where. */
  data(stream: Stream, bytes: Buffer, start: number): number;
  reset(stream: Stream, code: ErrorCode): void;
  /** So much was read, or is not wanted: the client may send as much again. */
  consumed(bytes: number): void;
  /** The client may send so much more on this stream. */
  widen(stream: Stream, bytes: number): void;
  /** So much more (or less) waits for room. */
  queued(bytes: number): void;
  /** It has something to send, and was given no room for all of it. */
  waits(stream: Stream): void;
  over(stream: Stream): void;
}

/** Of one stream's requests, before they were read. */
export const STREAM_WINDOW = 4 * DEFAULT_WINDOW;

/** Of what is not read yet: each takes more than its bytes. */
const MAX_HELD_PIECES = 1_024;

export class Stream {
  readonly id: number;
  readonly headers: readonly Header[];
  /** What it keeps of them for itself: those that its connection said before are shared. */
  readonly headerBytes: number;
  /** What was sent, against what the client has allowed since. */
  sent = 0;
  receiver: Receiver = NOBODY;
  readonly #host: StreamHost;
  /** What waits for room, from `#from` on of the first. */
  #queue: Buffer[] = [];
  #from = 0;
  #queuedBytes = 0;
  /** What comes after it. */
  #last: readonly AnswerHeader[] | undefined;
  /** What came and is not read, since answers wait. */
  #held: Buffer[] = [];
  #received = 0;
  #consumed = 0;
  #isWhole = false;
  #isClosed = false;

  constructor(id: number, headers: readonly Header[], headerBytes: number, host: StreamHost) {
    this.id = id;
    this.headers = headers;
    this.headerBytes = headerBytes;
    this.#host = host;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** All of the request has come. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** Something is to be sent that the client has no room for. */
  get isWaiting(): boolean {
    return this.#queue.length > 0;
  }

  /** The first of them. @param name in lower case */
  header(name: string): string | undefined {
    for (const header of this.headers) if (header.name === name) return header.value;
    return undefined;
  }

  respond(headers: readonly AnswerHeader[]): void {
    if (!this.#isClosed) this.#host.headers(this, headers, false);
  }

  /** The bytes must not change any more. What is sent while the client has no room waits, and what the client sends waits with it. */
  send(bytes: Buffer): void {
    if (this.#isClosed) return;
    const at = this.#queue.length === 0 ? this.#host.data(this, bytes, 0) : 0;
    if (at === bytes.length) return;
    if (this.#queue.length === 0) this.#from = at;
    this.#queue.push(bytes);
    this.#queued(bytes.length - at);
    this.#host.waits(this);
  }

  /** With these headers, after what was sent. */
  end(headers: readonly AnswerHeader[]): void {
    if (this.#isClosed) return;
    this.#last = headers;
    if (this.#queue.length === 0) this.#finish(headers);
  }

  /** Breaks it off. */
  reset(code: ErrorCode): void {
    if (this.#isClosed) return;
    this.#host.reset(this, code);
    this.close();
  }

  /** For the connection: there may be room again. */
  proceed(): void {
    for (let bytes = this.#queue[0]; bytes !== undefined; bytes = this.#queue[0]) {
      const at = this.#host.data(this, bytes, this.#from);
      this.#queued(this.#from - at);
      this.#from = at;
      if (at < bytes.length) return;
      this.#queue.shift();
      this.#from = 0;
    }
    if (this.#last !== undefined) this.#finish(this.#last);
    else this.#readHeld();
  }

  /** For the connection: this came of the client. False: it is more than it was allowed, or in smaller pieces. */
  take(bytes: Buffer, windowBytes: number): boolean {
    this.#received += windowBytes;
    if (this.#received > STREAM_WINDOW) return false;
    // Padding is nobody's.
    this.#consume(windowBytes - bytes.length);
    if (bytes.length === 0) return true;
    if (this.#queue.length > 0 || this.#held.length > 0) {
      if (this.#held.length === MAX_HELD_PIECES) return false;
      this.#held.push(own(bytes));
    } else this.#read(bytes);
    return true;
  }

  /** For the connection: nothing more comes of the client. */
  whole(): void {
    this.#isWhole = true;
    if (this.#held.length === 0 && !this.#isClosed) this.receiver.ended();
  }

  /** For the connection: it is over. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#queue = [];
    this.#queued(-this.#queuedBytes);
    for (const { length } of this.#held) this.#host.consumed(length);
    this.#held = [];
    this.#host.over(this);
    this.receiver.closed();
  }

  #queued(bytes: number): void {
    this.#queuedBytes += bytes;
    this.#host.queued(bytes);
  }

  #finish(headers: readonly AnswerHeader[]): void {
    this.#host.headers(this, headers, true);
    if (!this.#isWhole) this.#host.reset(this, ErrorCode.NO_ERROR);
    this.close();
  }

  #readHeld(): void {
    while (this.#queue.length === 0 && !this.#isClosed) {
      const bytes = this.#held.shift();
      if (bytes === undefined) break;
      this.#read(bytes);
      if (this.#held.length === 0 && this.#isWhole && !this.#isClosed) this.receiver.ended();
    }
  }

  #read(bytes: Buffer): void {
    this.#consume(bytes.length);
    this.receiver.data(bytes);
  }

  #consume(bytes: number): void {
    this.#host.consumed(bytes);
    this.#consumed += bytes;
    if (this.#consumed < STREAM_WINDOW / 2 || this.#isWhole || this.#isClosed) return;
    this.#received -= this.#consumed;
    this.#host.widen(this, this.#consumed);
    this.#consumed = 0;
  }
}

/** What is kept of a small part of what was read would keep all of it. */
export const own = (bytes: Buffer): Buffer => (2 * bytes.length < bytes.buffer.byteLength ? Buffer.from(bytes) : bytes);

const NOBODY: Receiver = { data() {}, ended() {}, closed() {} };
