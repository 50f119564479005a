// gRPC over HTTP/2 (../http2), the server's side: connections that somebody else accepted, their streams as calls (wire-call.ts), given to the method that their
// path names. It knows nothing of what is called. Used by ../server.ts; docs/decisions/0079-own-transport.md says why it is ours.

import type { Socket } from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls';
import { StatusCode } from '../../../wire/status.ts';
import type { Tls } from '../../http/server.ts';
import { Session } from '../http2/session.ts';
import { own, type Stream } from '../http2/stream.ts';
import { RpcError } from '../status.ts';
import { Arriving } from './arriving.ts';
import { Connection, type ConnectionOptions } from './connection.ts';
import { FrameReader } from './frames.ts';
import { Reception } from './reception.ts';
import { Room } from './room.ts';
import { type Receiver, WireCall } from './wire-call.ts';

export interface TransportOptions extends ConnectionOptions {
  /** PEM; undefined: plain text. */
  readonly tls: Tls | undefined;
  /** Of one message, after decompression too; a larger one is refused with RESOURCE_EXHAUSTED (I9). */
  readonly maxMessageBytes: number;
  /** At once, of one connection; a further one waits at the client (I9). */
  readonly maxStreams: number;
  /** Of all streams that are open: a kilobyte each, and their headers; over it a further one is refused with RESOURCE_EXHAUSTED (I9). */
  readonly maxStreamBytes: number;
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
  /** Of connections that are not secured yet; undefined: none is. */
  readonly #tls: TlsServer | undefined;
  readonly #methods = new Map<string, Method>();
  readonly #connections = new Set<Connection>();
  readonly #arriving: Arriving;
  readonly #room: Room;

  constructor(options: TransportOptions) {
    this.#options = options;
    this.#arriving = new Arriving(options.scheduler, options.maxArrivingBytes, options.arrivalTimeoutMs);
    this.#room = new Room(options.maxStreamBytes);
    this.#tls = options.tls && secured(options.tls);
    this.#tls?.on('secureConnection', (socket) => this.#keep(socket));
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
        get heldBytes() {
          return request?.length ?? 0;
        },
        message(bytes) {
          if (request === undefined) request = own(bytes);
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
    if (this.#tls === undefined) this.#keep(socket);
    else this.#tls.emit('connection', socket);
    socket.resume();
  }

  /** Asks every client to go elsewhere with its next call. Calls that are under way go on. */
  retire(): void {
    for (const connection of this.#connections) connection.retire();
  }

  /** Lets what was answered arrive, for up to `graceMs`; then every connection and every stream that is still open. */
  async close(graceMs: number): Promise<void> {
    await Promise.all([...this.#connections].map((connection) => connection.close(graceMs)));
  }

  #open(stream: Stream, connection: Connection): void {
    const httpStatus = httpRefusal(stream);
    if (httpStatus !== undefined) {
      stream.end([{ name: ':status', value: httpStatus }]);
      return;
    }
    const path = stream.header(':path') ?? '';
    const timeout = timeoutOf(stream.header('grpc-timeout'));
    const call = new WireCall(stream, path, timeout === 'malformed' ? undefined : timeout, connection);
    const method = this.#methods.get(path);
    if (method === undefined) {
      const message = `The server does not implement the method ${path.slice(0, 1_000)}`;
      call.end(new RpcError(StatusCode.UNIMPLEMENTED, message));
    } else if (timeout === 'malformed') {
      call.end(new RpcError(StatusCode.INTERNAL, 'Invalid grpc-timeout value'));
    } else if (connection.unreadBytes > this.#options.maxUnreadBytes) {
      const message = `This connection has ${connection.unreadBytes} bytes of answers that its client does not read.`;
      call.end(new RpcError(StatusCode.RESOURCE_EXHAUSTED, message));
    } else this.#receive(stream, call, method);
  }

  #receive(stream: Stream, call: WireCall, { unary, open }: Method): void {
    const { maxMessageBytes, onFault } = this.#options;
    if (!this.#room.take(call.streamBytes)) {
      call.end(
        new RpcError(StatusCode.RESOURCE_EXHAUSTED, 'The server has as many calls open as it can: try again later.'),
      );
      return;
    }
    const frames = new FrameReader(maxMessageBytes, stream.header('grpc-encoding') ?? 'identity');
    if (unary) this.#arriving.began(call);
    stream.receiver = new Reception(call, open(call), frames, this.#arriving, this.#room, onFault);
  }

  #keep(socket: Socket): void {
    const { maxStreams, scheduler } = this.#options;
    const session = new Session(socket, {
      maxStreams,
      scheduler,
      onStream: (stream) => this.#open(stream, connection),
      onFault: (error) => this.#options.onFault(error, 'http2'),
    });
    const connection = new Connection(session, socket.remotePort ?? 0, this.#options);
    this.#connections.add(connection);
    session.whenClosed(() => this.#connections.delete(connection));
  }
}

/** `application/grpc`, with a subtype or parameters behind it; what begins alike is something else (gRPC-Web, for one). */
const CONTENT_TYPE = /^application\/grpc(?:$|[+;\s])/;

/** Of what is no call of gRPC at all. */
function httpRefusal(stream: Stream): string | undefined {
  if (!CONTENT_TYPE.test(stream.header('content-type') ?? '')) return '415';
  return stream.header(':method') === 'POST' ? undefined : '405';
}

function secured({ cert, key, clientCa }: Tls): TlsServer {
  const asks = clientCa !== undefined;
  return createTlsServer({
    ...{ cert, key, ca: clientCa, requestCert: asks, rejectUnauthorized: asks },
    ALPNProtocols: ['h2'],
  });
}

const TIMEOUT = /^(\d{1,8})\s*([HMSmun])$/;
const UNIT_MS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 0.001, n: 0.000_001 };

/** ms, at least 1. */
function timeoutOf(header: string | undefined): number | undefined | 'malformed' {
  if (header === undefined) return undefined;
  const found = TIMEOUT.exec(header);
  return found === null ? 'malformed' : Math.max(1, Number(found[1]) * (UNIT_MS[found[2] ?? ''] ?? 0));
}
