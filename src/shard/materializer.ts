// What an entry determines, the same at commit and at recovery: rows of the overlay, and what is fed by rows (backlog, timers, outbox). Recovery
// restores what flushes wrote and replays the log behind the last one; it never scans executions, so that a restart is quick.

import { type Key, lsn } from '../ports/ids.ts';
import type { Store } from '../ports/store.ts';
import type { Backlog } from './backlog.ts';
import { decodeEntry, type Entry } from './entry.ts';
import { shardMetaKey, TIMER_LOW_WATER } from './keys.ts';
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
    this.#materialize(shard, entry);
  }

  /** What an entry determines: the same at commit and at recovery. */
  #materialize(shard: Shard, entry: Entry): void {
    const { rewritten } = entry;
    const { overlay, backlog, timers, outbox } = this.#options;
    for (const [key, value] of entry.rows) {
      overlay.apply(shard.id, key, value, rewritten.length > 0 && rewritten.includes(key) ? 'rewritten' : undefined);
      switch (key.charCodeAt(0)) {
        case 0x62: // b
          if (value === undefined) backlog.delete(key);
          else backlog.put(key, value);
          break;
        case 0x74: // t
          if (value === undefined) timers.delete(key);
          else timers.put(key, value);
          break;
        case 0x6f: // o
          if (value === undefined) outbox.delete(key);
          else outbox.put(shard, key, value);
          break;
      }
    }
    for (const { source, seq } of entry.receipts) shard.receipt(source, seq);
    for (const count of entry.counts) backlog.count(shard.id, count);
  }

  /** Returns how many entries were replayed. */
  async recover(shards: readonly Shard[]): Promise<number> {
    const { store, reader, backlog, timers } = this.#options;
    const metas = await store.readMany(shards.map(({ id }) => shardMetaKey(id)));
    shards.forEach((shard, i) => {
      const meta = metas[i];
      if (meta !== undefined) shard.restoreMeta(meta);
    });
    const counters = await reader.range('n' as Key, 'o' as Key, COUNTERS);
    for (const [key, bytes] of counters) backlog.restoreCount(key.charCodeAt(1) * 256 + key.charCodeAt(2), bytes);
    for (const { queue, lowWater, fairness } of backlog.hintKeys()) {
      const [low, passes] = await store.readMany([lowWater, fairness]);
      if (low !== undefined) backlog.restoreLowWater(queue, low);
      if (passes !== undefined) backlog.restoreFairness(queue, passes);
    }
    timers.restoreLowWater(await store.read(TIMER_LOW_WATER));
    let entries = 0;
    for (const shard of shards) {
      if (shard.appliedLsn === shard.commitLsn) continue;
      for await (const { entry: bytes } of store.readLog(shard.id, lsn(shard.appliedLsn + 1))) {
        const entry = decodeEntry(bytes);
        shard.observe(entry.time);
        this.#materialize(shard, entry);
        entries += 1;
      }
    }
    return entries;
  }
}
