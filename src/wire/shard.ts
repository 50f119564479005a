// Which shard a workflow id lives in, and which node leads a shard: what clients need to send a call straight to its owner.

/**
 * Where a workflow id lives: FNV-1a over the UTF-16 units of both names, mixed, mod shardCount. Fixed for ever: data on disk depends on it.
 */
export function shardOf(namespace: string, workflowId: string, shardCount: number): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < namespace.length; i += 1) h = Math.imul(h ^ namespace.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ 0x10000, 0x01000193);
  for (let i = 0; i < workflowId.length; i += 1) h = Math.imul(h ^ workflowId.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 0) % shardCount;
}

/** Nodes that fit in a map: an index and "not known" take two bytes. */
export const MAX_NODES_OF_MAP = 0xffff;

/** `leaders`: by shard an index of a node, or -1: not known. An index that does not fit is not known. */
export function encodeLeaders(leaders: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(leaders.length * 2);
  for (let shard = 0; shard < leaders.length; shard += 1) {
    const index = leaders[shard] ?? -1;
    const stored = index >= 0 && index < MAX_NODES_OF_MAP ? index + 1 : 0;
    bytes[2 * shard] = stored >>> 8;
    bytes[2 * shard + 1] = stored & 0xff;
  }
  return bytes;
}

/** The index of the node that leads `shard`, or -1: not known. */
export function leaderOf(leaders: Uint8Array, shard: number): number {
  return (((leaders[2 * shard] ?? 0) << 8) | (leaders[2 * shard + 1] ?? 0)) - 1;
}
