// What a node knows of its cluster as the door tells it: the map of nodes and leaders, on the wire.

import type { ClusterControl } from '../ports/cluster.ts';
import type { ClusterMap } from '../wire/api.ts';
import { encodeLeaders } from '../wire/shard.ts';

export function clusterMapOf(cluster: Pick<ClusterControl, 'clientMap' | 'status'>): ClusterMap {
  const { version, shardCount, nodes, leaders } = cluster.clientMap();
  return {
    self: cluster.status().self,
    version,
    shardCount,
    nodes: nodes.map(({ name, address, draining }) => ({ name, address, draining })),
    leaders: encodeLeaders(leaders),
  };
}

/** Of a node that stands alone: there is nowhere else to go. */
export function aloneMap(shardCount: number): ClusterMap {
  return { self: '', version: 0, shardCount, nodes: [], leaders: new Uint8Array(0) };
}
