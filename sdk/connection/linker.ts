// Keeps one link open while anybody wants one: opens it, shakes hands, and after a loss opens the next, at whatever address it is told to
// try, with jittered back-off once all were tried. What travels over a link is the connection's business (connection.ts).

import { encode } from '../../src/wire/codec.ts';
import { FrameKind, type Hello } from '../../src/wire/frame.ts';
import type { Status } from '../../src/wire/status.ts';
import { VERSIONS } from '../../src/wire/versions.ts';
import type { Patience } from './attention.ts';
import { Link } from './link.ts';
import type { CompiledConnectionOptions } from './options.ts';
import { RpcError, StatusCode } from './rpc-error.ts';
import type { Cancelable } from './scheduler.ts';
import type { TransportFactory } from './transport.ts';

const CLIENT_NAME = 'tenuto-js/0.1.0';
export const BACKOFF_FIRST_MS = 50;
export const BACKOFF_MAX_MS = 5_000;

/** What one attempt may take where there are other addresses to try, ms: a host that is gone often does not even refuse. */
const ATTEMPT_OF_SEVERAL_MS = 2_000;
/** How often a link that was left is looked at, whether it still has requests to answer, ms; and for how long it has time for them. */
const LEAVING_LOOK_MS = 50;
const LEAVING_MAX_MS = 10_000;

/** Of the request that asks a silent server for a sign of life: above every id that others get, so nobody waits for it. */
const SILENCE_REQUEST_ID = 2 ** 31;

/** Refusals of a handshake that a second attempt will hardly change. */
const FATAL_CODES: ReadonlySet<StatusCode> = new Set([
  StatusCode.UNAUTHENTICATED,
  StatusCode.PERMISSION_DENIED,
  StatusCode.FAILED_PRECONDITION,
  StatusCode.INVALID_ARGUMENT,
  StatusCode.UNIMPLEMENTED,
]);

export interface LinkerOwner {
  /** Whether requests or push handlers wait for a link. */
  hasWork(): boolean;
  /** A link is there; `again` when another one was before it. */
  onLinked(link: Link, again: 'first' | 'again'): void;
  /** This link takes no new requests; it may still answer open ones until `onLost`. */
  onRetired(link: Link, reason: string): void;
  /** This link is gone, what it has not answered it never will. */
  onLost(link: Link, wasCurrent: boolean, reason: Error): void;
  /** The server refuses this client. */
  onRefused(error: RpcError): void;
  onResponse(id: number, body: unknown): void;
  onPart(id: number, body: unknown): void;
  onError(id: number, status: Status): void;
  /** Over a link that takes no new requests any more it comes late. */
  onPush(topic: string, body: unknown, link: Link): void;
  /** Requests this link has still to answer. */
  openOn(link: Link): number;
  /** Somebody waits for the server of this link, and another one could do instead. */
  isAwaited(link: Link): boolean;
  /** Waiters came or went. */
  onWaitersChanged(): void;
}

interface Waiter {
  resolve: () => void;
  reject: (error: Error) => void;
}

/** `attempt` counts from 0; 50 ms doubling up to 5 s, half of it random. */
export function backoffMs(attempt: number, random: number): number {
  return Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** Math.min(attempt, 16)) * (0.5 + random / 2);
}

/** Where a linker may link to. */
export interface Destinations {
  readonly size: number;
  next(): string;
}

export class Linker {
  readonly #factory: TransportFactory;
  readonly #destinations: Destinations;
  readonly #options: CompiledConnectionOptions;
  readonly #patience: Patience;
  readonly #owner: LinkerOwner;
  readonly #waiters = new Set<Waiter>();
  readonly #retiring = new Set<Link>();
  #current: Link | undefined;
  /** The link whose handshake is under way. */
  #opening: { link: Link; resolve: () => void; reject: (error: Error) => void } | undefined;
  #connecting = false;
  #wasLinked = false;
  /** Opens no further link. */
  #ended = false;
  #closed = false;
  #lastError: Error | undefined;

  constructor(
    factory: TransportFactory,
    destinations: Destinations,
    options: CompiledConnectionOptions,
    patience: Patience,
    owner: LinkerOwner,
  ) {
    this.#factory = factory;
    this.#destinations = destinations;
    this.#options = options;
    this.#patience = patience;
    this.#owner = owner;
  }

  /** For messages to people. */
  get target(): string {
    return this.#options.target;
  }

  get current(): Link | undefined {
    return this.#current;
  }

  /** Why there is no link; undefined while there is one. */
  get lastError(): Error | undefined {
    return this.#lastError;
  }

  isWanted(): boolean {
    return !this.#ended && !this.#closed && (this.#waiters.size > 0 || this.#owner.hasWork());
  }

  /** Sees to a link, if one is wanted. */
  connect(): void {
    if (this.#current !== undefined || this.#connecting || !this.isWanted()) return;
    this.#connecting = true;
    void this.#connectUntilLinked();
  }

  /** Resolves once there is a link; rejects after `connectTimeoutMs`, or when the server refuses. */
  waitForLink(): Promise<void> {
    if (this.#current !== undefined) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const { connectTimeoutMs, target, scheduler } = this.#options;
      const settle = (): void => {
        timer.cancel();
        this.#waiters.delete(waiter);
        this.#owner.onWaitersChanged();
      };
      const waiter: Waiter = {
        resolve: () => {
          settle();
          resolve();
        },
        reject: (error) => {
          settle();
          reject(error);
        },
      };
      const timer = scheduler.after(connectTimeoutMs, () => {
        const cause = this.#lastError;
        const why = cause === undefined ? '' : `: ${cause.message}`;
        const message = `no connection to ${target} within ${connectTimeoutMs} ms${why}`;
        waiter.reject(new RpcError(StatusCode.DEADLINE_EXCEEDED, message, undefined, { cause }));
      });
      this.#waiters.add(waiter);
      this.#owner.onWaitersChanged();
      this.connect();
    });
  }

  /** Leaves the present link for another one; what it was asked it may still answer, for a while. */
  moveOn(reason: string): void {
    const link = this.#current;
    if (link === undefined) return;
    this.#retire(link, reason);
    this.#leave(link, reason, this.#options.scheduler.monotonic() + LEAVING_MAX_MS);
  }

  /** The other end is said to be gone: what was asked there is asked elsewhere at once, though the link still looks open. */
  abandon(reason: string): void {
    this.#current?.close(1001, reason);
  }

  /** Ends for good, without haste: what was asked may still be answered, for a while. */
  leave(reason: string): void {
    this.#ended = true;
    this.moveOn(reason);
  }

  close(error: Error): void {
    this.#closed = true;
    for (const link of [this.#current, this.#opening?.link, ...this.#retiring]) link?.close(1000, 'closed by client');
    for (const waiter of [...this.#waiters]) waiter.reject(error);
  }

  async #connectUntilLinked(): Promise<void> {
    for (let attempt = 0; this.isWanted(); attempt++) {
      try {
        const link = await this.#open();
        this.#connecting = false;
        if (this.#ended) link.close(1000, 'not needed any more');
        else this.#onLinked(link);
        return;
      } catch (err) {
        this.#lastError = err instanceof Error ? err : new Error(String(err));
        if (err instanceof RpcError && FATAL_CODES.has(err.code)) {
          for (const waiter of [...this.#waiters]) waiter.reject(err);
          this.#owner.onRefused(err);
        }
      }
      const { size } = this.#destinations;
      const triedAll = (attempt + 1) % size === 0;
      if (this.isWanted() && triedAll) {
        await this.#pause(backoffMs(Math.floor(attempt / size), this.#options.scheduler.random()));
      }
    }
    this.#connecting = false;
  }

  /** A link with the handshake done. */
  async #open(): Promise<Link> {
    const { scheduler, target } = this.#options;
    const url = this.#destinations.next();
    const connectTimeoutMs =
      this.#destinations.size === 1
        ? this.#options.connectTimeoutMs
        : Math.min(this.#options.connectTimeoutMs, ATTEMPT_OF_SEVERAL_MS);
    const transport = await this.#factory(connectTimeoutMs, url);
    if (this.#closed) {
      transport.close(1000, 'closed by client');
      throw new Error(`the connection to ${target} was closed`);
    }
    const link = new Link(transport, url === '' ? target : url, scheduler, this.#patience, {
      onWelcome: () => this.#opening?.resolve(),
      onResponse: (id, body) => this.#owner.onResponse(id, body),
      onPart: (id, body) => this.#owner.onPart(id, body),
      onError: (from, id, status) => this.#onError(from, id, status),
      onPush: (from, topic, body) => this.#owner.onPush(topic, body, from),
      onGoaway: (from) => this.#retire(from, 'the server is going away'),
      isAwaited: (from) => this.#current === from && this.#owner.isAwaited(from),
      onSilence: (from) => from.write(encode([FrameKind.REQUEST, SILENCE_REQUEST_ID, 'getServerInfo', 0, {}])),
      onClose: (from, reason) => this.#onClosed(from, reason),
    });
    let timer: Cancelable | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        this.#opening = { link, resolve, reject };
        timer = scheduler.after(connectTimeoutMs, () =>
          reject(new Error(`${link.address} did not answer the handshake within ${connectTimeoutMs} ms`)),
        );
        link.sayHello(this.#hello());
      });
      if (this.#closed || link.closed)
        throw new Error(`the connection to ${link.address} was lost during the handshake`);
      return link;
    } catch (err) {
      link.close(1001, 'handshake failed');
      throw err;
    } finally {
      timer?.cancel();
      this.#opening = undefined;
    }
  }

  #hello(): Hello {
    const { token, identity, capabilities } = this.#options;
    return {
      protocol: [VERSIONS.spoken.client.min, VERSIONS.spoken.client.max],
      client: CLIENT_NAME,
      identity,
      token: token.current,
      capabilities: [...capabilities],
    };
  }

  #onLinked(link: Link): void {
    this.#current = link;
    this.#lastError = undefined;
    for (const waiter of [...this.#waiters]) waiter.resolve();
    const again = this.#wasLinked ? 'again' : 'first';
    this.#wasLinked = true;
    this.#owner.onLinked(link, again);
  }

  #onError(link: Link, id: number, status: Status): void {
    if (this.#opening?.link === link && link.welcome === undefined) {
      this.#opening.reject(RpcError.fromStatus(status));
    } else {
      this.#owner.onError(id, status);
    }
  }

  #retire(link: Link, reason: string): void {
    if (this.#current !== link) return;
    this.#current = undefined;
    link.left = true;
    this.#retiring.add(link);
    this.#owner.onRetired(link, reason);
    this.connect();
  }

  #leave(link: Link, reason: string, until: number): void {
    const { scheduler } = this.#options;
    scheduler.after(LEAVING_LOOK_MS, () => {
      if (link.closed) return;
      const done = this.#owner.openOn(link) === 0 || scheduler.monotonic() >= until;
      if (done) link.close(1000, reason);
      else this.#leave(link, reason, until);
    });
  }

  #onClosed(link: Link, reason: string): void {
    const error = new Error(`the connection to ${link.address} was lost: ${reason}`);
    if (this.#opening?.link === link) {
      this.#opening.reject(error);
      return;
    }
    const wasCurrent = this.#current === link;
    if (wasCurrent) this.#current = undefined;
    else if (!this.#retiring.delete(link)) return;
    if (this.#closed) return;
    if (wasCurrent) this.#lastError = error;
    this.#owner.onLost(link, wasCurrent, error);
    this.connect();
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#options.scheduler.after(ms, resolve);
    });
  }
}
