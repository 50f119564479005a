// The native connection that clients and workers share: one socket for everything, which comes back by itself.
//
// A request stays open across reconnects until it is answered, its deadline passes or its caller gives it up: what was unanswered is
// sent again, which is safe because every mutating request carries a request id or a task token. Within one tick frames travel as
// one message. Open requests and their bytes are bounded (I9). The process stays alive while requests are open or a worker listens.

import type { Method, Methods, Pushes, PushTopic } from '../../src/wire/api.ts';
import { encode } from '../../src/wire/codec.ts';
import { FrameKind, type Welcome } from '../../src/wire/frame.ts';
import type { Status } from '../../src/wire/status.ts';
import { IllegalStateError } from '../common/errors.ts';
import { currentCallContext, runWithCallContext } from './call-context.ts';
import { type KeepAlive, makeKeepAlive } from './host.ts';
import type { Link } from './link.ts';
import { backoffMs, Linker } from './linker.ts';
import {
  type CompiledConnectionOptions,
  type ConnectionOptions,
  compileOptions,
  resolveUrl,
  socketFactory,
} from './options.ts';
import { type OpenRequest, RequestTable } from './request-table.ts';
import { RpcError, StatusCode } from './rpc-error.ts';
import type { Transport, TransportFactory } from './transport.ts';

/**
 * Not sent twice: credit would count double, and a registration must list the tokens held *now*, which is the business of
 * `onReconnected`.
 */
const SENT_ONCE: ReadonlySet<Method> = new Set(['grantCredit', 'registerWorker', 'unregisterWorker']);

export interface RequestOptions {
  /** Time limit, ms; 0 or Infinity: none. Default: the connection's `requestTimeout`. */
  timeoutMs?: number | undefined;
  /** Gives the request up; what was applied stays applied. */
  signal?: AbortSignal | undefined;
}

type Unsubscribe = () => void;
type PushHandler = (body: unknown) => void;

export class Connection {
  readonly options: CompiledConnectionOptions;
  readonly #requests: RequestTable;
  readonly #linker: Linker;
  readonly #keepAlive: KeepAlive = makeKeepAlive();
  readonly #pushHandlers = new Map<string, Set<PushHandler>>();
  readonly #reconnectedHandlers = new Set<(welcome: Welcome) => void>();
  readonly #disconnectedHandlers = new Set<(reason: string) => void>();
  #closed = false;
  #held = false;

  private constructor(factory: TransportFactory, options: CompiledConnectionOptions) {
    this.options = options;
    this.#requests = new RequestTable(options.scheduler, (request) => this.#onExpired(request));
    this.#linker = new Linker(factory, options, {
      hasWork: () => this.#requests.size > 0 || this.#pushHandlers.size > 0,
      onLinked: (link, again) => this.#onLinked(link, again),
      onRetired: () => this.#tellDisconnected('the server is going away'),
      onLost: (link, wasCurrent, reason) => this.#onLost(link, wasCurrent, reason),
      onRefused: (error) => this.#rejectAll(error),
      onResponse: (id, body) => this.#onResponse(id, body),
      onError: (id, status) => this.#onError(id, status),
      onPush: (topic, body) => this.#onPush(topic, body),
      onWaitersChanged: () => this.#updateKeepAlive(),
    });
  }

  /**
   * Connects, and resolves when the server has answered the handshake. Tries again until `connectTimeout`.
   *
   * @throws ValueError for options that cannot be meant.
   * @throws RpcError UNAUTHENTICATED, PERMISSION_DENIED or FAILED_PRECONDITION when the server refuses; DEADLINE_EXCEEDED, with the last
   * attempt's error as `cause`, when it cannot be reached in time.
   */
  static async connect(options: ConnectionOptions = {}): Promise<Connection> {
    const connection = Connection.lazy(options);
    try {
      await connection.ensureConnected();
    } catch (err) {
      await connection.close();
      throw err;
    }
    return connection;
  }

  /** A connection that connects with its first request. @throws ValueError for options that cannot be meant. */
  static lazy(options: ConnectionOptions = {}): Connection {
    const url = resolveUrl(options);
    return new Connection(socketFactory(url, options), compileOptions(options, url));
  }

  /**
   * A connection over something else than a socket, e.g. the in-process door of an embedded server. A function is called for every
   * (re)connect; a single transport cannot be opened again, so the connection ends with it.
   */
  static fromTransport(
    transport: Transport | TransportFactory,
    options: Omit<ConnectionOptions, 'address' | 'tls' | 'webSocketFactory'> = {},
  ): Connection {
    return new Connection(
      typeof transport === 'function' ? transport : once(transport),
      compileOptions(options, 'in-process'),
    );
  }

  get identity(): string {
    return this.options.identity;
  }

  /** What the server said of itself; undefined while there is no link. */
  get welcome(): Welcome | undefined {
    return this.#linker.current?.welcome;
  }

  get isConnected(): boolean {
    return this.#linker.current !== undefined;
  }

  /** Requests that wait for an answer. */
  get inFlightRequests(): number {
    return this.#requests.size;
  }

  /** Resolves once there is a link. @throws as {@link connect} does, and IllegalStateError when the connection was closed. */
  ensureConnected(): Promise<void> {
    return this.#closed ? Promise.reject(this.#closedError()) : this.#linker.waitForLink();
  }

  /**
   * Sends a request and resolves with its answer.
   *
   * @throws RpcError with the server's status; DEADLINE_EXCEEDED past the time limit; CANCELLED when given up; RESOURCE_EXHAUSTED when
   * too many requests are open or this one is too large to send.
   * @throws IllegalStateError when the connection was closed.
   */
  request<M extends Method>(
    method: M,
    body: Methods[M]['request'],
    options?: RequestOptions,
  ): Promise<Methods[M]['response']> {
    if (this.#closed) return Promise.reject(this.#closedError());
    const { maxInFlightRequests, maxInFlightBytes, requestTimeoutMs, scheduler } = this.options;
    if (this.#requests.size >= maxInFlightRequests || this.#requests.bytes >= maxInFlightBytes) {
      const message = `${this.#requests.size} requests are open; await some before sending ${method}`;
      return Promise.reject(exhausted(message));
    }
    const context = currentCallContext();
    let timeoutMs = options?.timeoutMs || (options?.timeoutMs === 0 ? Number.POSITIVE_INFINITY : requestTimeoutMs);
    if (context?.deadline !== undefined) timeoutMs = Math.min(timeoutMs, Math.max(0, context.deadline - Date.now()));
    const signal = options?.signal ?? context?.abortSignal;
    if (signal?.aborted) return Promise.reject(givenUp(method, signal));

    return new Promise((resolve, reject) => {
      const id = this.#requests.nextId();
      const request: OpenRequest = {
        id,
        method,
        frame: encode([FrameKind.REQUEST, id, method, serverTimeout(timeoutMs), body]),
        deadline: scheduler.monotonic() + timeoutMs,
        timeoutMs,
        // The server answers a method with that method's response.
        resolve: resolve as (body: unknown) => void,
        reject,
        link: undefined,
        refusals: 0,
        lastError: undefined,
        release: undefined,
      };
      if (signal !== undefined) this.#rejectOnAbort(request, signal);
      this.#requests.add(request);
      if (this.#requests.size === 1) this.#updateKeepAlive();
      const link = this.#linker.current;
      if (link === undefined) this.#linker.connect();
      else this.#send(request, link);
    });
  }

  /** Sends without wanting an answer. False when it could not be sent: there is no link, or too much waits already. */
  notify<M extends Method>(method: M, body: Methods[M]['request']): boolean {
    const link = this.#linker.current;
    if (link === undefined || link.queuedBytes > this.options.maxInFlightBytes) return false;
    link.write(encode([FrameKind.REQUEST, 0, method, 0, body]));
    return true;
  }

  /**
   * Calls `handler` for every push of `topic`, in order. Byte strings in a push are views of the message it came in: copy what is kept.
   * Keeps the connection up, and the process alive, until unsubscribed.
   */
  onPush<T extends PushTopic>(topic: T, handler: (body: Pushes[T]) => void): Unsubscribe {
    const handlers = this.#pushHandlers.get(topic) ?? new Set();
    this.#pushHandlers.set(topic, handlers);
    // The server pushes on a topic what the topic says.
    const untyped = handler as PushHandler;
    handlers.add(untyped);
    this.#updateKeepAlive();
    this.#linker.connect();
    return () => {
      handlers.delete(untyped);
      if (handlers.size === 0 && this.#pushHandlers.get(topic) === handlers) this.#pushHandlers.delete(topic);
      this.#updateKeepAlive();
    };
  }

  /** Calls `handler` whenever a new link replaces a lost one, before anything is sent again: requests it makes go first. */
  onReconnected(handler: (welcome: Welcome) => void): Unsubscribe {
    this.#reconnectedHandlers.add(handler);
    return () => this.#reconnectedHandlers.delete(handler);
  }

  /** Calls `handler` whenever the link is lost, or about to go. */
  onDisconnected(handler: (reason: string) => void): Unsubscribe {
    this.#disconnectedHandlers.add(handler);
    return () => this.#disconnectedHandlers.delete(handler);
  }

  /** Fails requests made within `fn` with DEADLINE_EXCEEDED after `deadline` (epoch ms or Date). */
  withDeadline<R>(deadline: number | Date, fn: () => Promise<R>): Promise<R> {
    return runWithCallContext({ deadline: Number(deadline) }, fn);
  }

  /** Gives requests made within `fn` up with CANCELLED when `abortSignal` aborts. */
  withAbortSignal<R>(abortSignal: AbortSignal, fn: () => Promise<R>): Promise<R> {
    return runWithCallContext({ abortSignal }, fn);
  }

  /** Sends what waits, then ends the connection; requests still open fail with CANCELLED. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const error = new RpcError(StatusCode.CANCELLED, `the connection to ${this.options.target} was closed`);
    this.#linker.close(error);
    this.#rejectAll(error);
    this.#requests.dispose();
    this.#pushHandlers.clear();
    this.#keepAlive.dispose();
  }

  #send(request: OpenRequest, link: Link): void {
    const { method, frame } = request;
    if (frame.length > link.maxMessageBytes) {
      const message = `${method} takes ${frame.length} bytes, the server accepts ${link.maxMessageBytes}`;
      this.#reject(request, exhausted(message));
      return;
    }
    request.link = link;
    link.write(frame);
  }

  #finish(request: OpenRequest): void {
    this.#requests.remove(request);
    if (this.#requests.size === 0) this.#updateKeepAlive();
  }

  #reject(request: OpenRequest, error: Error): void {
    this.#finish(request);
    request.reject(error);
  }

  #rejectAll(error: Error): void {
    for (const request of this.#requests.all()) this.#reject(request, error);
  }

  #onResponse(id: number, body: unknown): void {
    const request = this.#requests.get(id);
    // Given up meanwhile, or answered over two links.
    if (request === undefined) return;
    this.#finish(request);
    request.resolve(body);
  }

  #onError(id: number, status: Status): void {
    const request = this.#requests.get(id);
    if (request === undefined) return;
    const error = RpcError.fromStatus(status);
    if (status.code !== StatusCode.UNAVAILABLE || SENT_ONCE.has(request.method)) {
      this.#reject(request, error);
      return;
    }
    request.link = undefined;
    request.lastError = error;
    const { scheduler } = this.options;
    scheduler.after(backoffMs(request.refusals++, scheduler.random()), () => {
      const link = this.#linker.current;
      // A reconnect may have sent it in the meantime.
      if (link !== undefined && request.link === undefined && this.#requests.has(request)) this.#send(request, link);
    });
  }

  #onExpired(request: OpenRequest): void {
    this.#cancelOnServer(request);
    const { method, timeoutMs } = request;
    const cause = request.lastError ?? (request.link === undefined ? this.#linker.lastError : undefined);
    const why = cause?.message ?? (request.link === undefined ? 'there is no connection' : undefined);
    const message = `${method} had no answer from ${this.options.target} within ${Math.round(timeoutMs)} ms`;
    const text = why === undefined ? message : `${message}: ${why}`;
    this.#reject(request, new RpcError(StatusCode.DEADLINE_EXCEEDED, text, undefined, { cause }));
  }

  #rejectOnAbort(request: OpenRequest, signal: AbortSignal): void {
    const onAbort = (): void => {
      this.#cancelOnServer(request);
      this.#reject(request, givenUp(request.method, signal));
    };
    signal.addEventListener('abort', onAbort, { once: true });
    request.release = () => signal.removeEventListener('abort', onAbort);
  }

  #cancelOnServer(request: OpenRequest): void {
    if (request.link !== undefined && !request.link.closed) request.link.write(encode([FrameKind.CANCEL, request.id]));
  }

  #onPush(topic: string, body: unknown): void {
    for (const handler of this.#pushHandlers.get(topic) ?? []) {
      try {
        handler(body);
      } catch (err) {
        // A handler's bug must neither be hidden nor stop the other frames of this message.
        queueMicrotask(() => {
          throw err;
        });
      }
    }
  }

  #onLinked(link: Link, again: 'first' | 'again'): void {
    if (again === 'again' && link.welcome !== undefined) {
      const outdated = this.#requests.all().filter(({ method }) => SENT_ONCE.has(method));
      for (const handler of this.#reconnectedHandlers) handler(link.welcome);
      // Made while there was no link: sent now, behind what the handlers say, they would undo it.
      const detail = { kind: 'Unavailable', applied: 'no' } as const;
      for (const request of outdated) {
        if (request.link === undefined) {
          this.#reject(request, new RpcError(StatusCode.UNAVAILABLE, 'the connection was made anew', detail));
        }
      }
    }
    for (const request of this.#requests.all()) if (request.link === undefined) this.#send(request, link);
  }

  #onLost(link: Link, wasCurrent: boolean, reason: Error): void {
    for (const request of this.#requests.all()) {
      if (request.link !== link) continue;
      request.link = undefined;
      const current = this.#linker.current;
      if (SENT_ONCE.has(request.method)) {
        const detail = { kind: 'Unavailable', applied: 'maybe' } as const;
        this.#reject(request, new RpcError(StatusCode.UNAVAILABLE, reason.message, detail));
      } else if (current !== undefined) {
        this.#send(request, current);
      }
    }
    if (wasCurrent) this.#tellDisconnected(reason.message);
  }

  #tellDisconnected(reason: string): void {
    for (const handler of this.#disconnectedHandlers) handler(reason);
  }

  #updateKeepAlive(): void {
    const wanted = this.#linker.isWanted();
    if (wanted === this.#held || this.#closed) return;
    this.#held = wanted;
    if (wanted) this.#keepAlive.hold();
    else this.#keepAlive.release();
  }

  #closedError(): Error {
    return new IllegalStateError(`The connection to ${this.options.target} was closed; make another one`);
  }
}

/** The server is told a little less, so that its answer (a long poll's empty one, say) is here before the caller gives up. */
function serverTimeout(timeoutMs: number): number {
  if (timeoutMs === Number.POSITIVE_INFINITY) return 0;
  return Math.max(1, Math.ceil(timeoutMs - Math.min(1_000, timeoutMs / 20)));
}

function once(transport: Transport): TransportFactory {
  let left: Transport | undefined = transport;
  return () => {
    const given = left;
    left = undefined;
    if (given !== undefined) return given;
    throw new RpcError(StatusCode.FAILED_PRECONDITION, 'the transport was closed and cannot be opened again');
  };
}

function exhausted(message: string): RpcError {
  return new RpcError(StatusCode.RESOURCE_EXHAUSTED, message, { kind: 'ResourceExhausted', cause: 'client' });
}

function givenUp(method: Method, signal: AbortSignal): RpcError {
  const message = `${method} was given up by its caller`;
  return new RpcError(StatusCode.CANCELLED, message, undefined, { cause: signal.reason });
}
