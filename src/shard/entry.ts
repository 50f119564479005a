// One log entry of one shard: the outcome of its turns, never their messages (DESIGN §5). Applying it decides nothing.
// MessagePack: [version, shard time, [key, value | nil, …], [source shard, seq, …], [[namespace, queue, kind, delta], …], [key, …]],
// written by hand so that a key goes from binary string to bytes, and a value's bytes are copied, exactly once.

import { type Key, key } from '../ports/ids.ts';
import type { QueueKey } from '../ports/matching.ts';
import { decode, encode } from '../wire/codec.ts';
import { isIn, rangeText, VERSIONS } from '../wire/versions.ts';

export interface Entry {
  /** Shard time of the last turn, epoch ms (I7). */
  time: number;
  rows: ReadonlyMap<Key, Uint8Array | undefined>;
  /** Outbox messages applied by this entry: source shard and number. */
  receipts: readonly Receipt[];
  /** How the number of waiting tasks moved, per queue. */
  counts: readonly BacklogDelta[];
  /** Keys written of which an older row may be on disk, although they are otherwise written once. */
  rewritten: readonly Key[];
}

export interface Receipt {
  source: number;
  seq: number;
}

export interface BacklogDelta {
  queue: QueueKey;
  delta: number;
}

const FORMAT = VERSIONS.kept.logEntry;
const EMPTY_TAIL = Uint8Array.of(0x90, 0x90, 0x90);
const NOTHING_ELSE: Omit<Entry, 'time' | 'rows'> = { receipts: [], counts: [], rewritten: [] };
const LIST_OF_THREE = Uint8Array.of(0x93);
/** Up to the first row: list, version, time, length of the list of rows. */
const HEAD_BYTES = 2 + 9 + 5;

export function encodeEntry(entry: Entry, version = FORMAT.writes): Uint8Array {
  const tail =
    entry.receipts.length === 0 && entry.counts.length === 0 && entry.rewritten.length === 0
      ? EMPTY_TAIL
      : Buffer.concat([
          encode(entry.receipts.flatMap(({ source, seq }) => [source, seq])),
          encode(entry.counts.map(({ queue, delta }) => [queue.namespace, queue.name, queue.kind, delta])),
          encode(entry.rewritten.map((k) => Buffer.from(k, 'latin1'))),
        ]);
  let size = HEAD_BYTES + tail.length;
  // By forEach, like Turn.seal.
  entry.rows.forEach((value, k) => {
    size += headSize(k.length) + k.length + (value === undefined ? 1 : headSize(value.length) + value.length);
  });
  const bytes = Buffer.allocUnsafeSlow(size);
  bytes[0] = 0x96;
  bytes[1] = version;
  bytes[2] = 0xcb;
  bytes.writeDoubleBE(entry.time, 3);
  bytes[11] = 0xdd;
  bytes.writeUInt32BE(entry.rows.size * 2, 12);
  let at = 16;
  entry.rows.forEach((value, k) => {
    at = writeHead(bytes, at, k.length);
    bytes.write(k, at, 'latin1');
    at += k.length;
    if (value === undefined) {
      bytes[at] = 0xc0;
      at += 1;
    } else {
      at = writeHead(bytes, at, value.length);
      bytes.set(value, at);
      at += value.length;
    }
  });
  bytes.set(tail, at);
  return bytes;
}

/** Of MessagePack's bin 8, 16 and 32: most rows are short. */
const headSize = (length: number): number => (length < 0x100 ? 2 : length < 0x1_0000 ? 3 : 5);

/** Returns where the bytes go. */
function writeHead(bytes: Buffer, at: number, length: number): number {
  if (length < 0x100) {
    bytes[at] = 0xc4;
    bytes[at + 1] = length;
    return at + 2;
  }
  if (length < 0x1_0000) {
    bytes[at] = 0xc5;
    return bytes.writeUInt16BE(length, at + 1);
  }
  bytes[at] = 0xc6;
  return bytes.writeUInt32BE(length, at + 1);
}

const bad = (what: string): Error =>
  new Error(`A log entry cannot be understood (${what}): it was written by another version, or its bytes are damaged.`);

/**
 * Throws on bytes that are no entry, or one of another version. Values are views of these bytes, which must not change: a replica decodes every
 * entry of its leader, and an allocation for each row cost it more than all the rest. An entry's rows leave memory together, with a flush.
 */
export function decodeEntry(bytes: Uint8Array, reads = FORMAT.reads): Entry {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer[0] !== 0x96) throw bad('not six parts');
  const version = buffer[1] ?? 0xc1;
  // Versions are small: one byte of MessagePack.
  if (version > 0x7f) throw bad('no version');
  if (!isIn(version, reads)) throw bad(`version ${version}, and ${rangeText(reads)} is read here`);
  if (buffer.length < HEAD_BYTES || buffer[2] !== 0xcb || buffer[11] !== 0xdd) throw bad('parts of the wrong type');
  const rows = new Map<Key, Uint8Array | undefined>();
  let at = HEAD_BYTES;
  for (let left = buffer.readUInt32BE(12); left > 0; left -= 2) {
    const from = startOfBytes(buffer, at);
    at = endOfBytes(buffer, at);
    const k = key(buffer.toString('latin1', from, at));
    if (buffer[at] === 0xc0) {
      rows.set(k, undefined);
      at += 1;
    } else {
      const start = startOfBytes(buffer, at);
      at = endOfBytes(buffer, at);
      rows.set(k, new Uint8Array(buffer.buffer, buffer.byteOffset + start, at - start));
    }
  }
  const tail = buffer.subarray(at);
  return { time: buffer.readDoubleBE(3), rows, ...(tail.equals(EMPTY_TAIL) ? NOTHING_ELSE : readTail(tail)) };
}

/** Where the bytes begin whose head is here. */
function startOfBytes(buffer: Buffer, at: number): number {
  switch (buffer[at]) {
    case 0xc4:
      return at + 2;
    case 0xc5:
      return at + 3;
    case 0xc6:
      return at + 5;
    default:
      throw bad('a row');
  }
}

/** … and where they end. */
function endOfBytes(buffer: Buffer, at: number): number {
  const start = startOfBytes(buffer, at);
  if (start > buffer.length) throw bad('a row that is cut off');
  const end = start + buffer.readUIntBE(at + 1, start - at - 1);
  if (end > buffer.length) throw bad('a row that is cut off');
  return end;
}

/** What follows the rows. */
function readTail(bytes: Buffer): Omit<Entry, 'time' | 'rows'> {
  // As one list of three, since a MessagePack decoder takes one value.
  const parts = decode(Buffer.concat([LIST_OF_THREE, bytes]));
  if (!Array.isArray(parts)) throw bad('no tail');
  const [flatReceipts, counts, rewritten] = parts as unknown[];
  if (!Array.isArray(flatReceipts) || !Array.isArray(counts) || !Array.isArray(rewritten))
    throw bad('parts of the wrong type');
  const receipts: Receipt[] = [];
  for (let i = 0; i < flatReceipts.length; i += 2) {
    receipts.push({ source: Number(flatReceipts[i]), seq: Number(flatReceipts[i + 1]) });
  }
  return {
    receipts,
    counts: counts.map((item: unknown) => {
      if (!Array.isArray(item)) throw bad('a count');
      const [namespace, name, kind, delta] = item as unknown[];
      return {
        queue: {
          namespace: String(namespace),
          name: String(name),
          kind: kind === 'activity' ? 'activity' : 'workflow',
        },
        delta: Number(delta),
      };
    }),
    rewritten: rewritten.map((k: unknown) => {
      if (!(k instanceof Uint8Array)) throw bad('a key');
      return key(Buffer.from(k).toString('latin1'));
    }),
  };
}
