// How a node of a cluster comes to lead shards, and stops: by replicas that vote (replicated-keeper.ts), or by terms in a database that all nodes
// share (shared-keeper.ts). What the rest of the node asks of either. Called by cluster-node.ts.

import type { CommitLog } from '../../src/ports/commit-log.ts';
import type { ShardId } from '../../src/ports/ids.ts';

/** A shard led here, by data directories. */
export interface LedShardState {
  readonly shard: ShardId;
  readonly term: number;
  readonly commit: number;
  /** What the member furthest behind has. */
  readonly slowest: number;
  /** One that goes is one until that is committed. */
  readonly voters: readonly string[];
  readonly learners: readonly string[];
}

export interface ShardKeeper {
  readonly commitLog: CommitLog;
  /** Replicas in this directory. */
  readonly replicas: number;
  /** Frames of replication sent. */
  readonly frames: number;
  confirm(shard: ShardId): Promise<boolean>;
  /** The engine, and with it the store, is open. */
  open(): Promise<void>;
  /** Gossip runs, and placement has begun. */
  start(): void;
  ringChanged(): void;
  /** Nodes, links or who leads what have changed. */
  wake(): void;
  led(): readonly LedShardState[];
  /** As they were when this was asked, without those that another may have led by then already. */
  confirmed(): Promise<readonly LedShardState[]>;
  /** Hands over every leadership that the ring wants elsewhere. Returns how many were begun. */
  rebalance(): number;
  /** From now on every leadership goes to others. Returns how many could still be given. */
  evacuate(): number;
  /** Begins nothing new. */
  stop(): void;
  /** The engine is closed. */
  close(): Promise<void>;
}
