// The open requests of a connection, by id, with one timer for all deadlines: a request costs no timer of its own.

import type { Method } from '../../src/wire/api.ts';
import type { Status } from '../../src/wire/status.ts';
import type { Channel } from './channel.ts';
import type { Link } from './link.ts';
import { bodyInDoubt, requestFrame, signalledBy } from './requests.ts';
import type { Cancelable, Scheduler } from './scheduler.ts';

/** Over which link a request goes, each time it is sent. */
export type Route =
  /** Whichever there is. */
  | { readonly kind: 'any' }
  /** The owner's of this workflow id if there is one, else any. */
  | { readonly kind: 'owner'; readonly namespace: string; readonly workflowId: string }
  /** This node's if there is one, else any. */
  | { readonly kind: 'first'; readonly channel: Channel }
  /** This node's. */
  | { readonly kind: 'only'; readonly channel: Channel };

export interface OpenRequest {
  readonly id: number;
  readonly method: Method;
  readonly route: Route;
  /** When it is sent again: until it is answered, or only while it is known not to have been applied, or never; its caller decides. */
  readonly repeat: 'again' | 'unapplied' | 'once';
  /** The last elements of its frame: one, which a server must understand, or none. */
  readonly metadata: readonly Record<string, string>[];
  /** Kept until answered, to be sent again after a reconnect. */
  frame: Uint8Array;
  /** The body for when it is sent again, if parts of the answer may have come. */
  readonly again: (() => object) | undefined;
  /** Called with each part of the answer. */
  readonly part: ((body: unknown) => void) | undefined;
  /** In the scheduler's monotonic ms; Infinity: none. */
  readonly deadline: number;
  readonly timeoutMs: number;
  /** Called with the answer before anything that came behind it is looked at; promises are later. */
  readonly answered: ((body: unknown) => void) | undefined;
  readonly resolve: (body: unknown) => void;
  readonly reject: (error: Error) => void;
  /** Where it was sent last; undefined while it waits for a link or a back-off. */
  link: Link | undefined;
  /** Over which it was answered "unavailable" last: it goes by another, if there is one. */
  refusedBy: Link | undefined;
  /** The body for when it is sent again, if it may have been applied; undefined: the same, or that was made already. */
  inDoubt: (() => object) | undefined;
  /** Answers "unavailable" so far: sets the back-off. */
  refusals: number;
  /** The workflow that it is a signal to, by namespace and id; undefined: it is something else. */
  readonly signalled: string | undefined;
  /** Which one it is of the starts under way (start-window.ts), from 1; 0: none of them. */
  startNumber: number;
  /** Why it is not answered yet. Its caller may never hear of it, so no error is made of it before: that takes more than all else about a refusal. */
  lastRefusal: Status | undefined;
  /** Forgets the caller's AbortSignal. */
  release: (() => void) | undefined;
}

/** What a request is opened with. `again` and `part` as in OpenRequest. */
export interface NewRequest
  extends Pick<
    OpenRequest,
    'method' | 'route' | 'repeat' | 'metadata' | 'again' | 'part' | 'timeoutMs' | 'answered' | 'resolve' | 'reject'
  > {
  readonly body: object;
}

export class RequestTable {
  readonly #requests = new Map<number, OpenRequest>();
  readonly #scheduler: Scheduler;
  readonly #onExpired: (request: OpenRequest) => void;
  #bytes = 0;
  #lastId = 0;
  #timer: Cancelable | undefined;
  #timerAt = Number.POSITIVE_INFINITY;

  constructor(scheduler: Scheduler, onExpired: (request: OpenRequest) => void) {
    this.#scheduler = scheduler;
    this.#onExpired = onExpired;
  }

  get size(): number {
    return this.#requests.size;
  }

  /** Bytes of all frames kept. */
  get bytes(): number {
    return this.#bytes;
  }

  open(asked: NewRequest): OpenRequest {
    const id = this.#nextId();
    const { method, route, repeat, metadata, again, part, timeoutMs, answered, resolve, reject } = asked;
    // Field by field: every call of a client makes one, and spreading costs as much as all else about it.
    const request: OpenRequest = {
      id,
      method,
      route,
      repeat,
      metadata,
      frame: requestFrame({ id, method, timeoutMs, metadata }, asked.body),
      again,
      part,
      deadline: this.#scheduler.monotonic() + timeoutMs,
      timeoutMs,
      answered,
      resolve,
      reject,
      link: undefined,
      inDoubt: bodyInDoubt(method, asked.body),
      refusedBy: undefined,
      refusals: 0,
      signalled: signalledBy(method, asked.body),
      startNumber: 0,
      lastRefusal: undefined,
      release: undefined,
    };
    this.#requests.set(id, request);
    this.#bytes += request.frame.length;
    if (request.deadline < this.#timerAt) this.#arm(request.deadline);
    return request;
  }

  has(request: OpenRequest): boolean {
    return this.#requests.get(request.id) === request;
  }

  get(id: number): OpenRequest | undefined {
    return this.#requests.get(id);
  }

  /** It is about to be sent. */
  renew(request: OpenRequest): void {
    if (request.again !== undefined) this.#reframe(request, request.again());
  }

  /** Nobody knows what became of it. */
  doubt(request: OpenRequest): void {
    const { inDoubt } = request;
    if (inDoubt === undefined) return;
    request.inDoubt = undefined;
    this.#reframe(request, inDoubt());
  }

  #reframe(request: OpenRequest, body: object): void {
    this.#bytes -= request.frame.length;
    request.frame = requestFrame(request, body);
    this.#bytes += request.frame.length;
  }

  remove(request: OpenRequest): void {
    this.#requests.delete(request.id);
    this.#bytes -= request.frame.length;
    request.release?.();
  }

  /** A copy: callers remove while they walk. */
  all(): OpenRequest[] {
    return [...this.#requests.values()];
  }

  dispose(): void {
    this.#timer?.cancel();
  }

  /** Ids stay within 31 bits, so that they are small on the wire; one in use is passed over. */
  #nextId(): number {
    do {
      this.#lastId = this.#lastId >= 0x7fffffff ? 1 : this.#lastId + 1;
    } while (this.#requests.has(this.#lastId));
    return this.#lastId;
  }

  #arm(at: number): void {
    this.#timer?.cancel();
    this.#timerAt = at;
    if (at === Number.POSITIVE_INFINITY) return;
    // Timers count whole milliseconds: round up, or it fires just before the deadline and has to come back.
    this.#timer = this.#scheduler.after(Math.max(0, Math.ceil(at - this.#scheduler.monotonic())), () => this.#expire());
  }

  #expire(): void {
    const now = this.#scheduler.monotonic();
    let next = Number.POSITIVE_INFINITY;
    const expired: OpenRequest[] = [];
    for (const request of this.#requests.values()) {
      if (request.deadline <= now) expired.push(request);
      else if (request.deadline < next) next = request.deadline;
    }
    this.#arm(next);
    for (const request of expired) this.#onExpired(request);
  }
}
