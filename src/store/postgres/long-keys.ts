// Keys longer than an index of PostgreSQL takes (about 2,700 bytes): ids of 1,000 bytes each, with zeros that a key doubles, come to more.
// Such a row is stored under the beginning of its key and a digest of the rest, beside the rest itself. So all rows with one beginning lie
// together, but among themselves in no order; a range that meets one reads them whole and sorts.

import { createHash } from 'node:crypto';
import { prefixEnd } from '../keys.ts';

/** Of a long key, the part that orders it. With the digest well below the limit. */
export const HEAD_BYTES = 2_048;
const DIGEST_BYTES = 32;

export interface StoredKey {
  key: Buffer;
  /** Empty for a key of usual length. */
  rest: Buffer;
}

export function storedKey(key: string): StoredKey {
  const bytes = Buffer.from(key, 'latin1');
  if (bytes.length <= HEAD_BYTES) return { key: bytes, rest: EMPTY };
  const rest = bytes.subarray(HEAD_BYTES);
  const digest = createHash('sha256').update(rest).digest();
  return { key: Buffer.concat([bytes.subarray(0, HEAD_BYTES), digest.subarray(0, DIGEST_BYTES)]), rest };
}

const EMPTY = Buffer.alloc(0);

export function fullKey(stored: Buffer, rest: Buffer | null): string {
  if (rest === null) return stored.toString('latin1');
  return stored.toString('latin1', 0, HEAD_BYTES) + rest.toString('latin1');
}

export interface FoundRow {
  key: string;
  value: Buffer;
  long: boolean;
}

/** Rows of [from, to) as they are stored, at most `limit`, from either end. `from` and `to` are stored bounds. */
export type ReadStored = (from: Buffer, to: Buffer, limit: number) => Promise<FoundRow[]>;

/** What a range of full keys covers at most, as stored bounds. */
export function storedBounds(from: string, to: string): { from: Buffer; to: Buffer } {
  const end = to.length <= HEAD_BYTES ? to : prefixEnd(to.slice(0, HEAD_BYTES));
  return { from: Buffer.from(from.slice(0, HEAD_BYTES), 'latin1'), to: Buffer.from(end, 'latin1') };
}

/**
 * Rows of [from, to) in order of their full keys. Groups of long keys with one beginning are read whole: beyond `limit` only as far as the
 * last of them goes.
 */
export async function rangeOfKeys(
  read: ReadStored,
  { from, to, limit, reverse }: { from: string; to: string; limit: number; reverse: boolean },
): Promise<FoundRow[]> {
  if (limit === 0 || from >= to) return [];
  const bounds = storedBounds(from, to);
  const first = await read(bounds.from, bounds.to, limit);
  const usual = from.length <= HEAD_BYTES && to.length <= HEAD_BYTES;
  if (usual && !first.some(({ long }) => long)) return first;
  return sorted(read, { from, to, limit, reverse }, bounds);
}

async function sorted(
  read: ReadStored,
  { from, to, limit, reverse }: { from: string; to: string; limit: number; reverse: boolean },
  bounds: { from: Buffer; to: Buffer },
): Promise<FoundRow[]> {
  const found: FoundRow[] = [];
  const headOf = (key: string): string => key.slice(0, HEAD_BYTES);
  let { from: low, to: high } = bounds;
  for (;;) {
    const page = await read(low, high, limit);
    const last = page.at(-1);
    const lastHead = last === undefined ? undefined : headOf(last.key);
    // The group the page ends in may go on behind it: it is read whole, in its turn.
    const whole = page.length < limit ? page : page.filter(({ key }) => headOf(key) !== lastHead);
    found.push(...whole);
    if (page.length < limit || lastHead === undefined) break;
    const group = await readGroup(read, lastHead, bounds);
    found.push(...group);
    const inside = found.filter(({ key }) => key >= from && key < to);
    if (inside.length >= limit) break;
    if (reverse) high = Buffer.from(lastHead, 'latin1');
    else low = Buffer.from(lastHead.length < HEAD_BYTES ? `${lastHead}\0` : prefixEnd(lastHead), 'latin1');
  }
  const inside = found.filter(({ key }) => key >= from && key < to);
  const up = (a: FoundRow, b: FoundRow): number => (a.key < b.key ? -1 : 1);
  inside.sort(reverse ? (a, b) => up(b, a) : up);
  return inside.slice(0, limit);
}

const GROUP_ROWS = 100_000;

/** All rows whose keys begin with a head; the one row when it is shorter than a head. */
function readGroup(read: ReadStored, head: string, bounds: { from: Buffer; to: Buffer }): Promise<FoundRow[]> {
  const end = Buffer.from(head.length < HEAD_BYTES ? `${head}\0` : prefixEnd(head), 'latin1');
  const to = Buffer.compare(end, bounds.to) < 0 ? end : bounds.to;
  return read(Buffer.from(head, 'latin1'), to, GROUP_ROWS);
}
