// Rows newer than the store: what commits determined and no flush has written yet (DESIGN §5). It holds committed rows only, since a turn's
// rows enter when their entry is durable; what is not yet committed lives in the forming batch and in actors' states. So every read through
// it keeps I1, and a shard's rows here are exactly its state at its commit lsn. Deletions are rows too, until flushed.

import type { Key } from '../ports/ids.ts';
import type { RowWrite } from '../ports/store.ts';
import { isWriteOnce, partitionOf, runOf, startRowOf } from './keys.ts';

interface OverlayRow {
  readonly key: Key;
  value: Uint8Array | undefined;
  /** Known never to have been on disk, nor in a flush under way. */
  fresh: boolean;
  /** `dirty`: no flush has it, and a newer value may take its place. */
  state: 'dirty' | 'flushing' | 'gone';
  readonly partition: Partition;
  /** Where it stands in its partition's list. */
  at: number;
}

interface Partition {
  readonly name: string;
  /** In no order: what goes is replaced by the last. */
  readonly rows: OverlayRow[];
}

/** A committed row came, or went. */
export type RowChange = readonly [key: Key, change: 'put' | 'delete'];

/** Notes what is committed of rows with these prefixes, while it is open. */
export class ChangeWatch {
  readonly #prefixes: readonly string[];
  readonly #what: 'changes' | 'deletions';
  readonly #close: (watch: ChangeWatch) => void;
  #changes: RowChange[] = [];

  constructor(prefixes: readonly string[], what: 'changes' | 'deletions', close: (watch: ChangeWatch) => void) {
    this.#prefixes = prefixes;
    this.#what = what;
    this.#close = close;
  }

  note(key: Key, change: RowChange[1]): void {
    if (change === 'put' && this.#what === 'deletions') return;
    if (this.#prefixes.some((prefix) => key.startsWith(prefix))) this.#changes.push([key, change]);
  }

  /** Those since the last time, in order. */
  take(): readonly RowChange[] {
    const changes = this.#changes;
    if (changes.length > 0) this.#changes = [];
    return changes;
  }

  close(): void {
    this.#close(this);
  }
}

/** What one flush takes: handed back when it is durable. */
export interface FlushSet {
  shard: number;
  rows: readonly OverlayRow[];
}

export class Overlay {
  readonly #rows = new Map<Key, OverlayRow>();
  readonly #partitions = new Map<string, Partition>();
  /** The one asked for last: rows of an entry come actor by actor. */
  #last: Partition | undefined;
  /** A run's first row, and what keys of the run begin with: the run asked for last, as partitions are. */
  #lastStart: { readonly run: string; readonly row: OverlayRow } | undefined;
  /** By shard: rows no flush has taken, and some that are gone since. */
  readonly #dirty = new Map<number, OverlayRow[]>();
  #bytes = 0;
  readonly #watches = new Set<ChangeWatch>();

  get size(): number {
    return this.#rows.size;
  }

  /** Rough memory of keys and values. */
  get bytes(): number {
    return this.#bytes;
  }

  /** `rewritten`: the key is said to have had a row before, so an older one may be on disk. */
  apply(shard: number, key: Key, value: Uint8Array | undefined, history?: 'rewritten'): void {
    if (this.#watches.size > 0)
      for (const watch of this.#watches) watch.note(key, value === undefined ? 'delete' : 'put');
    const before = this.#rows.get(key);
    if (before?.state === 'dirty') {
      if (value === undefined && before.fresh) {
        this.#remove(before);
        return;
      }
      this.#bytes += (value?.length ?? 0) - (before.value?.length ?? 0);
      before.value = value;
      return;
    }
    const fresh = before === undefined && value !== undefined && history === undefined && this.#isNew(key);
    const partition = before?.partition ?? this.#partition(key);
    const at = before?.at ?? partition.rows.length;
    const row: OverlayRow = { key, value, fresh, state: 'dirty', partition, at };
    this.#rows.set(key, row);
    this.#bytes += weight(row);
    if (before !== undefined) this.#bytes -= weight(before);
    partition.rows[at] = row;
    const dirty = this.#dirty.get(shard);
    if (dirty === undefined) this.#dirty.set(shard, [row]);
    else dirty.push(row);
  }

  /** `undefined`: not here, ask the store. */
  get(key: Key): { value: Uint8Array | undefined } | undefined {
    return this.#rows.get(key);
  }

  /** Rows of [from, to), in key order, deletions included. Both bounds lie in one partition. */
  range(from: Key, to: Key): RowWrite[] {
    const partition = this.#partitions.get(partitionOf(from));
    if (partition === undefined) return [];
    const found: RowWrite[] = [];
    for (const { key, value } of partition.rows) if (key >= from && key < to) found.push([key, value]);
    return found.sort((a, b) => (a[0] < b[0] ? -1 : 1));
  }

  /** The last row of [from, to), a deletion included. Both bounds lie in one partition. */
  newest(from: Key, to: Key): RowWrite | undefined {
    let newest: OverlayRow | undefined;
    for (const row of this.#partitions.get(partitionOf(from))?.rows ?? []) {
      if (row.key >= from && row.key < to && (newest === undefined || row.key > newest.key)) newest = row;
    }
    return newest && [newest.key, newest.value];
  }

  /** For who reads several ranges between which rows move. To be closed. */
  watch(prefixes: readonly string[], what: 'changes' | 'deletions'): ChangeWatch {
    const watch = new ChangeWatch(prefixes, what, (closed) => this.#watches.delete(closed));
    this.#watches.add(watch);
    return watch;
  }

  /** Every row of a shard that no flush has written. They stay readable here until `flushed`. */
  takeDirty(shard: number): FlushSet {
    const rows = (this.#dirty.get(shard) ?? []).filter(({ state }) => state === 'dirty');
    this.#dirty.delete(shard);
    for (const row of rows) {
      row.state = 'flushing';
      row.fresh = false;
    }
    return { shard, rows };
  }

  /** What the store holds of these shards counts, whatever is here of them, whether or not a flush has it. Walks all rows once. */
  discard(shards: ReadonlySet<number>, ownerOf: (key: Key) => number | undefined): void {
    for (const shard of shards) this.#dirty.delete(shard);
    for (const row of [...this.#rows.values()]) if (shards.has(ownerOf(row.key) ?? -1)) this.#remove(row);
  }

  /** The flush is durable: versions that are still the newest leave. */
  flushed(set: FlushSet): void {
    for (const row of set.rows) if (this.#rows.get(row.key) === row) this.#remove(row);
  }

  /** Nothing of this key can be on disk: it is written once, or belongs to a run that no flush has seen. */
  #isNew(key: Key): boolean {
    if (isWriteOnce(key)) return true;
    const last = this.#lastStart;
    if (last !== undefined && key.startsWith(last.run)) return last.row.fresh && last.row.state !== 'gone';
    const start = startRowOf(key);
    if (start === undefined) return false;
    if (start === key) return true;
    const row = this.#rows.get(start);
    if (row === undefined) return false;
    this.#lastStart = { run: runOf(start), row };
    return row.fresh;
  }

  #remove(row: OverlayRow): void {
    row.state = 'gone';
    this.#rows.delete(row.key);
    this.#bytes -= weight(row);
    const { partition, at } = row;
    const last = partition.rows.pop();
    if (last !== undefined && last !== row) {
      partition.rows[at] = last;
      last.at = at;
    }
    if (partition.rows.length > 0) return;
    this.#partitions.delete(partition.name);
    if (this.#last === partition) this.#last = undefined;
  }

  #partition(key: Key): Partition {
    // A partition's name is a prefix of its keys, and of no others.
    if (this.#last !== undefined && key.startsWith(this.#last.name)) return this.#last;
    const name = partitionOf(key);
    let partition = this.#partitions.get(name);
    if (partition === undefined) {
      partition = { name, rows: [] };
      this.#partitions.set(name, partition);
    }
    this.#last = partition;
    return partition;
  }
}

/** Rough bytes in memory. */
const weight = ({ key, value }: OverlayRow): number => 64 + 2 * key.length + (value?.length ?? 0);
