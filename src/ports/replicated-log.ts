// The log of the shards as the engine sees it in a cluster: entries go in at the leader, and come out committed, in order, at every replica
// (DESIGN §5, §7). With one voter it is the store's own log. Keeps I1 (what is applied is durable on a quorum) to I3.
// Implemented by cluster/replication; to be called by src/shard in the place of `store.append` and `store.flush`.

import type { Lsn, ShardId, Term } from './ids.ts';
import type { ShardFlush } from './store.ts';

export interface AppliedEntry {
  readonly lsn: Lsn;
  readonly term: Term;
  /** Undefined: an entry of the replication's own (a leader's barrier, a configuration). It takes an lsn and changes no row. */
  readonly entry: Uint8Array | undefined;
}

export type AppendAnswer =
  | { lsn: Lsn }
  /** Nothing was written. `handingOver`: hold it, another leads in a moment; `full`: too much waits for a majority (I9). */
  | { refused: 'notLeader' | 'handingOver' | 'full' };

/** `unknown`: this node leads no more; the entry may be committed by the next leader, or replaced. */
export type AppendOutcome = 'committed' | 'unknown';

/** Who serves the shards. Called synchronously, one shard's calls in the order of its log. */
export interface ReplicatedLogUser {
  /** Committed. At a leader this comes before the append's `settled`. Entries replayed after a start come the same way. */
  applied(shard: ShardId, entry: AppliedEntry): void;
  /** This node leads, everything up to `lsn` is applied: it may serve, and append in this term from `lsn` + 1 on. */
  leading(shard: ShardId, term: Term, lsn: Lsn): void;
  /** This node leads and an entry of the replication's own took this lsn: the engine's next one has the one after. Called while it is appended. */
  controlAppended(shard: ShardId, lsn: Lsn): void;
  /** It does not, or no more: nothing of the shard may be answered. `leader`: the data directory that leads, if known. */
  following(shard: ShardId, term: Term, leader: string | undefined): void;
  /**
   * A snapshot took the place of the shard's rows in the store: what is in memory is void, `lsn` is applied. Also at a start, of one that a crash had
   * cut short: until then the rows are neither the old nor the new ones.
   */
  installed(shard: ShardId, lsn: Lsn): void;
  /** Nothing is left of the shard in the store: this node has no part in it any more. It may come again, from lsn 0. */
  dropped(shard: ShardId): void;
  /** The replica set is now this; when this node is not in it, its rows may be dropped. */
  configured(shard: ShardId, voters: readonly string[], learners: readonly string[]): void;
  /** The disk refused, or something is damaged: nothing is written or answered any more. */
  failed(error: unknown): void;
}

export interface ReplicatedLog {
  /**
   * Adds an entry of `term` to a shard's log. It must not begin with the byte 0xc1 (MessagePack never does), nor be changed afterwards.
   * `settled` is called once, after `applied` when it is committed.
   */
  append(shard: ShardId, term: Term, entry: Uint8Array, settled: (outcome: AppendOutcome) => void): AppendAnswer;
  /** Resolves when the state as applied is fresh: no write acknowledged before the call is missing. False: not the leader. */
  confirm(shard: ShardId): Promise<boolean>;
  /** As the store's, plus the trim of the log and the replica set. */
  flush(flushes: readonly ShardFlush[]): Promise<void>;
  close(): Promise<void>;
}
