// What the segments of an earlier process hold moves into LevelDB before anything is served: written anew and synced, it is durable whatever became of the
// files' last writes, and from then on the log is where everything else is. A row says which segments there must be, so that a file that is gone is noticed.
// A directory is left as it is when any of it is damaged. Called by LevelBackend.open.

import type { Backend, Write } from '../backend.ts';
import { frame, META, unframe } from '../framing.ts';
import { prefixEnd } from '../keys.ts';
import { decodeExtent, EXTENT } from '../log-extent.ts';
import { recordKey } from '../shard-log.ts';
import type { KnownSegments, SegmentLog } from './segment-log.ts';
import type { WalDamage } from './wal.ts';

export const SEGMENTS_KEY = `${META}segments`;

export function segmentsWrite({ movedTo, newest }: KnownSegments): Write {
  const value = Buffer.allocUnsafe(12);
  value.writeUIntLE(movedTo, 0, 6);
  value.writeUIntLE(newest, 6, 6);
  return [SEGMENTS_KEY, frame(SEGMENTS_KEY, value)];
}

/** Where they move: LevelDB alone. */
interface Target extends Pick<Backend, 'get' | 'range' | 'locate'> {
  /** One synced batch. */
  put(writes: readonly Write[]): Promise<void>;
}

/** Returns what is damaged, if anything is: then nothing was changed. */
export async function moveLeftovers(segments: SegmentLog, into: Target): Promise<WalDamage | undefined> {
  const framed = await into.get(SEGMENTS_KEY);
  const said = framed === undefined ? { movedTo: 0, newest: 0 } : read(framed, into);
  const damage = [...segments.leftovers(said)].find((found) => !Array.isArray(found));
  if (damage !== undefined && !Array.isArray(damage)) return damage;
  const low = await lowestWanted(into);
  let files = 0;
  for (const records of segments.leftovers(said)) {
    if (!Array.isArray(records)) return records;
    files += 1;
    const wanted = records.filter(({ seq }) => seq >= low);
    // Each file's by themselves: LevelDB may begin another log in between, so all batches are synced.
    if (wanted.length > 0) await into.put(wanted.map(({ seq, framed: bytes }) => [recordKey(seq), bytes]));
  }
  if (files > 0) await segments.forgetLeftovers((known) => into.put([segmentsWrite(known)]));
  return undefined;
}

function read(framed: Uint8Array, { locate }: Target): KnownSegments {
  const value = Buffer.from(unframe(SEGMENTS_KEY, framed, locate));
  return { movedTo: value.readUIntLE(0, 6), newest: value.readUIntLE(6, 6) };
}

/** Records below it are done with: moved, nobody would look for them, nor delete them. */
async function lowestWanted({ range, locate }: Target): Promise<number> {
  const [row] = await range({ from: EXTENT, to: prefixEnd(EXTENT), limit: 1, reverse: false });
  if (row === undefined) return 0;
  return decodeExtent(unframe(row[0], row[1], locate)).low;
}
