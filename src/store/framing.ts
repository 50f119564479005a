// Framing of what reaches the disk. LevelDB's own checks are not enough (DESIGN §5): a flipped bit in a table returns wrong values without
// an error. So every record carries a CRC over its key and value, and every log entry one seeded with its predecessor's (a chain).
import { crc32 } from 'node:zlib';
import type { Lsn, ShardId, Term } from '../ports/ids.ts';
import { lsn, shardId, term } from '../ports/ids.ts';
import { StoreError } from '../ports/store.ts';
import type { Write } from './backend.ts';
import { showKey } from './keys.ts';
import { asBuffer, ROW } from './layout.ts';

const CRC_BYTES = 4;

/** A put of `value` under `key`: CRC (4 bytes, little-endian) over key and value, then the value. One allocation for both. */
export function frame(key: string, value: Uint8Array): Write {
  const start = key.length;
  const bytes = Buffer.allocUnsafe(start + CRC_BYTES + value.length);
  bytes.set(value, start + CRC_BYTES);
  return seal(key, bytes);
}

/** `bytes` has room for the key and the checksum before the value, which is in place. */
function seal(key: string, bytes: Buffer): Write {
  const start = key.length;
  bytes.latin1Write(key, 0);
  const keyBytes = bytes.subarray(0, start);
  bytes.writeUInt32LE(crc32(bytes.subarray(start + CRC_BYTES), crc32(keyBytes)), start);
  return [keyBytes, bytes.subarray(start)];
}

export function deletion(key: string): Write {
  return [Buffer.from(key, 'latin1'), undefined];
}

/** The value; throws `corrupt` naming key and place. The result is a view of `framed`. */
export function unframe(key: string, framed: Uint8Array, locate: (key: string) => string): Uint8Array {
  if (framed.length < CRC_BYTES) throw corrupt(key, locate(key), 'the record is shorter than its checksum');
  const value = framed.subarray(CRC_BYTES);
  const stored = (framed[0] ?? 0) | ((framed[1] ?? 0) << 8) | ((framed[2] ?? 0) << 16) | ((framed[3] ?? 0) << 24);
  if (stored >>> 0 !== crc32(value, crc32(Buffer.from(key, 'latin1')))) {
    throw corrupt(key, locate(key), 'the checksum does not match');
  }
  return value;
}

const HEAD = Buffer.alloc(14);

/** Chain of one entry: CRC of shard, term, lsn and bytes, seeded with the predecessor's chain (0 before the first). */
export function chainOf(previous: number, shard: ShardId, entryTerm: Term, entryLsn: Lsn, entry: Uint8Array): number {
  HEAD.writeUInt16LE(shard, 0);
  HEAD.writeUIntLE(entryTerm, 2, 6);
  HEAD.writeUIntLE(entryLsn, 8, 6);
  return crc32(entry, crc32(HEAD, previous));
}

export function corrupt(stored: string, where: string, what: string): StoreError {
  return new StoreError('corrupt', `damaged data in ${where}, key "${showKey(stored)}": ${what}`, {
    hint: 'Nothing damaged is served. `tenuto data verify` lists what is wrong; `tenuto data restore` brings back a backup.',
    ...(stored.startsWith(ROW) ? { key: stored.slice(1) } : {}),
  });
}

export interface LoggedEntry {
  shard: ShardId;
  term: Term;
  lsn: Lsn;
  chain: number;
  entry: Uint8Array;
}

const COUNT_BYTES = 4;
const ENTRY_HEAD_BYTES = 2 + 6 + 6 + 4 + 4;

/** All entries of one append as one framed record. Each entry is copied once, here. */
export function frameLogRecord(key: string, entries: readonly LoggedEntry[]): Write {
  const start = key.length + CRC_BYTES;
  let size = start + COUNT_BYTES;
  for (const { entry } of entries) size += ENTRY_HEAD_BYTES + entry.length;
  const bytes = Buffer.allocUnsafe(size);
  let at = bytes.writeUInt32LE(entries.length, start);
  for (const { shard, term: entryTerm, lsn: entryLsn, chain, entry } of entries) {
    at = bytes.writeUInt16LE(shard, at);
    at = bytes.writeUIntLE(entryTerm, at, 6);
    at = bytes.writeUIntLE(entryLsn, at, 6);
    at = bytes.writeUInt32LE(chain, at);
    at = bytes.writeUInt32LE(entry.length, at);
    bytes.set(entry, at);
    at += entry.length;
  }
  return seal(key, bytes);
}

/** The entries are views of `value`. Throws RangeError on bytes that are no log record. */
export function decodeLogRecord(value: Uint8Array): LoggedEntry[] {
  const record = asBuffer(value);
  const entries: LoggedEntry[] = [];
  const count = record.readUInt32LE(0);
  let at = COUNT_BYTES;
  for (let i = 0; i < count; i += 1) {
    const length = record.readUInt32LE(at + 18);
    const end = at + ENTRY_HEAD_BYTES + length;
    if (end > record.length) throw new RangeError('log record cut short');
    entries.push({
      shard: shardId(record.readUInt16LE(at)),
      term: term(record.readUIntLE(at + 2, 6)),
      lsn: lsn(record.readUIntLE(at + 8, 6)),
      chain: record.readUInt32LE(at + 14),
      entry: record.subarray(at + ENTRY_HEAD_BYTES, end),
    });
    at = end;
  }
  if (at !== record.length) throw new RangeError('log record has trailing bytes');
  return entries;
}
