// Rows newer than the store: what commits determined and no flush has written yet (DESIGN §5). It holds committed rows only, since a turn's
// rows enter when their entry is durable; what is not yet committed lives in the forming batch and in actors' states. So every read through
// it keeps I1, and a shard's rows here are exactly its state at its commit lsn. Deletions are rows too, until flushed.

import type { Key } from '../ports/ids.ts';
import type { RowWrite } from '../ports/store.ts';
import { isWriteOnce, partitionOf, startRowOf } from './keys.ts';

interface OverlayRow {
  readonly value: Uint8Array | undefined;
  /** Known never to have been on disk, nor in a flush under way. */
  fresh: boolean;
}

type Rows = Map<Key, OverlayRow>;

/** What one flush takes: handed back when it is durable. */
export interface FlushSet {
  shard: number;
  rows: ReadonlyMap<Key, OverlayRow>;
}

export class Overlay {
  readonly #rows: Rows = new Map();
  readonly #partitions = new Map<string, Rows>();
  /** By shard: rows no flush has written. */
  readonly #dirty = new Map<number, Rows>();
  #bytes = 0;

  get size(): number {
    return this.#rows.size;
  }

  /** Rough memory of keys and values. */
  get bytes(): number {
    return this.#bytes;
  }

  /** `rewritten`: the key is said to have had a row before, so an older one may be on disk. */
  apply(shard: number, key: Key, value: Uint8Array | undefined, history?: 'rewritten'): void {
    const before = this.#rows.get(key);
    if (value === undefined && before?.fresh === true) {
      this.#drop(shard, key, before);
      return;
    }
    const fresh =
      before === undefined ? value !== undefined && history === undefined && this.#isNew(key) : before.fresh;
    const row: OverlayRow = { value, fresh };
    this.#rows.set(key, row);
    this.#bytes += 64 + 2 * key.length + (value?.length ?? 0);
    if (before !== undefined) this.#bytes -= 64 + 2 * key.length + (before.value?.length ?? 0);
    into(this.#partitions, partitionOf(key)).set(key, row);
    into(this.#dirty, shard).set(key, row);
  }

  /** `undefined`: not here, ask the store. */
  get(key: Key): { value: Uint8Array | undefined } | undefined {
    return this.#rows.get(key);
  }

  /** Rows of [from, to), in key order, deletions included. Both bounds lie in one partition. */
  range(from: Key, to: Key): RowWrite[] {
    const rows = this.#partitions.get(partitionOf(from));
    if (rows === undefined) return [];
    const found: RowWrite[] = [];
    for (const [key, { value }] of rows) if (key >= from && key < to) found.push([key, value]);
    return found.sort((a, b) => (a[0] < b[0] ? -1 : 1));
  }

  dirtyRows(shard: number): number {
    return this.#dirty.get(shard)?.size ?? 0;
  }

  /** Every row of a shard that no flush has written. They stay readable here until `flushed`. */
  takeDirty(shard: number): FlushSet {
    const rows = this.#dirty.get(shard) ?? new Map<Key, OverlayRow>();
    this.#dirty.delete(shard);
    for (const row of rows.values()) row.fresh = false;
    return { shard, rows };
  }

  /** The flush is durable: versions that are still the newest leave. */
  flushed(set: FlushSet): void {
    for (const [key, row] of set.rows) if (this.#rows.get(key) === row) this.#remove(key, row);
  }

  /** Nothing of this key can be on disk: it is written once, or belongs to a run that no flush has seen. */
  #isNew(key: Key): boolean {
    if (isWriteOnce(key)) return true;
    const start = startRowOf(key);
    return start !== undefined && (start === key || this.#rows.get(start)?.fresh === true);
  }

  #drop(shard: number, key: Key, row: OverlayRow): void {
    this.#dirty.get(shard)?.delete(key);
    this.#remove(key, row);
  }

  #remove(key: Key, row: OverlayRow): void {
    this.#rows.delete(key);
    this.#bytes -= 64 + 2 * key.length + (row.value?.length ?? 0);
    const partition = partitionOf(key);
    const rows = this.#partitions.get(partition);
    if (rows === undefined) return;
    rows.delete(key);
    if (rows.size === 0) this.#partitions.delete(partition);
  }
}

function into<K>(maps: Map<K, Rows>, at: K): Rows {
  let rows = maps.get(at);
  if (rows === undefined) {
    rows = new Map();
    maps.set(at, rows);
  }
  return rows;
}
