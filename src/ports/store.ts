// The store port: one durable key space with a log per shard. It knows nothing of workflows.
//
// The log is the truth and rows are its materialization (DESIGN §5): `append` makes entries durable; `flush` writes the
// rows that entries up to `appliedLsn` determine, later and in bulk, and trims the log behind them.
// Keeps I2 (contiguous lsns, terms never fall) and I3 (an older term is refused). Adapters: src/store/memory, leveldb, postgres;
// all pass test/conformance/store.ts, bad behaviours included. Called by src/shard only.

import type { Key, Lsn, ShardId, Term } from './ids.ts';

/** One log entry of one shard. `entry` is opaque here; it must not be mutated after the call. */
export interface LogAppend {
  shard: ShardId;
  term: Term;
  lsn: Lsn;
  entry: Uint8Array;
}

export interface LogEntry {
  lsn: Lsn;
  term: Term;
  /** CRC-32 of this entry, seeded with its predecessor's: a chain. */
  chain: number;
  entry: Uint8Array;
}

/** What a shard's log holds. A shard never written to has lsn 0 throughout. */
export interface ShardPosition {
  /** The newest term this store has seen for the shard, by append or by vote. */
  term: Term;
  /** Rows on disk reflect the log up to here. */
  appliedLsn: Lsn;
  lastLsn: Lsn;
  lastTerm: Term;
  lastChain: number;
}

/** `undefined` deletes the row. Values are opaque bytes. */
export type RowWrite = readonly [key: Key, value: Uint8Array | undefined];

export interface ShardFlush {
  shard: ShardId;
  term: Term;
  appliedLsn: Lsn;
  /** The state of exactly `appliedLsn` (never newer); keys unique. */
  rows: readonly RowWrite[];
}

/** A shard of a call that a newer term has taken: nothing of the call was written for it. */
export interface Fenced {
  shard: ShardId;
  newerTerm: Term;
  /** `maybe`: it was under way, and only the newer leader knows whether it is in the log. Absent: it was not written. */
  applied?: 'maybe';
}

/** Outcome of a write, shard by shard: what a fenced shard was to get is not written, the others of the call are. */
export interface AppendResult {
  fenced: readonly Fenced[];
}

export interface TermRequest {
  /** Whose lead is taken: older terms are fenced for them from then on. Default: every shard of the store. */
  shards?: readonly ShardId[];
  /** The term is at least this one: what a coordinator proposes. */
  atLeast?: Term;
}

export interface RangeOptions {
  /** Inclusive. */
  from: Key;
  /** Exclusive. */
  to: Key;
  /** Default 1,000, at most 100,000. */
  limit?: number;
  reverse?: boolean;
}

export interface StoreStats {
  /** Bytes on disk (0 for the memory adapter). */
  diskBytes: number;
  freeBytes: number;
  appends: number;
  appendedBytes: number;
  fsyncs: number;
  flushes: number;
  flushedRows: number;
}

/**
 * The store of one data directory, or one node's handle of a database that several nodes share. Every promise rejects with `StoreError`; after a `failed` or `corrupt` write-side error the
 * handle is dead: every later call rejects with the same error (a write error is final, DESIGN §5).
 */
export interface Store {
  /** The voter's identity: made when the directory was created; of a shared database, made with each handle, which keeps nothing itself. */
  readonly directoryId: string;
  readonly shardCount: number;
  /** `cluster`: other nodes keep shards in it too, so no row may speak of one node, and shards are taken up as they come (`nextTerm`). */
  readonly scope: 'node' | 'cluster';
  /** Opens, verifies positions, and returns the shards that hold anything. Called once, before everything else. */
  open(): Promise<ReadonlyMap<ShardId, ShardPosition>>;
  /**
   * A term for shards this process leads without other voters (R = 1, or a shared database): greater than any the store has seen,
   * durable when it resolves. `positions` is true of these shards from then on: nobody else moves them in an older term.
   */
  nextTerm(request?: TermRequest): Promise<Term>;
  /** As of the calls made so far: the shards that hold anything. Of a shared database true only of those this process leads. */
  positions(): ReadonlyMap<ShardId, ShardPosition>;
  /**
   * Which of these leads a newer term has ended, asked of the store after the call: what a fresh read rests on. Calls of one tick
   * share one round trip.
   */
  confirm(leads: readonly { shard: ShardId; term: Term }[]): Promise<readonly Fenced[]>;
  /** Durable when it resolves: one synced batch for the whole call. Lsns must continue each shard's log. */
  append(entries: readonly LogAppend[]): Promise<AppendResult>;
  /**
   * Entries with lsn ≥ from, in order, for recovery and catch-up; what was trimmed (≤ appliedLsn) is not among them. All that was durable
   * or under way at the call; trimming meanwhile does not disturb it. Throws `corrupt` at a gap or a broken chain.
   */
  readLog(shard: ShardId, from: Lsn): AsyncIterable<LogEntry>;
  /** Drops entries above `after`. Never below appliedLsn. Durable when it resolves. */
  truncateAfter(shard: ShardId, after: Lsn): Promise<void>;
  /**
   * Writes rows and advances appliedLsn, trimming the log, in one synced batch. A directory does not fence it: the rows are committed
   * state in any term. A shared database does, because there the newer leader flushes too: such a shard's rows are not in the store.
   * A flush to an appliedLsn below the store's, or beyond its log, is `misuse`.
   */
  flush(flushes: readonly ShardFlush[]): Promise<AppendResult>;
  /** One durable promise per (shard, term). False: already promised to another in this term, or a newer term was seen. */
  vote(shard: ShardId, term: Term, candidate: string): Promise<boolean>;
  /** The row as last flushed, CRC verified; `undefined` when absent. */
  read(key: Key): Promise<Uint8Array | undefined>;
  readMany(keys: readonly Key[]): Promise<(Uint8Array | undefined)[]>;
  /** Rows in key order, CRC verified. */
  range(options: RangeOptions): Promise<readonly (readonly [Key, Uint8Array])[]>;
  /** Of a database: why it answers nothing now, so that what is asked of it waits; undefined: it answers. */
  readonly outage?: string | undefined;
  stats(): Promise<StoreStats>;
  /** A consistent copy of the whole directory (log and rows) into an empty or absent one, while serving. */
  backup(directory: string, onProgress?: (copied: { records: number; bytes: number }) => void): Promise<void>;
  close(): Promise<void>;
}

export type StoreErrorKind =
  /** A write was refused by the disk, or a database stayed away for too long: final for this handle. */
  | 'failed'
  /** Bytes read did not match their CRC or chain: names key and file; never served as truth. */
  | 'corrupt'
  /** Another process holds the directory. */
  | 'locked'
  /** A database of another cluster, or of a node that stands alone. */
  | 'held'
  /** Written by a newer Tenuto, or not a data directory at all. */
  | 'version'
  /** The caller broke the port's contract (a gap in lsns, a flush beyond the log). An invariant: the process exits. */
  | 'misuse'
  | 'closed';

export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly kind: StoreErrorKind;
  /** What to do next, for people. */
  readonly hint: string | undefined;
  /** `corrupt`: the key of the damaged row, where it is one. */
  readonly key: Key | undefined;
  constructor(kind: StoreErrorKind, message: string, options?: { hint?: string; cause?: unknown; key?: string }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.hint = options?.hint;
    // A row's key, cut from the key it is stored under.
    this.key = options?.key as Key | undefined;
  }
}
