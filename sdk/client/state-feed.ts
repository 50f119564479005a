// What one run publishes, kept up to date by the server, for all who watch it over one connection: a page with a thousand views of one workflow asks
// once, and each change comes once. The feed remembers the events that hold the latest values, so that each of its users goes on from its own place
// and in its own time, and misses none. A server that sends no answers in parts is polled instead.

import { EventType } from '../../src/wire/enums.ts';
import type { HistoryEvent } from '../../src/wire/event.ts';
import type { EventBatches } from '../../src/wire/history.ts';
import { STATE_MARKER } from '../../src/wire/markers.ts';
import { currentCallContext } from '../connection/call-context.ts';
import type { Connection } from '../connection/connection.ts';
import { RpcError, StatusCode } from '../connection/rpc-error.ts';
import { decodeEventBatches } from './history.ts';

/** How long one poll takes, ms; then the same is asked again. */
const POLL_MS = 60_000;
/** A server that knew no answers in parts is asked for them again after so long, ms: it may be a newer one by then. */
const POLL_FOR_MS = 60_000;
/** A feed whose users do not ask for news for so long is given up, ms; they begin another one when they do. */
const IDLE_MS = 10_000;

export interface StateTarget {
  readonly connection: Connection;
  readonly namespace: string;
  readonly workflowId: string;
}

export interface StatePage {
  readonly runId: string;
  /** Markers of published state, in order. */
  readonly events: readonly HistoryEvent[];
  /** Where to go on. */
  readonly nextEventId: number;
  /** The run has closed, and there is nothing behind this. */
  readonly over: boolean;
}

/** For what is from that event on. */
interface Wait {
  readonly fromEventId: number;
  readonly resolve: (page: StatePage) => void;
  readonly reject: (error: unknown) => void;
  readonly signal: AbortSignal | undefined;
  /** As the signal says. */
  leave: (() => void) | undefined;
}

/** Whoever watches, one run after the other. */
export class StateReader {
  readonly #target: StateTarget;
  #feed: StateFeed | undefined;

  constructor(target: StateTarget) {
    this.#target = target;
  }

  /** Resolves once there is something from that event on, or the run has closed. Rejects as the server refuses, and with the signal's reason. */
  next(runId: string, fromEventId: number, signal: AbortSignal | undefined): Promise<StatePage> {
    let feed = this.#feed;
    if (feed === undefined || feed.lost || feed.runId !== runId) {
      this.leave();
      feed = StateFeed.of(this.#target, runId, fromEventId);
      feed.users += 1;
      this.#feed = feed;
    }
    return feed.next(fromEventId, signal);
  }

  /** Nothing more is wanted. */
  leave(): void {
    const feed = this.#feed;
    this.#feed = undefined;
    if (feed === undefined) return;
    feed.users -= 1;
    if (feed.users === 0) feed.end();
  }
}

/** What a run published as of now, from an event on; `nextEventId` where a further page begins. */
export async function readStatePage(
  { connection, namespace, workflowId }: StateTarget,
  runId: string | undefined,
  fromEventId: number,
  signal?: AbortSignal,
): Promise<StatePage & { more: boolean }> {
  const request = { namespace, workflowId, runId, fromEventId, stateOnly: true };
  const options = signal === undefined ? undefined : { signal };
  const page = await connection.request('getWorkflowExecutionHistory', request, options);
  const events = decodeEventBatches(page.events, fromEventId);
  const nextEventId = page.nextEventId ?? after(events, fromEventId);
  const more = page.nextEventId !== undefined;
  const over = page.closed && !more && events.length === 0;
  return { runId: page.runId, events: events.filter(isState), nextEventId, more, over };
}

const feeds = new WeakMap<Connection, Map<string, StateFeed>>();
/** In the monotonic ms of the connection: until then its server is polled. */
const pollUntil = new WeakMap<Connection, number>();

class StateFeed {
  readonly runId: string;
  users = 0;
  #over = false;
  readonly #target: StateTarget;
  /** What came before is not known here. */
  readonly #since: number;
  readonly #forget: () => void;
  readonly #abort = new AbortController();
  readonly #waiting = new Set<Wait>();
  /** Those that hold latest values, in order. */
  #events: HistoryEvent[] = [];
  #nextEventId: number;
  #closed = false;
  #failure: { error: unknown } | undefined;
  /** Who reads what was before, and when somebody asked last. */
  #reading = 0;
  #askedAt = 0;

  private constructor(target: StateTarget, runId: string, since: number, forget: () => void) {
    this.#target = target;
    this.runId = runId;
    this.#since = since;
    this.#nextEventId = since;
    this.#forget = forget;
  }

  /**
   * That of this run, begun at that event where there is none yet. A caller under a deadline or signal of its context gets its own: these must not
   * reach others.
   */
  static of(target: StateTarget, runId: string, fromEventId: number): StateFeed {
    const { connection, namespace, workflowId } = target;
    const own = feeds.get(connection) ?? new Map<string, StateFeed>();
    feeds.set(connection, own);
    const id = JSON.stringify([namespace, workflowId, runId]);
    const shared = currentCallContext() === undefined;
    const known = shared ? own.get(id) : undefined;
    if (known !== undefined) return known;
    const feed = new StateFeed(target, runId, fromEventId, () => own.get(id) === feed && own.delete(id));
    if (shared) own.set(id, feed);
    void feed.#run();
    feed.#lookForUse();
    return feed;
  }

  /** It tells nothing any more, though its run may go on. */
  get lost(): boolean {
    return this.#over && !this.#closed;
  }

  /** Of a thousand watches each waits here for each change: hence no promise and no closure more than it takes. */
  next(fromEventId: number, signal: AbortSignal | undefined): Promise<StatePage> {
    if (signal?.aborted === true) return Promise.reject(signal.reason);
    if (fromEventId < this.#since) return this.#earlier(fromEventId, signal);
    this.#askedAt = this.#now();
    if (this.#hasNews(fromEventId)) return Promise.resolve(this.#page(fromEventId));
    if (this.#failure !== undefined) return Promise.reject(this.#failure.error);
    return new Promise((resolve, reject) => {
      const wait: Wait = { fromEventId, resolve, reject, signal, leave: undefined };
      this.#waiting.add(wait);
      if (signal === undefined) return;
      wait.leave = () => {
        this.#waiting.delete(wait);
        this.#askedAt = this.#now();
        reject(signal.reason);
      };
      signal.addEventListener('abort', wait.leave, { once: true });
    });
  }

  /** What is not known here, then what is. */
  async #earlier(fromEventId: number, signal: AbortSignal | undefined): Promise<StatePage> {
    this.#reading += 1;
    try {
      const page = await readStatePage(this.#target, this.runId, fromEventId, signal);
      // What it does not hold of the time before this feed holds no latest value any more.
      const nextEventId = page.more ? page.nextEventId : Math.max(page.nextEventId, this.#since);
      if (page.events.length > 0) return { ...page, nextEventId };
      return await this.next(nextEventId, signal);
    } finally {
      this.#reading -= 1;
      this.#askedAt = this.#now();
    }
  }

  #page(fromEventId: number): StatePage {
    const [oldest] = this.#events;
    const all = oldest === undefined || oldest.eventId >= fromEventId;
    const events = all ? this.#events : this.#events.filter(({ eventId }) => eventId >= fromEventId);
    const nextEventId = Math.max(fromEventId, this.#nextEventId);
    return { runId: this.runId, events, nextEventId, over: this.#closed && events.length === 0 };
  }

  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#forget();
    this.#abort.abort();
  }

  #now(): number {
    return this.#target.connection.options.scheduler.monotonic();
  }

  #hasNews(fromEventId: number): boolean {
    return this.#closed || (this.#events.at(-1)?.eventId ?? 0) >= fromEventId;
  }

  /** Answers whoever waits and can be answered. */
  #wake(): void {
    if (this.#waiting.size > 0) this.#askedAt = this.#now();
    for (const wait of this.#waiting) {
      const has = this.#hasNews(wait.fromEventId);
      if (!has && this.#failure === undefined) continue;
      this.#waiting.delete(wait);
      if (wait.leave !== undefined) wait.signal?.removeEventListener('abort', wait.leave);
      if (has) wait.resolve(this.#page(wait.fromEventId));
      else wait.reject(this.#failure?.error);
    }
  }

  async #run(): Promise<void> {
    try {
      while (!this.#closed && !this.#over) {
        const polls = this.#now() < (pollUntil.get(this.#target.connection) ?? 0);
        await (polls ? this.#poll() : this.#watch());
      }
    } catch (error) {
      this.#failure = { error };
    }
    this.#over = true;
    this.#forget();
    this.#wake();
  }

  /** Resolves when the run has closed, or the server is to be polled. */
  async #watch(): Promise<void> {
    const { connection, namespace, workflowId } = this.#target;
    const { runId } = this;
    try {
      const body = () => ({ namespace, workflowId, runId, fromEventId: this.#nextEventId });
      const part = ({ events }: { events: EventBatches }): void => this.#take(events, undefined);
      await connection.requestParts('watchWorkflowState', body, { part, signal: this.#abort.signal });
      this.#closed = true;
    } catch (error) {
      if (!(error instanceof RpcError) || error.code !== StatusCode.UNIMPLEMENTED) throw error;
      pollUntil.set(connection, this.#now() + POLL_FOR_MS);
    }
  }

  async #poll(): Promise<void> {
    const { connection, namespace, workflowId } = this.#target;
    const place = { namespace, workflowId, runId: this.runId, fromEventId: this.#nextEventId };
    const since = this.#now();
    try {
      const page = await connection.request(
        'getWorkflowExecutionHistory',
        { ...place, waitNewEvent: true, stateOnly: true },
        { timeoutMs: POLL_MS, signal: this.#abort.signal },
      );
      this.#closed = page.closed && page.nextEventId === undefined && page.events.length === 0;
      this.#take(page.events, page.nextEventId);
    } catch (error) {
      const late = error instanceof RpcError && error.code === StatusCode.DEADLINE_EXCEEDED;
      if (!late || this.#now() - since < POLL_MS / 2) throw error;
    }
  }

  #take(batches: EventBatches, nextEventId: number | undefined): void {
    // Kept: the batches are views of the message they came in.
    const own = batches.map((batch) => new Uint8Array(batch));
    const events = decodeEventBatches(own, this.#nextEventId);
    this.#nextEventId = nextEventId ?? after(events, this.#nextEventId);
    const fresh = events.filter(isState);
    if (fresh.length === 0) return;
    this.#events = holdingLatest(this.#events, fresh);
    this.#wake();
  }

  /** A timer of the connection's, which keeps no process alive. */
  #lookForUse(): void {
    this.#target.connection.options.scheduler.after(IDLE_MS, () => {
      if (this.#over) return;
      if (this.#waiting.size + this.#reading === 0 && this.#now() - this.#askedAt >= IDLE_MS) this.end();
      else this.#lookForUse();
    });
  }
}

/** A server that knows no `stateOnly` sends other events too. */
const isState = (event: HistoryEvent): boolean =>
  event.eventType === EventType.MARKER_RECORDED && event.attributes.markerName === STATE_MARKER;

const keysOf = (event: HistoryEvent): string[] =>
  event.eventType === EventType.MARKER_RECORDED ? Object.keys(event.attributes.details ?? {}) : [];

/** What stays of `events` once the later `fresh` are there: those with a value of a key that none of these has. */
function holdingLatest(events: readonly HistoryEvent[], fresh: readonly HistoryEvent[]): HistoryEvent[] {
  const seen = new Set<string>();
  const held: HistoryEvent[] = [];
  for (const list of [fresh, events]) {
    for (let i = list.length - 1; i >= 0; i -= 1) {
      const event = list[i];
      if (event === undefined) continue;
      let holds = false;
      for (const key of keysOf(event)) {
        holds ||= !seen.has(key);
        seen.add(key);
      }
      if (holds) held.push(event);
    }
  }
  return held.reverse();
}

const after = (events: readonly HistoryEvent[], fromEventId: number): number =>
  (events.at(-1)?.eventId ?? fromEventId - 1) + 1;
