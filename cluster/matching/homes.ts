// The partitions of task queues whose home is this node: hears what nodes announce, lets HomeQueue pair it, and sends each node its assignments, one message
// a tick. Splits a queue whose home makes too many and joins it again. Used by cluster-matching.ts.

import type { Cancelable, Clock, Scheduler } from '../../src/ports/clock.ts';
import type { QueueKey } from '../../src/ports/matching.ts';
import { HomeQueue, type Numbers } from './home-queue.ts';
import type { MatchingLimits } from './limits.ts';
import { type AssignedFetch, idOf, type QueueNews, type QueueSpread } from './messages.ts';

/** Assignments are counted over so long, and lost ones made again. */
const TICK_MS = 1_000;
const SAY_MS = 60_000;
/** Queries are no better or older than each other: those here first, whoever asks first. */
const QUERY_RANK = { priority: 0, oldest: 0 };

/** Of a queue that is not kept here. */
const UNKNOWN: QueueSpread = { partitions: 1, takers: 0 };

class Home {
  readonly queue: QueueKey;
  readonly partition: number;
  readonly tasks: HomeQueue;
  readonly queries: HomeQueue;
  isDirty = false;
  /** Assignments since the last tick, and in the second before. */
  made = 0;
  rate = 0;
  /** Of partition 0: how many there are, when that changed, and what the homes of the others said. */
  partitions = 1;
  changedAt: number;
  lowSince: number;
  readonly rates = new Map<number, { rate: number; at: number }>();

  constructor(queue: QueueKey, partition: number, limits: MatchingLimits, numbers: Numbers, now: number) {
    this.queue = queue;
    this.partition = partition;
    this.changedAt = now;
    this.lowSince = now;
    const homeLimits = { assignmentMs: limits.holdMs, silentMs: 3 * limits.refreshMs };
    this.tasks = new HomeQueue(homeLimits, numbers);
    this.queries = new HomeQueue(homeLimits, numbers);
  }

  get isEmpty(): boolean {
    return this.tasks.isEmpty && this.queries.isEmpty;
  }

  get waiting(): number {
    return this.tasks.waiting + this.queries.waiting;
  }
}

export interface HomesOptions {
  clock: Clock;
  scheduler: Scheduler;
  limits: MatchingLimits;
  /** Never two for one node in one tick. */
  send(to: string, made: readonly AssignedFetch[]): void;
  /** Once a second, of each partition but the first: to its home. */
  tellRate(queue: QueueKey, partition: number, rate: number): void;
  /** This queue finds no room among so many: its tasks and workers at different nodes do not meet. At most once a minute. */
  full(queue: QueueKey, homes: number): void;
}

export class Homes {
  readonly #options: HomesOptions;
  readonly #homes = new Map<string, Home>();
  readonly #numbers: Numbers = { last: 0 };
  #dirty: Home[] = [];
  #ticker: Cancelable | undefined;
  #saidFullAt = Number.NEGATIVE_INFINITY;

  constructor(options: HomesOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#homes.size;
  }

  /** How the queue is spread, as far as is known here. */
  hear(from: string, news: QueueNews): QueueSpread {
    const { clock, limits } = this.#options;
    const now = clock.monotonic();
    const { queue, partition } = news;
    if (partition >= limits.partitions) return UNKNOWN;
    if (news.rate > 0) {
      this.#homes.get(`0\0${idOf(queue)}`)?.rates.set(partition, { rate: news.rate, at: now });
      return UNKNOWN;
    }
    const id = `${partition}\0${idOf(queue)}`;
    let home = this.#homes.get(id);
    if (home === undefined) {
      if (this.#homes.size >= limits.homes) {
        if (now - this.#saidFullAt >= SAY_MS) {
          this.#saidFullAt = now;
          this.#options.full(queue, this.#homes.size);
        }
        return UNKNOWN;
      }
      home = new Home(queue, partition, limits, this.#numbers, now);
      this.#homes.set(id, home);
      this.#tickLater();
    }
    this.#hear(home, from, news, now);
    return { partitions: home.partitions, takers: home.tasks.takers };
  }

  gone(node: string): void {
    for (const home of this.#homes.values()) {
      home.tasks.gone(node);
      home.queries.gone(node);
      this.#mark(home);
    }
  }

  close(): void {
    this.#ticker?.cancel();
    this.#homes.clear();
    this.#dirty = [];
  }

  // ---------------------------------------------------------------- inside

  #hear(home: Home, from: string, news: QueueNews, now: number): void {
    const { workers, available, seen, queries, queriesAvailable, queriesSeen } = news;
    home.tasks.announce(from, news.waiting, news.fetched, now);
    home.tasks.credit(from, { workers, available, seen }, now);
    if (news.queue.kind === 'workflow') {
      const waiting = queries === 0 ? undefined : { count: queries, ...QUERY_RANK };
      home.queries.announce(from, waiting, news.queriesFetched, now);
      home.queries.credit(from, { workers, available: queriesAvailable, seen: queriesSeen }, now);
    }
    this.#mark(home);
  }

  #mark(home: Home): void {
    if (home.isDirty || home.waiting === 0) return;
    home.isDirty = true;
    if (this.#dirty.push(home) === 1) this.#options.scheduler.soon(() => this.#assign());
  }

  #assign(): void {
    const now = this.#options.clock.monotonic();
    const homes = this.#dirty;
    this.#dirty = [];
    const byNode = new Map<string, AssignedFetch[]>();
    for (const home of homes) {
      home.isDirty = false;
      const { queue, partition } = home;
      for (const mode of ['task', 'query'] as const) {
        for (const { to, ...made } of (mode === 'task' ? home.tasks : home.queries).assign(now)) {
          home.made += 1;
          const list = byNode.get(to);
          const fetch = { queue, mode, partition, ...made };
          if (list === undefined) byNode.set(to, [fetch]);
          else list.push(fetch);
        }
      }
    }
    for (const [to, made] of byNode) this.#options.send(to, made);
  }

  #tickLater(): void {
    this.#ticker ??= this.#options.scheduler.after(TICK_MS, () => {
      this.#ticker = undefined;
      this.#tick();
      if (this.#homes.size > 0) this.#tickLater();
    });
  }

  #tick(): void {
    const now = this.#options.clock.monotonic();
    for (const [id, home] of this.#homes) {
      home.rate = home.made;
      home.made = 0;
      // Lost assignments are made again, silent nodes forgotten.
      home.tasks.expire(now);
      home.queries.expire(now);
      if (home.isEmpty) {
        this.#homes.delete(id);
        continue;
      }
      if (home.partition === 0) this.#size(home, now);
      else if (home.rate > 0) this.#options.tellRate(home.queue, home.partition, home.rate);
      this.#mark(home);
    }
  }

  /** Splits or joins a queue by the busiest of its partitions. */
  #size(home: Home, now: number): void {
    const { splitAbove, joinBelow, joinAfterMs, partitions, refreshMs } = this.#options.limits;
    let busiest = home.rate;
    for (const [partition, { rate, at }] of home.rates) {
      if (now - at >= refreshMs) home.rates.delete(partition);
      else busiest = Math.max(busiest, rate);
    }
    if (busiest >= joinBelow) home.lowSince = now;
    // Everybody learns of a change within one refresh: only then does the rate say anything of it.
    if (busiest > splitAbove && home.partitions < partitions && now - home.changedAt >= 2 * refreshMs) {
      home.partitions *= 2;
      home.changedAt = now;
    } else if (home.partitions > 1 && now - home.lowSince >= joinAfterMs) {
      home.partitions /= 2;
      home.changedAt = now;
      home.lowSince = now;
    }
  }
}
