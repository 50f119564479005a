// The coordinator port: what a cluster asks of Redis. It decides who *tries* to lead and where things are first looked for, and makes
// nothing safe: not a commit, not a read (DESIGN §7; I3 is kept by the replicas' votes). It may forget, answer late, repeat a term or
// stay away for ever; every call ends within a deadline and says so as a value. Adapters: cluster/ownership/redis, /ipc (cores),
// /memory; all pass test/conformance/coordinator.ts. One object per node; called by cluster/ownership, replication and routing.

import type { ShardId, Term } from './ids.ts';

/** Calls never reject, but for `RangeError` where an argument is outside its stated bounds. */
export type Outcome<T> = { readonly type: 'ok'; readonly value: T } | Unavailable;

export interface Unavailable {
  readonly type: 'unavailable';
  /** `maybe`: the request may have been carried out, or still be. Repeating any call of this port is harmless. */
  readonly applied: 'no' | 'maybe';
  /** For people; never contains credentials. */
  readonly why: string;
}

/** The cluster's birth certificate: created once, the same for ever (DESIGN §7, Amnesia: no node makes shards because it finds none). */
export interface ClusterRecord {
  /** As configured: 1 to 64 characters of `A-Z a-z 0-9 . _ -`. */
  readonly clusterId: string;
  /** Made at the initialisation: tells this cluster from another one of the same name. Also in every data directory. */
  readonly incarnation: string;
  readonly shardCount: number;
  /** Epoch ms of the initialiser's clock. */
  readonly createdAtMs: number;
}

/** One run of one node. */
export interface NodeSession {
  /** The node's name: one process at a time may bear it. */
  readonly node: string;
  /** Its data directory: one process at a time may use it, under whatever name. */
  readonly directoryId: string;
  /** A new one with every start of the process. */
  readonly sessionId: string;
}

export type SessionClaim =
  /** Until `untilMs` of this node's monotonic clock, counted from before the request was sent. */
  | { readonly type: 'held'; readonly untilMs: number }
  /** Another session has the name or the directory; it is free in `freeInMs` unless renewed. */
  | { readonly type: 'taken'; readonly by: NodeSession; readonly freeInMs: number };

/** Who led a shard when last heard of: where to ask first. */
export interface LeaderHint {
  readonly shard: ShardId;
  readonly term: Term;
  readonly directoryId: string;
}

/** How to reach a node. Addresses are `host:port`. */
export interface Peer {
  readonly name: string;
  readonly directoryId: string;
  readonly gossip: string;
  readonly link: string;
  /** Where clients and workers connect. */
  readonly client: string;
}

/** A ring plan (cluster/ring/plan.ts), opaque here but for its version. */
export interface PublishedPlan {
  /** ≥ 1 */
  readonly version: number;
  readonly body: string;
}

export type CoordinatorState =
  /** Never reached since the start. */
  | 'connecting'
  | 'ready'
  /** Was reached, and is not now; it is tried in the background for as long as it takes. */
  | 'away'
  | 'closed';

export interface Coordinator {
  readonly state: CoordinatorState;
  /** It is the process that listens for cores; absent: Redis. */
  readonly isListener?: true;
  /** How often it has become ready: grows also when it was away for no longer than nobody looked. It may have forgotten everything since. */
  readonly arrivals: number;
  /** Records the initialisation unless there is one. Answers with the record that stands, to be compared with the own one. */
  createCluster(record: ClusterRecord): Promise<Outcome<ClusterRecord>>;
  /**
   * For a node whose directory holds the record: brings it back where it was forgotten, also against one made since by a node that knew
   * of none. The older record stands.
   */
  restoreCluster(record: ClusterRecord): Promise<Outcome<ClusterRecord>>;
  readCluster(): Promise<Outcome<ClusterRecord | undefined>>;
  /** Claims or renews this node's one lease. `ttlMs`: 100 to 3,600,000. */
  holdSession(session: NodeSession, ttlMs: number): Promise<Outcome<SessionClaim>>;
  /** Frees name and directory at once; nothing happens when another session has them. */
  endSession(session: NodeSession): Promise<Outcome<undefined>>;
  /**
   * The next term for a shard: greater than all the coordinator knows of, and at least `atLeast` + 1. A candidate that was refused passes
   * the highest term it heard, which lifts the counter. The same term may be handed out twice after the coordinator forgot: the votes,
   * one per (shard, term), settle that.
   */
  nextTerm(shard: ShardId, atLeast: Term | 0): Promise<Outcome<Term>>;
  /** Hints of an older term than the known one are dropped. At most `MAX_HINTS`. */
  publishLeaders(hints: readonly LeaderHint[]): Promise<Outcome<undefined>>;
  readLeaders(): Promise<Outcome<readonly LeaderHint[]>>;
  /** Kept for a day after it was last announced, so that a cluster that was down as a whole finds itself again. */
  announce(peer: Peer): Promise<Outcome<undefined>>;
  withdraw(name: string): Promise<Outcome<undefined>>;
  peers(): Promise<Outcome<readonly Peer[]>>;
  /** Publishes a plan unless one of its version or a newer one is there. Answers with the one that stands. */
  publishPlan(plan: PublishedPlan): Promise<Outcome<PublishedPlan>>;
  readPlan(): Promise<Outcome<PublishedPlan | undefined>>;
  /** Calls under way and later ones are `unavailable`. */
  close(): Promise<void>;
}

/** Hints in one call. */
export const MAX_HINTS = 1_000;
/** How long a peer is listed after it was last announced, ms. */
export const PEER_KEPT_MS = 86_400_000;
/** Characters of a plan's body: 16,384 members fit. */
export const MAX_PLAN_CHARS = 8 * 1024 * 1024;
export const MIN_SESSION_TTL_MS = 100;
export const MAX_SESSION_TTL_MS = 3_600_000;
/** So that terms stay whole numbers everywhere they pass through. */
export const MAX_TERM = Number.MAX_SAFE_INTEGER - 1;

/** Where Redis is. Credentials are for the adapter only: they are never logged. */
export interface RedisSettings {
  readonly servers:
    | { readonly mode: 'single'; readonly address: HostPort; readonly db: number }
    /** `name` is that of the master group. */
    | {
        readonly mode: 'sentinel';
        readonly sentinels: readonly HostPort[];
        readonly name: string;
        readonly db: number;
        readonly sentinelUsername: string | undefined;
        readonly sentinelPassword: string | undefined;
      }
    /** Some of the nodes of a Redis Cluster; the others are learned. */
    | { readonly mode: 'cluster'; readonly nodes: readonly HostPort[] };
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** PEM files; undefined: no TLS. Without a CA file the system's authorities are trusted. */
  readonly tls:
    | {
        readonly caFile: string | undefined;
        readonly certFile: string | undefined;
        readonly keyFile: string | undefined;
      }
    | undefined;
}

export interface HostPort {
  readonly host: string;
  readonly port: number;
}
