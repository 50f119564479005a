// What this node tells the homes of its queues: what waits in its shards and what its workers would take; on change, at most every 50 ms, and everything
// again every 5 s. One message a node and tick. Also keeps into how many partitions each queue is split, as its first home said. Used by cluster-matching.ts.

import type { Cancelable, Clock, Scheduler } from '../../src/ports/clock.ts';
import type { QueueBacklog, QueueCredit, QueueKey } from '../../src/ports/matching.ts';
import type { MatchingLimits } from './limits.ts';
import { idOf, type Mode, type QueueNews, waitingOf } from './messages.ts';

export interface AnnouncerOptions {
  self: string;
  clock: Clock;
  scheduler: Scheduler;
  limits: MatchingLimits;
  /** The home's name; undefined: nobody is known. */
  homeOf(queue: QueueKey, partition: number): string | undefined;
  backlogOf(queue: QueueKey): QueueBacklog;
  queriesOf(queue: QueueKey): number;
  creditOf(queue: QueueKey): QueueCredit;
  /** Assigned to this node, and not fetched yet. */
  heldOf(queue: QueueKey, mode: Mode): number;
  send(home: string, news: readonly QueueNews[]): void;
}

/** What the home of one partition was told last, and has told. */
interface Told {
  home: string | undefined;
  news: QueueNews | undefined;
  epoch: string;
  seen: Record<Mode, number>;
}

class Announced {
  readonly queue: QueueKey;
  readonly fetched: Record<Mode, number> = { task: 0, query: 0 };
  partitions = 1;
  /** Who gets the odd credit next. */
  turn = 0;
  readonly told = new Map<number, Told>();

  constructor(queue: QueueKey) {
    this.queue = queue;
  }

  toldOf(partition: number): Told {
    let told = this.told.get(partition);
    if (told === undefined) {
      told = { home: undefined, news: undefined, epoch: '', seen: { task: 0, query: 0 } };
      this.told.set(partition, told);
    }
    return told;
  }
}

export class Announcer {
  readonly #options: AnnouncerOptions;
  readonly #queues = new Map<string, Announced>();
  readonly #dirty = new Set<string>();
  #next: Cancelable | undefined;
  #refresher: Cancelable | undefined;
  #flushedAt = Number.NEGATIVE_INFINITY;
  #closed = true;

  constructor(options: AnnouncerOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#queues.size;
  }

  start(): void {
    this.#closed = false;
    this.#refreshLater();
    if (this.#dirty.size > 0) this.#flushLater();
  }

  close(): void {
    this.#closed = true;
    this.#next?.cancel();
    this.#refresher?.cancel();
  }

  changed(queue: QueueKey): void {
    const id = idOf(queue);
    if (!this.#queues.has(id)) this.#queues.set(id, new Announced(queue));
    this.#dirty.add(id);
    if (!this.#closed) this.#flushLater();
  }

  /** Everything again, to whoever is the home now. */
  refresh(): void {
    for (const [id, { told }] of this.#queues) {
      this.#dirty.add(id);
      for (const one of told.values()) one.home = undefined;
    }
    if (this.#dirty.size > 0 && !this.#closed) this.#flushLater();
  }

  /** Others have asked for so many tasks. */
  fetched(queue: QueueKey, mode: Mode, n: number): void {
    const announced = this.#queues.get(idOf(queue));
    if (announced !== undefined) announced.fetched[mode] += n;
    this.changed(queue);
  }

  /** An assignment has arrived: its home is to hear of it. False: an old one, that comes late. */
  saw(queue: QueueKey, mode: Mode, partition: number, epoch: string, number: number): boolean {
    const announced = this.#queues.get(idOf(queue));
    // Assigned to workers that are gone.
    if (announced === undefined || partition >= this.#options.limits.partitions) return false;
    const told = announced.toldOf(partition);
    if (told.epoch !== epoch) {
      told.epoch = epoch;
      told.seen = { task: 0, query: 0 };
    }
    if (number <= told.seen[mode]) return false;
    told.seen[mode] = number;
    this.changed(queue);
    return true;
  }

  /** What was sent there may not have arrived. */
  notHeard(news: readonly QueueNews[]): void {
    for (const { queue, partition } of news) {
      const told = this.#queues.get(idOf(queue))?.told.get(partition);
      if (told !== undefined) told.home = undefined;
    }
    if (this.#closed) return;
    this.#options.scheduler.after(this.#options.limits.retryMs, () => {
      for (const { queue } of news) if (this.#queues.has(idOf(queue))) this.changed(queue);
    });
  }

  /** Its first home says how many partitions a queue has. */
  split(queue: QueueKey, partitions: number): void {
    const announced = this.#queues.get(idOf(queue));
    if (announced === undefined || announced.partitions === partitions) return;
    if (partitions < 1 || partitions > this.#options.limits.partitions) return;
    announced.partitions = partitions;
    this.changed(queue);
  }

  // ---------------------------------------------------------------- inside

  #flushLater(): void {
    const { clock, scheduler, limits } = this.#options;
    this.#next ??= scheduler.after(Math.max(0, this.#flushedAt + limits.announceMs - clock.monotonic()), () => {
      this.#next = undefined;
      this.#flush();
    });
  }

  #refreshLater(): void {
    this.#refresher = this.#options.scheduler.after(this.#options.limits.refreshMs, () => {
      this.refresh();
      this.#refreshLater();
    });
  }

  #flush(): void {
    const { limits, clock, send } = this.#options;
    this.#flushedAt = clock.monotonic();
    const byHome = new Map<string, QueueNews[]>();
    for (const id of this.#dirty) {
      const announced = this.#queues.get(id);
      if (announced !== undefined) this.#gather(id, announced, byHome);
    }
    this.#dirty.clear();
    for (const [home, news] of byHome) {
      for (let at = 0; at < news.length; at += limits.entries) send(home, news.slice(at, at + limits.entries));
    }
  }

  #gather(id: string, announced: Announced, byHome: Map<string, QueueNews[]>): void {
    const { homeOf, backlogOf, queriesOf, creditOf, self } = this.#options;
    const { queue, partitions } = announced;
    const backlog = backlogOf(queue);
    const queries = queue.kind === 'workflow' ? queriesOf(queue) : 0;
    const credit = creditOf(queue);
    const mine = partitionOf(self, partitions);
    announced.turn += 1;
    let isQuiet = backlog.count === 0 && queries === 0 && credit.workers === 0;
    // Partitions that are no more are told that nothing is left for them; from the last on, so that those are the first to go.
    for (const partition of new Set([...announced.told.keys(), ...Array(partitions).keys()])) {
      const told = announced.toldOf(partition);
      const home = homeOf(queue, partition);
      const news = this.#news(announced, told, partition, { backlog, queries, credit, mine });
      const isNews = home !== told.home ? told.news !== undefined || !isIdle(news) : differs(told.news, news);
      if (home !== undefined && isNews) {
        const list = byHome.get(home);
        if (list === undefined) byHome.set(home, [news]);
        else list.push(news);
        told.home = home;
        told.news = isIdle(news) ? undefined : news;
      }
      if (partition >= partitions && told.news === undefined) announced.told.delete(partition);
      else if (told.news !== undefined) isQuiet = false;
    }
    // Nobody is left who has heard anything of it.
    if (isQuiet) this.#queues.delete(id);
  }

  #news(
    announced: Announced,
    { epoch, seen }: Told,
    partition: number,
    now: { backlog: QueueBacklog; queries: number; credit: QueueCredit; mine: number },
  ): QueueNews {
    const { queue, partitions, fetched, turn } = announced;
    const isHere = partition === now.mine;
    const isGone = partition >= partitions;
    const { workers, credit } = now.credit;
    const share = (mode: Mode): number =>
      isGone ? 0 : shareOf(credit - this.#options.heldOf(queue, mode), partitions, (partition + turn) % partitions);
    return {
      queue,
      partition,
      waiting: isHere ? waitingOf(now.backlog) : undefined,
      fetched: fetched.task,
      queries: isHere ? now.queries : 0,
      queriesFetched: fetched.query,
      workers: isGone ? 0 : workers,
      available: share('task'),
      queriesAvailable: share('query'),
      epoch,
      seen: seen.task,
      queriesSeen: seen.query,
      rate: 0,
    };
  }
}

/** FNV-1a. */
function partitionOf(node: string, partitions: number): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < node.length; i += 1) h = Math.imul(h ^ node.charCodeAt(i), 0x01000193);
  return ((h ^ (h >>> 15)) >>> 0) % partitions;
}

/** The place-th of equal parts, the first ones being larger by the rest. */
function shareOf(n: number, parts: number, place: number): number {
  const part = Math.floor(n / parts);
  return part + (place < n - part * parts ? 1 : 0);
}

const isIdle = ({ waiting, queries, workers }: QueueNews): boolean =>
  waiting === undefined && queries === 0 && workers === 0;

/** Credit comes and goes with every task: what is nearly as it was said last is not said again. */
function differs(told: QueueNews | undefined, news: QueueNews): boolean {
  if (told === undefined) return !isIdle(news);
  const { waiting } = news;
  return (
    told.waiting?.count !== waiting?.count ||
    told.waiting?.oldest !== waiting?.oldest ||
    told.waiting?.priority !== waiting?.priority ||
    told.queries !== news.queries ||
    told.workers !== news.workers ||
    told.epoch !== news.epoch ||
    told.seen !== news.seen ||
    told.queriesSeen !== news.queriesSeen ||
    isFar(told.available, news.available) ||
    isFar(told.queriesAvailable, news.queriesAvailable)
  );
}

const isFar = (a: number, b: number): boolean => a > 0 !== b > 0 || Math.abs(a - b) > Math.abs(a) / 4;
