// Durable timers of this node: one row per actor (its earliest deadline) and one per closed run (its retention). The rows due within the next
// minute are in memory, in a heap; the others are read as their time comes nearer, from a low-water key on. Fires at least once, never early
// (I7): a row goes only with the commit of what its firing did. Due is what has come in the time of its shard. Called by the engine; `fire` does the work.

import type { Cancelable, Clock, Scheduler } from '../ports/clock.ts';
import { type Key, key } from '../ports/ids.ts';
import type { RowWrite } from '../ports/store.ts';
import { decode, encode } from '../wire/codec.ts';
import { readTimerKey, TIMER_LOW_WATER, timerAt, timerShard, u48 } from './keys.ts';
import type { Reader } from './reader.ts';

/** What the index rows of a closed run are named by: the value of its retention row. */
export interface Retained {
  startTime: number;
  workflowType: string;
  status: number;
  /** A client had it deleted: its time is over whatever its namespace says. */
  atOnce?: boolean | undefined;
}

export const encodeRetained = ({ startTime, workflowType, status, atOnce }: Retained): Uint8Array =>
  encode(atOnce === true ? [startTime, workflowType, status, true] : [startTime, workflowType, status]);

function decodeRetained(bytes: Uint8Array): Retained {
  // Written by encodeRetained alone and checksummed by the store.
  const [startTime, workflowType, status, atOnce] = decode(bytes) as [number, string, number, true?];
  return { startTime, workflowType, status, atOnce };
}

export interface DueTimer {
  key: Key;
  /** Epoch ms of the row. */
  at: number;
  namespace: string;
  workflowId: string;
  /** Set for retention: the closed run to delete, and what its index rows are named by. */
  retention: ({ runId: string } & Retained) | undefined;
  /** Set for a batch job of the namespace: it goes on, or is forgotten. */
  jobId: string | undefined;
  /** Set for what is left of a namespace that was deleted. */
  goneNamespace: string | undefined;
}

interface Entry extends DueTimer {
  /** Not before, by the clock: when its shard's time reaches the row's, or later when it has to be tried again. */
  due: number;
  state: 'waiting' | 'firing' | 'gone';
}

export interface TimersOptions {
  reader: Reader;
  clock: Clock;
  scheduler: Scheduler;
  window: number;
  horizonMs: number;
  firing: number;
  /** Rows of the others are their leaders' business. */
  isLed(shard: number): boolean;
  /** What the clock shows when this shard's time reaches `time`: they differ while the clock is behind the shard. */
  reaches(shard: number, time: number): number;
  /** The time of the shard that is furthest; `now` when none is ahead of the clock. */
  latest(now: number): number;
  /** `again`: try later. Otherwise the row's deletion has been decided. */
  fire(timer: DueTimer, again: () => void): void;
  onReadFailed(error: unknown): void;
}

const CHUNK = 2_000;
const RETRY_MS = 1_000;
/** The low-water hint is raised this often: it walks the heap. */
const HINT_MS = 5_000;
/** Longest pause between two looks at the clock: it may jump. */
const MAX_PAUSE_MS = 1_000;

export class Timers {
  readonly #options: TimersOptions;
  readonly #byKey = new Map<Key, Entry>();
  #heap: Entry[] = [];
  #firing = 0;
  /** Every row below is in memory. */
  #horizon: Key = key('t');
  #loadingTo: Key | undefined;
  /** How often shards were taken up: a load under way begins again. */
  #leads = 0;
  /** Rows that went while a load was reading. */
  #gone = new Set<Key>();
  #low: Key = key('t');
  #savedLow: Key | undefined;
  /** How far the shard that is furthest is ahead of the clock: its rows are due by that much sooner. */
  #aheadMs = 0;
  #hintedAt = Number.NEGATIVE_INFINITY;
  #alarm: Cancelable | undefined;
  #alarmAt = Number.POSITIVE_INFINITY;
  #stopped = true;
  fired = 0;

  constructor(options: TimersOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#byKey.size;
  }

  restoreLowWater(bytes: Uint8Array | undefined): void {
    if (bytes === undefined) return;
    this.#low = key(Buffer.from(bytes).toString('latin1'));
    this.#savedLow = this.#low;
    // Rows replayed from the log may lie below.
    for (const k of this.#byKey.keys()) if (k < this.#low) this.#low = k;
    this.#horizon = this.#low;
  }

  start(): void {
    const { clock, latest } = this.#options;
    const now = clock.now();
    this.#aheadMs = latest(now) - now;
    // How far each shard's time has come was not known while rows were replayed.
    const entries = this.#heap;
    this.#heap = [];
    for (const entry of entries) {
      entry.due = this.#dueOf(entry.key, entry.at);
      this.#push(entry);
    }
    this.#stopped = false;
    this.#tick();
  }

  /** Shards are led here from now on. Their rows may lie anywhere: what is in memory is kept, the rest is read again from the beginning. */
  lead(): void {
    this.#low = key('t');
    this.#horizon = this.#low;
    this.#leads += 1;
    if (!this.#stopped) this.#tick();
  }

  /** A shard is led elsewhere: its timers fire there. */
  unlead(shard: number): void {
    // The rows stay: a load under way may find them again, for a shard that is taken up again.
    for (const k of this.#byKey.keys()) if (timerShard(k) === shard) this.#drop(k);
  }

  #dueOf(k: Key, at: number): number {
    return this.#options.reaches(timerShard(k), at);
  }

  stop(): void {
    this.#stopped = true;
    this.#alarm?.cancel();
  }

  put(k: Key, bytes: Uint8Array): void {
    if (k < this.#low) this.#low = k;
    const limit = this.#loadingTo ?? this.#horizon;
    if ((k < limit || k < this.#horizon) && !this.#byKey.has(k)) this.#add(k, bytes);
  }

  delete(k: Key): void {
    if (this.#loadingTo !== undefined) this.#gone.add(k);
    this.#drop(k);
  }

  #drop(k: Key): void {
    const entry = this.#byKey.get(k);
    if (entry === undefined) return;
    this.#byKey.delete(k);
    if (entry.state === 'firing') {
      this.#firing -= 1;
      if (this.#firing < this.#options.firing) this.#wake(entry.due);
    }
    entry.state = 'gone';
  }

  /**
   * The hint to write along with the rows of a flush. A row below the written hint lowers it in the same batch, or a crash would hide the row
   * from the next start; raising it can wait.
   */
  lowWater(): RowWrite[] {
    if (this.#savedLow !== undefined && this.#low < this.#savedLow) return this.#saveLow(this.#low);
    const { clock } = this.#options;
    const now = clock.monotonic();
    if (this.#loadingTo !== undefined || now < this.#hintedAt + HINT_MS) return [];
    this.#hintedAt = now;
    // Not above the present: what is armed from now on should not have to lower it again.
    let low = key(`t${u48(clock.now())}`);
    if (this.#horizon < low) low = this.#horizon;
    for (const entry of this.#heap) if (entry.state === 'waiting' && entry.key < low) low = entry.key;
    for (const [k, { state }] of this.#firing > 0 ? this.#byKey : []) if (state === 'firing' && k < low) low = k;
    this.#low = low;
    return low === this.#savedLow ? [] : this.#saveLow(low);
  }

  #saveLow(low: Key): RowWrite[] {
    this.#savedLow = low;
    return [[TIMER_LOW_WATER, Buffer.from(low, 'latin1')]];
  }

  #add(k: Key, bytes: Uint8Array): void {
    const { namespace, workflowId, retainedRunId, ...drives } = readTimerKey(k);
    const at = timerAt(k);
    const retention = retainedRunId === undefined ? undefined : { runId: retainedRunId, ...decodeRetained(bytes) };
    const due = this.#dueOf(k, at);
    const entry: Entry = { key: k, at, namespace, workflowId, retention, ...drives, due, state: 'waiting' };
    this.#byKey.set(k, entry);
    this.#push(entry);
    this.#wake(due);
  }

  #wake(due: number): void {
    if (this.#stopped || due >= this.#alarmAt) return;
    this.#alarm?.cancel();
    const { clock, scheduler } = this.#options;
    const pause = Math.min(Math.max(0, due - clock.now()), MAX_PAUSE_MS);
    this.#alarmAt = due;
    this.#alarm = scheduler.after(pause, () => this.#tick());
  }

  #tick(): void {
    if (this.#stopped) return;
    this.#alarmAt = Number.POSITIVE_INFINITY;
    const now = this.#options.clock.now();
    while (this.#firing < this.#options.firing) {
      const top = this.#heap[0];
      if (top === undefined || top.due > now) break;
      this.#pop();
      if (top.state !== 'waiting') continue;
      top.state = 'firing';
      this.#firing += 1;
      this.fired += 1;
      this.#options.fire(top, () => this.#again(top));
    }
    void this.#load(now);
    const head = this.#heap[0];
    this.#wake(
      Math.min(
        this.#firing < this.#options.firing && head !== undefined ? head.due : Number.MAX_SAFE_INTEGER,
        now + MAX_PAUSE_MS,
      ),
    );
  }

  #again(entry: Entry): void {
    if (entry.state !== 'firing') return;
    this.#firing -= 1;
    entry.state = 'waiting';
    entry.due = this.#options.clock.now() + RETRY_MS;
    this.#push(entry);
    this.#wake(entry.due);
  }

  /** Reads rows up to the horizon; called every tick, works when half a horizon is left. */
  async #load(now: number): Promise<void> {
    const { horizonMs, reader, window } = this.#options;
    const needed = key(`t${u48(now + this.#aheadMs + horizonMs / 2)}`);
    if (this.#loadingTo !== undefined || this.#horizon >= needed) return;
    this.#aheadMs = this.#options.latest(now) - now;
    const target = key(`t${u48(now + this.#aheadMs + horizonMs)}`);
    this.#loadingTo = target;
    this.#gone = new Set();
    let leads = this.#leads;
    let from = this.#horizon;
    if (from < this.#low) from = this.#low;
    try {
      while (from < target && this.#byKey.size < window && !this.#stopped) {
        const chunk = await reader.chunk(from, target, Math.min(CHUNK, window));
        for (const [k, bytes] of chunk.rows) {
          const known = this.#byKey.has(k) || this.#gone.has(k);
          if (!known && this.#options.isLed(timerShard(k))) this.#add(k, bytes);
        }
        from = chunk.next ?? target;
        if (leads !== this.#leads) {
          leads = this.#leads;
          from = this.#low;
          // What went may have come again while its shard was led elsewhere; it is read anew.
          this.#gone = new Set();
        }
        this.#horizon = from;
      }
    } catch (error) {
      this.#options.onReadFailed(error);
    } finally {
      this.#loadingTo = undefined;
    }
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const up = (at - 1) >> 1;
      const parent = heap[up];
      if (parent === undefined || parent.due <= entry.due) break;
      heap[at] = parent;
      at = up;
    }
    heap[at] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let down = 2 * at + 1;
      let child = heap[down];
      if (child === undefined) break;
      const right = heap[down + 1];
      if (right !== undefined && right.due < child.due) {
        child = right;
        down += 1;
      }
      if (child.due >= last.due) break;
      heap[at] = child;
      at = down;
    }
    heap[at] = last;
  }
}
