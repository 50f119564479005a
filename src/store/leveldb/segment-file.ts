// A segment: a file of log records, one after the other, only ever appended to. Each record has a head with a checksum of its own, so that a
// length is never believed before it is proved; the record itself carries the checksum that LogStore framed it with, also where the file has it deflated.
//
// A torn tail of the newest segment is no damage, as in LevelDB's own log (wal.ts): a kill leaves the beginning of the last record, a power cut
// perhaps zeros after it, and neither was acknowledged. Called by segment-log.ts.

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { crcOver } from '../../ports/crc.ts';
import { unframe } from '../framing.ts';
import { recordKey } from '../shard-log.ts';
import { inflateSync } from './deflated.ts';
import { neverWritten, type WalFault } from './wal.ts';

/** CRC-32 of the rest of it (4), length of what comes after it (4), number of the record (6). */
const HEAD_BYTES = 14;
/** With the length of the record once it is inflated (4), and the CRC-32 of what comes after the head (4): only what is proved is inflated. */
const DEFLATED_HEAD_BYTES = 22;
/** Bit of the length that says so. */
const DEFLATED = 0x8000_0000;
const CRC_BYTES = 4;

export interface SegmentRecord {
  seq: number;
  framed: Buffer;
}

/** @param plain length of the record where `stored` is that record deflated, bytes */
export function headOf(seq: number, stored: Uint8Array, plain?: number): Buffer {
  const head = Buffer.allocUnsafe(plain === undefined ? HEAD_BYTES : DEFLATED_HEAD_BYTES);
  head.writeUInt32LE(plain === undefined ? stored.length : stored.length + DEFLATED, CRC_BYTES);
  head.writeUIntLE(seq, CRC_BYTES + 4, 6);
  if (plain !== undefined) {
    head.writeUInt32LE(plain, HEAD_BYTES);
    head.writeUInt32LE(crcOver(stored, 0), HEAD_BYTES + 4);
  }
  head.writeUInt32LE(crcOver(head.subarray(CRC_BYTES), 0), 0);
  return head;
}

/**
 * All records of a file, whole in memory: segments are bounded. Returns what is damaged instead, if anything is.
 *
 * @param tail whether it may be torn: only the newest segment was written to when a process ended
 */
export function readSegment(file: string, tail: 'mayBeTorn' | 'whole'): SegmentRecord[] | WalFault {
  const handle = openSync(file, 'r');
  try {
    const { size } = fstatSync(handle);
    const bytes = Buffer.allocUnsafe(size);
    for (let read = 0; read < size; ) {
      const more = readSync(handle, bytes, read, size - read, read);
      if (more === 0) return { offset: read, what: 'the file ended while it was read' };
      read += more;
    }
    const records: SegmentRecord[] = [];
    for (let at = 0; at < size; ) {
      const record = recordAt(bytes, at);
      if ('what' in record) {
        const torn = tail === 'mayBeTorn' && (record.end > size || neverWritten(handle, size, record));
        return torn ? records : { offset: record.offset, what: record.what };
      }
      records.push(record);
      at = record.end;
    }
    return records;
  } finally {
    closeSync(handle);
  }
}

interface FoundRecord extends SegmentRecord {
  /** Where the next one begins. */
  end: number;
}

interface SegmentFault extends WalFault {
  /** Where the record at fault ends, by its own word if that can be believed. */
  end: number;
}

function recordAt(bytes: Buffer, at: number): FoundRecord | SegmentFault {
  const short = { offset: at, end: at + HEAD_BYTES, what: 'the head of a record is cut short' };
  if (short.end > bytes.length) return short;
  const stated = bytes.readUInt32LE(at + CRC_BYTES);
  const isDeflated = stated >= DEFLATED;
  const begin = at + (isDeflated ? DEFLATED_HEAD_BYTES : HEAD_BYTES);
  if (begin > bytes.length) return { ...short, end: begin };
  if (bytes.readUInt32LE(at) !== crcOver(bytes.subarray(at + CRC_BYTES, begin), 0))
    return { offset: at, end: begin, what: 'the checksum of the head does not match' };
  const end = begin + (isDeflated ? stated - DEFLATED : stated);
  if (end > bytes.length) return { offset: at, end, what: 'a record is cut short' };
  const seq = bytes.readUIntLE(at + CRC_BYTES + 4, 6);
  const stored = bytes.subarray(begin, end);
  const unsound = { offset: at, end, what: 'the checksum does not match' };
  if (isDeflated && bytes.readUInt32LE(at + HEAD_BYTES + 4) !== crcOver(stored, 0)) return unsound;
  const framed = isDeflated ? inflateSync(stored, bytes.readUInt32LE(at + HEAD_BYTES)) : stored;
  if (framed === undefined) return { ...unsound, what: 'the record cannot be inflated' };
  try {
    unframe(recordKey(seq), framed, '');
  } catch {
    return unsound;
  }
  return { seq, framed, end };
}
