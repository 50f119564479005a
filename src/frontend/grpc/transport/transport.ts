// gRPC over HTTP/2, the server's side: connections that somebody else accepted, their streams as calls (wire-call.ts), given to the method that their
// path names. It knows nothing of what is called. Used by ../server.ts; docs/decisions/0079-own-transport.md says why it is ours.

import {
  constants,
  createSecureServer,
  createServer,
  type Http2SecureServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Socket } from 'node:net';
import { StatusCode } from '../../../wire/status.ts';
import type { Tls } from '../../http/server.ts';
import { RpcError } from '../status.ts';
import { Arriving } from './arriving.ts';
import { Connection, type ConnectionOptions } from './connection.ts';
import { FrameReader } from './frames.ts';
import { type Receiver, WireCall } from './wire-call.ts';

export interface TransportOptions extends ConnectionOptions {
  /** PEM; undefined: plain text. */
  readonly tls: Tls | undefined;
  /** Of one message, after decompression too; a larger one is refused with RESOURCE_EXHAUSTED (I9). */
  readonly maxMessageBytes: number;
  /** At once, of one connection; a further one waits at the client (I9). */
  readonly maxStreams: number;
  /** Of all requests that are not whole yet; over it the oldest is refused with RESOURCE_EXHAUSTED (I9). */
  readonly maxArrivingBytes: number;
  /** The request of a unary call is whole by then, or refused with DEADLINE_EXCEEDED, ms. */
  readonly arrivalTimeoutMs: number;
  /** Answers of one connection that its client has not read; over it further calls are refused with RESOURCE_EXHAUSTED (I9). */
  readonly maxUnreadBytes: number;
  /** A method threw: a bug of ours. */
  onFault(error: unknown, path: string): void;
}

/** Opens a call: what it returns takes the messages. */
export type OpenCall = (call: WireCall) => Receiver;

interface Method {
  /** One request makes it: it has to be whole within some time. */
  readonly unary: boolean;
  readonly open: OpenCall;
}

export class Transport {
  readonly #options: TransportOptions;
  readonly #server: Http2Server | Http2SecureServer;
  readonly #methods = new Map<string, Method>();
  readonly #connections = new Map<ServerHttp2Session, Connection>();
  readonly #arriving: Arriving;

  constructor(options: TransportOptions) {
    this.#options = options;
    this.#arriving = new Arriving(options.scheduler, options.maxArrivingBytes, options.arrivalTimeoutMs);
    this.#server = serverOf(options);
    this.#server.on('stream', (stream, headers) => this.#open(stream, headers));
    this.#server.on('session', (session) => this.#keep(session));
  }

  /** A method of messages in either direction. @param path `/package.Service/Method` */
  register(path: string, open: OpenCall): void {
    this.#methods.set(path, { unary: false, open });
  }

  /** A method of one request and one answer. `run` is called once its request is whole. */
  unary(path: string, run: (call: WireCall, request: Buffer) => void): void {
    const open: OpenCall = (call) => {
      let request: Buffer | undefined;
      return {
        message(bytes) {
          if (request === undefined) request = bytes;
          else call.end(new RpcError(StatusCode.UNIMPLEMENTED, `${path} takes one request message, and got a second`));
        },
        ended() {
          if (request !== undefined) run(call, request);
          else call.end(new RpcError(StatusCode.UNIMPLEMENTED, `${path} takes one request message, and got none`));
        },
      };
    };
    this.#methods.set(path, { unary: true, open });
  }

  /** @param socket paused; nothing was read of it yet */
  accept(socket: Socket): void {
    this.#server.emit('connection', socket);
    socket.resume();
  }

  /** Asks every client to go elsewhere with its next call. Calls that are under way go on. */
  retire(): void {
    for (const connection of this.#connections.values()) connection.retire();
  }

  /** Lets what was answered arrive, for up to `graceMs`; then every connection and every stream that is still open. */
  async close(graceMs: number): Promise<void> {
    const connections = [...this.#connections.values()];
    await Promise.all(connections.map((connection) => connection.close(graceMs)));
  }

  #open(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    // Whoever breaks off a stream is told of by its `close`.
    stream.on('error', nothing);
    const httpStatus = httpRefusal(headers);
    if (httpStatus !== undefined) {
      stream.respond({ ':status': httpStatus }, { endStream: true });
      return;
    }
    const { session } = stream;
    const connection = session && this.#connections.get(session as ServerHttp2Session);
    // Its session was destroyed just now.
    if (connection === undefined) return;
    const timeout = timeoutOf(headers['grpc-timeout']);
    const call = new WireCall(stream, headers, timeout === 'malformed' ? undefined : timeout, connection);
    const method = this.#methods.get(call.path);
    if (method === undefined) {
      const message = `The server does not implement the method ${call.path.slice(0, 1_000)}`;
      call.end(new RpcError(StatusCode.UNIMPLEMENTED, message));
    } else if (timeout === 'malformed') {
      call.end(new RpcError(StatusCode.INTERNAL, 'Invalid grpc-timeout value'));
    } else if (connection.unreadBytes > this.#options.maxUnreadBytes) {
      const message = `This connection has ${connection.unreadBytes} bytes of answers that its client does not read.`;
      call.end(new RpcError(StatusCode.RESOURCE_EXHAUSTED, message));
    } else this.#receive(stream, call, method, String(headers['grpc-encoding'] ?? 'identity'));
  }

  #receive(stream: ServerHttp2Stream, call: WireCall, { unary, open }: Method, encoding: string): void {
    const frames = new FrameReader(this.#options.maxMessageBytes, encoding);
    const guarded = (run: () => void): void => {
      // What still comes after the answer is read and dropped, so that the answer arrives.
      if (call.isOver) return;
      try {
        run();
      } catch (error) {
        if (!(error instanceof RpcError)) this.#options.onFault(error, call.path);
        call.end(error instanceof RpcError ? error : new RpcError(StatusCode.INTERNAL, 'The server failed.'));
      }
    };
    const arriving = this.#arriving;
    if (unary) arriving.began(call);
    const receiver = open(call);
    stream.on('data', (chunk: Buffer) =>
      guarded(() => {
        for (const message of frames.read(chunk)) receiver.message(message);
        arriving.keeps(call, frames.keptBytes);
      }),
    );
    stream.on('end', () => {
      arriving.ended(call);
      guarded(() => {
        if (frames.keptBytes > 0) throw new RpcError(StatusCode.INTERNAL, 'A message is cut off.');
        receiver.ended();
      });
    });
    stream.once('close', () => arriving.ended(call));
  }

  #keep(session: ServerHttp2Session): void {
    this.#connections.set(session, new Connection(session, this.#options));
    session.once('close', () => this.#connections.delete(session));
  }
}

const nothing = (): void => {};

/** `application/grpc`, with a subtype or parameters behind it; what begins alike is something else (gRPC-Web, for one). */
const CONTENT_TYPE = /^application\/grpc(?:$|[+;\s])/;

/** Of what is no call of gRPC at all. */
function httpRefusal(headers: IncomingHttpHeaders): number | undefined {
  if (!CONTENT_TYPE.test(headers['content-type'] ?? '')) return constants.HTTP_STATUS_UNSUPPORTED_MEDIA_TYPE;
  return headers[':method'] === 'POST' ? undefined : constants.HTTP_STATUS_METHOD_NOT_ALLOWED;
}

/** Streams that a client may break off in a second, for long. Fewer than as many as it may have open would end connections whose client ends its polls. */
const RESETS_PER_SECOND = 1_000;

function serverOf({ tls, maxStreams }: TransportOptions): Http2Server | Http2SecureServer {
  const settings = { maxConcurrentStreams: maxStreams };
  // Node 20 knows neither of them, and ends a connection that breaks off more than 1,000 streams at once.
  const resets = { streamResetBurst: 2 * maxStreams, streamResetRate: RESETS_PER_SECOND };
  // Each message has a bound, and so have streams and connections; what a session's memory is compared with counts what is on its way to the client.
  // Headers are ours: a status may carry a failure.
  const unbounded = { maxSessionMemory: Number.MAX_SAFE_INTEGER, maxSendHeaderBlockLength: Number.MAX_SAFE_INTEGER };
  const options = { settings, ...resets, ...unbounded };
  if (tls === undefined) return createServer(options);
  const { cert, key, clientCa } = tls;
  const asks = clientCa !== undefined;
  return createSecureServer({ ...options, cert, key, ca: clientCa, requestCert: asks, rejectUnauthorized: asks });
}

const UNIT_MS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 0.001, n: 0.000_001 };

/** ms, at least 1. */
function timeoutOf(header: string | string[] | undefined): number | undefined | 'malformed' {
  if (header === undefined) return undefined;
  const [, amount, unit] = /^(\d{1,8})\s*([HMSmun])$/.exec(String(header)) ?? [];
  return amount === undefined ? 'malformed' : Math.max(1, Number(amount) * (UNIT_MS[unit ?? ''] ?? 0));
}
