// What a node of a cluster counts for its metrics, from what its parts know. Called by cluster-node.ts.

import type { ClusterStats } from '../../src/ports/cluster.ts';
import type { MemberSnapshot } from '../gossip/index.ts';
import type { Placement } from './placement.ts';
import type { ShardKeeper } from './shard-keeper.ts';

export interface StatsSources {
  /** This node's data directory. */
  self: string;
  /** Copies of a shard at nodes. */
  copies: number;
  keeper: Pick<ShardKeeper, 'replicas' | 'led' | 'frames'>;
  placement: Pick<Placement, 'plan' | 'ring'>;
  members: readonly MemberSnapshot[];
  connected: number;
  coordinatorReady: boolean;
  draining: boolean;
  parked: number;
}

export function statsOf({ self, copies, keeper, placement, members, ...counted }: StatsSources): ClusterStats {
  const { plan, ring } = placement;
  const wanted = ring === undefined ? undefined : Math.min(ring.copies, copies);
  const states = { alive: 0, suspect: 0, dead: 0, left: 0 };
  for (const { state } of members) states[state] += 1;
  return {
    ...counted,
    replicas: keeper.replicas,
    members: states,
    led: keeper.led().map(({ shard, term, commit, voters, slowest }) => ({
      ...{ shard, term, committedLsn: commit, lag: Math.max(0, commit - slowest) },
      ...{ voters: voters.length, wanted: wanted ?? voters.length },
    })),
    shouldLead: ring?.loads().find(({ member }) => member.directoryId === self)?.leaderships ?? 0,
    planVersion: plan.version,
    frames: keeper.frames,
  };
}
