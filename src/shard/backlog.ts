// Waiting tasks of this node, by queue: how many there are (counted from entries, never by scanning), and the best few in memory, in order
// (priority, then fairness pass where someone has asked for it, then age).
// The rest stays on disk: ten million tasks cost disk, not memory. Reads begin at a low-water key, never at the prefix's start, where LevelDB
// would scan tombstones. Rows arrive here when committed; `pull` hands the best to claims.

import type { FairTask } from '../core/matching/fairness.ts';
import type { Scheduler } from '../ports/clock.ts';
import { type Key, key } from '../ports/ids.ts';
import type { Claim, PriorityBacklog, QueueBacklog, QueueKey } from '../ports/matching.ts';
import type { RowWrite } from '../ports/store.ts';
import { decode, encode } from '../wire/codec.ts';
import { waitingByPriority } from './backlog-stats.ts';
import type { BacklogDelta } from './entry.ts';
import { FairOrder } from './fair-order.ts';
import {
  after,
  backlogCountKey,
  backlogLowWaterKey,
  backlogPrefix,
  backlogPriority,
  backlogShard,
  backlogTime,
} from './keys.ts';
import type { Reader } from './reader.ts';
import { SpeculativeTasks } from './speculative.ts';
import { decodeWaitingTask, type WaitingTask } from './waiting-task.ts';

interface Queue {
  readonly queue: QueueKey;
  readonly prefix: string;
  readonly end: Key;
  /** Of the shards led here. */
  count: number;
  /** Of all shards kept here. */
  readonly shardCounts: Map<number, number>;
  /** Best first; every committed row up to the last one here that is not taken. */
  window: WaitingTask[];
  /** The window holds all there is. */
  complete: boolean;
  refilling: boolean;
  /** A shard was taken up during a refill: what that has read says nothing of it. */
  stale: boolean;
  /** Rows that came or went during a refill, whose reads may have missed it. */
  news: Map<Key, WaitingTask | undefined>;
  claims: Claim[];
  /** Tasks handed to claims whose end is not committed: they wait no more, though they still count. */
  taken: number;
  /** No row lies below. */
  low: Key;
  savedLow: Key | undefined;
  readonly fair: FairOrder;
}

export interface BacklogOptions {
  reader: Reader;
  scheduler: Scheduler;
  window: number;
  /** Tasks of the others are their leaders' to give. */
  isLed(shard: number): boolean;
  /** Of a fairness key's rate limit; if so, the task counts as given. */
  mayDispatch(queue: QueueKey, fairnessKey: string): boolean;
  /** Starts a task for a claim; `gone` when it does not wait any more. */
  start(task: Omit<WaitingTask, 'key'>, claim: Claim, settled: (outcome: 'started' | 'gone' | 'later') => void): void;
  changed(queue: QueueKey): void;
  onReadFailed(error: unknown): void;
}

const idOf = (queue: QueueKey): string => `${queue.kind}\0${queue.namespace}\0${queue.name}`;

export class Backlog {
  /** Those that wait in no row. */
  readonly speculative: SpeculativeTasks;
  readonly #options: BacklogOptions;
  readonly #queues = new Map<string, Queue>();
  /** By row key: which tasks are in a window or taken. */
  readonly #known = new Map<Key, WaitingTask>();
  /** Handed to a claim; the row's end is not committed yet. */
  readonly #taken = new Set<Key>();
  /** Counters to write with the next flush, by shard. */
  readonly #dirty = new Map<number, Set<Queue>>();
  readonly #changed = new Set<Queue>();
  readonly #refilling = new Set<Queue>();
  waiting = 0;

  constructor(options: BacklogOptions) {
    this.#options = options;
    const again = (queue: QueueKey, claim: Claim): void => {
      options.scheduler.soon(() => this.pull(queue, [claim]));
    };
    this.speculative = new SpeculativeTasks({ start: options.start, changed: options.changed, again });
  }

  // ---------------------------------------------------------------- what commits say

  put(k: Key, bytes: Uint8Array): void {
    const task = this.#known.get(k) ?? decodeWaitingTask(k, bytes);
    const queue = this.#queue(task.queue);
    const empty = queue.complete && queue.window.length === 0 && queue.taken === 0;
    if (empty || k < queue.low) queue.low = k;
    if (queue.refilling) queue.news.set(k, task);
    if (task.fair !== undefined) queue.fair.put(k, task.fair.key);
    // A start that was undone in the batch that began it: it waits again.
    if (this.#taken.delete(k)) {
      queue.taken -= 1;
      this.#changed.add(queue);
      this.#known.delete(k);
    }
    if (!this.#known.has(k)) this.#insert(queue, task);
  }

  delete(k: Key): void {
    const task = this.#known.get(k);
    if (task === undefined) {
      // Not in memory, or being read right now.
      for (const queue of this.#refilling) if (k.startsWith(queue.prefix)) queue.news.set(k, undefined);
      return;
    }
    const queue = this.#queue(task.queue);
    if (queue.refilling) queue.news.set(k, undefined);
    this.#known.delete(k);
    if (this.#taken.delete(k)) {
      queue.taken -= 1;
      // Its entry may count another task in: then the number of rows stays, and the number that waits grows.
      this.#changed.add(queue);
      return;
    }
    const at = position(queue.window, k);
    if (queue.window[at]?.key === k) queue.window.splice(at, 1);
  }

  count(shard: number, { queue: name, delta }: BacklogDelta): void {
    this.#add(this.#queue(name), shard, delta);
  }

  /** Tells matching of every queue whose number moved since the last call. */
  announce(): void {
    if (this.#changed.size === 0) return;
    const queues = [...this.#changed];
    this.#changed.clear();
    for (const queue of queues) this.#options.changed(queue.queue);
  }

  // ---------------------------------------------------------------- fairness

  /** The pass of a task that will wait in this queue; undefined as long as nobody in it asks for fairness. `again`: it was handed out before. */
  pass(name: QueueKey, task: FairTask, how: 'first' | 'again', weight?: number): number | undefined {
    const known = this.#queues.get(idOf(name));
    if (known === undefined && task.fairnessKey === '') return undefined;
    return (known ?? this.#queue(name)).fair.pass(task, how, weight);
  }

  /** Whether tasks that wait in this queue may have passes. */
  isFair(name: QueueKey): boolean {
    return this.#queues.get(idOf(name))?.fair.isFair === true;
  }

  /** Of all queues, after the rows of this node were restored. */
  async learnPasses(): Promise<void> {
    for (const { fair, shardCounts } of this.#queues.values()) {
      await fair.learn([...shardCounts.keys()].filter((shard) => this.#options.isLed(shard)));
    }
  }

  // ---------------------------------------------------------------- what matching asks

  backlog(name: QueueKey): QueueBacklog {
    return this.speculative.with(name, this.#stored(name));
  }

  /** In rows. */
  #stored(name: QueueKey): QueueBacklog {
    const queue = this.#queues.get(idOf(name));
    const count = queue === undefined ? 0 : queue.count - queue.taken;
    if (queue === undefined || count <= 0) return { count: 0, oldest: undefined };
    const best = queue.window[0]?.key ?? (queue.low > queue.prefix ? queue.low : undefined);
    if (best === undefined) return { count, oldest: undefined };
    const oldest = queue.window[0]?.fair?.time ?? backlogTime(best, queue.prefix);
    return { count, oldest, priority: backlogPriority(best, queue.prefix) };
  }

  async byPriority(name: QueueKey): Promise<PriorityBacklog[]> {
    const queue = this.#queues.get(idOf(name));
    const count = queue === undefined ? 0 : queue.count - queue.taken;
    if (queue === undefined || count <= 0) return [];
    const { reader, isLed } = this.#options;
    return waitingByPriority(reader, { prefix: queue.prefix, low: queue.low, count, isLed });
  }

  pull(name: QueueKey, claims: readonly Claim[]): void {
    const left = this.speculative.pull(name, claims, this.#stored(name));
    const queue = this.#queues.get(idOf(name));
    if (queue === undefined) {
      for (const claim of left) claim.release();
      return;
    }
    queue.claims.push(...left);
    const { taken } = queue;
    this.#serve(queue);
    if (queue.taken !== taken) this.#options.changed(queue.queue);
  }

  queues(): QueueKey[] {
    return [...this.#queues.values()].filter(({ count }) => count > 0).map(({ queue }) => queue);
  }

  // ---------------------------------------------------------------- recovery and flush

  /** A shard's counter as flushed. */
  restoreCount(shard: number, bytes: Uint8Array): void {
    const [namespace, name, kind, count] = decode(bytes) as [string, string, QueueKey['kind'], number];
    const queue = this.#queue({ namespace, name, kind });
    queue.complete = false;
    queue.shardCounts.set(shard, (queue.shardCounts.get(shard) ?? 0) + count);
    if (this.#options.isLed(shard)) this.#countIn(queue, count);
  }

  /** A shard is led here from now on: its tasks may sort anywhere among those in memory, so the windows are read again. */
  lead(shard: number): void {
    for (const queue of this.#queues.values()) {
      const count = queue.shardCounts.get(shard);
      if (count === undefined) continue;
      this.#countIn(queue, count);
      for (const { key: k } of queue.window) this.#known.delete(k);
      queue.window = [];
      queue.complete = false;
      queue.low = key(queue.prefix);
      queue.stale = queue.refilling;
      queue.fair.join(shard);
    }
    this.announce();
  }

  /** A shard is led elsewhere, and its tasks are given there. */
  unlead(shard: number): void {
    this.speculative.unlead(shard);
    for (const queue of this.#queues.values()) {
      const count = queue.shardCounts.get(shard);
      queue.fair.leave(shard);
      if (count !== undefined) this.#countIn(queue, -count);
      queue.window = queue.window.filter(({ key: k }) => backlogShard(k, queue.prefix) !== shard);
      if (queue.refilling) queue.stale = true;
    }
    for (const [k, { queue: name }] of this.#known) {
      const queue = this.#queue(name);
      if (backlogShard(k, queue.prefix) !== shard) continue;
      this.#known.delete(k);
      if (this.#taken.delete(k)) queue.taken -= 1;
    }
    this.announce();
  }

  /** A shard's rows were replaced: its counters are restored next. It is not led here. */
  forget(shard: number): void {
    this.#dirty.delete(shard);
    for (const queue of this.#queues.values()) queue.shardCounts.delete(shard);
  }

  lowWaterKeys(): { queue: QueueKey; key: Key }[] {
    return [...this.#queues.values()].map(({ queue }) => ({ queue, key: backlogLowWaterKey(queue) }));
  }

  restoreLowWater(name: QueueKey, bytes: Uint8Array): void {
    const queue = this.#queue(name);
    const low = key(Buffer.from(bytes).toString('latin1'));
    if (low.startsWith(queue.prefix)) {
      queue.low = low;
      queue.savedLow = low;
    }
  }

  counters(shard: number): RowWrite[] {
    const queues = this.#dirty.get(shard);
    if (queues === undefined) return [];
    this.#dirty.delete(shard);
    return [...queues].map((queue) => {
      const count = queue.shardCounts.get(shard) ?? 0;
      if (queue.count === 0) this.#forgetWhenIdle(queue);
      const { namespace, name, kind } = queue.queue;
      return [backlogCountKey(shard, queue.queue), count === 0 ? undefined : encode([namespace, name, kind, count])];
    });
  }

  lowWaters(): RowWrite[] {
    const rows: RowWrite[] = [];
    for (const queue of this.#queues.values()) {
      // Raised only when nothing is being read; lowered in the very flush that writes a row below it.
      if (queue.refilling && (queue.savedLow === undefined || queue.low >= queue.savedLow)) continue;
      // An empty queue is held in memory whole and needs no hint.
      const low = queue.count === 0 && queue.complete ? undefined : queue.low;
      if (low === queue.savedLow || (low === queue.prefix && queue.savedLow === undefined)) continue;
      queue.savedLow = low;
      rows.push([backlogLowWaterKey(queue.queue), low === undefined ? undefined : Buffer.from(low, 'latin1')]);
      if (low === undefined) this.#forgetWhenIdle(queue);
    }
    return rows;
  }

  // ---------------------------------------------------------------- inside

  #queue(name: QueueKey): Queue {
    const id = idOf(name);
    let queue = this.#queues.get(id);
    if (queue === undefined) {
      const prefix = backlogPrefix(name);
      queue = {
        queue: name,
        prefix,
        end: after(prefix),
        count: 0,
        shardCounts: new Map(),
        window: [],
        complete: true,
        refilling: false,
        stale: false,
        news: new Map(),
        claims: [],
        taken: 0,
        low: key(prefix),
        savedLow: undefined,
        fair: new FairOrder({ reader: this.#options.reader, prefix, onReadFailed: this.#options.onReadFailed }),
      };
      this.#queues.set(id, queue);
    }
    return queue;
  }

  /** Sticky queues come and go with workers: what is empty and written is forgotten. */
  #forgetWhenIdle(queue: Queue): void {
    if (queue.savedLow !== undefined || queue.window.length > 0 || queue.claims.length > 0) return;
    if (queue.shardCounts.size > 0) return;
    if (!queue.complete || queue.refilling) return;
    for (const dirty of this.#dirty.values()) if (dirty.has(queue)) return;
    if (queue.taken > 0 || queue.fair.isLearning) return;
    this.#queues.delete(idOf(queue.queue));
  }

  #add(queue: Queue, shard: number, delta: number): void {
    const count = (queue.shardCounts.get(shard) ?? 0) + delta;
    if (count === 0) queue.shardCounts.delete(shard);
    else queue.shardCounts.set(shard, count);
    if (this.#options.isLed(shard)) this.#countIn(queue, delta);
    let dirty = this.#dirty.get(shard);
    if (dirty === undefined) {
      dirty = new Set();
      this.#dirty.set(shard, dirty);
    }
    dirty.add(queue);
  }

  #countIn(queue: Queue, delta: number): void {
    queue.count += delta;
    this.waiting += delta;
    this.#changed.add(queue);
  }

  #insert(queue: Queue, task: WaitingTask): void {
    const { window } = queue;
    const last = window[window.length - 1];
    if (!queue.complete && (last === undefined || task.key > last.key)) return;
    this.#known.set(task.key, task);
    if (last === undefined || task.key > last.key) window.push(task);
    else window.splice(position(window, task.key), 0, task);
    if (window.length <= this.#options.window) return;
    const dropped = window.pop();
    if (dropped !== undefined) this.#known.delete(dropped.key);
    queue.complete = false;
  }

  #serve(queue: Queue): void {
    while (queue.claims.length > 0) {
      const task = queue.fair.isFair ? this.#nextAllowed(queue) : queue.window.shift();
      if (task === undefined) {
        if (queue.window.length === 0 && !queue.complete) void this.#refill(queue);
        else for (const claim of queue.claims.splice(0)) claim.release();
        return;
      }
      const claim = queue.claims.shift();
      if (claim === undefined) return;
      this.#taken.add(task.key);
      queue.taken += 1;
      if (task.fair !== undefined) queue.fair.handedOut(task.key);
      this.#options.start(task, claim, (outcome) => {
        if (outcome === 'started') return;
        if (outcome === 'later') {
          claim.release();
          this.#untake(queue, task);
          return;
        }
        // The row's end is decided but not committed: the next best task, for the same claim.
        queue.claims.push(claim);
        this.#options.scheduler.soon(() => this.#serve(queue));
      });
    }
  }

  /** The best task whose fairness key's rate limit lets it through; undefined when none of those in memory is. */
  #nextAllowed(queue: Queue): WaitingTask | undefined {
    const held = new Set<string>();
    const at = queue.window.findIndex(({ fair }) => {
      if (fair === undefined || fair.key === '') return true;
      if (held.has(fair.key)) return false;
      if (this.#options.mayDispatch(queue.queue, fair.key)) return true;
      held.add(fair.key);
      return false;
    });
    return at < 0 ? undefined : at === 0 ? queue.window.shift() : queue.window.splice(at, 1)[0];
  }

  #untake(queue: Queue, task: WaitingTask): void {
    if (!this.#taken.delete(task.key)) return;
    queue.taken -= 1;
    this.#known.delete(task.key);
    if (task.key < queue.low) queue.low = task.key;
    if (queue.refilling) queue.news.set(task.key, task);
    this.#insert(queue, task);
    this.#options.changed(queue.queue);
  }

  /**
   * Up to the best task there is, in the window or taken: all below was read, and has gone. Under load some are always taken, so to wait until none
   * is would mean to read over all that has gone, again and again.
   */
  #raiseLow(queue: Queue): void {
    let first = queue.window[0]?.key;
    if (first === undefined) return;
    if (queue.taken > 0) for (const k of this.#taken) if (k < first && k.startsWith(queue.prefix)) first = k;
    if (first > queue.low) queue.low = first;
  }

  async #refill(queue: Queue): Promise<void> {
    if (queue.refilling) return;
    queue.refilling = true;
    this.#refilling.add(queue);
    queue.news = new Map();
    const limit = Math.max(1, Math.floor(this.#options.window / 2));
    const read: WaitingTask[] = [];
    let from: Key | undefined = queue.low;
    try {
      while (from !== undefined && read.length < limit) {
        const chunk = await this.#options.reader.chunk(from, queue.end, limit);
        for (const [k, bytes] of chunk.rows) {
          if (!this.#taken.has(k) && this.#options.isLed(backlogShard(k, queue.prefix)))
            read.push(decodeWaitingTask(k, bytes));
        }
        from = chunk.next;
      }
    } catch (error) {
      queue.refilling = false;
      this.#refilling.delete(queue);
      for (const claim of queue.claims.splice(0)) claim.release();
      this.#options.onReadFailed(error);
      return;
    }
    queue.refilling = false;
    this.#refilling.delete(queue);
    if (queue.stale) {
      queue.stale = false;
      queue.complete = false;
      this.#serve(queue);
      return;
    }
    queue.complete = from === undefined;
    const tasks = new Map(read.map((task) => [task.key, task]));
    const last = read[read.length - 1]?.key;
    for (const [k, task] of queue.news) {
      if (task === undefined) tasks.delete(k);
      else if (queue.complete || (last !== undefined && k < last)) tasks.set(k, task);
    }
    queue.news = new Map();
    for (const task of queue.window) tasks.set(task.key, task);
    queue.window = [...tasks.values()]
      .filter(({ key: k }) => !this.#taken.has(k))
      .sort((a, b) => (a.key < b.key ? -1 : 1));
    for (const task of queue.window) this.#known.set(task.key, task);
    this.#raiseLow(queue);
    if (queue.window.length === 0 && !queue.complete) {
      // Everything read was taken meanwhile: go on in the next tick.
      this.#options.scheduler.soon(() => this.#serve(queue));
      return;
    }
    this.#serve(queue);
  }
}

/** Index of the first task whose key is not below `k`. */
function position(window: readonly WaitingTask[], k: Key): number {
  let low = 0;
  let high = window.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const task = window[middle];
    if (task !== undefined && task.key < k) low = middle + 1;
    else high = middle;
  }
  return low;
}
