// Which keeper a node has: of replicas in a directory of its own, or of terms in a database that all nodes share. Called by cluster-node.ts.

import type { LedShards, SharedShards } from '../../src/ports/led-shards.ts';
import type { Links } from '../link/links.ts';
import type { Rpc } from '../link/rpc.ts';
import type { ClusterNodeOptions } from './options.ts';
import { ReplicatedKeeper, type ReplicatedKeeperOptions } from './replicated-keeper.ts';
import type { Roster } from './roster.ts';
import type { ShardKeeper } from './shard-keeper.ts';
import { HEIRS, SharedKeeper } from './shared-keeper.ts';

/** The engine: led as the log says, or as the database does. */
export type ServedShards = LedShards & SharedShards;

export interface KeeperParts extends Omit<ReplicatedKeeperOptions, 'node' | 'store' | 'layout' | 'engine'> {
  readonly links: Links;
  readonly rpc: Rpc;
  readonly roster: Roster;
  engine(): ServedShards;
}

/** Members that the ring names for each shard: those that hold it, or that may come to lead it. */
export const ringReplicas = ({ durability, config }: Pick<ClusterNodeOptions, 'durability' | 'config'>): number =>
  durability.type === 'shared' ? HEIRS : config.replicas;

/**
 * Whether the shards outlive a plan that is lost. Nodes of a database keep none: a coordinator that forgets while all of them are stopped leaves shards
 * without a plan, and those that are drained by then never make up the number of a first start. Asked once the store is open.
 */
export const isFounded = (durability: ClusterNodeOptions['durability']): boolean =>
  durability.type === 'shared' && durability.store.positions().size > 0;

export function makeKeeper(node: ClusterNodeOptions, parts: KeeperParts): ShardKeeper {
  const { durability, self } = node;
  if (durability.type === 'replicated') {
    return new ReplicatedKeeper({ ...parts, node, store: durability.store, layout: durability.layout });
  }
  const { view, roster, engine, ring, changed, failed } = parts;
  return new SharedKeeper({
    ...{ node, self, store: durability.store, view, engine, ring, changed, failed },
    isUp: (directoryId) => roster.isUp(directoryId),
    drains: (directoryId) => roster.drains(directoryId),
  });
}
