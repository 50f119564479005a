// What the keys of a data directory mean. The first byte says the kind:
//
//   I            whose data this is: directory id and shard count, against a manifest that is lost or of another directory
//   P shard      position: what the rows reflect, term, vote, the last truncation
//   L seq        log record: the entries of one append call, all shards
//   M low        where the live L and T records begin, so that no scan crosses tombstones
//   M term       the highest term handed out by nextTerm
//   R key        row
//   T batch      tally: every synced batch writes its own and deletes its predecessor's. LevelDB drops damaged batches from its
//                write-ahead log without a word; a dropped one leaves two tallies behind, which recovery takes for damage.
//
// Numbers in keys are big-endian, in values little-endian. Every value is framed by a CRC over key and value (framing.ts).

import { type Lsn, lsn, type ShardId, type Term, term } from '../ports/ids.ts';
import { readNumber, u16Key, u48Key } from './keys.ts';

export const IDENTITY = 'I';
export const POSITION = 'P';
export const LOG = 'L';
export const ROW = 'R';
export const TALLY = 'T';
export const LOW_KEY = 'Mlow';
export const TERM_KEY = 'Mterm';

export const logKey = (seq: number): string => LOG + u48Key(seq);
export const tallyKey = (batch: number): string => TALLY + u48Key(batch);
export const positionKey = (shard: ShardId): string => POSITION + u16Key(shard);
/** The number in a key of `logKey` or `tallyKey`. */
export const seqOf = (stored: string): number => readNumber(stored, 1, 6);
export const shardOf = (stored: string): ShardId => readNumber(stored, 1, 2) as ShardId;

export interface Identity {
  directoryId: string;
  shardCount: number;
}

export function encodeIdentity({ directoryId, shardCount }: Identity): Buffer {
  return Buffer.from(JSON.stringify({ directoryId, shardCount }));
}

/** Throws on bytes that are none; they were checksummed, so only another program can have written such. */
export function decodeIdentity(value: Uint8Array): Identity {
  const { directoryId, shardCount } = JSON.parse(asBuffer(value).toString('utf8')) as Partial<Identity>;
  if (typeof directoryId !== 'string' || typeof shardCount !== 'number') throw new TypeError('not an identity');
  return { directoryId, shardCount };
}

/** A shard's position row: what the rows on disk reflect, and the chain to go on from. */
export interface PositionRow {
  term: Term;
  appliedLsn: Lsn;
  appliedTerm: Term;
  appliedChain: number;
  votedTerm: Term;
  votedFor: string;
  /**
   * The last truncation: entries above `truncatedAfter` in log records up to `truncatedSeq` are void. Records shared with other shards
   * stay as they are. One truncation is enough to know: an older one's void entries were since written again, in later records, up to here.
   */
  truncatedAfter: Lsn;
  truncatedSeq: number;
}

export const NO_POSITION: PositionRow = {
  term: term(0),
  appliedLsn: lsn(0),
  appliedTerm: term(0),
  appliedChain: 0,
  votedTerm: term(0),
  votedFor: '',
  truncatedAfter: lsn(0),
  truncatedSeq: 0,
};

const POSITION_BYTES = 40;

export function encodePosition(row: PositionRow): Buffer {
  const name = Buffer.from(row.votedFor, 'utf8');
  const bytes = Buffer.allocUnsafe(POSITION_BYTES + name.length);
  let at = bytes.writeUIntLE(row.term, 0, 6);
  at = bytes.writeUIntLE(row.appliedLsn, at, 6);
  at = bytes.writeUIntLE(row.appliedTerm, at, 6);
  at = bytes.writeUInt32LE(row.appliedChain, at);
  at = bytes.writeUIntLE(row.truncatedAfter, at, 6);
  at = bytes.writeUIntLE(row.truncatedSeq, at, 6);
  at = bytes.writeUIntLE(row.votedTerm, at, 6);
  name.copy(bytes, at);
  return bytes;
}

export function decodePosition(value: Uint8Array): PositionRow {
  const bytes = asBuffer(value);
  return {
    term: term(bytes.readUIntLE(0, 6)),
    appliedLsn: lsn(bytes.readUIntLE(6, 6)),
    appliedTerm: term(bytes.readUIntLE(12, 6)),
    appliedChain: bytes.readUInt32LE(18),
    truncatedAfter: lsn(bytes.readUIntLE(22, 6)),
    truncatedSeq: bytes.readUIntLE(28, 6),
    votedTerm: term(bytes.readUIntLE(34, 6)),
    votedFor: bytes.subarray(POSITION_BYTES).toString('utf8'),
  };
}

/** The first live log record and the first tally that may exist. */
export interface LowWater {
  log: number;
  tally: number;
}

export const encodeLow = ({ log, tally }: LowWater): Buffer => numbers(log, tally);

export function decodeLow(value: Uint8Array): LowWater {
  const bytes = asBuffer(value);
  return { log: bytes.readUIntLE(0, 6), tally: bytes.readUIntLE(6, 6) };
}

export const encodeTerm = (n: Term): Buffer => numbers(n);
export const decodeTerm = (value: Uint8Array): Term => term(asBuffer(value).readUIntLE(0, 6));

function numbers(...values: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(values.length * 6);
  values.forEach((value, i) => {
    bytes.writeUIntLE(value, i * 6, 6);
  });
  return bytes;
}

export function asBuffer(value: Uint8Array): Buffer {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}
