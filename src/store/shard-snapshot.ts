// A snapshot of one shard: the position row and the rows it speaks of, read through one view of the medium, cut into chunks. A chunk is a
// MessagePack list [key, value, …]. Where each chunk begins is remembered, so that a follower that lost one gets it again. Called by LogStore.

import { crcOver } from '../ports/crc.ts';
import { key as asKey, type Key, type ShardId } from '../ports/ids.ts';
import type { RowLayout, ShardSnapshot, SnapshotPosition, StoreChunk } from '../ports/replica-store.ts';
import { decode, encode } from '../wire/codec.ts';
import type { BackendView } from './backend.ts';
import { decodePosition, type Locate, POSITION, ROW, unframe, ZERO_POSITION } from './framing.ts';
import { u16Key } from './keys.ts';
import { misuse } from './limits.ts';

/** Rows read at once. */
const PAGE = 200;

interface Cursor {
  readonly range: number;
  readonly from: string;
  /** Of the chunks before. */
  readonly digest: number;
}

export async function openSnapshot(
  view: BackendView,
  shard: ShardId,
  layout: RowLayout,
  options: { chunkBytes: number; locate: Locate },
): Promise<ShardSnapshot> {
  const { chunkBytes, locate } = options;
  const positionKey = POSITION + u16Key(shard);
  const framed = await view.get(positionKey);
  const row = framed === undefined ? ZERO_POSITION : decodePosition(unframe(positionKey, framed, locate));
  if (row.installing) throw misuse(`shard ${shard}: no snapshot of rows that are still being installed`);
  const position: SnapshotPosition = {
    lsn: row.appliedLsn,
    term: row.appliedTerm,
    chain: row.appliedChain,
    configuration: row.configuration,
  };
  const ranges = layout.ranges(shard);
  const cursors: Cursor[] = [{ range: 0, from: ranges[0]?.from ?? '', digest: 0 }];

  const chunk = async (index: number): Promise<StoreChunk> => {
    const cursor = cursors[index];
    if (cursor === undefined) throw misuse(`shard ${shard}: the snapshot has no chunk ${index}`);
    const items: Uint8Array[] = [];
    let size = 0;
    let { range, from } = cursor;
    while (range < ranges.length && size < chunkBytes) {
      const to = ranges[range]?.to ?? '';
      const page = await view.range({ from: ROW + from, to: ROW + to, limit: PAGE, reverse: false });
      for (const [stored, value] of page) {
        if (size >= chunkBytes) break;
        const key = asKey(stored.slice(ROW.length));
        from = `${key}\x00`;
        if (!layout.owns(shard, key)) continue;
        items.push(Buffer.from(key, 'latin1'), unframe(stored, value, locate));
        size += key.length + value.length;
      }
      if (page.length === PAGE || size >= chunkBytes) continue;
      range += 1;
      from = ranges[range]?.from ?? '';
    }
    const bytes = encode(items);
    const digest = crcOver(bytes, cursor.digest);
    const place = range < ranges.length ? 'middle' : 'last';
    if (place === 'middle') cursors[index + 1] = { range, from, digest };
    return { bytes, digest, place };
  };
  return { position, chunk, close: () => view.close() };
}

/** The rows of a chunk. Throws RangeError on bytes that are none: its digest was right, so whoever made it is broken. */
export function rowsOfChunk(bytes: Uint8Array): [Key, Uint8Array][] {
  const items = decode(bytes);
  if (!Array.isArray(items) || items.length % 2 !== 0) throw new RangeError('no chunk of a snapshot');
  const rows: [Key, Uint8Array][] = [];
  for (let i = 0; i < items.length; i += 2) {
    const key: unknown = items[i];
    const value: unknown = items[i + 1];
    if (!(key instanceof Uint8Array) || !(value instanceof Uint8Array))
      throw new RangeError('no row in a chunk of a snapshot');
    rows.push([asKey(Buffer.from(key).toString('latin1')), value]);
  }
  return rows;
}
