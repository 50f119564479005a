// What callers of the store may ask for. Breaking it is `misuse`: checked before anything changes.
import type { Key, ShardId } from '../ports/ids.ts';
import { type RangeOptions, StoreError } from '../ports/store.ts';

export const DEFAULT_RANGE_LIMIT = 1_000;
export const MAX_RANGE_LIMIT = 100_000;

export const misuse = (message: string): StoreError => new StoreError('misuse', message);

export function checkShard(shard: ShardId, shardCount: number): void {
  if (Number.isInteger(shard) && shard >= 0 && shard < shardCount) return;
  throw misuse(`shard ${shard} does not exist: this store has shards 0 to ${shardCount - 1}`);
}

/** A character above 0xff would be cut to its low byte and hit another row. */
export function checkKey(key: Key): void {
  for (let i = 0; i < key.length; i += 1) {
    if (key.charCodeAt(i) <= 0xff) continue;
    throw misuse(`key ${JSON.stringify(key)} is not a binary string: text enters a key through utf8Key`);
  }
}

/** The limit to read with. */
export function checkRange({ from, to, limit = DEFAULT_RANGE_LIMIT }: RangeOptions): number {
  checkKey(from);
  checkKey(to);
  if (!Number.isInteger(limit) || limit < 0 || limit > MAX_RANGE_LIMIT) {
    throw misuse(`a range of ${limit} rows: the limit is 0 to ${MAX_RANGE_LIMIT}`);
  }
  return limit;
}
