// The backend on LevelDB. One handle, binary keys and values. A write error is final for the handle: after one ENOSPC LevelDB goes on
// acknowledging synced batches that are gone on reopen (measured), so LogStore never writes again after a failure.
// A log record that is a write by itself goes into a segment (segment-log.ts) instead; one that comes with rows stays with them in one batch.
import { existsSync } from 'node:fs';
import { readdir, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { Level } from 'level';
import { StoreError } from '../../ports/store.ts';
import type { Backend, BackendView, Range, Write } from '../backend.ts';
import { LOG } from '../framing.ts';
import { recordKey, recordSeq } from '../shard-log.ts';
import { Gate } from './gate.ts';
import { moveLeftovers, SEGMENTS_KEY, segmentsWrite } from './leftovers.ts';
import { DEFAULT_LEVELDB_OPTIONS } from './options.ts';
import { SegmentLog } from './segment-log.ts';
import { filesOf, liveTables } from './sstables.ts';
import { findTableDamage, type TableDamage } from './tables.ts';
import { findWalDamage, type WalDamage } from './wal.ts';

/** Bytes of the table cache: small, the overlay above is the real cache. */
const CACHE_BYTES = 16 * 1024 * 1024;
const MAX_OPEN_FILES = 256;
const SNAPSHOT_PAGE = 1_000;
/** Threads of libuv's pool, which has 4, that reads may hold. */
const READERS = 2;
/** Past this many operations a chained batch is cheaper (0.6 µs each, not 7); below, an array is: it frees its memory at once. */
const ARRAY_WRITES = 16;
/** Bytes an iterator hands over per trip to the pool; 16 KiB by default. Large ranges would make thousands of trips. */
const LARGE_PAGE_BYTES = 512 * 1024;
const LARGE_RANGE_ROWS = 100;

/**
 * Segments hold at most about this much, bytes: one record of a shard that is not flushed, or that a replica lacks, keeps a whole segment. Past it, what is
 * still wanted of the oldest one moves into LevelDB.
 */
const MAX_SEGMENTS_BYTES = 128 * 1024 * 1024;

export interface LevelOptions {
  /** An absent database is made; otherwise it is an error. */
  create: boolean;
  /** As of `LevelDbOptions`. */
  writeBufferBytes?: number | undefined;
  /** For tests: how much a segment takes, and all of them. */
  segmentBytes?: number;
  maxSegmentsBytes?: number;
}

const toBytes = (key: string): Buffer => Buffer.from(key, 'latin1');
const toKey = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
const isWithin = (key: string, { from, to }: Range): boolean => key >= from && key < to;
const toBuffer = (value: Uint8Array): Buffer => Buffer.from(value.buffer, value.byteOffset, value.byteLength);

export class LevelBackend implements Backend {
  readonly name: string;
  readonly #create: boolean;
  readonly #writeBufferBytes: number;
  #handle: Level<Buffer, Buffer> | undefined;
  readonly #reads = new Gate(READERS);
  readonly #segments: SegmentLog;
  readonly #maxSegmentsBytes: number;

  constructor(directory: string, options: LevelOptions) {
    this.name = directory;
    this.#create = options.create;
    this.#writeBufferBytes = options.writeBufferBytes ?? DEFAULT_LEVELDB_OPTIONS.writeBufferBytes;
    this.#segments = new SegmentLog(directory, options.segmentBytes);
    this.#maxSegmentsBytes = options.maxSegmentsBytes ?? MAX_SEGMENTS_BYTES;
  }

  async open(): Promise<void> {
    if (this.#handle !== undefined) return;
    if (existsSync(this.name)) this.#checkWal();
    // Made here, because a handle opens itself soon after it is made.
    const handle = new Level<Buffer, Buffer>(this.name, {
      keyEncoding: 'buffer',
      valueEncoding: 'buffer',
      createIfMissing: this.#create,
      cacheSize: CACHE_BYTES,
      writeBufferSize: this.#writeBufferBytes,
      maxOpenFiles: MAX_OPEN_FILES,
      compression: true,
    } as object);
    await handle.open();
    this.#handle = handle;
    try {
      // LevelDB's lock keeps others out from here on.
      await this.#moveLeftovers();
    } catch (error) {
      this.#handle = undefined;
      await handle.close();
      throw error;
    }
  }

  async #moveLeftovers(): Promise<void> {
    const damage = await moveLeftovers(this.#segments, {
      get: (key) => this.get(key),
      range: (range) => this.range(range),
      locate: (key) => this.locate(key),
      put: (writes) => this.#put(writes, 'sync'),
    });
    if (damage !== undefined) throw this.#damaged(damage);
  }

  get #db(): Level<Buffer, Buffer> {
    if (this.#handle === undefined) throw new StoreError('closed', `the store in ${this.name} is not open`);
    return this.#handle;
  }

  #checkWal(): void {
    const damage = findWalDamage(this.name);
    if (damage !== undefined) throw this.#damaged(damage);
  }

  #damaged({ file, offset, what }: WalDamage): StoreError {
    return new StoreError('corrupt', `damaged data in ${file}, at byte ${offset} of the write-ahead log: ${what}`, {
      hint: 'Opened, it would be without some of what was acknowledged. Nothing was changed: `tenuto data restore` brings back a backup.',
    });
  }

  async write(writes: readonly Write[], durability: 'sync' | 'lazy'): Promise<void> {
    const [only] = writes;
    // The hot path, an append and nothing else.
    if (writes.length === 1 && only?.[1] !== undefined && only[0].startsWith(LOG) && durability === 'sync') {
      return this.#segments.append(recordSeq(only[0]), only[1], (known) => this.#put([segmentsWrite(known)], 'sync'));
    }
    if (this.#segments.size === 0) return this.#put(writes, durability);
    const dropped: number[] = [];
    const others = writes.filter(([key, value]) => {
      if (value !== undefined || !key.startsWith(LOG) || !this.#segments.has(recordSeq(key))) return true;
      dropped.push(recordSeq(key));
      return false;
    });
    await this.#put(others, durability);
    await this.#segments.drop(dropped);
    while (this.#segments.bytes > this.#maxSegmentsBytes) if ((await this.#moveOldest()) === 0) return;
  }

  /** Of the oldest segment, what is still wanted; the file goes. Returns how many records. */
  async #moveOldest(): Promise<number> {
    const numbers = this.#segments.oldest();
    const moved: Write[] = [];
    for (const seq of numbers) {
      const framed = await this.#segments.read(seq);
      if (framed !== undefined) moved.push([recordKey(seq), framed]);
    }
    if (moved.length > 0) await this.#put(moved, 'sync');
    await this.#segments.drop(numbers);
    return numbers.length;
  }

  async #put(writes: readonly Write[], durability: 'sync' | 'lazy'): Promise<void> {
    const options = { sync: durability === 'sync' } as object;
    if (writes.length > ARRAY_WRITES) {
      const batch = this.#db.batch();
      for (const [key, value] of writes) {
        if (value === undefined) batch.del(toBytes(key));
        else batch.put(toBytes(key), toBuffer(value));
      }
      return batch.write(options);
    }
    const batch = writes.map(([key, value]) =>
      value === undefined
        ? { type: 'del' as const, key: toBytes(key) }
        : { type: 'put' as const, key: toBytes(key), value: toBuffer(value) },
    );
    await this.#db.batch(batch, options);
  }

  get(key: string): Promise<Uint8Array | undefined> {
    return this.#inSegment(key) ? this.#ofSegment(key) : this.#read(() => this.#db.get(toBytes(key)));
  }

  async getMany(keys: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    if (!keys.some((key) => this.#inSegment(key))) return this.#read(() => this.#db.getMany(keys.map(toBytes)));
    return Promise.all(keys.map((key) => this.get(key)));
  }

  #inSegment(key: string): boolean {
    return key.startsWith(LOG) && this.#segments.has(recordSeq(key));
  }

  #ofSegment(key: string): Promise<Uint8Array | undefined> {
    return this.#read(() => this.#segments.read(recordSeq(key)));
  }

  async range(range: Range): Promise<[string, Uint8Array][]> {
    const inSegments = this.#segments.numbers().filter((seq) => isWithin(recordKey(seq), range));
    if (inSegments.length === 0) return this.#range(range, {});
    if (range.reverse) inSegments.reverse();
    const ofLog = inSegments.slice(0, range.limit).map(async (seq): Promise<[string, Uint8Array] | undefined> => {
      const framed = await this.#ofSegment(recordKey(seq));
      return framed === undefined ? undefined : [recordKey(seq), framed];
    });
    const found = [...(await Promise.all(ofLog)), ...(await this.#range(range, {}))].filter((one) => one !== undefined);
    const order = range.reverse ? -1 : 1;
    return found.sort(([a], [b]) => (a < b ? -order : order)).slice(0, range.limit);
  }

  view(): BackendView {
    const snapshot = this.#db.snapshot();
    return {
      get: (key) => this.#read(() => this.#db.get(toBytes(key), { snapshot })),
      range: (range) => this.#range(range, { snapshot, fillCache: false }),
      close: () => snapshot.close(),
    };
  }

  async #range({ from, to, limit, reverse }: Range, more: object): Promise<[string, Uint8Array][]> {
    const options = {
      ...more,
      gte: toBytes(from),
      lt: toBytes(to),
      limit,
      reverse,
      ...(limit > LARGE_RANGE_ROWS ? { highWaterMarkBytes: LARGE_PAGE_BYTES } : {}),
    };
    const found = await this.#read(() => this.#db.iterator(options).all());
    return found.map(([key, value]) => [toKey(key), value]);
  }

  async *snapshot(): AsyncIterable<[string, Uint8Array]> {
    const options = { highWaterMarkBytes: LARGE_PAGE_BYTES, fillCache: false } as object;
    const iterator = this.#db.iterator(options);
    // As of the same instant.
    const ofLog = this.#segments.copy();
    try {
      let next = await ofLog.next();
      for (;;) {
        const page = await this.#read(() => iterator.nextv(SNAPSHOT_PAGE));
        for (const [bytes, value] of page) {
          const key = toKey(bytes);
          for (; next.done !== true && recordKey(next.value.seq) < key; next = await ofLog.next())
            yield [recordKey(next.value.seq), next.value.framed];
          // Which segments there are is said of this directory, not of a copy.
          if (key !== SEGMENTS_KEY) yield [key, value];
        }
        // There is always a row after the log's: whose the store is (identity.ts).
        if (page.length === 0) return;
      }
    } finally {
      await ofLog.return(undefined);
      await iterator.close();
    }
  }

  get #sstables(): string | undefined {
    // `level`'s types are those that the browser's database has too; on Node it is a ClassicLevel, which has properties.
    const handle = this.#handle as (Level<Buffer, Buffer> & { getProperty(name: string): string }) | undefined;
    return handle?.status === 'open' ? handle.getProperty('leveldb.sstables') : undefined;
  }

  /** Every damaged block of every table; nothing of what was written since the last of them (that is in the write-ahead log). */
  async *tableDamage(): AsyncIterable<TableDamage> {
    for (const name of liveTables(this.#sstables ?? '')) yield* await findTableDamage(join(this.name, name));
  }

  locate(key: string): string {
    const segment = key.startsWith(LOG) ? this.#segments.fileOf(recordSeq(key)) : undefined;
    if (segment !== undefined) return segment;
    const sstables = this.#sstables;
    if (sstables === undefined) return this.name;
    const files = filesOf(sstables, key);
    if (files.length === 0) return `${this.name} (write-ahead log)`;
    return `${this.name} (${files.length === 1 ? '' : 'one of '}${files.join(', ')})`;
  }

  async diskBytes(): Promise<number> {
    let { bytes } = this.#segments;
    for (const name of await readdir(this.name))
      bytes += (await stat(join(this.name, name)).catch(() => ({ size: 0 }))).size;
    return bytes;
  }

  async freeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.name);
    return bavail * bsize;
  }

  async close(): Promise<void> {
    await this.#segments.close();
    await this.#handle?.close();
  }

  async #read<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await this.#reads.run(work);
    } catch (error) {
      throw this.#readError(error);
    }
  }

  #readError(error: unknown): StoreError {
    if (error instanceof StoreError) return error;
    const reasons: string[] = [];
    for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
      const { code } = cause as NodeJS.ErrnoException;
      if (code === 'LEVEL_DATABASE_NOT_OPEN' || code === 'LEVEL_ITERATOR_NOT_OPEN') {
        return new StoreError('closed', `the store in ${this.name} is closed`, { cause: error });
      }
      reasons.push(cause.message);
    }
    const text = reasons.join(': ') || String(error);
    if (/corrupt/i.test(text)) {
      return new StoreError('corrupt', `damaged data in ${this.name}: ${text}`, {
        cause: error,
        hint: '`tenuto data verify` lists what is wrong; `tenuto data restore` brings back a backup.',
      });
    }
    return new StoreError('failed', `a read from ${this.name} failed: ${text}`, {
      cause: error,
      hint: 'Check the disk.',
    });
  }
}
