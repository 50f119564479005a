// What the log of a node that led its shards alone holds beyond the rows on disk, as row changes: a data directory is read without a node,
// and without being written to. The same as a start replays (materializer.ts), less what a node keeps in memory. Called by src/backup.

import { type Key, lsn, type ShardId } from '../ports/ids.ts';
import type { ShardPosition, Store } from '../ports/store.ts';
import { decodeEntry } from './entry.ts';
import { outboxDestination, outboxSeq, shardMetaKey } from './keys.ts';
import { Shard } from './shard.ts';

/** Rows that are to be taken for those of the store; `undefined`: gone. As large as what was not flushed. Counters are not among them. */
export async function logTail(
  store: Pick<Store, 'read' | 'readLog'>,
  positions: ReadonlyMap<ShardId, ShardPosition>,
): Promise<Map<Key, Uint8Array | undefined>> {
  const changes = new Map<Key, Uint8Array | undefined>();
  for (const [id, position] of positions) {
    if (position.lastLsn === position.appliedLsn) continue;
    const shard = new Shard(id, position);
    const meta = await store.read(shardMetaKey(id));
    if (meta !== undefined) shard.restoreMeta(meta);
    for await (const { entry } of store.readLog(id, lsn(position.appliedLsn + 1))) {
      const { time, rows, receipts, rewritten } = decodeEntry(entry);
      shard.commit(time);
      for (const [k, value] of rows) {
        changes.set(k, value);
        if (k.startsWith('v')) shard.indexed(k, value, rewritten.includes(k) ? 'rewritten' : undefined);
        else if (value !== undefined && k.startsWith('o')) shard.sentTo(outboxDestination(k), outboxSeq(k));
      }
      for (const { source, seq } of receipts) shard.receipt(source, seq);
    }
    changes.set(shardMetaKey(id), shard.encodeMeta());
  }
  return changes;
}
