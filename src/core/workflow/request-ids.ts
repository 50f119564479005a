// The request ids that were applied to a workflow id, 32 to a row: their fingerprints (DESIGN §5). 40 bytes of memory each, all in all, while the actor is
// in memory, in arrays that a garbage collector need not walk; of the answer only the run is kept. Starts that began a run have rows of their own.
// Rows come in by `apply` alone, so that what load builds and what evolve goes on with are the same (I4). Bounded by their pace (request-pace.ts).

import { FINGERPRINT_BYTES, fingerprint, mixed } from './fingerprint.ts';
import { NO_ROWS, withoutRow, withRow } from './row-maps.ts';
import type { RequestChunkRow } from './rows.ts';

/** Ids in one row: it is written with each of them, so this is also what a signal costs in its entry, 16 bytes each, half of it on average. */
export const REQUESTS_PER_CHUNK = 32;
/** Of one id, and of a row besides. Of a million ids measured 40 MiB in memory, which is taken for four times their rows. */
const BYTES_OF_ONE = 7;
const BYTES_OF_ROW = 112;
const FIRST_SLOTS = 64;
/** Most actors remember none. */
const NO_SLOTS = new Uint32Array(0);

export class RequestIds {
  /** In order of their numbers, which is the order of their time. */
  #chunks: ReadonlyMap<number, RequestChunkRow> = NO_ROWS;
  #newest = -1;
  #size = 0;
  /**
   * Open addressing: where an id stands, plus one; 0 is free. What stood in a chunk that has gone stays until the table is built again, and
   * is looked at for nothing.
   */
  #slots = NO_SLOTS;
  #taken = 0;
  /** Chunk numbers in the table count from here. */
  #origin = 0;

  /** Ids remembered. */
  get size(): number {
    return this.#size;
  }

  /** Rough bytes of the rows. */
  get bytes(): number {
    return this.#size * BYTES_OF_ONE + this.#chunks.size * BYTES_OF_ROW;
  }

  /** Rows they are in. */
  get chunks(): number {
    return this.#chunks.size;
  }

  /** Oldest first. */
  entries(): Iterable<[number, RequestChunkRow]> {
    return this.#chunks.entries();
  }

  row(number: number): RequestChunkRow | undefined {
    return this.#chunks.get(number);
  }

  /** The run that the request was applied to. */
  runOf(requestId: string): string | undefined {
    return this.newestOf(requestId)?.runId;
  }

  /** The row that remembers it. An update's id may come again in a later run: that one counts. */
  newestOf(requestId: string): RequestChunkRow | undefined {
    if (this.#size === 0) return undefined;
    if (this.#slots.length === 0) this.#build();
    const print = fingerprint(requestId);
    const mask = this.#slots.length - 1;
    let newest: RequestChunkRow | undefined;
    let newestPlace = -1;
    for (let slot = slotOf(print, 0) & mask; ; slot = (slot + 1) & mask) {
      const place = this.#slots[slot];
      if (place === undefined || place === 0) return newest;
      const at = place - 1;
      if (at <= newestPlace) continue;
      const chunk = this.#chunks.get(this.#origin + Math.floor(at / REQUESTS_PER_CHUNK));
      if (chunk !== undefined && holds(chunk.ids, (at % REQUESTS_PER_CHUNK) * FINGERPRINT_BYTES, print)) {
        newest = chunk;
        newestPlace = at;
      }
    }
  }

  /** The row that remembers one more, and its number. The newest goes on while there is room, it is of the same run, and its time is not over. */
  with(requestId: string, runId: string, at: number, ttlMs: number): [number, RequestChunkRow] {
    const print = fingerprint(requestId);
    const open = this.#chunks.get(this.#newest);
    const goesOn = open?.runId === runId && open.at + ttlMs > at && idsIn(open) < REQUESTS_PER_CHUNK;
    if (!goesOn) return [this.#newest + 1, { runId, at, ids: print }];
    const ids = new Uint8Array(open.ids.length + FINGERPRINT_BYTES);
    ids.set(open.ids);
    ids.set(print, open.ids.length);
    return [this.#newest, { runId, at, ids }];
  }

  /** The rows that remember these at once, and their numbers. None goes on with the newest. */
  withAll(requestIds: readonly string[], runId: string, at: number): [number, RequestChunkRow][] {
    const rows: [number, RequestChunkRow][] = [];
    for (let from = 0; from < requestIds.length; from += REQUESTS_PER_CHUNK) {
      const some = requestIds.slice(from, from + REQUESTS_PER_CHUNK);
      const ids = new Uint8Array(some.length * FINGERPRINT_BYTES);
      for (const [i, id] of some.entries()) ids.set(fingerprint(id), i * FINGERPRINT_BYTES);
      rows.push([this.#newest + 1 + rows.length, { runId, at, ids }]);
    }
    return rows;
  }

  /** A row was written, or (undefined) deleted. Written in the order of their numbers; the newest may be written again with more ids. */
  apply(number: number, row: RequestChunkRow | undefined): void {
    const before = this.#chunks.get(number);
    const known = before === undefined ? 0 : idsIn(before);
    if (row === undefined) {
      this.#chunks = withoutRow(this.#chunks, number);
      this.#size -= known;
      if (this.#chunks.size === 0) this.#clear();
      return;
    }
    const added = idsIn(row) - known;
    this.#chunks = withRow(this.#chunks, number, row);
    this.#newest = Math.max(this.#newest, number);
    this.#size += added;
    // Nobody has asked yet: as long as rows are read, for one.
    if (this.#slots.length === 0) return;
    // At most half full, so that a search ends after one or two steps.
    if (2 * (this.#taken + added) > this.#slots.length) this.#build();
    else this.#enter(number, row.ids, known);
  }

  /** As when none is read: numbers begin anew. */
  #clear(): void {
    this.#newest = -1;
    this.#slots = NO_SLOTS;
    this.#taken = 0;
  }

  #build(): void {
    let length = FIRST_SLOTS;
    // Room for as many again: the next time is as far away as the last.
    while (length < 3 * this.#size) length *= 2;
    this.#slots = new Uint32Array(length);
    this.#taken = 0;
    const [oldest = 0] = this.#chunks.keys();
    this.#origin = oldest;
    for (const [number, { ids }] of this.#chunks) this.#enter(number, ids, 0);
  }

  #enter(number: number, ids: Uint8Array, from: number): void {
    const mask = this.#slots.length - 1;
    const first = (number - this.#origin) * REQUESTS_PER_CHUNK + 1;
    for (let i = from; i < ids.length / FINGERPRINT_BYTES; i += 1) {
      let slot = slotOf(ids, i * FINGERPRINT_BYTES) & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = first + i;
      this.#taken += 1;
    }
  }
}

const idsIn = ({ ids }: RequestChunkRow): number => ids.length / FINGERPRINT_BYTES;

/** Before it is cut to the table's length. */
function slotOf(prints: Uint8Array, at: number): number {
  // Past the end nothing is: rows hold whole fingerprints (row-codec.ts).
  const byte = (i: number): number => prints[at + i] ?? 0;
  return mixed(byte(0) | (byte(5) << 8) | (byte(10) << 16) | (byte(15) << 24));
}

function holds(prints: Uint8Array, at: number, print: Uint8Array): boolean {
  if (at + FINGERPRINT_BYTES > prints.length) return false;
  for (let i = 0; i < FINGERPRINT_BYTES; i += 1) if (prints[at + i] !== print[i]) return false;
  return true;
}
