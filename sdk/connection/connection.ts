// The native connection that clients and workers share: one socket for everything and every node, which comes back by itself.
//
// A request stays open across reconnects until it is answered, its deadline passes or its caller gives it up: what was unanswered is
// sent again, over another node's link if need be, which its request id or task token makes safe; the few changes without one end with "perhaps".
// Within one tick frames travel as one message. Open requests and their bytes are bounded (I9). The process stays alive while requests are open or a worker
// listens.

import type { Method, MethodInParts, Methods, Pushes, PushTopic } from '../../src/wire/api.ts';
import { encode } from '../../src/wire/codec.ts';
import { FrameKind, type Welcome } from '../../src/wire/frame.ts';
import type { Status } from '../../src/wire/status.ts';
import { IllegalStateError } from '../common/errors.ts';
import { AddressBook } from './address-book.ts';
import { Admission } from './admission.ts';
import { Patience } from './attention.ts';
import { currentCallContext } from './call-context.ts';
import { Calls } from './calls.ts';
import { Channel, type Unsubscribe } from './channel.ts';
import { type KeepAlive, makeKeepAlive } from './host.ts';
import type { Link } from './link.ts';
import type { Destinations } from './linker.ts';
import { Nodes } from './nodes.ts';
import {
  type CompiledConnectionOptions,
  type ConnectionOptions,
  compileOptions,
  configured,
  type RequestOptions,
  resolveUrls,
  socketFactory,
} from './options.ts';
import { mayBeApplied, repeatIn } from './repeats.ts';
import { type OpenRequest, RequestTable, type Route } from './request-table.ts';
import {
  ANY_ROUTE,
  exhausted,
  givenUp,
  knowsNoMetadata,
  LONG_WAITS,
  notApplied,
  once,
  perhapsApplied,
  repeatOf,
  routeOf,
  timeLimitMs,
  unanswered,
} from './requests.ts';
import { RpcError, StatusCode } from './rpc-error.ts';
import { type NodeRequestOptions, type OpenOn, ServedNode } from './served-node.ts';
import type { Transport, TransportFactory } from './transport.ts';

export class Connection extends Calls {
  readonly options: CompiledConnectionOptions;
  /** By id, the workers of this process here: for eager starts. */
  readonly ownWorkers = new Map<string, { namespace: string; taskQueue: string }>();
  readonly #requests: RequestTable;
  /** To whichever node answers: enough for everything. */
  readonly #main: Channel;
  readonly #nodes: Nodes;
  readonly #factory: TransportFactory;
  readonly #keepAlive: KeepAlive = makeKeepAlive();
  readonly #patience: Patience;
  readonly #admission: Admission;
  #closed = false;

  private constructor(factory: TransportFactory, options: CompiledConnectionOptions) {
    super();
    this.options = options;
    this.#requests = new RequestTable(options.scheduler, (request) => this.#onExpired(request));
    this.#admission = new Admission(options.scheduler, (request) => this.#sendOrConnect(request));
    this.#factory = factory;
    this.#patience = new Patience(options.scheduler);
    const { urls, scheduler } = options;
    const book = new AddressBook(urls, () => scheduler.random());
    this.#main = this.#channel(book, options);
    this.#nodes = new Nodes({
      main: this.#main,
      book,
      scheduler,
      firstUrl: urls[0] ?? '',
      open: (url) => this.#channel({ size: 1, next: () => url }, { ...options, target: url }),
      isBusy: (channel) => channel.link !== undefined && this.#openOnLink(channel.link) > 0,
      drop: (channel) => this.#drop(channel),
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

  /** Another name of {@link connect}. */
  static readonly create = (options?: ConnectionOptions): Promise<Connection> => Connection.connect(options);

  /** A connection that connects with its first request. @throws ValueError for options that cannot be meant. */
  static lazy(given: ConnectionOptions = {}): Connection {
    const options = configured(given);
    return new Connection(
      socketFactory(options),
      compileOptions(options, { urls: resolveUrls(options), discovery: 'cluster' }),
    );
  }

  /**
   * A connection over something else than a socket, e.g. the in-process door of an embedded server. A function is called for every
   * (re)connect; a single transport cannot be opened again, so the connection ends with it. With `discovery: 'cluster'` the function is also
   * asked for the other nodes, by their URLs.
   */
  static fromTransport(
    transport: Transport | TransportFactory,
    options: Omit<ConnectionOptions, 'address' | 'tls' | 'webSocketFactory'> = {},
  ): Connection {
    return new Connection(
      typeof transport === 'function' ? transport : once(transport),
      compileOptions(configured(options), { urls: [''], discovery: 'off' }),
    );
  }

  get identity(): string {
    return this.options.identity;
  }

  /** What the server said of itself; undefined while there is no link. */
  get welcome(): Welcome | undefined {
    return this.#main.link?.welcome;
  }

  /** Whether any request could be sent now. */
  get isConnected(): boolean {
    return this.#links().length > 0;
  }

  /** Requests that wait for an answer. */
  get inFlightRequests(): number {
    return this.#requests.size;
  }

  /** Resolves once there is a link. @throws as {@link connect} does, and IllegalStateError when the connection was closed. */
  ensureConnected(): Promise<void> {
    return this.#closed ? Promise.reject(this.#closedError()) : this.#main.linker.waitForLink();
  }

  /**
   * Sends a request and resolves with its answer.
   *
   * @throws RpcError with the server's status; DEADLINE_EXCEEDED past the time limit; CANCELLED when given up; RESOURCE_EXHAUSTED when
   * too many requests are open or this one is too large to send, or when the server was too busy for it until the time limit: it was asked again;
   * UNAVAILABLE when nobody knows whether a change without request id was made.
   * @throws IllegalStateError when the connection was closed.
   */
  request<M extends Method>(
    method: M,
    body: Methods[M]['request'],
    options?: RequestOptions,
  ): Promise<Methods[M]['response']> {
    if (this.#closed) return Promise.reject(this.#closedError());
    const repeat = repeatOf(method, body);
    if (repeat === 'once') return this.#open(method, body, { kind: 'only', channel: this.#main }, repeat, options);
    return this.#open(method, body, this.#nodes.known ? routeOf(body) : ANY_ROUTE, repeat, options);
  }

  /**
   * The same for a method that answers in parts, until its last word, without a time limit of its own. `body` is asked for whenever the request is
   * sent: after a reconnect it goes on from there.
   */
  requestParts<M extends MethodInParts>(
    method: M,
    body: () => Methods[M]['request'],
    { part, signal }: { part(part: Methods[M]['response']): void; signal: AbortSignal },
  ): Promise<Methods[M]['response']> {
    // The server answers a method with that method's parts.
    const options = { timeoutMs: 0, signal, part: part as (body: unknown) => void, again: body };
    const route = this.#nodes.known ? routeOf(body()) : ANY_ROUTE;
    return this.#openOn(method, body(), route, 'again', options);
  }

  /** Sends without wanting an answer. False when it could not be sent: there is no link, or too much waits already. */
  notify<M extends Method>(method: M, body: Methods[M]['request']): boolean {
    const link = this.#main.link;
    if (link === undefined || link.queuedBytes > this.options.maxInFlightBytes) return false;
    link.write(encode([FrameKind.REQUEST, 0, method, 0, body]));
    return true;
  }

  /**
   * Calls `handler` for every push of `topic` over the main link, in order. Byte strings in a push are views of the message it came in: copy what
   * is kept. Keeps the connection up, and the process alive, until unsubscribed.
   */
  onPush<T extends PushTopic>(topic: T, handler: (body: Pushes[T]) => void): Unsubscribe {
    return this.#main.onPush(topic, (body) => handler(body));
  }

  /** Calls `handler` whenever a new main link replaces a lost one, before anything is sent again: requests it makes go first. */
  onReconnected(handler: (welcome: Welcome) => void): Unsubscribe {
    return this.#main.onReconnected(handler);
  }

  /** Calls `handler` whenever the main link is lost, or about to go. */
  onDisconnected(handler: (reason: string) => void): Unsubscribe {
    return this.#main.onDisconnected(handler);
  }

  /**
   * For workers: calls `handler` now, and after each change, with the nodes to register on: all of a cluster, up to 32, else the one server.
   * A node that is not listed any more is left by the connection once what was asked there is answered. Returns what ends it.
   */
  serveNodes(handler: (nodes: readonly ServedNode[]) => void): Unsubscribe {
    const known = new Map<Channel, ServedNode>();
    return this.#nodes.serve((nodes) => {
      const served = nodes.map(({ channel, name }) => {
        const node = known.get(channel) ?? new ServedNode(channel, name, this.#openOn);
        known.set(channel, node);
        return node;
      });
      for (const channel of known.keys()) if (!nodes.some((node) => node.channel === channel)) known.delete(channel);
      handler(served);
      for (const { channel } of nodes) channel.link?.attend();
    });
  }

  /** Sends what waits, then ends the connection; requests still open fail with CANCELLED. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const error = new RpcError(StatusCode.CANCELLED, `the connection to ${this.options.target} was closed`);
    this.#nodes.close();
    for (const channel of [this.#main, ...this.#nodes.all()]) channel.close(error);
    this.#rejectAll(error);
    this.#requests.dispose();
    this.#keepAlive.dispose();
  }

  readonly #openOn: OpenOn = (...call) => (this.#closed ? Promise.reject(this.#closedError()) : this.#open(...call));

  #open<M extends Method>(
    method: M,
    body: Methods[M]['request'],
    route: Route,
    repeat: OpenRequest['repeat'],
    options: NodeRequestOptions | undefined,
  ): Promise<Methods[M]['response']> {
    const { maxInFlightRequests, maxInFlightBytes, requestTimeoutMs } = this.options;
    if (this.#requests.size >= maxInFlightRequests || this.#requests.bytes >= maxInFlightBytes) {
      const message = `${this.#requests.size} requests are open; await some before sending ${method}`;
      return Promise.reject(exhausted(message));
    }
    const context = currentCallContext();
    const timeoutMs = timeLimitMs(options, requestTimeoutMs, context);
    const signal = options?.signal ?? context?.abortSignal;
    if (signal?.aborted) return Promise.reject(givenUp(method, signal));
    const metadata = this.options.token.with(context);

    return new Promise((resolve, reject) => {
      const request = this.#requests.open({
        method,
        body,
        route,
        repeat,
        timeoutMs,
        metadata,
        again: options?.again,
        part: options?.part,
        answered: options?.answered,
        // The server answers a method with that method's response.
        resolve: resolve as (body: unknown) => void,
        reject,
      });
      if (signal !== undefined) this.#rejectOnAbort(request, signal);
      if (this.#requests.size === 1) this.#updateKeepAlive();
      this.#sendOrConnect(request);
    });
  }

  #channel(to: Destinations, options: CompiledConnectionOptions): Channel {
    return new Channel(this.#factory, to, options, this.#patience, {
      isWanted: (channel) => {
        if (channel !== this.#main) return this.#nodes.wants(channel);
        return this.#requests.size > 0 || channel.hasPushHandlers;
      },
      onLinked: (channel, link, again) => this.#onLinked(channel, link, again),
      onLost: (channel, link, reason) => this.#onLost(channel, link, reason),
      onRefused: (channel, error) => this.#onRefused(channel, error),
      onResponse: (id, body) => this.#onResponse(id, body),
      onPart: (id, body) => this.#requests.get(id)?.part?.(body),
      onError: (id, status) => this.#onError(id, status),
      openOn: (link) => this.#openOnLink(link),
      isAwaited: (channel, link) => this.#isAwaited(channel, link),
      onMap: (channel) => this.#nodes.onMap(channel),
      onWaitersChanged: () => this.#updateKeepAlive(),
    });
  }

  /** Nobody uses this channel any more. What is open on it may still be answered; what waits for it waits in vain. */
  #drop(channel: Channel): void {
    const error = notApplied('the node was left');
    for (const request of this.#requests.all()) {
      if (request.link === undefined && request.route.kind === 'only' && request.route.channel === channel) {
        this.#reject(request, error);
      }
    }
    channel.linker.leave('not needed any more');
    this.#moveWaits();
  }

  /** By a worker that has credit there, or by a request that is to be answered at once. */
  #isAwaited(channel: Channel, link: Link): boolean {
    if (!this.#nodes.several) return false;
    if (this.#nodes.serves(channel)) return true;
    return this.#requests.all().some((request) => request.link === link && !LONG_WAITS.has(request.method));
  }

  #openOnLink(link: Link): number {
    return this.#requests.all().filter((request) => request.link === link).length;
  }

  /** Waits on links that are being left begin again on others. */
  #moveWaits(): void {
    for (const request of this.#requests.all()) {
      if (!request.link?.left || !LONG_WAITS.has(request.method) || this.#linkFor(request) === undefined) continue;
      this.#cancelOnServer(request);
      request.link = undefined;
      this.#sendOrConnect(request);
    }
  }

  #links(): Link[] {
    const { link } = this.#main;
    return link === undefined ? this.#nodes.links : [link, ...this.#nodes.links];
  }

  #linkFor({ route, refusedBy }: OpenRequest): Link | undefined {
    if (route.kind === 'only') return route.channel.link;
    const first = this.#firstLinkFor(route);
    if (first !== undefined && first !== refusedBy) return first;
    const links = this.#links();
    return links.find((link) => link !== refusedBy) ?? links[0];
  }

  #firstLinkFor(route: Exclude<Route, { kind: 'only' }>): Link | undefined {
    switch (route.kind) {
      case 'any':
        return undefined;
      case 'owner':
        return this.#nodes.linkOfOwner(route.namespace, route.workflowId);
      case 'first':
        return route.channel.link;
    }
  }

  #sendOrConnect(request: OpenRequest): void {
    if (!this.#admission.admits(request)) return;
    const link = this.#linkFor(request);
    if (link !== undefined) this.#send(request, link);
    else (request.route.kind === 'only' ? request.route.channel : this.#main).linker.connect();
  }

  #send(request: OpenRequest, link: Link): void {
    this.#requests.renew(request);
    const { method, frame } = request;
    if (frame.length > link.maxMessageBytes) {
      const message = `${method} takes ${frame.length} bytes, the server accepts ${link.maxMessageBytes}`;
      this.#reject(request, exhausted(message));
      return;
    }
    if (request.metadata.length > 0 && !link.welcome?.capabilities.includes('metadata')) {
      this.#reject(request, knowsNoMetadata(method, link.address));
      return;
    }
    request.link = link;
    link.write(frame);
    link.attend();
  }

  #finish(request: OpenRequest, answered: boolean): void {
    this.#requests.remove(request);
    this.#admission.ended(request, answered);
    if (this.#requests.size === 0) this.#updateKeepAlive();
  }

  #reject(request: OpenRequest, error: Error, answered = false): void {
    this.#finish(request, answered);
    request.reject(error);
  }

  #rejectAll(error: Error): void {
    for (const request of this.#requests.all()) this.#reject(request, error);
  }

  #onResponse(id: number, body: unknown): void {
    const request = this.#requests.get(id);
    // Given up meanwhile, or answered over two links.
    if (request === undefined) return;
    this.#finish(request, true);
    request.answered?.(body);
    request.resolve(body);
  }

  #onError(id: number, status: Status): void {
    const request = this.#requests.get(id);
    if (request === undefined) return;
    request.lastRefusal = status;
    this.#admission.refused(request, status);
    if (mayBeApplied(status)) this.#requests.doubt(request);
    const pause = repeatIn(request, status, this.options.scheduler);
    if (pause === undefined) {
      const passes = status.code === StatusCode.RESOURCE_EXHAUSTED || status.code === StatusCode.UNAVAILABLE;
      this.#reject(request, RpcError.fromStatus(status), !passes);
      return;
    }
    // Of a node that is full another one would ask the same.
    const refusedBy = status.code === StatusCode.UNAVAILABLE ? request.link : undefined;
    request.refusedBy = refusedBy;
    request.link = undefined;
    const other = request.route.kind === 'only' ? undefined : this.#linkFor(request);
    if (refusedBy !== undefined && other === refusedBy) this.#nodes.openAnother();
    if (this.#admission.keeps(request, status)) return;
    this.options.scheduler.after(pause, () => {
      // A reconnect may have sent it in the meantime.
      if (request.link === undefined && this.#requests.has(request)) this.#sendOrConnect(request);
    });
  }

  #onExpired(request: OpenRequest): void {
    this.#cancelOnServer(request);
    this.#reject(request, unanswered(request, this.options.target, this.#main.linker.lastError));
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

  #onLinked(channel: Channel, link: Link, again: 'first' | 'again'): void {
    const { welcome } = link;
    if (this.options.discovery === 'cluster' && welcome?.capabilities.includes('cluster'))
      channel.askForMap(this.#openOn);
    const outdated = this.#requests
      .all()
      .filter(({ repeat, route }) => repeat === 'once' && route.kind === 'only' && route.channel === channel);
    if (welcome !== undefined) channel.tellLinked(welcome, again);
    // Made while there was no link: sent now, behind what the handlers say, they would undo it.
    for (const request of again === 'again' ? outdated : []) {
      if (request.link === undefined) this.#reject(request, notApplied('the connection was made anew'));
    }
    for (const request of this.#requests.all()) {
      const unsent = request.link === undefined && this.#admission.admits(request) ? this.#linkFor(request) : undefined;
      if (unsent !== undefined) this.#send(request, unsent);
    }
    this.#moveWaits();
    link.attend();
  }

  #onLost(channel: Channel, link: Link, reason: Error): void {
    for (const request of this.#requests.all()) {
      if (request.link !== link) continue;
      request.link = undefined;
      this.#requests.doubt(request);
      if (request.repeat === 'again') this.#sendOrConnect(request);
      else this.#reject(request, perhapsApplied(request.method, reason));
    }
    if (channel !== this.#main && this.#requests.size > 0) this.#main.linker.connect();
  }

  #onRefused(channel: Channel, error: RpcError): void {
    for (const request of this.#requests.all()) {
      const { route } = request;
      const only = route.kind === 'only' ? route.channel : this.#main;
      if (only === channel) this.#reject(request, error);
    }
  }

  #updateKeepAlive(): void {
    if (!this.#closed) this.#keepAlive.hold(this.#main.linker.isWanted());
  }

  #closedError(): Error {
    return new IllegalStateError(`The connection to ${this.options.target} was closed; make another one`);
  }
}
