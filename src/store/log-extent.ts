// Which log records there must be: a row written with every batch that deletes records. Records are numbered without gaps, so recovery
// notices each one that is missing without its deletion having been written: a batch that the medium dropped (DESIGN §5, Integrity).
// The row's key has the batch's number, and the batch deletes the row before: had the medium dropped that deletion, there would be two.
import { META } from './framing.ts';
import { u48Key } from './keys.ts';

export const EXTENT = `${META}log`;

export const extentKey = (through: number): string => EXTENT + u48Key(through);

export interface LogExtent {
  /** The first record that may be on disk: no scan begins below it (LevelDB would cross tombstones). */
  low: number;
  /** The record of the batch that wrote this row. Those above it are all there. */
  through: number;
  /** Of low..through: records with live entries, ascending. The others are done with, on disk or not. */
  live: readonly number[];
}

/** Nothing was ever deleted. */
export const WHOLE_LOG: LogExtent = { low: 1, through: 0, live: [] };

const HEAD_BYTES = 12;

/** low, through, then lengths of runs from `low` on, in turn live and done with. */
export function encodeExtent({ low, through, live }: LogExtent): Buffer {
  const head = Buffer.allocUnsafe(HEAD_BYTES);
  head.writeUIntLE(low, 0, 6);
  head.writeUIntLE(through, 6, 6);
  const runs: number[] = [];
  let from = low;
  for (let i = 0; i < live.length; ) {
    const first = live[i] ?? from;
    let next = first;
    while (live[i] === next) {
      next += 1;
      i += 1;
    }
    // The first run may be of length 0: nothing live at `low` itself.
    if (first > from || runs.length > 0) runs.push(...(runs.length === 0 ? [0, first - from] : [first - from]));
    runs.push(next - first);
    from = next;
  }
  const bytes: number[] = [];
  for (let run of runs) {
    for (; run >= 0x80; run = Math.floor(run / 0x80)) bytes.push((run % 0x80) | 0x80);
    bytes.push(run);
  }
  return Buffer.concat([head, Uint8Array.from(bytes)]);
}

/** Throws RangeError on bytes that are no extent. */
export function decodeExtent(value: Uint8Array): LogExtent {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  const low = bytes.readUIntLE(0, 6);
  const through = bytes.readUIntLE(6, 6);
  const live: number[] = [];
  let seq = low;
  let alive = true;
  for (let at = HEAD_BYTES; at < bytes.length; alive = !alive) {
    let run = 0;
    let unit = 1;
    for (let byte = 0x80; byte >= 0x80; unit *= 0x80) {
      byte = bytes.readUInt8(at);
      at += 1;
      run += (byte % 0x80) * unit;
    }
    if (seq + run > through + 1) throw new RangeError('the extent of the log passes its end');
    if (alive) for (let i = 0; i < run; i += 1) live.push(seq + i);
    seq += run;
  }
  return { low, through, live };
}
