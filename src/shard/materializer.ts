// What an entry determines, the same on leader, follower and at recovery: rows of the overlay, and, where this node leads the shard, what is fed
// by rows (backlog, timers, outbox). Recovery
// restores what flushes wrote and replays the log behind the last one; it never scans executions, so that a restart is quick.

import { type Key, lsn } from '../ports/ids.ts';
import type { RowWrite, Store } from '../ports/store.ts';
import type { Backlog } from './backlog.ts';
import { decodeEntry, type Entry } from './entry.ts';
import {
  after,
  ordinaryPrefix,
  ordinaryShard,
  outboxDestination,
  outboxSeq,
  readU16,
  shardMetaKey,
  TIMER_LOW_WATER,
  u16,
} from './keys.ts';
import { MAX_ORDINARY } from './ordinary.ts';
import type { Outbox } from './outbox.ts';
import type { Overlay } from './overlay.ts';
import type { Reader, Row } from './reader.ts';
import type { Shard } from './shard.ts';
import type { Timers } from './timers.ts';

/** Counters read at once: one per shard and queue with a backlog. */
const COUNTERS = 1_000_000;
/** As many as there can be: without one of them matches would be missed. */
const ORDINARY = 65_536 * MAX_ORDINARY;
/** Up to so many shards are read one by one: their counters lie apart. */
const FEW = 8;
/** One per queue; those beyond go with later starts. */
const LOW_WATERS = 100_000;

export interface MaterializerOptions {
  store: Store;
  reader: Reader;
  overlay: Overlay;
  backlog: Backlog;
  timers: Timers;
  outbox: Outbox;
  /**
   * Whether rows say, for all queues and timers of the node, below which key there is nothing. Only where it leads all shards of a store of its
   * own: where shards come and go, another leader's rows lie below.
   */
  keepsLowWaters: boolean;
}

export class Materializer {
  readonly #options: MaterializerOptions;
  /** Low waters to be deleted. */
  #void: RowWrite[] = [];

  constructor(options: MaterializerOptions) {
    this.#options = options;
  }

  /** The entry has become durable. */
  commit(shard: Shard, entry: Entry): void {
    shard.commit(entry.time);
    const { rewritten } = entry;
    const { overlay, backlog, timers, outbox } = this.#options;
    // By forEach, like Turn.seal.
    entry.rows.forEach((value, key) => {
      const history = rewritten.length > 0 && rewritten.includes(key) ? 'rewritten' : undefined;
      overlay.apply(shard.id, key, value, history);
      switch (key.charCodeAt(0)) {
        case 0x62: // b
          if (value === undefined) backlog.delete(key);
          else if (shard.isLed) backlog.put(key, value);
          break;
        case 0x74: // t
          if (value === undefined) timers.delete(key);
          else if (shard.isLed) timers.put(key, value);
          break;
        case 0x6f: // o
          if (value === undefined) outbox.delete(key);
          else {
            shard.sentTo(outboxDestination(key), outboxSeq(key));
            if (shard.isLed) outbox.put(key, value);
          }
          break;
        case 0x76: // v
          shard.indexed(key, value, history);
          break;
        case 0x6d: // m
          if (value !== undefined && key.charCodeAt(1) === 0x6f) shard.ordinary.commit(key, value); // o
          break;
      }
    });
    for (const { source, seq } of entry.receipts) shard.receipt(source, seq);
    for (const count of entry.counts) backlog.count(shard.id, count);
  }

  /** What flushes wrote: the state of each shard at its applied lsn. These are all this node keeps. */
  async restore(shards: readonly Shard[]): Promise<void> {
    await this.restoreSome(shards);
    if (this.#options.keepsLowWaters) await this.#restoreLowWaters();
    else await this.#voidLowWaters();
  }

  /** Of shards that come while others are led. */
  async restoreSome(shards: readonly Shard[]): Promise<void> {
    if (shards.length <= FEW) {
      await Promise.all(shards.map((shard) => this.restoreOne(shard, () => true)));
      return;
    }
    const ids = new Set<number>(shards.map(({ id }) => id));
    await this.#restoreMetas(shards);
    const ordinary = await this.#options.reader.range('mo' as Key, after('mo'), ORDINARY);
    restoreOrdinary(shards, ordinary);
    this.#restoreCounts(await this.#options.reader.range('n' as Key, 'o' as Key, COUNTERS), ids);
  }

  async #restoreMetas(shards: readonly Shard[]): Promise<void> {
    const metas = await this.#options.store.readMany(shards.map(({ id }) => shardMetaKey(id)));
    shards.forEach((shard, i) => {
      const meta = metas[i];
      if (meta !== undefined) shard.restoreMeta(meta);
    });
  }

  async #restoreLowWaters(): Promise<void> {
    const { store, backlog, timers } = this.#options;
    for (const { queue, key } of backlog.lowWaterKeys()) {
      const bytes = await store.read(key);
      if (bytes !== undefined) backlog.restoreLowWater(queue, bytes);
    }
    timers.restoreLowWater(await store.read(TIMER_LOW_WATER));
  }

  /** What an earlier life of this store said, led by one node alone, goes with the next flush: it would hide rows from a later one. */
  async #voidLowWaters(): Promise<void> {
    const { store } = this.#options;
    const from = 'mb' as Key;
    const found = await store.range({ from, to: after(from), limit: LOW_WATERS });
    this.#void = found.map(([key]) => [key, undefined]);
    if ((await store.read(TIMER_LOW_WATER)) !== undefined) this.#void.push([TIMER_LOW_WATER, undefined]);
  }

  /** Rows of the whole node that go with a flush. */
  hints(): RowWrite[] {
    const { keepsLowWaters, backlog, timers } = this.#options;
    return keepsLowWaters ? [...backlog.lowWaters(), ...timers.lowWater()] : this.#void.splice(0);
  }

  /**
   * The same of one shard, whose rows have just taken the place of older ones. Nothing is restored when others have taken their place before
   * these are read: counters would be counted twice.
   */
  async restoreOne(shard: Shard, isCurrent: () => boolean): Promise<void> {
    const { store, reader } = this.#options;
    const meta = await store.read(shardMetaKey(shard.id));
    const [from, ordinary] = [`n${u16(shard.id)}` as Key, ordinaryPrefix(shard.id) as Key];
    const [counters, values] = await Promise.all([
      reader.range(from, after(from), COUNTERS),
      reader.range(ordinary, after(ordinary), ORDINARY),
    ]);
    if (!isCurrent()) return;
    if (meta !== undefined) shard.restoreMeta(meta);
    restoreOrdinary([shard], values);
    this.#restoreCounts(counters, new Set([shard.id]));
  }

  #restoreCounts(counters: Awaited<ReturnType<Reader['range']>>, of: ReadonlySet<number>): void {
    for (const [key, bytes] of counters) {
      const shard = readU16(key, 1);
      if (of.has(shard)) this.#options.backlog.restoreCount(shard, bytes);
    }
  }

  /** Applies what the log holds beyond, where all that is durable is committed (R = 1). Returns how many entries were replayed. */
  async replay(shards: readonly Shard[]): Promise<number> {
    let entries = 0;
    for (const shard of shards) {
      if (shard.appliedLsn === shard.loggedLsn) continue;
      for await (const { entry } of this.#options.store.readLog(shard.id, lsn(shard.appliedLsn + 1))) {
        this.commit(shard, decodeEntry(entry));
        entries += 1;
      }
    }
    return entries;
  }
}

/** Out of rows of these shards, and perhaps of others. */
function restoreOrdinary(shards: readonly Shard[], rows: readonly Row[]): void {
  const byId = new Map<number, Shard>(shards.map((shard) => [shard.id, shard]));
  for (const [key, bytes] of rows) byId.get(ordinaryShard(key))?.ordinary.commit(key, bytes);
  for (const { ordinary } of shards) ordinary.reset();
}
