// A segment: a file of log records, one after the other, only ever appended to. Each record has a head with a checksum of its own, so that a
// length is never believed before it is proved; the record itself carries the checksum that LogStore framed it with.
//
// A torn tail of the newest segment is no damage, as in LevelDB's own log (wal.ts): a kill leaves the beginning of the last record, a power cut
// perhaps zeros after it, and neither was acknowledged. Called by segment-log.ts.

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { crcOver } from '../../ports/crc.ts';
import { unframe } from '../framing.ts';
import { recordKey } from '../shard-log.ts';
import { neverWritten, type WalFault } from './wal.ts';

/** CRC-32 of what follows (4), length of the record (4), its number (6). */
export const HEAD_BYTES = 14;
const CRC_BYTES = 4;

export interface SegmentRecord {
  seq: number;
  framed: Buffer;
}

export function headOf(seq: number, length: number): Buffer {
  const head = Buffer.allocUnsafe(HEAD_BYTES);
  head.writeUInt32LE(length, CRC_BYTES);
  head.writeUIntLE(seq, CRC_BYTES + 4, 6);
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
      at += HEAD_BYTES + record.framed.length;
    }
    return records;
  } finally {
    closeSync(handle);
  }
}

interface SegmentFault extends WalFault {
  /** Where the record at fault ends, by its own word if that can be believed. */
  end: number;
}

function recordAt(bytes: Buffer, at: number): SegmentRecord | SegmentFault {
  const begin = at + HEAD_BYTES;
  if (begin > bytes.length) return { offset: at, end: begin, what: 'the head of a record is cut short' };
  if (bytes.readUInt32LE(at) !== crcOver(bytes.subarray(at + CRC_BYTES, begin), 0))
    return { offset: at, end: begin, what: 'the checksum of the head does not match' };
  const end = begin + bytes.readUInt32LE(at + CRC_BYTES);
  if (end > bytes.length) return { offset: at, end, what: 'a record is cut short' };
  const seq = bytes.readUIntLE(at + CRC_BYTES + 4, 6);
  const framed = bytes.subarray(begin, end);
  try {
    unframe(recordKey(seq), framed, '');
  } catch {
    return { offset: at, end, what: 'the checksum does not match' };
  }
  return { seq, framed };
}
