// What a node that is drained still has, by what its cluster says: whether it may be restarted or removed, and what is in the way.

import type { ClusterMember, ClusterStatus, Draining, ShardStatus } from '../../wire/cluster.ts';
import { placeOf } from './shards.ts';

/** What a node still has. */
export interface Left {
  /** Shards it leads that another could. */
  leads: number;
  /** Shards it leads because no other voter of them is up. */
  leadsAlone: number;
  /** Shards it leads or has a replica of. */
  holds: number;
  /** False where all is in a database: what it does not lead is not there. */
  hasReplicas: boolean;
  /** Shards nobody is known to lead: what it has of them is not known either. */
  unknown: number;
}

/** Why the node cannot give up everything, as things are; undefined: it can, or somebody who may take its shards is about to. */
export function obstacleOf(
  node: string,
  { members, replicas, store }: ClusterStatus,
  { leads, leadsAlone }: Pick<Left, 'leads' | 'leadsAlone'>,
): string | undefined {
  if (store === 'database') return leads === 0 && leadsAlone > 0 ? 'no other node is there to lead them' : undefined;
  const others = members.filter((member) => member.name !== node && mayHold(member));
  const needed = members.find(({ name, mustStay }) => name === node && mustStay);
  // One that has just come is part of the plan some seconds later.
  if (needed === undefined || others.some(({ planned }) => !planned)) return undefined;
  const nodes = others.length === 1 ? '1 other node holds' : `${others.length} other nodes hold`;
  return `${nodes} shards, and cluster.replicas asks for ${replicas}`;
}

export function leftOf(
  node: string,
  shards: readonly ShardStatus[],
  { members, store }: Pick<ClusterStatus, 'members' | 'store'>,
): Left {
  const up = new Set(members.filter(({ state }) => state === 'alive' || state === 'suspect').map(({ name }) => name));
  const hasReplicas = store === 'directories';
  // Of a database any node can lead any shard.
  const heirs = members.filter((member) => member.name !== node && mayHold(member)).map(({ name }) => name);
  const left: Left = { leads: 0, leadsAlone: 0, holds: 0, unknown: 0, hasReplicas };
  for (const shard of shards) {
    if (shard.leader === undefined) left.unknown += 1;
    const place = placeOf(shard, node);
    if (place !== 'none') left.holds += 1;
    if (place !== 'leads') continue;
    const others = hasReplicas ? shard.voters.filter((voter) => voter !== node) : heirs;
    if (others.some((other) => up.has(other))) left.leads += 1;
    else left.leadsAlone += 1;
  }
  return left;
}

/** It is there, and takes shards. */
const mayHold = ({ state, draining, roles }: ClusterMember): boolean =>
  (state === 'alive' || state === 'suspect') &&
  draining !== 'everything' &&
  (roles.length === 0 || roles.includes('shards'));

export const isDone = (left: Left, how: Exclude<Draining, 'no'>): boolean =>
  left.unknown === 0 && (how === 'leadership' ? left.leads === 0 : left.holds === 0);
