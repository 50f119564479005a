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
import type { Cancelable, Scheduler } from '../../../ports/clock.ts';
import { StatusCode } from '../../../wire/status.ts';
import type { Tls } from '../../http/server.ts';
import { RpcError } from '../status.ts';
import { FrameReader } from './frames.ts';
import { type Receiver, WireCall } from './wire-call.ts';

export interface TransportOptions {
  /** PEM; undefined: plain text. */
  readonly tls: Tls | undefined;
  readonly scheduler: Scheduler;
  /** Of one message, after decompression too; a larger one is refused with RESOURCE_EXHAUSTED (I9). */
  readonly maxMessageBytes: number;
  /** At once, of one connection; a further one waits at the client (I9). */
  readonly maxStreams: number;
  /** A connection is asked for a sign of life so often, ms. */
  readonly pingEveryMs: number;
  /** It is closed if none comes for so long, ms. */
  readonly pingTimeoutMs: number;
  /** A method threw: a bug of ours. */
  onFault(error: unknown, path: string): void;
}

/** Opens a call: what it returns takes the messages. */
export type Method = (call: WireCall) => Receiver;

export class Transport {
  readonly #options: TransportOptions;
  readonly #server: Http2Server | Http2SecureServer;
  readonly #methods = new Map<string, Method>();
  readonly #sessions = new Set<ServerHttp2Session>();

  constructor(options: TransportOptions) {
    this.#options = options;
    this.#server = serverOf(options);
    this.#server.on('stream', (stream, headers) => this.#open(stream, headers));
    this.#server.on('session', (session) => this.#keep(session));
  }

  /** @param path `/package.Service/Method` */
  register(path: string, method: Method): void {
    this.#methods.set(path, method);
  }

  /** A method of one request and one answer. `run` is called once its request is whole. */
  unary(path: string, run: (call: WireCall, request: Buffer) => void): void {
    this.register(path, (call) => {
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
    });
  }

  /** @param socket paused; nothing was read of it yet */
  accept(socket: Socket): void {
    this.#server.emit('connection', socket);
    socket.resume();
  }

  /** Every connection and every stream that is still open. */
  close(): void {
    for (const session of this.#sessions) session.destroy(undefined, constants.NGHTTP2_CANCEL);
  }

  #open(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    // Whoever breaks off a stream is told of by its `close`.
    stream.on('error', nothing);
    if (headers['content-type']?.startsWith('application/grpc') !== true) {
      stream.respond({ ':status': constants.HTTP_STATUS_UNSUPPORTED_MEDIA_TYPE }, { endStream: true });
      return;
    }
    const timeout = timeoutOf(headers['grpc-timeout']);
    const call = new WireCall(stream, headers, timeout === 'malformed' ? undefined : timeout);
    const method = this.#methods.get(call.path);
    if (method === undefined) {
      const message = `The server does not implement the method ${call.path.slice(0, 1_000)}`;
      call.end(new RpcError(StatusCode.UNIMPLEMENTED, message));
    } else if (timeout === 'malformed') {
      call.end(new RpcError(StatusCode.INTERNAL, 'Invalid grpc-timeout value'));
    } else this.#receive(stream, call, method, String(headers['grpc-encoding'] ?? 'identity'));
  }

  #receive(stream: ServerHttp2Stream, call: WireCall, method: Method, encoding: string): void {
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
    const receiver = method(call);
    stream.on('data', (chunk: Buffer) =>
      guarded(() => {
        for (const message of frames.read(chunk)) receiver.message(message);
      }),
    );
    stream.on('end', () =>
      guarded(() => {
        if (!frames.isAtBoundary) throw new RpcError(StatusCode.INTERNAL, 'A message is cut off.');
        receiver.ended();
      }),
    );
  }

  /** A client that vanished without a word is noticed. */
  #keep(session: ServerHttp2Session): void {
    const { scheduler, pingEveryMs, pingTimeoutMs } = this.#options;
    this.#sessions.add(session);
    let next: Cancelable;
    const ask = (): void => {
      next = scheduler.after(pingTimeoutMs, () => session.destroy());
      const asked = session.ping((error) => {
        next.cancel();
        if (error === null) wait();
        else session.destroy();
      });
      // More pings are open than a connection may have.
      if (!asked) session.destroy();
    };
    const wait = (): void => {
      next = scheduler.after(pingEveryMs, ask);
    };
    wait();
    session.once('close', () => {
      next.cancel();
      this.#sessions.delete(session);
    });
  }
}

const nothing = (): void => {};

function serverOf({ tls, maxStreams }: TransportOptions): Http2Server | Http2SecureServer {
  const settings = { maxConcurrentStreams: maxStreams };
  // Each message has a bound, and so have streams and connections; what a session's memory is compared with counts what is on its way to the client.
  // Headers are ours: a status may carry a failure.
  const unbounded = { maxSessionMemory: Number.MAX_SAFE_INTEGER, maxSendHeaderBlockLength: Number.MAX_SAFE_INTEGER };
  const options = { settings, ...unbounded };
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
