// What replication asks of a store beside the store port (DESIGN §5, §7): a log kept behind what is applied, entries of older terms under a newer
// leader, the votes as they are on disk, and snapshots of one shard. Implemented by the LevelDB and memory adapters; a shared SQL store has no
// need of it. Called by cluster/replication only.

import type { Key, Lsn, ShardId, Term } from './ids.ts';
import type { AppendResult, LogAppend, ShardFlush, ShardPosition, Store } from './store.ts';

export interface ReplicaAppend extends LogAppend {
  /** Whose word it is: the fence looks at this term, the entry's own may be older. Default: the entry's. */
  leaderTerm?: Term;
}

export interface ReplicaFlush extends ShardFlush {
  /** The log is trimmed up to here, at most appliedLsn and never back; default appliedLsn. Followers may still want what is above. */
  trimTo?: Lsn;
  /** The replica set as of appliedLsn, opaque here; default: as it was. */
  configuration?: Uint8Array;
}

export interface LogPosition {
  readonly lsn: Lsn;
  readonly term: Term;
  readonly chain: number;
}

export interface ReplicaPosition extends ShardPosition {
  /** Before the first entry the log still has. */
  readonly base: LogPosition;
  /** As of appliedLsn; undefined when no flush ever said one. */
  readonly configuration: Uint8Array | undefined;
  readonly votedTerm: Term;
  /** '' when nobody was promised anything. */
  readonly votedFor: string;
  /**
   * `installing`: a snapshot was switched to and its rows are not all in place; `resumeInstall` goes on. `dropping`: rows are still to go; `drop` goes on.
   * Nothing of the shard may be read, and nothing else written of it.
   */
  readonly rows: 'whole' | 'installing' | 'dropping';
}

/** Which rows are a shard's. The store knows nothing of keys; whoever lays them out tells it. */
export interface RowLayout {
  /** Ranges in which a shard's rows may be, disjoint, in key order. */
  ranges(shard: ShardId): readonly { from: Key; to: Key }[];
  /** Of a row in one of these ranges: whether it is this shard's. */
  owns(shard: ShardId, key: Key): boolean;
  /** Whose the row is; undefined: the whole node's. */
  ownerOf(key: Key): ShardId | undefined;
}

/** Of which lsn a snapshot is. */
export interface SnapshotPosition extends LogPosition {
  readonly configuration: Uint8Array;
}

export interface StoreChunk {
  readonly bytes: Uint8Array;
  /** CRC-32 of these bytes, seeded with that of the chunk before. */
  readonly digest: number;
  readonly place: 'middle' | 'last';
}

/** A shard's rows as of one instant, in chunks that may be read again; any chunk up to the one after the furthest read so far. */
export interface ShardSnapshot {
  readonly position: SnapshotPosition;
  chunk(index: number): Promise<StoreChunk>;
  close(): Promise<void>;
}

export interface ReplicaStore extends Store {
  append(entries: readonly ReplicaAppend[]): Promise<AppendResult>;
  flush(flushes: readonly ReplicaFlush[]): Promise<AppendResult>;
  /** Of what was asked for so far, durable or not. */
  replicaPosition(shard: ShardId): ReplicaPosition;
  /** Pins the files it reads from until it is closed. `chunkBytes`: about so many a chunk; one row may be larger. */
  snapshot(shard: ShardId, layout: RowLayout, chunkBytes: number): Promise<ShardSnapshot>;
  /**
   * Keeps a received chunk beside the shard's rows, durable when it resolves. Chunk 0 drops those of an attempt before; what is staged and not
   * installed when the store is opened is dropped too.
   */
  stage(shard: ShardId, index: number, bytes: Uint8Array): Promise<void>;
  /**
   * The staged rows become the shard's, and its log is empty and begins at `position`: one synced batch switches, then rows are moved; resolves
   * when they are. Throws `misuse` for a position at or below appliedLsn.
   */
  install(shard: ShardId, position: SnapshotPosition, layout: RowLayout): Promise<void>;
  /** Goes on with an installation that a crash cut short. */
  resumeInstall(shard: ShardId, layout: RowLayout): Promise<void>;
  /**
   * These shards are kept elsewhere: logs and rows go, terms and votes stay, as promises bind for ever. One synced batch empties the logs, then rows go
   * page by page; resolves when none is left. After a crash it is called again.
   */
  drop(shards: readonly ShardId[], layout: RowLayout): Promise<void>;
}
