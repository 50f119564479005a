// What an entry determines, the same on leader, follower and at recovery: rows of the overlay, and, where this node leads the shard, what is fed
// by rows (backlog, timers, outbox). Recovery
// restores what flushes wrote and replays the log behind the last one; it never scans executions, so that a restart is quick.

import { type Key, lsn } from '../ports/ids.ts';
import type { Store } from '../ports/store.ts';
import type { Backlog } from './backlog.ts';
import { decodeEntry, type Entry } from './entry.ts';
import { after, outboxDestination, outboxSeq, readU16, shardMetaKey, TIMER_LOW_WATER, u16 } from './keys.ts';
import type { Outbox } from './outbox.ts';
import type { Overlay } from './overlay.ts';
import type { Reader } from './reader.ts';
import type { Shard } from './shard.ts';
import type { Timers } from './timers.ts';

/** Counters read at once: one per shard and queue with a backlog. */
const COUNTERS = 1_000_000;

export interface MaterializerOptions {
  store: Store;
  reader: Reader;
  overlay: Overlay;
  backlog: Backlog;
  timers: Timers;
  outbox: Outbox;
}

export class Materializer {
  readonly #options: MaterializerOptions;

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
      overlay.apply(shard.id, key, value, rewritten.length > 0 && rewritten.includes(key) ? 'rewritten' : undefined);
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
      }
    });
    for (const { source, seq } of entry.receipts) shard.receipt(source, seq);
    for (const count of entry.counts) backlog.count(shard.id, count);
  }

  /** What flushes wrote: the state of each shard at its applied lsn. */
  async restore(shards: readonly Shard[]): Promise<void> {
    const { store, backlog, timers } = this.#options;
    const metas = await store.readMany(shards.map(({ id }) => shardMetaKey(id)));
    shards.forEach((shard, i) => {
      const meta = metas[i];
      if (meta !== undefined) shard.restoreMeta(meta);
    });
    await this.#restoreCounts('n' as Key, 'o' as Key);
    for (const { queue, key } of backlog.lowWaterKeys()) {
      const bytes = await store.read(key);
      if (bytes !== undefined) backlog.restoreLowWater(queue, bytes);
    }
    timers.restoreLowWater(await store.read(TIMER_LOW_WATER));
  }

  /** The same of one shard, whose rows have just taken the place of older ones. */
  async restoreOne(shard: Shard): Promise<void> {
    const meta = await this.#options.store.read(shardMetaKey(shard.id));
    if (meta !== undefined) shard.restoreMeta(meta);
    const from = `n${u16(shard.id)}`;
    await this.#restoreCounts(from as Key, after(from));
  }

  async #restoreCounts(from: Key, to: Key): Promise<void> {
    const { reader, backlog } = this.#options;
    const counters = await reader.range(from, to, COUNTERS);
    for (const [key, bytes] of counters) backlog.restoreCount(readU16(key, 1), bytes);
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
