// Checks LevelDB's table files block by block. An iterator of LevelDB passes over a block that it cannot decompress, and says so once, at its
// end: neither which nor how many. So `data verify` reads the checksums of the blocks itself and lists each that is damaged.
//
// Format (LevelDB's doc/table_format): blocks, each followed by its compression (1) and crc32c (4, masked); the last 48 bytes name the index
// block, whose entries name the data blocks, and the metaindex block, whose entries name the filter.

import { readFile } from 'node:fs/promises';
import { crc32c, unmask } from './crc32c.ts';
import { unsnap } from './snappy.ts';

const FOOTER_BYTES = 48;
const TRAILER_BYTES = 5;
const MAGIC = 0xdb4775248b80fb57n;
const SNAPPY = 1;
/** Sequence number and type behind each key of a table. */
const KEY_SUFFIX_BYTES = 8;

export interface TableDamage {
  file: string;
  /** Bytes from the start of the file. */
  offset: number;
  what: string;
  /** Keys of the records that cannot be trusted: above `after`, up to `upTo`; binary strings. Absent: any of the file. */
  keys?: { after: string; upTo: string } | undefined;
}

interface Handle {
  offset: number;
  size: number;
}

/** Everything that is damaged in one table; a file that is gone was compacted away meanwhile, and is no damage. */
export async function findTableDamage(file: string): Promise<TableDamage[]> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    return [{ file, offset: 0, what: error instanceof Error ? error.message : String(error) }];
  }
  return [...damagesOf(bytes)].map((damage) => ({ file, ...damage }));
}

function* damagesOf(bytes: Buffer): Generator<Omit<TableDamage, 'file'>> {
  const footer = bytes.length - FOOTER_BYTES;
  if (footer < 0 || bytes.readBigUInt64LE(bytes.length - 8) !== MAGIC) {
    yield { offset: Math.max(0, footer), what: 'the end of the table is damaged or missing' };
    return;
  }
  const reader = new Bytes(bytes.subarray(footer));
  const metaindex = reader.handle();
  const index = reader.handle();
  for (const [what, handle] of [
    ['index', index],
    ['metaindex', metaindex],
  ] as const) {
    const fault = handle === undefined ? 'not named' : faultOf(bytes, handle);
    if (fault !== undefined) {
      yield { offset: handle?.offset ?? footer, what: `the ${what} block: ${fault}` };
      continue;
    }
    let before = '';
    for (const entry of handle === undefined ? [] : entriesOf(bytes, handle)) {
      if (entry === undefined) {
        yield { offset: handle?.offset ?? footer, what: `the ${what} block cannot be read` };
        break;
      }
      const broken = faultOf(bytes, entry.handle);
      const keys = what === 'index' ? { after: before, upTo: entry.key } : undefined;
      if (broken !== undefined) yield { offset: entry.handle.offset, what: broken, keys };
      before = entry.key;
    }
  }
}

function faultOf(bytes: Buffer, { offset, size }: Handle): string | undefined {
  const end = offset + size;
  if (end + TRAILER_BYTES > bytes.length - FOOTER_BYTES) return 'the block lies outside of its file';
  const stored = unmask(bytes.readUInt32LE(end + 1));
  return stored === crc32c(bytes, offset, end + 1)
    ? undefined
    : `the checksum of a block of ${size} bytes does not match`;
}

/** The entries of an index or metaindex block; `undefined` where they make no sense. */
function* entriesOf(bytes: Buffer, { offset, size }: Handle): Generator<{ key: string; handle: Handle } | undefined> {
  const stored = bytes.subarray(offset, offset + size);
  const block = bytes[offset + size] === SNAPPY ? unsnap(stored) : stored;
  if (block === undefined || block.length < 4) {
    yield undefined;
    return;
  }
  const view = Buffer.from(block.buffer, block.byteOffset, block.byteLength);
  const restarts = view.readUInt32LE(view.length - 4);
  const end = view.length - 4 - 4 * restarts;
  const reader = new Bytes(view.subarray(0, Math.max(0, end)));
  for (let key = ''; !reader.atEnd; ) {
    const shared = reader.varint();
    const fresh = reader.varint();
    reader.varint();
    const rest = fresh === undefined ? undefined : reader.take(fresh);
    const handle = reader.handle();
    if (shared === undefined || shared > key.length || rest === undefined || handle === undefined) {
      yield undefined;
      return;
    }
    key = key.slice(0, shared) + rest.toString('latin1');
    yield { key: key.slice(0, Math.max(0, key.length - KEY_SUFFIX_BYTES)), handle };
  }
}

/** Reads forwards; `undefined` past the end. */
class Bytes {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  varint(): number | undefined {
    let value = 0;
    for (let scale = 1; scale <= 2 ** 49; scale *= 128) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) return undefined;
      this.#at += 1;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    return undefined;
  }

  take(count: number): Buffer | undefined {
    if (this.#at + count > this.#bytes.length) return undefined;
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }

  handle(): Handle | undefined {
    const offset = this.varint();
    const size = this.varint();
    return offset === undefined || size === undefined ? undefined : { offset, size };
  }
}
