// Reads of committed rows: the overlay laid over the store. The overlay is captured before the store is asked, because a version leaves
// it only once its flush is durable (DESIGN §5): so a row is never missed between the two.

import type { Key } from '../ports/ids.ts';
import type { RowWrite, Store } from '../ports/store.ts';
import { next } from './keys.ts';
import type { ChangeWatch, Overlay } from './overlay.ts';

export type Row = readonly [key: Key, value: Uint8Array];

/** Rows read from the store in one go. */
const CHUNK = 256;

export class Reader {
  readonly #overlay: Overlay;
  readonly #store: Store;

  constructor(overlay: Overlay, store: Store) {
    this.#overlay = overlay;
    this.#store = store;
  }

  watchDeletions(prefixes: readonly string[]): ChangeWatch {
    return this.#overlay.watch(prefixes, 'deletions');
  }

  watchChanges(prefixes: readonly string[]): ChangeWatch {
    return this.#overlay.watch(prefixes, 'changes');
  }

  async get(key: Key): Promise<Uint8Array | undefined> {
    const row = this.#overlay.get(key);
    return row === undefined ? this.#store.read(key) : row.value;
  }

  async getMany(keys: readonly Key[]): Promise<(Uint8Array | undefined)[]> {
    const found = keys.map((key) => this.#overlay.get(key));
    const absent = keys.filter((_, i) => found[i] === undefined);
    const read = absent.length === 0 ? [] : await this.#store.readMany(absent);
    let at = 0;
    return found.map((row) => {
      if (row !== undefined) return row.value;
      at += 1;
      return read[at - 1];
    });
  }

  /** At most `limit` rows of [from, to), in key order. */
  async range(from: Key, to: Key, limit: number): Promise<Row[]> {
    const rows: Row[] = [];
    let start = from;
    while (rows.length < limit) {
      const chunk = await this.chunk(start, to, Math.min(CHUNK, limit - rows.length));
      rows.push(...chunk.rows);
      if (chunk.next === undefined) break;
      start = chunk.next;
    }
    return rows.length > limit ? rows.slice(0, limit) : rows;
  }

  /** One read of the store with what the overlay says about the same keys; `next` is where to go on. */
  async chunk(from: Key, to: Key, limit: number): Promise<{ rows: Row[]; next: Key | undefined }> {
    const newer = this.#overlay.range(from, to);
    const stored = await this.#store.range({ from, to, limit });
    const last = stored.length < limit ? undefined : stored[stored.length - 1]?.[0];
    // Beyond the last row read the store may hold more: what the overlay knows of that part comes with the next chunk.
    return { rows: merge(stored, newer, last), next: last === undefined ? undefined : next(last) };
  }

  /** The same from the end: rows come last first, and `next` is the bound below which to go on. */
  async chunkBackwards(from: Key, to: Key, limit: number): Promise<{ rows: Row[]; next: Key | undefined }> {
    const newer = this.#overlay.range(from, to);
    const stored = await this.#store.range({ from, to, limit, reverse: true });
    const least = stored.length < limit ? undefined : stored[stored.length - 1]?.[0];
    const known = least === undefined ? newer : newer.filter(([k]) => k >= least);
    return { rows: merge([...stored].reverse(), known, undefined).reverse(), next: least };
  }

  /** The last row of [from, to) among those the overlay holds. */
  newest(from: Key, to: Key): Row | undefined {
    const top = this.#overlay.newest(from, to);
    return top === undefined || top[1] === undefined ? undefined : [top[0], top[1]];
  }

  /** The last row of [from, to). */
  async last(from: Key, to: Key): Promise<Row | undefined> {
    const newer = this.#overlay.range(from, to);
    let end = to;
    for (;;) {
      const [stored] = await this.#store.range({ from, to: end, limit: 1, reverse: true });
      const top = newer.pop();
      if (top === undefined) return stored;
      if (stored !== undefined && stored[0] > top[0]) {
        newer.push(top);
        return stored;
      }
      if (top[1] !== undefined) return [top[0], top[1]];
      if (stored?.[0] === top[0]) end = top[0];
    }
  }
}

function merge(stored: readonly Row[], newer: readonly RowWrite[], upTo: Key | undefined): Row[] {
  const rows: Row[] = [];
  let i = 0;
  for (const [key, value] of newer) {
    if (upTo !== undefined && key > upTo) break;
    for (let row = stored[i]; row !== undefined && row[0] <= key; row = stored[i]) {
      if (row[0] < key) rows.push(row);
      i += 1;
    }
    if (value !== undefined) rows.push([key, value]);
  }
  for (; i < stored.length; i += 1) {
    const row = stored[i];
    if (row !== undefined) rows.push(row);
  }
  return rows;
}
