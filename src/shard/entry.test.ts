// Which log entries of other builds are read. What a build writes, the one before it reads: a newer node's entries reach older followers.

import { describe, expect, it } from 'vitest';
import { type Key, key } from '../ports/ids.ts';
import { decodeEntry, type Entry, encodeEntry } from './entry.ts';

const entry: Entry = { time: 5, rows: new Map(), receipts: [], counts: [], rewritten: [] };

describe('a log entry', () => {
  it.each([
    ['the same version', 1, { min: 1, max: 1 }],
    ['the version before, by a build that reads both', 1, { min: 1, max: 2 }],
    ['the version after, by a build that reads it already', 2, { min: 1, max: 2 }],
  ])('is read: %s', (_, version, reads) => {
    expect(decodeEntry(encodeEntry(entry, version), reads)).toEqual(entry);
  });

  it('holds rows of any length', () => {
    const lengths = [0, 1, 255, 256, 65_535, 65_536];
    const rows = new Map<Key, Uint8Array | undefined>(
      lengths.map((length, i) => [key('k'.repeat(lengths[lengths.length - 2 - i] ?? 7) + i), Buffer.alloc(length, i)]),
    );
    rows.set(key('gone'), undefined);
    const read = decodeEntry(encodeEntry({ ...entry, rows }));
    expect([...read.rows].map(([k, v]) => [k, v && Buffer.from(v)])).toEqual([...rows]);
  });

  it.each([
    ['two versions older', 1, { min: 2, max: 3 }, 'version 1, and 2 to 3 is read here'],
    ['two versions newer', 3, { min: 1, max: 1 }, 'version 3, and 1 is read here'],
  ])('is refused, and not guessed at: %s', (_, version, reads, message) => {
    expect(() => decodeEntry(encodeEntry(entry, version), reads)).toThrow(message);
  });
});
