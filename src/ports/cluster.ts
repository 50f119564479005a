// What a node knows of its cluster, and what an operator may ask of it. Implemented by cluster/node, called by doors; a node that stands alone
// has none. Everything here is what this node has heard: it places and shows, it makes nothing safe (I3).

import type { ClusterProblem, ClusterStatus, Draining, ShardStatus } from '../wire/cluster.ts';
import type { Done } from './engine.ts';

export type { ClusterMember, ClusterProblem, ClusterStatus, Draining, ShardStatus } from '../wire/cluster.ts';

/** A node that takes clients and workers. */
export interface ClientNode {
  readonly name: string;
  /** `host:port` of its door. */
  readonly address: string;
  /** Workers and clients should move on: it will close their connections. */
  readonly draining: boolean;
}

/** Where clients and workers may go, and which node leads which shard as far as this one knows. */
export interface ClientMap {
  /** Grows with every change, within one run of this node. */
  readonly version: number;
  readonly shardCount: number;
  /** By name. */
  readonly nodes: readonly ClientNode[];
  /** By shard, an index into `nodes`, or -1: not known. */
  readonly leaders: readonly number[];
}

export interface ClusterControl {
  status(): ClusterStatus;
  /** Of this node; asked by every readiness probe. */
  draining(): Draining;
  clientMap(): ClientMap;
  /** Called after the client map changed. Returns what ends it. */
  onClientMap(changed: () => void): () => void;
  /** Of all shards: every node is asked for those it leads. */
  shards(done: Done<readonly ShardStatus[]>): void;
  health(done: Done<readonly ClusterProblem[]>): void;
  /** `no` takes a drain back. Refused with NOT_FOUND for a node that is not there. Answers once the node knows; `shards` shows the progress. */
  drain(node: string, how: Draining, done: Done<undefined>): void;
  /** Leaders go where the plan wants them now, not when it is convenient. Answers with how many were asked to. */
  rebalance(done: Done<{ readonly transfers: number }>): void;
  /** An absent node's replicas are made elsewhere without waiting for it. Refused for one that is there: drain it. */
  replace(node: string, done: Done<undefined>): void;
}

/** A shard led here. */
export interface LedShardStats {
  readonly shard: number;
  readonly term: number;
  readonly committedLsn: number;
  /** Entries that the voter or learner furthest behind does not have yet. */
  readonly lag: number;
  /** Directories that should be among its voters by the plan, and are not yet. One that is lost stays a voter until another has taken its place. */
  readonly missing: number;
}

/** One node's numbers, for metrics. */
export interface ClusterStats {
  readonly replicas: number;
  readonly led: readonly LedShardStats[];
  /** Shards this node should lead by the plan. */
  readonly shouldLead: number;
  readonly members: Readonly<Record<'alive' | 'suspect' | 'dead' | 'left', number>>;
  readonly connected: number;
  readonly planVersion: number;
  readonly coordinatorReady: boolean;
  readonly draining: boolean;
  /** Frames of replication sent since the start. */
  readonly frames: number;
  /** Requests that wait for a shard's owner. */
  readonly parked: number;
}
