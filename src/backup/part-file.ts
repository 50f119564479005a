// One file of a backup: chunks of rows as they came, each behind its length and digest (u32 each, little-endian). A digest is seeded with that
// of the chunk before, so that chunks cannot be lost, doubled or exchanged. Read one chunk at a time: memory holds no more.

import { type FileHandle, open } from 'node:fs/promises';
import type { BackupPart } from '../ports/cluster-backup.ts';
import { crcOver } from '../ports/crc.ts';
import type { Key } from '../ports/ids.ts';
import type { StoreChunk } from '../ports/replica-store.ts';
import { StoreError } from '../ports/store.ts';
import { rowsOfChunk } from '../store/index.ts';
import { damaged, type PartRecord } from './manifest.ts';

const HEAD_BYTES = 8;
/** No node-to-node message is larger, so no chunk is: a length beyond is damage. */
const MAX_CHUNK_BYTES = 64 * 1024 * 1024;

export class PartWriter implements BackupPart {
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #wrote: (added: { records: number; bytes: number }) => void;
  bytes = 0;
  chunks = 0;
  rows = 0;
  digest = 0;
  isComplete = false;

  constructor(path: string, handle: FileHandle, wrote: (added: { records: number; bytes: number }) => void) {
    this.#path = path;
    this.#handle = handle;
    this.#wrote = wrote;
  }

  async write({ bytes, digest, place }: StoreChunk): Promise<void> {
    if (this.isComplete) throw new Error(`${this.#path}: a chunk came after the last one`);
    if (crcOver(bytes, this.digest) !== digest) {
      throw new StoreError('failed', `chunk ${this.chunks} for ${this.#path} does not match its digest`, {
        hint: 'It was changed on its way: take the backup again.',
      });
    }
    const rows = rowsOfChunk(bytes).length;
    const head = Buffer.alloc(HEAD_BYTES);
    head.writeUInt32LE(bytes.length, 0);
    head.writeUInt32LE(digest, 4);
    await writeAll(this.#handle, Buffer.concat([head, bytes]));
    this.digest = digest;
    this.chunks += 1;
    this.rows += rows;
    this.bytes += HEAD_BYTES + bytes.length;
    if (place === 'last') {
      await this.#handle.sync();
      this.isComplete = true;
    }
    this.#wrote({ records: rows, bytes: bytes.length });
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await handle.write(bytes, at)).bytesWritten;
}

/** The rows of a part, a chunk at a time. Throws `corrupt`, naming the file, at the first byte that is not as it was written. */
export async function* readPart(
  path: string,
  { bytes, chunks, rows, digest }: PartRecord,
): AsyncIterable<readonly (readonly [Key, Uint8Array])[]> {
  let handle: FileHandle;
  try {
    handle = await open(path, 'r');
  } catch (error) {
    throw damaged(path, error instanceof Error ? error.message : String(error));
  }
  try {
    const { size } = await handle.stat();
    if (size !== bytes) throw damaged(path, `it has ${size} bytes, and had ${bytes}`);
    let at = 0;
    let rolling = 0;
    let found = 0;
    for (let n = 0; n < chunks; n += 1) {
      const head = await readExactly(handle, at, HEAD_BYTES);
      const length = head?.readUInt32LE(0) ?? 0;
      if (head === undefined || length > MAX_CHUNK_BYTES) throw damaged(path, `chunk ${n} at byte ${at} has no length`);
      const chunk = await readExactly(handle, at + HEAD_BYTES, length);
      if (chunk === undefined) throw damaged(path, `chunk ${n} at byte ${at} is cut short`);
      rolling = crcOver(chunk, rolling);
      if (rolling !== head.readUInt32LE(4)) throw damaged(path, `chunk ${n} at byte ${at} does not match its digest`);
      const some = rowsOf(path, chunk, n);
      found += some.length;
      at += HEAD_BYTES + length;
      yield some;
    }
    if (at !== bytes || rolling !== digest || found !== rows)
      throw damaged(path, 'it is not the file that backup.json tells of');
  } finally {
    await handle.close();
  }
}

function rowsOf(path: string, chunk: Uint8Array, n: number): [Key, Uint8Array][] {
  try {
    return rowsOfChunk(chunk);
  } catch (error) {
    throw damaged(path, `chunk ${n}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function readExactly(handle: FileHandle, position: number, length: number): Promise<Buffer | undefined> {
  const bytes = Buffer.allocUnsafe(length);
  for (let at = 0; at < length; ) {
    const { bytesRead } = await handle.read(bytes, at, length - at, position + at);
    if (bytesRead === 0) return undefined;
    at += bytesRead;
  }
  return bytes;
}
