// What the replicated log of a node is made from: everything that touches the world, and who is told. Passed by cluster/node and the simulators.

import type { Clock, Random, Scheduler } from '../../src/ports/clock.ts';
import type { ShardId } from '../../src/ports/ids.ts';
import type { ReplicaStore, RowLayout } from '../../src/ports/replica-store.ts';
import type { ReplicatedLogUser } from '../../src/ports/replicated-log.ts';
import type { ReplicationTransport } from '../../src/ports/replication-transport.ts';
import type { ReplicaBounds, ReplicaTimes } from './core/options.ts';
import type { TermSource } from './terms.ts';

export interface DriverOptions {
  store: ReplicaStore;
  transport: ReplicationTransport;
  clock: Clock;
  scheduler: Scheduler;
  random: Random;
  terms: TermSource;
  layout: RowLayout;
  user: ReplicatedLogUser;
  /** The same on every node of the cluster. */
  times?: Partial<ReplicaTimes>;
  bounds?: Partial<ReplicaBounds>;
  /** Snapshots read for followers at once: each pins the files it reads from. Default 8. */
  snapshotsAtOnce?: number;
  /** A hand-over was taken, or came to nothing. */
  onTransferEnded?: (shard: ShardId, to: string, outcome: 'handedOver' | 'abandoned') => void;
  /** Frames that are none, damage: for logs. */
  onRefused?: (from: string, why: string) => void;
}
