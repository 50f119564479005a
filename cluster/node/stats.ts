// A cluster node's numbers for metrics, gathered from its parts at each scrape. Pure. Called by cluster-node.ts.

import type { ClusterStats } from '../../src/ports/cluster.ts';
import type { MemberSnapshot } from '../gossip/index.ts';
import type { RingPlan } from '../ring/plan.ts';
import type { Ring } from '../ring/ring.ts';
import type { ShardKeeper } from './shard-keeper.ts';

export interface StatsParts extends Pick<ClusterStats, 'connected' | 'coordinatorReady' | 'draining' | 'parked'> {
  readonly self: string;
  /** Copies of a shard that nodes keep; 0 where a database does. */
  readonly copies: number;
  readonly keeper: Pick<ShardKeeper, 'replicas' | 'frames' | 'led'>;
  readonly members: readonly MemberSnapshot[];
  readonly plan: RingPlan;
  readonly ring: Ring | undefined;
}

export function clusterStats({ self, copies, keeper, members, plan, ring, ...more }: StatsParts): ClusterStats {
  const counts = { alive: 0, suspect: 0, dead: 0, left: 0 };
  for (const { state } of members) counts[state] += 1;
  const load = ring?.loads().find(({ member }) => member.directoryId === self);
  return {
    ...more,
    replicas: keeper.replicas,
    frames: keeper.frames,
    members: counts,
    led: keeper.led().map(({ shard, term, commit, voters, slowest }) => ({
      ...{ shard, term, committedLsn: commit, lag: Math.max(0, commit - slowest) },
      missing: (ring?.replicasOf(shard) ?? [])
        .slice(0, copies)
        .filter(({ directoryId }) => !voters.includes(directoryId)).length,
    })),
    shouldLead: load?.leaderships ?? 0,
    planVersion: plan.version,
  };
}
