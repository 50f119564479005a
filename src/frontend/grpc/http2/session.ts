// One client's connection of HTTP/2, the server's side: frames come in and are given to their streams, answers go out. What breaks the protocol ends the
// connection, what only one stream has wrong ends that. Everything a client can make us keep or do has a bound (I9).

import type { Socket } from 'node:net';
import type { Scheduler } from '../../../ports/clock.ts';
import { Allowance } from './allowance.ts';
import { FrameSplitter } from './frame-splitter.ts';
import { HeaderDecoder, isRequest, isTrailers } from './header-decoder.ts';
import { type AnswerHeader, HeaderEncoder } from './header-encoder.ts';
import { HeaderPieces } from './header-pieces.ts';
import { Output } from './output.ts';
import { numbers, sized, unpadded } from './payloads.ts';
import {
  broken,
  ConnectionError,
  DEFAULT_WINDOW,
  ErrorCode,
  Flag,
  FrameType,
  MAX_FRAME_BYTES,
  MAX_WINDOW,
  Setting,
} from './protocol.ts';
import { readSettings, settingsPayload } from './settings.ts';
import { STREAM_WINDOW, Stream, type StreamHost } from './stream.ts';

export interface SessionOptions {
  readonly scheduler: Scheduler;
  /** At once; a further one is refused before it begins, and its client sends it again. */
  readonly maxStreams: number;
  /** A request has come, and what it says is still to come: the receiver is set before this returns. */
  onStream(stream: Stream): void;
  /** A bug of ours; the connection ends. */
  onFault(error: unknown): void;
}

/** Of a request's headers, as HTTP/2 counts them, and of what they are made of. */
const MAX_HEADER_BYTES = 64 * 1024;
/** Of requests of one connection that are not read, since their own answers are not. */
const SESSION_WINDOW = 1024 * 1024;
/** Of answers that the system has not taken: until it has, no more are given to it, and nothing of the client is read. */
const MAX_UNSENT_BYTES = 256 * 1024;
/** Streams that a client may break off in a second, for long. */
const RESETS_PER_SECOND = 1_000;
/** Changes of its settings, each of which may look at every stream: at once, and in a second, for long. */
const SETTINGS_BURST = 1_000;
const SETTINGS_PER_SECOND = 10;

export class Session implements StreamHost {
  initialSendWindow = DEFAULT_WINDOW;
  /** Of a header list that its client takes; without a word of it there is no bound. */
  maxHeaderBytes = Number.POSITIVE_INFINITY;
  readonly #socket: Socket;
  readonly #options: SessionOptions;
  readonly #output: Output;
  readonly #splitter: FrameSplitter;
  readonly #decoder = new HeaderDecoder(MAX_HEADER_BYTES);
  readonly #encoder = new HeaderEncoder();
  readonly #streams = new Map<number, Stream>();
  /** Their answers wait for the connection or its socket, the longest waiting first. Who has no window of its own is not among them. */
  readonly #waiting = new Set<Stream>();
  /** Of all streams: answers that have no room. */
  #queuedBytes = 0;
  readonly #resets: Allowance;
  readonly #settings: Allowance;
  readonly #onClosed: (() => void)[] = [];
  readonly #pieces = new HeaderPieces(MAX_HEADER_BYTES);
  /** Of those that were begun, the latest. */
  #lastStream = 0;
  /** Of those that its client has named, with those after our farewell. */
  #lastNamed = 0;
  #sendWindow = DEFAULT_WINDOW;
  #received = 0;
  #consumed = 0;
  #isGreeted = false;
  #pinged: (() => void)[] = [];
  /** It was said that no further streams are served. */
  #isClosing = false;
  /** It is over, and its socket ends. */
  #isOver = false;

  /** @param socket nothing was read of it; it is resumed by its owner */
  constructor(socket: Socket, options: SessionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#output = new Output(socket);
    this.#resets = new Allowance(options.scheduler, 2 * options.maxStreams, RESETS_PER_SECOND);
    this.#settings = new Allowance(options.scheduler, SETTINGS_BURST, SETTINGS_PER_SECOND);
    this.#splitter = new FrameSplitter((type, flags, stream, bytes, start, end) =>
      this.#frame(type, flags, stream, bytes, start, end),
    );
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('drain', () => this.#drained());
    socket.once('end', () => this.destroy());
    socket.on('error', () => this.destroy());
    socket.once('close', () => this.#closed());
    const settings = settingsPayload([
      [Setting.MAX_CONCURRENT_STREAMS, options.maxStreams],
      [Setting.INITIAL_WINDOW_SIZE, STREAM_WINDOW],
      [Setting.MAX_HEADER_LIST_SIZE, MAX_HEADER_BYTES],
    ]);
    this.#output.frame(FrameType.SETTINGS, 0, 0, settings);
    this.#windowUpdate(0, SESSION_WINDOW - DEFAULT_WINDOW);
  }

  /** Answers that have not left whole. */
  get unreadBytes(): number {
    return this.#output.unsentBytes + this.#queuedBytes;
  }

  /** Once, when its socket is closed. */
  whenClosed(listener: () => void): void {
    this.#onClosed.push(listener);
  }

  /** `answered` is called when its client has answered. */
  ping(answered: () => void): void {
    if (this.#isOver) {
      // Its client was to close it by now.
      this.#socket.destroy();
      return;
    }
    this.#pinged.push(answered);
    this.#output.frame(FrameType.PING, 0, 0, PING);
  }

  /** Serves the streams there are, and ends with the last of them. What its client sends meanwhile is named as not begun. */
  close(): void {
    if (this.#isClosing || this.#isOver) return;
    this.#isClosing = true;
    this.#goAway(ErrorCode.NO_ERROR, '');
    this.#endIfIdle();
  }

  /** At once, with every stream. */
  destroy(): void {
    this.#end();
    this.#socket.destroy();
  }

  headers(stream: Stream, headers: readonly AnswerHeader[], end: boolean): void {
    const block = this.#encoder.encode(headers);
    let type: number = FrameType.HEADERS;
    let flags: number = end ? Flag.END_STREAM : 0;
    for (let start = 0; ; start += MAX_FRAME_BYTES) {
      const stop = Math.min(block.length, start + MAX_FRAME_BYTES);
      if (stop === block.length) flags |= Flag.END_HEADERS;
      this.#output.frameOf(type, flags, stream.id, block, start, stop);
      if (stop === block.length) return;
      type = FrameType.CONTINUATION;
      flags = 0;
    }
  }

  data(stream: Stream, bytes: Buffer, start: number): number {
    let at = start;
    while (at < bytes.length && !this.#isCongested()) {
      const room = Math.min(this.#sendWindow, this.initialSendWindow - stream.sent, MAX_FRAME_BYTES);
      const count = Math.min(room, bytes.length - at);
      if (count <= 0) return at;
      this.#output.frameOf(FrameType.DATA, 0, stream.id, bytes, at, at + count);
      this.#sendWindow -= count;
      stream.sent += count;
      at += count;
    }
    return at;
  }

  reset(stream: Stream, code: ErrorCode): void {
    this.#reset(stream.id, code);
  }

  consumed(bytes: number): void {
    this.#consumed += bytes;
    if (this.#consumed < SESSION_WINDOW / 2) return;
    this.#received -= this.#consumed;
    this.#windowUpdate(0, this.#consumed);
    this.#consumed = 0;
  }

  widen(stream: Stream, bytes: number): void {
    this.#windowUpdate(stream.id, bytes);
  }

  queued(bytes: number): void {
    this.#queuedBytes += bytes;
  }

  waits(stream: Stream): void {
    if (this.initialSendWindow > stream.sent) this.#waiting.add(stream);
  }

  over(stream: Stream): void {
    this.#streams.delete(stream.id);
    this.#waiting.delete(stream);
    this.#endIfIdle();
  }

  #read(chunk: Buffer): void {
    if (this.#isOver) return;
    try {
      this.#splitter.push(chunk, () => this.#isOver);
    } catch (error) {
      this.#fail(error);
      return;
    }
    if (this.#isCongested()) this.#socket.pause();
  }

  #fail(error: unknown): void {
    const isTheirs = error instanceof ConnectionError;
    if (!isTheirs) this.#options.onFault(error);
    if (this.#isOver) return;
    this.#goAway(isTheirs ? error.code : ErrorCode.INTERNAL_ERROR, isTheirs ? error.message : 'The server failed.');
    this.#output.flush();
    this.#end();
    // What was said leaves, unless its client reads nothing.
    if (this.#socket.writableLength === 0) this.#socket.destroySoon();
    else this.#socket.destroy();
  }

  #isCongested(): boolean {
    if (this.#output.unsentBytes <= MAX_UNSENT_BYTES) return false;
    this.#output.flush();
    return this.#output.unsentBytes > MAX_UNSENT_BYTES;
  }

  #drained(): void {
    this.#proceed();
    if (!this.#isCongested()) this.#socket.resume();
  }

  /** There is room again. */
  #proceed(): void {
    for (const stream of this.#waiting) {
      if (this.#sendWindow <= 0 || this.#isCongested()) return;
      this.#proceedWith(stream);
    }
  }

  #proceedWith(stream: Stream): void {
    stream.proceed();
    if (stream.isWaiting && this.initialSendWindow > stream.sent) this.#waiting.add(stream);
    else this.#waiting.delete(stream);
  }

  #frame(type: number, flags: number, id: number, bytes: Buffer, start: number, end: number): void {
    if (this.#pieces.isOpen && type !== FrameType.CONTINUATION) throw broken('headers are broken off');
    if (!this.#isGreeted) {
      if (type !== FrameType.SETTINGS || (flags & Flag.ACK) !== 0) throw broken('the first frame is no settings');
      this.#isGreeted = true;
    }
    switch (type) {
      case FrameType.DATA:
        this.#onData(flags, id, bytes, start, end);
        return;
      case FrameType.HEADERS:
        this.#onHeaders(flags, id, bytes, start, end);
        return;
      case FrameType.CONTINUATION:
        this.#onContinuation(flags, id, bytes, start, end);
        return;
      case FrameType.RST_STREAM:
        sized(end - start, 4);
        this.#onReset(id);
        return;
      case FrameType.WINDOW_UPDATE:
        sized(end - start, 4);
        this.#onWindow(id, bytes.readUInt32BE(start) & MAX_WINDOW);
        return;
      case FrameType.SETTINGS:
        if (id !== 0) throw broken('settings are of a stream');
        this.#onSettings(flags, bytes, start, end);
        return;
      case FrameType.PING:
        if (id !== 0) throw broken('a ping is of a stream');
        sized(end - start, 8);
        this.#onPing(flags, bytes, start, end);
        return;
      case FrameType.GOAWAY:
        if (id !== 0) throw broken('a farewell is of a stream');
        this.close();
        return;
      case FrameType.PRIORITY:
        if (id === 0) throw broken('a priority is of no stream');
        sized(end - start, 5);
        return;
      case FrameType.PUSH_PROMISE:
        throw broken('a client pushes');
      default:
      // Of an extension: nobody knows it.
    }
  }

  #onData(flags: number, id: number, bytes: Buffer, from: number, end: number): void {
    const windowBytes = end - from;
    this.#received += windowBytes;
    if (this.#received > SESSION_WINDOW) {
      throw new ConnectionError(ErrorCode.FLOW_CONTROL_ERROR, 'more data than its connection may send');
    }
    const { start, stop } = unpadded(flags, bytes, from, end);
    const stream = this.#streams.get(id);
    if (stream === undefined) {
      if (this.#isIdle(id)) throw broken('data of a stream that there is not');
      // It is over, and its client may not know that yet.
      this.consumed(windowBytes);
      return;
    }
    if (stream.isWhole) {
      this.consumed(windowBytes);
      this.#breakOff(stream, ErrorCode.STREAM_CLOSED);
      return;
    }
    if (!stream.take(bytes.subarray(start, stop), windowBytes)) {
      this.consumed(windowBytes);
      this.#breakOff(stream, ErrorCode.FLOW_CONTROL_ERROR);
      return;
    }
    if ((flags & Flag.END_STREAM) !== 0) stream.whole();
  }

  #onHeaders(flags: number, id: number, bytes: Buffer, from: number, end: number): void {
    if (id % 2 === 0) throw broken(`a client has no stream ${id}`);
    const { start, stop } = unpadded(flags, bytes, from, end);
    const begin = start + ((flags & Flag.PRIORITY) !== 0 ? PRIORITY_BYTES : 0);
    if (begin > stop) throw new ConnectionError(ErrorCode.FRAME_SIZE_ERROR, 'a priority is cut off');
    const endStream = (flags & Flag.END_STREAM) !== 0;
    if ((flags & Flag.END_HEADERS) !== 0) this.#onBlock(id, endStream, bytes, begin, stop);
    else this.#pieces.begin(id, endStream, bytes.subarray(begin, stop));
  }

  #onContinuation(flags: number, id: number, bytes: Buffer, start: number, end: number): void {
    const endStream = this.#pieces.endStream;
    const whole = this.#pieces.add(id, bytes.subarray(start, end), (flags & Flag.END_HEADERS) !== 0);
    if (whole !== undefined) this.#onBlock(id, endStream, whole, 0, whole.length);
  }

  #onBlock(id: number, endStream: boolean, bytes: Buffer, start: number, end: number): void {
    // Whatever becomes of it: what comes after cannot be read without it.
    const headers = this.#decoder.decode(bytes, start, end);
    const stream = this.#streams.get(id);
    if (stream !== undefined) {
      if (stream.isWhole) this.#breakOff(stream, ErrorCode.STREAM_CLOSED);
      else if (!endStream || headers === undefined || !isTrailers(headers))
        this.#breakOff(stream, ErrorCode.PROTOCOL_ERROR);
      else stream.whole();
      return;
    }
    // It is over, or comes after our farewell, which its client may not have heard: what follows of it is passed over as well.
    if (id <= this.#lastNamed) return;
    this.#lastNamed = id;
    if (this.#isClosing) return;
    this.#lastStream = id;
    if (headers === undefined) this.#reset(id, ErrorCode.ENHANCE_YOUR_CALM);
    else if (!isRequest(headers)) this.#reset(id, ErrorCode.PROTOCOL_ERROR);
    else if (this.#streams.size >= this.#options.maxStreams) this.#reset(id, ErrorCode.REFUSED_STREAM);
    else {
      const opened = new Stream(id, headers, this.#decoder.ownBytes, this);
      this.#streams.set(id, opened);
      this.#options.onStream(opened);
      if (endStream && !opened.isClosed) opened.whole();
    }
  }

  #onReset(id: number): void {
    if (this.#isIdle(id)) throw broken('a stream is broken off that there is not');
    this.#countReset();
    this.#streams.get(id)?.close();
  }

  /** A stream that the client has got wrong. Whoever makes us break them off breaks them off. */
  #breakOff(stream: Stream, code: ErrorCode): void {
    this.#countReset();
    stream.reset(code);
  }

  #countReset(): void {
    if (this.#resets.take()) return;
    throw new ConnectionError(ErrorCode.ENHANCE_YOUR_CALM, 'too many streams are broken off');
  }

  #onWindow(id: number, bytes: number): void {
    if (id === 0) {
      if (bytes === 0) throw broken('a window grows by nothing');
      this.#sendWindow += bytes;
      if (this.#sendWindow > MAX_WINDOW) throw new ConnectionError(ErrorCode.FLOW_CONTROL_ERROR, WINDOW_TOO_LARGE);
      this.#proceed();
      return;
    }
    if (this.#isIdle(id)) throw broken('a window is of a stream that there is not');
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    if (bytes === 0) this.#breakOff(stream, ErrorCode.PROTOCOL_ERROR);
    else {
      stream.sent -= bytes;
      if (this.initialSendWindow - stream.sent > MAX_WINDOW) this.#breakOff(stream, ErrorCode.FLOW_CONTROL_ERROR);
      else if (stream.isWaiting) this.#proceedWith(stream);
    }
  }

  #onSettings(flags: number, bytes: Buffer, start: number, end: number): void {
    if ((flags & Flag.ACK) !== 0) {
      sized(end - start, 0);
      return;
    }
    if (!this.#settings.take()) throw new ConnectionError(ErrorCode.ENHANCE_YOUR_CALM, 'too many settings');
    const { initialWindow, headerTableBytes, maxHeaderBytes } = readSettings(bytes, start, end);
    if (headerTableBytes !== undefined) this.#encoder.limit(headerTableBytes);
    if (maxHeaderBytes !== undefined) this.maxHeaderBytes = maxHeaderBytes;
    if (initialWindow !== undefined) this.#setInitialWindow(initialWindow);
    this.#output.frame(FrameType.SETTINGS, Flag.ACK, 0, NOTHING);
  }

  #setInitialWindow(bytes: number): void {
    const grows = bytes > this.initialSendWindow;
    this.initialSendWindow = bytes;
    if (!grows) return;
    for (const stream of this.#streams.values()) {
      if (bytes - stream.sent > MAX_WINDOW) {
        throw new ConnectionError(ErrorCode.FLOW_CONTROL_ERROR, WINDOW_TOO_LARGE);
      }
      if (stream.isWaiting) this.waits(stream);
    }
    this.#proceed();
  }

  #onPing(flags: number, bytes: Buffer, start: number, end: number): void {
    if ((flags & Flag.ACK) === 0) this.#output.frameOf(FrameType.PING, Flag.ACK, 0, bytes, start, end);
    else for (const answered of this.#pinged.splice(0)) answered();
  }

  #isIdle(id: number): boolean {
    return id === 0 || id % 2 === 0 || id > this.#lastNamed;
  }

  #reset(id: number, code: ErrorCode): void {
    this.#output.frame(FrameType.RST_STREAM, 0, id, numbers(code));
  }

  #windowUpdate(id: number, bytes: number): void {
    this.#output.frame(FrameType.WINDOW_UPDATE, 0, id, numbers(bytes));
  }

  #goAway(code: ErrorCode, why: string): void {
    const payload = Buffer.concat([numbers(this.#lastStream, code), Buffer.from(why)]);
    this.#output.frame(FrameType.GOAWAY, 0, 0, payload);
  }

  #endIfIdle(): void {
    if (!this.#isClosing || this.#isOver || this.#streams.size > 0) return;
    this.#output.flush();
    this.#end();
    // What its client still says is read, so that it sees the end.
    this.#socket.end();
    this.#socket.resume();
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#resets.close();
    this.#settings.close();
    for (const stream of [...this.#streams.values()]) stream.close();
  }

  #closed(): void {
    this.#end();
    for (const listener of this.#onClosed.splice(0)) listener();
  }
}

const NOTHING = Buffer.alloc(0);
const PING = Buffer.from('tenuto..', 'latin1');
const PRIORITY_BYTES = 5;
const WINDOW_TOO_LARGE = 'a window is larger than windows are';
