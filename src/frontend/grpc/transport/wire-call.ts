// One stream of HTTP/2 as one call: messages come in, messages and a status go out. Ended exactly once: by its method, by its client, or with its
// connection. Nearly all calls are unary, and for them it is written: one frame of headers, one of the answer, one with the status.

import type { AnswerHeader } from '../http2/header-encoder.ts';
import type { Stream } from '../http2/stream.ts';
import type { RpcError } from '../status.ts';
import type { Connection } from './connection.ts';

const HTTP_OK: AnswerHeader = { name: ':status', value: '200' };
const HEADERS: readonly AnswerHeader[] = [
  HTTP_OK,
  { name: 'content-type', value: 'application/grpc+proto', isKept: true },
  { name: 'grpc-accept-encoding', value: 'identity,deflate,gzip', isKept: true },
];
const OK: readonly AnswerHeader[] = [{ name: 'grpc-status', value: '0', isKept: true }];
const DETAILS = 'grpc-status-details-bin';

/** Of a stream and its call, without headers. */
const STREAM_BYTES = 1_024;

/** What a method makes of what comes in. */
export interface Receiver {
  /** A view of what was read: it may be kept. */
  message(bytes: Buffer): void;
  /** The client sends no more. Never after it is gone. */
  ended(): void;
  /** Of messages that it has and does nothing with until that. */
  readonly heldBytes?: number;
}

export class WireCall {
  readonly path: string;
  /** ms the client waits; undefined: as long as it takes. */
  readonly timeoutMs: number | undefined;
  readonly #stream: Stream;
  readonly #connection: Connection;
  #onGone: (() => void) | undefined;
  #begun = false;
  #ended = false;

  constructor(stream: Stream, path: string, timeoutMs: number | undefined, connection: Connection) {
    this.path = path;
    this.timeoutMs = timeoutMs;
    this.#stream = stream;
    this.#connection = connection;
  }

  /** What it keeps for itself while it is open, about. */
  get streamBytes(): number {
    return STREAM_BYTES + this.#stream.headerBytes;
  }

  /** Answered, or its client is gone. */
  get isOver(): boolean {
    return this.#ended || this.#stream.isClosed;
  }

  /** @param name in lower case */
  header(name: string): string | undefined {
    return this.#stream.header(name);
  }

  /** Calls `listener`, at most once, if the client gives up before it is answered. The last one counts. */
  whenGone(listener: () => void): void {
    this.#onGone = listener;
  }

  /** Its stream is over, whoever ended it. */
  closed(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#onGone?.();
  }

  /** The one message of a unary call, and its status. */
  answer(frame: Buffer): void {
    if (this.isOver) return;
    this.#ended = true;
    const stream = this.#stream;
    stream.respond(HEADERS);
    stream.send(frame);
    stream.end(OK);
  }

  /** One message of several. While the client reads slower than it is written, nothing more of its own is read. */
  send(frame: Buffer): void {
    if (this.isOver) return;
    if (!this.#begun) this.#stream.respond(HEADERS);
    this.#begun = true;
    this.#stream.send(frame);
  }

  /** After what was sent, with this status; without one it is OK. Its client need not send the rest. */
  end(error?: RpcError): void {
    if (this.isOver) return;
    this.#ended = true;
    const status = error === undefined ? OK : statusOf(error, this.#connection.maxHeaderBytes);
    this.#stream.end(this.#begun ? status : [...HEADERS, ...status]);
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
function statusOf({ code, message, bytes }: RpcError, maxBytes: number): readonly AnswerHeader[] {
  let text = encoded(message);
  const room = Math.max(0, maxBytes - OTHER_HEADER_BYTES);
  if (text.length > room) text = encoded(message.slice(0, room / MAX_ENCODED));
  const status = [
    { name: 'grpc-status', value: String(code) },
    { name: 'grpc-message', value: text },
  ];
  const details = bytes.toString('base64');
  return text.length + details.length <= room ? [...status, { name: DETAILS, value: details }] : status;
}

/** Percent-encoded, as gRPC says; half a pair of surrogates is no text, and becomes one by the way through bytes. */
const encoded = (message: string): string => encodeURI(Buffer.from(message).toString());
