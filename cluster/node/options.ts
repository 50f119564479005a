// What a cluster node is made from: its configuration, and everything that touches the world. Passed by src/node-cluster.ts and the simulator.

import type { Clock, Random, Scheduler } from '../../src/ports/clock.ts';
import type { Draining } from '../../src/ports/cluster.ts';
import type { Coordinator, HostPort } from '../../src/ports/coordinator.ts';
import type { CountRequest } from '../../src/ports/engine.ts';
import type { Log } from '../../src/ports/log.ts';
import type { ReplicaStore, RowLayout } from '../../src/ports/replica-store.ts';
import type { Store } from '../../src/ports/store.ts';
import type { WorkflowExecutionInfo } from '../../src/wire/execution-info.ts';
import type { Release } from '../../src/wire/versions.ts';
import type { GossipConfig } from '../gossip/index.ts';
import type { Transport as GossipTransport } from '../gossip/transport.ts';
import type { LinkSecurity } from '../link/security.ts';
import type { LinkNetwork } from '../link/transport.ts';
import type { ReplicaBounds, ReplicaTimes } from '../replication/core/options.ts';
import type { PlanSettings } from '../ring/plan.ts';
import type { RoutingLimits } from '../routing/limits.ts';
import type { DepartureTimes } from './departures.ts';
import type { PeerMemory } from './peer-memory.ts';
import type { NodeState, StateStore } from './state.ts';

/** How this node takes part, as configured. */
export interface ClusterNodeConfig {
  readonly id: string;
  readonly name: string;
  readonly zone: string;
  readonly weight: number;
  readonly roles: readonly string[];
  readonly seeds: readonly HostPort[];
  readonly replicas: number;
  readonly firstMembers: number;
  readonly gossip: ListenAt;
  readonly link: ListenAt;
  readonly keys: readonly Uint8Array[];
}

interface ListenAt {
  readonly ip: string;
  readonly port: number;
  readonly advertise: HostPort | undefined;
}

/** Where the shards of this node are kept. */
export type Durability =
  /** In a directory of its own, replicated. */
  | { readonly type: 'replicated'; readonly store: ReplicaStore; readonly layout: RowLayout }
  /** In a database that all nodes share. */
  | { readonly type: 'shared'; readonly store: Store };

export interface ClusterNodeOptions {
  config: ClusterNodeConfig;
  durability: Durability;
  /** What names this node's data: of replicas the id of its directory, else of the node itself. */
  self: string;
  /** What the directory knows of its cluster, and where that is kept. */
  state: NodeState;
  states: StateStore;
  /** Where it keeps whom the coordinator listed; absent: nowhere. */
  peers?: PeerMemory | undefined;
  coordinator: Coordinator;
  network: LinkNetwork;
  security: LinkSecurity;
  clock: Clock;
  scheduler: Scheduler;
  random: Random;
  randomBytes(length: number): Uint8Array;
  log: Log;
  shardOf(namespace: string, workflowId: string): number;
  pageTokenOf(request: CountRequest): (info: WorkflowExecutionInfo, shard: number) => Uint8Array;
  /** Part of the time since it was asked last that the process worked, 0 to 1. */
  busy(): number;
  /** Nothing of this node's shards may be served any more. */
  onFatal(error: unknown): void;
  /** The node was told to drain, or to serve again. */
  onDraining(how: Draining): void;
  /** For tests of a skew: versions of another build. */
  spoken?: Pick<Release['spoken'], 'link' | 'gossip'> | undefined;
  gossipTransport?: GossipTransport | undefined;
  gossipConfig?: GossipConfig | undefined;
  plans?: Partial<PlanSettings> | undefined;
  times?: Partial<ReplicaTimes> | undefined;
  bounds?: Partial<ReplicaBounds> | undefined;
  departures?: Partial<DepartureTimes> | undefined;
  /** ms between two counts of the directory's age. */
  countMs?: number | undefined;
  routing?: Partial<RoutingLimits> | undefined;
}
