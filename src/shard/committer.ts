// Group commit (DESIGN §5): the turns of all shards that are ready become one append; turns that arrive while it is in flight form the next.
// One entry per shard and batch. When the append resolves, rows enter the overlay first, then each turn's effects and reply leave (I1).
// A write error is final: `onFailed` stops the engine.

import type { Scheduler } from '../ports/clock.ts';
import { type Key, lsn } from '../ports/ids.ts';
import type { Fenced, LogAppend, Store } from '../ports/store.ts';
import type { Status } from '../wire/status.ts';
import { type BacklogDelta, type Entry, encodeEntry, type Receipt } from './entry.ts';
import { isWriteOnce } from './keys.ts';
import type { Shard } from './shard.ts';
import { messageOf, unavailable } from './status.ts';
import type { Turn } from './turn.ts';

class ShardBatch {
  readonly shard: Shard;
  readonly turns: Turn[] = [];
  #rows: Map<Key, Uint8Array | undefined> | undefined;
  #rewritten: Set<Key> | undefined;
  #receipts: Receipt[] | undefined;
  #counts: BacklogDelta[] | undefined;

  constructor(shard: Shard) {
    this.shard = shard;
  }

  add(turn: Turn): void {
    this.turns.push(turn);
    if (this.#rows === undefined) {
      // Most batches hold one turn of a shard: its rows are the batch's.
      this.#rows = turn.rows;
      this.#rewritten = turn.rewritten;
    } else {
      for (const [key, value] of turn.rows) this.#set(this.#rows, key, value);
      if (turn.rewritten !== undefined) for (const key of turn.rewritten) this.#rewrite(key);
    }
    if (turn.receipts.length > 0) this.#receipts = [...(this.#receipts ?? []), ...turn.receipts];
    if (turn.counts.length > 0) this.#counts = [...(this.#counts ?? []), ...turn.counts];
  }

  /** Write-once rows that began in this batch and end in it leave no trace. */
  #set(rows: Map<Key, Uint8Array | undefined>, key: Key, value: Uint8Array | undefined): void {
    if (rows.has(key)) {
      const before = rows.get(key);
      if (value === undefined && before !== undefined && isWriteOnce(key) && this.#rewritten?.has(key) !== true) {
        rows.delete(key);
        return;
      }
      if (value !== undefined && before === undefined) this.#rewrite(key);
    }
    rows.set(key, value);
  }

  #rewrite(key: Key): void {
    this.#rewritten ??= new Set();
    this.#rewritten.add(key);
  }

  /** Deltas of one queue that cancel out are not worth a word. */
  entry(): Entry {
    const rows = this.#rows ?? NO_ROWS;
    const entry = {
      time: this.shard.now(0),
      rows,
      receipts: this.#receipts ?? [],
      rewritten: [...(this.#rewritten ?? [])],
    };
    if (this.#counts === undefined) return { ...entry, counts: [] };
    const sums = new Map<string, BacklogDelta>();
    for (const { queue, delta } of this.#counts) {
      const id = `${queue.kind}\0${queue.namespace}\0${queue.name}`;
      sums.set(id, { queue, delta: delta + (sums.get(id)?.delta ?? 0) });
    }
    return { ...entry, counts: [...sums.values()].filter(({ delta }) => delta !== 0) };
  }
}

const NO_ROWS: ReadonlyMap<Key, Uint8Array | undefined> = new Map();

export interface CommitterOptions {
  store: Store;
  scheduler: Scheduler;
  /** The entry is durable: rows enter the overlay. */
  apply(shard: Shard, entry: Entry): void;
  /** After all entries of an append have been applied, before any turn ends. */
  applied(): void;
  onFenced(shard: Shard): void;
  onFailed(error: unknown): void;
}

export class Committer {
  readonly #options: CommitterOptions;
  #forming = new Map<Shard, ShardBatch>();
  #inFlight = false;
  #cutting = false;
  #stopped: Status | undefined;
  #idle: (() => void)[] = [];
  /** Turns decided and not durable, and their bytes (I9). */
  pendingTurns = 0;
  pendingBytes = 0;
  commits = 0;
  turns = 0;
  readonly #cut = (): void => {
    this.#cutting = false;
    void this.#append();
  };

  constructor(options: CommitterOptions) {
    this.#options = options;
  }

  join(turn: Turn): void {
    if (this.#stopped !== undefined) {
      turn.end(this.#stopped);
      return;
    }
    const { shard } = turn.actor;
    let batch = this.#forming.get(shard);
    if (batch === undefined) {
      batch = new ShardBatch(shard);
      this.#forming.set(shard, batch);
    }
    batch.add(turn);
    turn.actor.pending = turn;
    this.pendingTurns += 1;
    this.pendingBytes += turn.bytes;
    if (this.#inFlight || this.#cutting) return;
    this.#cutting = true;
    this.#options.scheduler.soon(this.#cut);
  }

  /** Resolves when nothing is decided that is not durable. */
  drained(): Promise<void> {
    if (this.pendingTurns === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idle.push(resolve);
    });
  }

  async #append(): Promise<void> {
    if (this.#inFlight || this.#forming.size === 0 || this.#stopped !== undefined) return;
    const batches = [...this.#forming.values()];
    this.#forming = new Map();
    const entries: Entry[] = [];
    const appends: LogAppend[] = batches.map((batch) => {
      const entry = batch.entry();
      entries.push(entry);
      const { shard } = batch;
      shard.lastLsn += 1;
      return { shard: shard.id, term: shard.term, lsn: lsn(shard.lastLsn), entry: encodeEntry(entry) };
    });
    this.#inFlight = true;
    let fenced: ReadonlyMap<number, Fenced>;
    try {
      const result = await this.#options.store.append(appends);
      fenced = new Map(result.fenced.map((found) => [found.shard, found]));
    } catch (error) {
      this.#fail(batches, error);
      return;
    }
    this.#inFlight = false;
    this.commits += 1;
    batches.forEach((batch, i) => {
      const entry = entries[i];
      if (entry === undefined) return;
      if (fenced.has(batch.shard.id)) batch.shard.fenced = true;
      else this.#options.apply(batch.shard, entry);
    });
    this.#options.applied();
    for (const batch of batches) {
      const found = fenced.get(batch.shard.id);
      this.#end(batch, found === undefined ? undefined : fencedStatus(batch.shard, found));
    }
    for (const batch of batches) if (fenced.has(batch.shard.id)) this.#options.onFenced(batch.shard);
    if (this.pendingTurns === 0) for (const resolve of this.#idle.splice(0)) resolve();
    if (this.#forming.size > 0 && !this.#cutting) {
      this.#cutting = true;
      this.#options.scheduler.soon(this.#cut);
    }
  }

  #end(batch: ShardBatch, why: Status | undefined): void {
    for (const turn of batch.turns) {
      this.pendingTurns -= 1;
      this.pendingBytes -= turn.bytes;
      this.turns += 1;
      turn.end(why);
    }
  }

  #fail(batches: ShardBatch[], error: unknown): void {
    const what = `The store refused a write: ${messageOf(error)}. This node stops serving; restart it once the disk is sound.`;
    this.#stopped = unavailable(what, 'no');
    this.#options.onFailed(error);
    const formed = [...this.#forming.values()];
    this.#forming = new Map();
    for (const batch of batches) this.#end(batch, unavailable(what, 'maybe'));
    for (const batch of formed) this.#end(batch, this.#stopped);
    for (const resolve of this.#idle.splice(0)) resolve();
  }
}

const fencedStatus = (shard: Shard, { applied }: Fenced): Status =>
  unavailable(`Shard ${shard.id} has a newer leader than term ${shard.term}; ask again.`, applied ?? 'no');
