// What a store needs of a medium: an ordered map of bytes with atomic, optionally synced batches. LevelDB is one; a simulated disk another.
// Everything that matters for correctness (framing, log, positions, votes, recovery) is above this line, once: src/store/log-store.ts.

/** `undefined` deletes. The bytes belong to the backend from the call on. */
export type Write = readonly [key: Buffer, value: Buffer | undefined];

export interface Range {
  /** Binary string, inclusive. */
  from: string;
  /** Exclusive. */
  to: string;
  limit: number;
  reverse: boolean;
}

/** Keys are binary strings; what is read must not be changed by the reader. */
export interface Backend {
  /** For messages: the directory, or `memory`. */
  readonly name: string;
  open(): Promise<void>;
  /** All or nothing. `sync`: durable when it resolves. The caller keeps at most one under way, so their order is the order of calls. */
  write(writes: readonly Write[], durability: 'sync' | 'lazy'): Promise<void>;
  get(key: string): Promise<Uint8Array | undefined>;
  getMany(keys: readonly string[]): Promise<(Uint8Array | undefined)[]>;
  range(range: Range): Promise<[string, Uint8Array][]>;
  /** Every record with from ≤ key < to as of one instant (the call), in key order. */
  snapshot(range?: { from: string; to: string }): AsyncIterable<[string, Uint8Array]>;
  /** Where a record lies, for messages: the file, as far as it can be told. */
  locate(key: string): string;
  diskBytes(): Promise<number>;
  freeBytes(): Promise<number>;
  close(): Promise<void>;
}
