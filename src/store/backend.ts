// What a store needs of a medium: an ordered map of bytes with atomic, optionally synced batches. LevelDB is one; a simulated disk another.
// Everything that matters for correctness (framing, log, positions, votes, recovery) is above this line, once: src/store/log-store.ts.

/** `undefined` deletes. Keys are binary strings. */
export type Write = readonly [key: string, value: Uint8Array | undefined];

export interface Range {
  from: string;
  to: string;
  limit: number;
  reverse: boolean;
}

export interface BackendView {
  get(key: string): Promise<Uint8Array | undefined>;
  range(range: Range): Promise<[string, Uint8Array][]>;
  close(): Promise<void>;
}

export interface Backend {
  /** For messages: the directory, or `memory`. */
  readonly name: string;
  /** May be called again when it is open. */
  open(): Promise<void>;
  /** All or nothing. `sync`: durable when it resolves. Two writes under way may land in any order: LogStore keeps one. */
  write(writes: readonly Write[], durability: 'sync' | 'lazy'): Promise<void>;
  get(key: string): Promise<Uint8Array | undefined>;
  getMany(keys: readonly string[]): Promise<(Uint8Array | undefined)[]>;
  range(range: Range): Promise<[string, Uint8Array][]>;
  /** Where a key is kept, for messages about damage: `name`, and the file if it can be told. */
  locate(key: string): string;
  /** Reads as of now, whatever is written meanwhile, until it is closed. */
  view(): BackendView;
  /** Every record as of one instant, in key order. */
  snapshot(): AsyncIterable<[string, Uint8Array]>;
  diskBytes(): Promise<number>;
  freeBytes(): Promise<number>;
  close(): Promise<void>;
}
