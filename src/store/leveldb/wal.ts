// Checks LevelDB's write-ahead log before LevelDB reads it. LevelDB drops what it finds damaged there, silently, opens with less than was
// acknowledged and replaces the file (measured); so damage must be seen before, and then nothing is opened or changed.
//
// A torn tail is no damage: a killed process leaves the beginning of its last record, a power cut perhaps zeros after it, and neither was
// acknowledged. Format (LevelDB's doc/log_format): blocks of 32 KiB; in each, fragments of crc32c (4, masked), length (2), type (1), data.

import { closeSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { crc32c, unmask } from './crc32c.ts';

const BLOCK_BYTES = 32_768;
const HEAD_BYTES = 7;
const SECTOR_BYTES = 512;
const BLOCKS_AT_ONCE = 8;

const FULL = 1;
const FIRST = 2;
const LAST = 4;

export interface WalDamage {
  file: string;
  /** Bytes from the start of the file. */
  offset: number;
  what: string;
}

/** The first damage in the write-ahead logs of a LevelDB directory, which nobody may have open. */
export function findWalDamage(directory: string): WalDamage | undefined {
  const files = readdirSync(directory);
  const logs = files.filter((name) => /^\d+\.log$/.test(name));
  // LevelDB makes one whenever it opens a database, and keeps it.
  if (logs.length === 0 && files.some((name) => /^\d+\.ldb$/.test(name))) {
    return { file: directory, offset: 0, what: 'the file is gone' };
  }
  for (const name of logs.sort()) {
    const file = join(directory, name);
    const found = checkFile(file);
    if (found !== undefined) return { file, ...found };
  }
  return undefined;
}

export type WalFault = Omit<WalDamage, 'file'>;

function checkFile(file: string): WalFault | undefined {
  let handle: number;
  try {
    handle = openSync(file, 'r');
  } catch (error) {
    // Deleted since: another process has the directory open, and opening it will say so.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const { size } = fstatSync(handle);
    const buffer = Buffer.allocUnsafe(Math.min(size, BLOCKS_AT_ONCE * BLOCK_BYTES));
    const check = new FragmentCheck();
    for (let start = 0; start < size; ) {
      const read = readSync(handle, buffer, 0, Math.min(buffer.length, size - start), start);
      if (read === 0) return undefined;
      for (let at = 0; at < read; at += BLOCK_BYTES) {
        const fault = check.block(buffer.subarray(at, Math.min(at + BLOCK_BYTES, read)), start + at);
        if (fault === undefined) continue;
        // Only zeros from here on, or from within the fragment at fault on: what was to come was never written.
        return neverWritten(handle, size, fault) ? undefined : fault;
      }
      start += read;
    }
    return undefined;
  } finally {
    closeSync(handle);
  }
}

/** Whether whole sectors of zeros run from the fragment at fault to the end of the file. */
export function neverWritten(handle: number, size: number, { offset, end }: { offset: number; end: number }): boolean {
  const rest = Buffer.alloc(size - offset);
  readSync(handle, rest, 0, rest.length, offset);
  let written = rest.length;
  while (written > 0 && rest[written - 1] === 0) written -= 1;
  const zerosFrom = Math.ceil((offset + written) / SECTOR_BYTES) * SECTOR_BYTES;
  return written === 0 || (zerosFrom < end && zerosFrom + SECTOR_BYTES <= size);
}

interface Fragment extends WalFault {
  /** Where the fragment at fault ends, by its own word. */
  end: number;
}

class FragmentCheck {
  /** Within a record of several fragments. */
  #inside = false;

  /** Follows the fragments of one block. */
  block(bytes: Buffer, base: number): Fragment | undefined {
    const whole = bytes.length === BLOCK_BYTES;
    for (let at = 0; at + HEAD_BYTES <= bytes.length; ) {
      const length = bytes.readUInt16LE(at + 4);
      const type = bytes.readUInt8(at + 6);
      const end = at + HEAD_BYTES + length;
      const fault = (what: string): Fragment => ({ offset: base + at, end: base + end, what });
      if (end > bytes.length) {
        if (whole) return fault('the length of a record is wrong');
        // Cut short by a kill; or whole, and its length damaged.
        return shorterMatches(bytes, at) ? fault('the length of the last record is wrong') : undefined;
      }
      if (unmask(bytes.readUInt32LE(at)) !== crc32c(bytes, at + 6, end)) return fault('the checksum does not match');
      const begins = type === FULL || type === FIRST;
      if (begins === this.#inside) return fault('a part of a record is missing');
      this.#inside = type !== FULL && type !== LAST;
      at = end;
    }
    return undefined;
  }
}

/** Whether the bytes after a head, cut at some length, have the checksum of the head. */
function shorterMatches(bytes: Buffer, at: number): boolean {
  const wanted = unmask(bytes.readUInt32LE(at));
  let crc = 0;
  for (let i = at + 6; i < bytes.length; i += 1) {
    crc = crc32c(bytes, i, i + 1, crc);
    if (crc === wanted) return true;
  }
  return false;
}
