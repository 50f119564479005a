// Framing of what reaches the disk. LevelDB's own checks are not enough (DESIGN §5): a flipped bit in a table returns wrong values without
// an error. So every record carries a CRC over its key and value, and every log entry one seeded with its predecessor's (a chain).
import { crcOfBinary, crcOver } from '../ports/crc.ts';
import type { Key, Lsn, ShardId, Term } from '../ports/ids.ts';
import { lsn, shardId, term } from '../ports/ids.ts';
import { StoreError } from '../ports/store.ts';

export { chainOf } from '../ports/chain.ts';

/** First byte of the key of every record, by kind. */
export const META = 'M';
export const POSITION = 'P';
export const LOG = 'L';
export const ROW = 'R';
/** Rows of a snapshot that is being received: shard, then the key. */
export const STAGED = 'S';

const CRC_BYTES = 4;

/** CRC (4 bytes, little-endian) over key and value, then the value. */
export function frame(key: string, value: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(CRC_BYTES + value.length);
  framed.set(value, CRC_BYTES);
  framed.writeUInt32LE(crcOf(key, value), 0);
  return framed;
}

/** Names the place of a key for people: the directory and, where it can be told, the file. Called only when something is wrong. */
export type Locate = (key: string) => string;

/** The value; throws `corrupt` naming the key and its place. The result is a view of `framed`. */
export function unframe(key: string, framed: Uint8Array, where: string | Locate): Uint8Array {
  if (framed.length < CRC_BYTES) throw corrupt(key, where, 'the record is shorter than its checksum');
  const value = framed.subarray(CRC_BYTES);
  const stored = (framed[0] ?? 0) | ((framed[1] ?? 0) << 8) | ((framed[2] ?? 0) << 16) | ((framed[3] ?? 0) << 24);
  if (stored >>> 0 !== crcOf(key, value)) throw corrupt(key, where, 'the checksum does not match');
  return value;
}

function crcOf(key: string, value: Uint8Array): number {
  return crcOver(value, crcOfBinary(key));
}

/** A key for messages: quoted, what is not printable in hexadecimal. */
export const shownKey = (key: string): string =>
  `"${[...key].map((c) => (c >= ' ' && c <= '~' ? c : `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`)).join('')}"`;

export function corrupt(key: string, where: string | Locate, what: string): StoreError {
  const place = typeof where === 'string' ? where : where(key);
  return new StoreError('corrupt', `damaged data in ${place}, key ${shownKey(key)}: ${what}`, {
    ...(key.startsWith(ROW) ? { key: key.slice(ROW.length) } : {}),
    hint: 'Nothing damaged is served. `tenuto data verify` lists what is wrong; `tenuto data restore` brings back a backup.',
  });
}

export interface LoggedEntry {
  shard: ShardId;
  term: Term;
  lsn: Lsn;
  chain: number;
  entry: Uint8Array;
}

const ENTRY_HEAD_BYTES = 2 + 6 + 6 + 4 + 4;

/** All entries of one group commit as one record. */
export function encodeLogRecord(entries: readonly LoggedEntry[]): Buffer {
  let size = 4;
  for (const { entry } of entries) size += ENTRY_HEAD_BYTES + entry.length;
  const record = Buffer.allocUnsafe(size);
  let at = record.writeUInt32LE(entries.length, 0);
  for (const { shard, term: entryTerm, lsn: entryLsn, chain, entry } of entries) {
    at = record.writeUInt16LE(shard, at);
    at = record.writeUIntLE(entryTerm, at, 6);
    at = record.writeUIntLE(entryLsn, at, 6);
    at = record.writeUInt32LE(chain, at);
    at = record.writeUInt32LE(entry.length, at);
    record.set(entry, at);
    at += entry.length;
  }
  return record;
}

/** The entries are views of `bytes`. Throws RangeError on bytes that are no log record. */
export function decodeLogRecord(bytes: Uint8Array): LoggedEntry[] {
  const record = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries: LoggedEntry[] = [];
  const count = record.readUInt32LE(0);
  let at = 4;
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

/** A shard's position row: what the rows on disk reflect, and the chain to go on from. */
export interface PositionRow {
  term: Term;
  appliedLsn: Lsn;
  appliedTerm: Term;
  appliedChain: number;
  votedTerm: Term;
  votedFor: string;
  /** Entries above this lsn in log records up to `truncatedSeq` are void: records are never rewritten. */
  truncatedAfter: Lsn;
  truncatedSeq: number;
  /** Undefined: the log begins where the rows are. A replica may keep more of it. */
  base: { lsn: Lsn; term: Term; chain: number } | undefined;
  /** As of appliedLsn; empty when there is none. */
  configuration: Uint8Array;
  installing: boolean;
}

/** A shard never written to. */
export const ZERO_POSITION: PositionRow = {
  term: term(0),
  appliedLsn: lsn(0),
  appliedTerm: term(0),
  appliedChain: 0,
  votedTerm: term(0),
  votedFor: '',
  truncatedAfter: lsn(0),
  truncatedSeq: 0,
  base: undefined,
  configuration: new Uint8Array(),
  installing: false,
};

const POSITION_BYTES = 40;
/** After the name, where a replica has more to say: a zero, flags, base, configuration. A single node's rows end with the name. */
const REPLICA_BYTES = 1 + 1 + 16;
const HAS_BASE = 1;
const INSTALLING = 2;

export function encodePosition(row: PositionRow): Buffer {
  const name = Buffer.from(row.votedFor, 'utf8');
  const { base, configuration, installing } = row;
  const extended = base !== undefined || configuration.length > 0 || installing;
  const bytes = Buffer.alloc(POSITION_BYTES + name.length + (extended ? REPLICA_BYTES + configuration.length : 0));
  let at = bytes.writeUIntLE(row.term, 0, 6);
  at = bytes.writeUIntLE(row.appliedLsn, at, 6);
  at = bytes.writeUIntLE(row.appliedTerm, at, 6);
  at = bytes.writeUInt32LE(row.appliedChain, at);
  at = bytes.writeUIntLE(row.votedTerm, at, 6);
  at = bytes.writeUIntLE(row.truncatedAfter, at, 6);
  at = bytes.writeUIntLE(row.truncatedSeq, at, 6);
  at += name.copy(bytes, at);
  if (!extended) return bytes;
  at = bytes.writeUInt8(0, at);
  at = bytes.writeUInt8((base === undefined ? 0 : HAS_BASE) | (installing ? INSTALLING : 0), at);
  at = bytes.writeUIntLE(base?.lsn ?? 0, at, 6);
  at = bytes.writeUIntLE(base?.term ?? 0, at, 6);
  at = bytes.writeUInt32LE(base?.chain ?? 0, at);
  bytes.set(configuration, at);
  return bytes;
}

export function decodePosition(value: Uint8Array): PositionRow {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  const end = bytes.indexOf(0, POSITION_BYTES);
  const nameEnd = end < 0 ? bytes.length : end;
  const flags = end < 0 ? 0 : bytes.readUInt8(nameEnd + 1);
  return {
    term: term(bytes.readUIntLE(0, 6)),
    appliedLsn: lsn(bytes.readUIntLE(6, 6)),
    appliedTerm: term(bytes.readUIntLE(12, 6)),
    appliedChain: bytes.readUInt32LE(18),
    votedTerm: term(bytes.readUIntLE(22, 6)),
    truncatedAfter: lsn(bytes.readUIntLE(28, 6)),
    truncatedSeq: bytes.readUIntLE(34, 6),
    votedFor: bytes.subarray(POSITION_BYTES, nameEnd).toString('utf8'),
    base:
      (flags & HAS_BASE) === 0
        ? undefined
        : {
            lsn: lsn(bytes.readUIntLE(nameEnd + 2, 6)),
            term: term(bytes.readUIntLE(nameEnd + 8, 6)),
            chain: bytes.readUInt32LE(nameEnd + 14),
          },
    configuration: end < 0 ? new Uint8Array() : Uint8Array.from(bytes.subarray(nameEnd + REPLICA_BYTES)),
    installing: (flags & INSTALLING) !== 0,
  };
}

export type { Key };
