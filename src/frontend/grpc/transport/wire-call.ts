// One stream of HTTP/2 as one call: messages come in, messages and a status go out. Ended exactly once: by its method, by its client, or with its
// connection. Nearly all calls are unary, and for them it is written: one frame of headers, one of the answer, one with the status.

import { constants, type IncomingHttpHeaders, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { RpcError } from '../status.ts';
import type { Connection } from './connection.ts';

const HEADERS: OutgoingHttpHeaders = {
  ':status': 200,
  'content-type': 'application/grpc+proto',
  'grpc-accept-encoding': 'identity,deflate,gzip',
};
const OK: OutgoingHttpHeaders = { 'grpc-status': '0' };
const DETAILS = 'grpc-status-details-bin';
/** Nobody asks for the date. */
const WITH_STATUS = { waitForTrailers: true, sendDate: false } as const;
const STATUS_ALONE = { endStream: true, sendDate: false } as const;

/** What a method makes of what comes in. */
export interface Receiver {
  /** A view of what was read: it may be kept. */
  message(bytes: Buffer): void;
  /** The client sends no more. Never after it is gone. */
  ended(): void;
}

export class WireCall {
  readonly path: string;
  /** ms the client waits; undefined: as long as it takes. */
  readonly timeoutMs: number | undefined;
  readonly #stream: ServerHttp2Stream;
  readonly #headers: IncomingHttpHeaders;
  readonly #connection: Connection;
  #onGone: (() => void) | undefined;
  #unread = 0;
  #begun = false;
  #ended = false;

  constructor(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    timeoutMs: number | undefined,
    connection: Connection,
  ) {
    this.path = headers[':path'] as string;
    this.timeoutMs = timeoutMs;
    this.#stream = stream;
    this.#headers = headers;
    this.#connection = connection;
    stream.once('close', () => {
      connection.unreadBytes -= this.#unread;
      if (this.#ended) return;
      this.#ended = true;
      this.#onGone?.();
    });
  }

  /** Answered, or its client is gone. */
  get isOver(): boolean {
    return this.#ended || this.#stream.closed || this.#stream.destroyed;
  }

  /** @param name in lower case */
  header(name: string): string | undefined {
    const value = this.#headers[name];
    return Array.isArray(value) ? value[0] : value;
  }

  /** Calls `listener`, at most once, if the client gives up before it is answered. The last one counts. */
  whenGone(listener: () => void): void {
    this.#onGone = listener;
  }

  /** The one message of a unary call, and its status. */
  answer(frame: Buffer): void {
    if (this.isOver) return;
    this.#ended = true;
    this.#unread = frame.length;
    this.#connection.unreadBytes += frame.length;
    this.#begin(OK);
    this.#stream.end(frame);
  }

  /** One message of several. While the client reads slower than it is written, nothing more of its own is read. */
  send(frame: Buffer): void {
    if (this.isOver) return;
    if (!this.#begun) this.#begin(undefined);
    const stream = this.#stream;
    if (stream.write(frame) || stream.isPaused()) return;
    stream.pause();
    stream.once('drain', () => stream.resume());
  }

  /** After what was sent, with this status; without one it is OK. */
  end(error?: RpcError): void {
    if (this.isOver) return;
    this.#ended = true;
    const status = error === undefined ? OK : statusOf(error, this.#connection.maxHeaderBytes);
    if (this.#begun) {
      this.#stream.once('wantTrailers', () => this.#stream.sendTrailers(status));
      this.#stream.end();
    } else this.#stream.respond({ ...HEADERS, ...status }, STATUS_ALONE);
    // Its client need not send the rest, and does not keep the stream by not ending it.
    if (!this.#stream.readableEnded) this.#stream.close(constants.NGHTTP2_NO_ERROR);
  }

  #begin(status: OutgoingHttpHeaders | undefined): void {
    this.#begun = true;
    const stream = this.#stream;
    stream.respond(HEADERS, WITH_STATUS);
    if (status !== undefined) stream.once('wantTrailers', () => stream.sendTrailers(status));
  }
}

/** What a header list has beside a status' text and details. */
const OTHER_HEADER_BYTES = 512;
/** Of a unit of UTF-16 that is percent-encoded. */
const MAX_ENCODED = 9;

/**
 * A client that is sent more than it takes ends the stream, and knows nothing then: it gets the code with what there is room for.
 * @param maxBytes of a header list, as the client takes it
 */
function statusOf({ code, message, bytes }: RpcError, maxBytes: number): OutgoingHttpHeaders {
  let text = encoded(message);
  const room = Math.max(0, maxBytes - OTHER_HEADER_BYTES);
  if (text.length > room) text = encoded(message.slice(0, room / MAX_ENCODED));
  const status: OutgoingHttpHeaders = { 'grpc-status': String(code), 'grpc-message': text };
  const details = bytes.toString('base64');
  return text.length + details.length <= room ? { ...status, [DETAILS]: details } : status;
}

/** Percent-encoded, as gRPC says; half a pair of surrogates is no text, and becomes one by the way through bytes. */
const encoded = (message: string): string => encodeURI(Buffer.from(message).toString());
