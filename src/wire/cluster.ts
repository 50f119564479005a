// What operators ask of a cluster, as it crosses the wire: the answers of `clusterStatus`, `clusterShards` and `clusterHealth`, and how
// a node can be drained. The cluster port (src/ports/cluster.ts) speaks of the same.

import type { Empty } from './common.ts';

/** `leadership`: leads nothing that another can; `everything`: holds nothing either. */
export type Draining = 'no' | 'leadership' | 'everything';
export const DRAININGS: readonly Draining[] = ['no', 'leadership', 'everything'];

export interface ClusterMember {
  readonly name: string;
  readonly directoryId: string;
  readonly addresses: { readonly client: string; readonly gossip: string; readonly link: string };
  /** '': none named. */
  readonly zone: string;
  readonly weight: number;
  readonly roles: readonly string[];
  readonly version: string;
  /** `absent`: of the plan, and not heard of since this node started. */
  readonly state: 'alive' | 'suspect' | 'dead' | 'left' | 'absent';
  readonly inStateMs: number;
  readonly draining: Draining;
  /** It should give up everything, and keeps what it holds: fewer nodes than a shard has voters would be left to hold it. */
  readonly mustStay: boolean;
  /** Why the asked node has no link to this one, though gossip sees it; undefined: it has one, or need not. */
  readonly linkTrouble?: string | undefined;
  /** Percent of its capacity. */
  readonly load: number;
  /** Of the plan in force: it is meant to hold shards. */
  readonly planned: boolean;
  /** Shards it leads, as far as this node knows, and should lead by the plan. */
  readonly leads: number;
  readonly shouldLead: number;
  /** Shards it should hold a replica of by the plan. */
  readonly shouldHold: number;
}

export interface ClusterStatus {
  readonly clusterId: string;
  /** Tells this cluster from another one of the same id; undefined until this node knows it. */
  readonly incarnation: string | undefined;
  /** This node's name. */
  readonly self: string;
  readonly shardCount: number;
  /** `directories`: each node has replicas in its own; `database`: all nodes share one, and a node that leads a shard holds nothing of it. */
  readonly store: 'directories' | 'database';
  /** Why the database does not answer this node now; undefined: it does, or there is none. */
  readonly outage?: string | undefined;
  /** Voters per shard as configured; 1 in a database, which has its own. */
  readonly replicas: number;
  readonly planVersion: number;
  /** Why no other plan is made now. */
  readonly planning: string;
  /** Of whoever coordinates: `connecting`, it was never reached since the start; `away`, it was reached and is not now. */
  readonly coordinator: 'connecting' | 'ready' | 'away' | 'closed';
  /** Of cores: the process that listens for them coordinates them. Absent: Redis. */
  readonly coordinatedBy?: 'listener' | undefined;
  readonly session: 'unclaimed' | 'held' | 'lapsed' | 'taken';
  readonly members: readonly ClusterMember[];
}

export interface ShardStatus {
  readonly shard: number;
  /** Names; undefined: nobody is known to lead it. */
  readonly leader: string | undefined;
  readonly term: number;
  /** Names, or directory ids of nodes that are not known by name. */
  readonly voters: readonly string[];
  readonly learners: readonly string[];
  /** Where the plan wants it, the leader first. */
  readonly desired: readonly string[];
  /** Of its leader; 0 where unknown. */
  readonly committedLsn: number;
}

export interface ClusterProblem {
  readonly severity: 'warning' | 'error';
  /** A node, `shards`, `coordinator`. */
  readonly subject: string;
  readonly what: string;
  /** What to do next. */
  readonly hint: string;
}

export interface ClusterShardsRequest {
  /** The first shard of the page; default 0. */
  fromShard?: number | undefined;
}

export interface ClusterShardsResponse {
  /** By number. */
  shards: readonly ShardStatus[];
  /** Where to go on; absent after the last page. */
  nextShard?: number | undefined;
}

export interface ClusterHealthResponse {
  /** Empty: healthy. */
  problems: readonly ClusterProblem[];
}

export interface DrainNodeRequest {
  node: string;
  /** `no` takes a drain back. */
  how: Draining;
}

export interface RebalanceClusterResponse {
  /** Leaders that were asked to hand over. */
  transfers: number;
}

export interface ReplaceNodeRequest {
  node: string;
}

/** For operators, and of nodes of a cluster only. */
export interface ClusterMethods {
  clusterStatus: { request: Empty; response: ClusterStatus };
  clusterShards: { request: ClusterShardsRequest; response: ClusterShardsResponse };
  clusterHealth: { request: Empty; response: ClusterHealthResponse };
  drainNode: { request: DrainNodeRequest; response: Empty };
  rebalanceCluster: { request: Empty; response: RebalanceClusterResponse };
  replaceNode: { request: ReplaceNodeRequest; response: Empty };
}
