// The maps that the nodes of a cluster gave of it, checked, and what they come to: which nodes there are, and who leads a shard.
// All of it is hearsay: a call that goes to the wrong node is passed on from there.

import type { ClusterMap, ClusterNode } from '../../src/wire/server.ts';
import { leaderOf, shardOf } from '../../src/wire/shard.ts';
import { isRecord, isUint8Array } from '../common/type-helpers.ts';

/** Nodes and shards of a map that are looked at (I9). */
const MAX_NODES = 1_024;
const MAX_SHARDS = 65_536;

function isNode(value: unknown): value is ClusterNode {
  return isRecord(value) && typeof value.name === 'string' && typeof value.address === 'string';
}

/** What a server sent as its map; undefined for what is none, and from a server that stands alone. */
export function readClusterMap(value: unknown): ClusterMap | undefined {
  if (!isRecord(value) || typeof value.self !== 'string' || value.self === '') return undefined;
  const { version, shardCount, nodes, leaders } = value;
  if (typeof version !== 'number' || typeof shardCount !== 'number' || !Number.isInteger(shardCount)) return undefined;
  if (shardCount < 1 || shardCount > MAX_SHARDS) return undefined;
  if (!Array.isArray(nodes) || nodes.length > MAX_NODES || !nodes.every(isNode) || !isUint8Array(leaders))
    return undefined;
  const known = nodes.map(({ name, address, draining }) => ({ name, address, draining: draining === true }));
  // The bytes are a view of the message they came in.
  return { self: value.self, version, shardCount, nodes: known, leaders: new Uint8Array(leaders) };
}

/** Name of the node that leads the shard of a workflow id; undefined: not known. */
export function ownerIn(map: ClusterMap, namespace: string, workflowId: string): string | undefined {
  const index = leaderOf(map.leaders, shardOf(namespace, workflowId, map.shardCount));
  return index < 0 ? undefined : map.nodes[index]?.name;
}

/** Whether `now` says that its node leads a shard of which `before` did not say so. */
export function leadsMore(before: ClusterMap, now: ClusterMap): boolean {
  const self = now.nodes.findIndex(({ name }) => name === now.self);
  if (self < 0) return false;
  const was = before.nodes.findIndex(({ name }) => name === now.self);
  for (let shard = 0; shard < now.shardCount; shard++) {
    if (leaderOf(now.leaders, shard) !== self) continue;
    if (was < 0 || leaderOf(before.leaders, shard) !== was) return true;
  }
  return false;
}

/** Names of nodes that another one's map names. */
export function spokenOf(maps: readonly ClusterMap[]): Set<string> {
  return new Set(maps.flatMap(({ self, nodes }) => nodes.map(({ name }) => name).filter((name) => name !== self)));
}

/**
 * The nodes that any of the maps names: one node that lost sight of the others must not make a client forget them. Draining, as soon as
 * one says so.
 */
export function unionOfNodes(maps: readonly ClusterMap[]): Map<string, ClusterNode> {
  const union = new Map<string, ClusterNode>();
  for (const { nodes } of maps) {
    for (const node of nodes) {
      const known = union.get(node.name);
      if (known === undefined || node.draining) union.set(node.name, node);
    }
  }
  return union;
}
