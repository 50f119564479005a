// What a node of a cluster shows of it at each scrape: what it leads and holds, how far its followers are behind, whom it sees. Read when asked.

import type { ClusterStats, LedShardStats } from '../ports/cluster.ts';
import type { Metrics } from './metrics.ts';

/** More shards than this have no series of their own: a scrape stays bounded. */
const SHARD_SERIES = 1_024;

export function clusterGauges(metrics: Metrics, read: () => ClusterStats): void {
  const gauge = (name: string, help: string, of: (stats: ClusterStats) => number): void =>
    metrics.gauge(`tenuto_cluster_${name}`, help, () => of(read()));
  gauge('shards_led', 'Shards this node leads.', ({ led }) => led.length);
  gauge('shards_should_lead', 'Shards this node should lead by the ring plan.', ({ shouldLead }) => shouldLead);
  gauge('replicas', 'Replicas of shards in this directory.', ({ replicas }) => replicas);
  gauge('peers_connected', 'Nodes this one has a link to.', ({ connected }) => connected);
  gauge('plan_version', 'Version of the ring plan in force; 0 before the first.', ({ planVersion }) => planVersion);
  gauge('coordinator_ready', '1 while Redis answers.', ({ coordinatorReady }) => Number(coordinatorReady));
  gauge('draining', '1 while this node hands over what it has.', ({ draining }) => Number(draining));
  gauge('requests_parked', 'Requests that wait for the owner of their shard.', ({ parked }) => parked);
  metrics.gauge('tenuto_cluster_members', 'Nodes this one knows, by state.', () =>
    Object.entries(read().members).map(([state, value]) => ({ labels: { state }, value })),
  );
  metrics.counter('tenuto_cluster_replication_frames_total', 'Frames of replication sent.', () => read().frames);
  const shardGauge = (name: string, help: string, of: (shard: LedShardStats) => number): void =>
    metrics.gauge(`tenuto_shard_${name}`, help, () =>
      read()
        .led.slice(0, SHARD_SERIES)
        .map((shard) => ({ labels: { shard: String(shard.shard) }, value: of(shard) })),
    );
  shardGauge('term', 'Term this node leads the shard in.', ({ term }) => term);
  shardGauge('committed_lsn', 'Entries committed in the shard.', ({ committedLsn }) => committedLsn);
  shardGauge('follower_lag', 'Entries the member furthest behind does not have yet.', ({ lag }) => lag);
  shardGauge('voters_missing', 'Voters the ring plan wants and the shard has not yet.', ({ missing }) => missing);
}
