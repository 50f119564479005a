// What a node knows of its cluster as the door tells it: the map of nodes and leaders, on the wire.

import type { ClusterControl } from '../ports/cluster.ts';
import type { ClusterMap } from '../wire/server.ts';
import { encodeLeaders } from '../wire/shard.ts';

/** A node's own name never changes, and its whole status is more than is needed for it. */
const names = new WeakMap<object, string>();

function nameOf(cluster: Pick<ClusterControl, 'status'>): string {
  const name = names.get(cluster) ?? cluster.status().self;
  names.set(cluster, name);
  return name;
}

export function clusterMapOf(cluster: Pick<ClusterControl, 'clientMap' | 'status'>): ClusterMap {
  const { version, shardCount, nodes, leaders } = cluster.clientMap();
  return {
    self: nameOf(cluster),
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
