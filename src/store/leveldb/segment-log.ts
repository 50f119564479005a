// Log records of plain appends, in files of their own beside LevelDB's (docs/decisions/0026): a record is gone a second after it was written, and in
// LevelDB it would meanwhile be copied into a table, and read again to be dropped. Each append is one synced write, durable when it resolves (I1); a
// segment goes as a whole once nothing in it is wanted. What a process leaves behind, the next one moves into LevelDB before it serves.
// Called by LevelBackend, which keeps one write under way; every failure is final there.

import { existsSync, constants as fsConstants, readdirSync } from 'node:fs';
import { type FileHandle, mkdir, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { deflate, inflate } from './deflated.ts';
import { headOf, readSegment, type SegmentRecord } from './segment-file.ts';
import type { WalDamage } from './wal.ts';

/** A segment takes no more once it has so many bytes; the last record may exceed it. */
export const SEGMENT_BYTES = 8 * 1024 * 1024;
const FOLDER = 'segments';
const SUFFIX = '.seg';

/** Where the kernel syncs in the same call; elsewhere a second one does (on macOS it alone reaches the medium). */
const SYNCED_WRITES = process.platform === 'linux';
const OPEN_FLAGS =
  fsConstants.O_RDWR | fsConstants.O_CREAT | fsConstants.O_EXCL | (SYNCED_WRITES ? fsConstants.O_DSYNC : 0);

interface Segment {
  readonly number: number;
  readonly file: string;
  readonly handle: FileHandle;
  bytes: number;
  /** Records that are still wanted. */
  live: number;
  /** Reads under way. */
  readers: number;
  removed: boolean;
}

interface Place {
  readonly segment: Segment;
  readonly at: number;
  /** In the file, bytes. */
  readonly length: number;
  /** Undefined: it is not deflated. */
  readonly plain: number | undefined;
}

/** What is known of segments by other means than their files. */
export interface KnownSegments {
  /** Those up to this number were moved elsewhere; a file of one may be there still. */
  movedTo: number;
  /** Number of the newest, which must be there if it was not moved; 0: there was none. */
  newest: number;
}

export class SegmentLog {
  readonly folder: string;
  readonly #segmentBytes: number;
  #next = 1;
  #movedTo = 0;
  #segments: Segment[] = [];
  readonly #places = new Map<number, Place>();

  /** @param directory LevelDB's own; the folder in it is made when it is needed */
  constructor(directory: string, segmentBytes = SEGMENT_BYTES) {
    this.folder = join(directory, FOLDER);
    this.#segmentBytes = segmentBytes;
  }

  /** Of all segments, wanted or not. */
  get bytes(): number {
    return this.#segments.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  get size(): number {
    return this.#places.size;
  }

  has(seq: number): boolean {
    return this.#places.has(seq);
  }

  /** Of all records, ascending. */
  numbers(): number[] {
    return [...this.#places.keys()].sort((a, b) => a - b);
  }

  fileOf(seq: number): string | undefined {
    return this.#places.get(seq)?.segment.file;
  }

  /**
   * The records that earlier processes left, file by file, or the first damage. Nobody else may have the directory open. New segments get
   * numbers above all of them.
   */
  *leftovers({ movedTo, newest }: KnownSegments): Iterable<SegmentRecord[] | WalDamage> {
    const numbers = this.#numbersOnDisk();
    const last = numbers.at(-1) ?? 0;
    this.#movedTo = movedTo;
    this.#next = Math.max(movedTo, newest, last) + 1;
    if (newest > movedTo && !numbers.includes(newest)) {
      yield { file: this.#file(newest), offset: 0, what: 'the file is gone' };
      return;
    }
    for (const number of numbers) {
      if (number <= movedTo) continue;
      const file = this.#file(number);
      const found = readSegment(file, number === last ? 'mayBeTorn' : 'whole');
      if (!Array.isArray(found)) {
        yield { file, ...found };
        return;
      }
      yield found;
    }
  }

  /**
   * Ends what `leftovers` began: they hold nothing that is not durable elsewhere.
   *
   * @param announce makes it durable that they are moved, before their files go
   */
  async forgetLeftovers(announce: (known: KnownSegments) => Promise<void>): Promise<void> {
    this.#movedTo = this.#next - 1;
    await announce({ movedTo: this.#movedTo, newest: 0 });
    for (const number of this.#numbersOnDisk()) await unlink(this.#file(number));
  }

  /**
   * Durable when it resolves. A disk that takes less than the whole has refused it.
   *
   * @param announce makes it durable elsewhere that there is a new segment: called before anything is in it
   */
  async append(seq: number, framed: Uint8Array, announce: (known: KnownSegments) => Promise<void>): Promise<void> {
    const newest = this.#segments.at(-1);
    const segment =
      newest !== undefined && newest.bytes < this.#segmentBytes ? newest : await this.#begin(newest, announce);
    const { handle, bytes } = segment;
    const smaller = await deflate(framed);
    const stored = smaller ?? framed;
    const plain = smaller === undefined ? undefined : framed.length;
    const head = headOf(seq, stored, plain);
    const { bytesWritten } = await handle.writev([head, stored], bytes);
    const length = head.length + stored.length;
    if (bytesWritten !== length)
      throw new Error(`No space left on device: ${bytesWritten} of ${length} bytes were written to ${segment.file}`);
    if (!SYNCED_WRITES) await handle.datasync();
    segment.bytes += length;
    segment.live += 1;
    this.#places.set(seq, { segment, at: bytes + head.length, length: stored.length, plain });
  }

  async #begin(full: Segment | undefined, announce: (known: KnownSegments) => Promise<void>): Promise<Segment> {
    const number = this.#next;
    this.#next += 1;
    if (!existsSync(this.folder)) {
      await mkdir(this.folder);
      await syncFolder(join(this.folder, '..'));
    }
    const file = this.#file(number);
    const handle = await open(file, OPEN_FLAGS, 0o644);
    const segment: Segment = { number, file, handle, bytes: 0, live: 0, readers: 0, removed: false };
    this.#segments.push(segment);
    await syncFolder(this.folder);
    await announce({ movedTo: this.#movedTo, newest: number });
    if (full?.live === 0) await this.#remove(full);
    return segment;
  }

  /** Undefined: it is not here. */
  async read(seq: number): Promise<Buffer | undefined> {
    const place = this.#places.get(seq);
    if (place === undefined) return undefined;
    place.segment.readers += 1;
    try {
      return await readAt(place);
    } finally {
      await this.#release(place.segment);
    }
  }

  /** Every record as of the call, in order, whatever is dropped meanwhile. To be begun, then read to its end or returned from. */
  copy(): AsyncGenerator<SegmentRecord> {
    const places = this.numbers().map((seq) => [seq, this.#places.get(seq) as Place] as const);
    const segments = new Set(places.map(([, { segment }]) => segment));
    for (const segment of segments) segment.readers += 1;
    return this.#copied(places, segments);
  }

  async *#copied(
    places: readonly (readonly [number, Place])[],
    segments: ReadonlySet<Segment>,
  ): AsyncGenerator<SegmentRecord> {
    try {
      for (const [seq, place] of places) yield { seq, framed: await readAt(place) };
    } finally {
      for (const segment of segments) await this.#release(segment);
    }
  }

  async #release(segment: Segment): Promise<void> {
    segment.readers -= 1;
    if (segment.removed && segment.readers === 0) await segment.handle.close();
  }

  /** These records are not wanted any more. The newest segment stays: it is written to. */
  async drop(numbers: Iterable<number>): Promise<void> {
    const emptied: Segment[] = [];
    for (const seq of numbers) {
      const place = this.#places.get(seq);
      if (place === undefined) continue;
      this.#places.delete(seq);
      place.segment.live -= 1;
      if (place.segment.live === 0) emptied.push(place.segment);
    }
    const newest = this.#segments.at(-1);
    for (const segment of emptied) if (segment !== newest) await this.#remove(segment);
  }

  /** Numbers of the wanted records of the oldest segment that is not written to any more; none: there is no such segment. */
  oldest(): number[] {
    const [segment] = this.#segments;
    if (segment === undefined || this.#segments.length < 2) return [];
    return this.numbers().filter((seq) => this.#places.get(seq)?.segment === segment);
  }

  async #remove(segment: Segment): Promise<void> {
    this.#segments = this.#segments.filter((one) => one !== segment);
    segment.removed = true;
    await unlink(segment.file);
    if (segment.readers === 0) await segment.handle.close();
  }

  /** The files stay, for the next process. */
  async close(): Promise<void> {
    const segments = this.#segments;
    this.#segments = [];
    this.#places.clear();
    await Promise.all(segments.map(({ handle }) => handle.close().catch(() => {})));
  }

  #numbersOnDisk(): number[] {
    if (!existsSync(this.folder)) return [];
    return readdirSync(this.folder)
      .filter((name) => name.endsWith(SUFFIX))
      .map((name) => Number.parseInt(name, 10))
      .sort((a, b) => a - b);
  }

  #file(number: number): string {
    return join(this.folder, `${String(number).padStart(8, '0')}${SUFFIX}`);
  }
}

/** What is damaged comes as it is: then its checksum does not match. */
async function readAt({ segment, at, length, plain }: Place): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length);
  // Perhaps cut short behind our back.
  const { bytesRead } = await segment.handle.read(bytes, 0, length, at);
  const stored = bytes.subarray(0, bytesRead);
  return plain === undefined ? stored : ((await inflate(stored, plain)) ?? stored);
}

/** Makes the names in it durable. */
async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
