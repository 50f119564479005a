// Which rows of a node's store are a shard's: what a snapshot of it holds, and what goes when its replica does. The other way round from
// keys.ts, which writes them. Passed to cluster/replication by the composition root.

import { type Key, key, type ShardId } from '../ports/ids.ts';
import type { RowLayout } from '../ports/replica-store.ts';
import {
  after,
  backlogShard,
  ordinaryPrefix,
  outboxPrefix,
  readU16,
  shardMetaKey,
  startedShard,
  timerShard,
  u16,
} from './keys.ts';
import { indexedShard } from './visibility.ts';

const under = (prefix: string): { from: Key; to: Key } => ({ from: key(prefix), to: after(prefix) });

/** Ends of the parts at the beginning of a key: its queue's namespace and name. */
function queuePrefix(k: string): string {
  const name = k.indexOf('\x00\x01', k.indexOf('\x00\x01', 1) + 2) + 2;
  return k.slice(0, name + 1);
}

export const rowLayout: RowLayout = {
  ranges: (shard) => [
    under(`a${u16(shard)}`),
    under('b'),
    under(`e${u16(shard)}`),
    under(ordinaryPrefix(shard)),
    under(shardMetaKey(shard)),
    under(`n${u16(shard)}`),
    under(outboxPrefix(shard)),
    under('s'),
    under('t'),
    under('v'),
  ],
  owns: (shard, k) => ownerOf(k) === shard,
  ownerOf: (k) => ownerOf(k),
};

/** Undefined: a row of the whole node. */
export function ownerOf(k: Key): ShardId | undefined {
  switch (k.charAt(0)) {
    case 'a':
    case 'e':
    case 'n':
    case 'o':
      return readU16(k, 1) as ShardId; // as keys.ts wrote it
    case 'b':
      return backlogShard(k, queuePrefix(k)) as ShardId;
    case 's':
      return startedShard(k) as ShardId;
    case 't':
      return timerShard(k) as ShardId;
    case 'v':
      return indexedShard(k) as ShardId;
    case 'm':
      return k.charAt(1) === 's' || k.charAt(1) === 'o' ? (readU16(k, 2) as ShardId) : undefined;
    default:
      return undefined;
  }
}
