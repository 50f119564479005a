// The backend on LevelDB. One handle, binary keys and values. A write error is final for the handle: after one ENOSPC LevelDB goes on
// acknowledging synced batches that are gone on reopen (measured), so LogStore never writes again after a failure.
import { readdir, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { Level } from 'level';
import type { Backend, Range, Write } from '../backend.ts';

/** Bytes of a LevelDB table cache and write buffer: small, so that an idle node stays small; the overlay above is the real cache. */
const CACHE_BYTES = 16 * 1024 * 1024;
const WRITE_BUFFER_BYTES = 8 * 1024 * 1024;
const MAX_OPEN_FILES = 256;
const SNAPSHOT_PAGE = 1_000;

const toBytes = (key: string): Buffer => Buffer.from(key, 'latin1');
const toKey = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');

export class LevelBackend implements Backend {
  readonly name: string;
  readonly #db: Level<Buffer, Buffer>;

  constructor(directory: string) {
    this.name = directory;
    this.#db = new Level<Buffer, Buffer>(directory, { keyEncoding: 'buffer', valueEncoding: 'buffer' });
  }

  async open(): Promise<void> {
    await this.#db.open({
      createIfMissing: true,
      cacheSize: CACHE_BYTES,
      writeBufferSize: WRITE_BUFFER_BYTES,
      maxOpenFiles: MAX_OPEN_FILES,
      compression: true,
    } as object);
  }

  async write(writes: readonly Write[], durability: 'sync' | 'lazy'): Promise<void> {
    const batch = writes.map(([key, value]) =>
      value === undefined
        ? { type: 'del' as const, key: toBytes(key) }
        : {
            type: 'put' as const,
            key: toBytes(key),
            value: Buffer.from(value.buffer, value.byteOffset, value.byteLength),
          },
    );
    await this.#db.batch(batch, { sync: durability === 'sync' } as object);
  }

  get(key: string): Promise<Uint8Array | undefined> {
    return this.#db.get(toBytes(key));
  }

  getMany(keys: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    return this.#db.getMany(keys.map(toBytes));
  }

  async range({ from, to, limit, reverse }: Range): Promise<[string, Uint8Array][]> {
    const found = await this.#db.iterator({ gte: toBytes(from), lt: toBytes(to), limit, reverse }).all();
    return found.map(([key, value]) => [toKey(key), value]);
  }

  async *snapshot(): AsyncIterable<[string, Uint8Array]> {
    const iterator = this.#db.iterator();
    try {
      for (;;) {
        const page = await iterator.nextv(SNAPSHOT_PAGE);
        if (page.length === 0) return;
        for (const [key, value] of page) yield [toKey(key), value];
      }
    } finally {
      await iterator.close();
    }
  }

  async diskBytes(): Promise<number> {
    let bytes = 0;
    for (const name of await readdir(this.name))
      bytes += (await stat(join(this.name, name)).catch(() => ({ size: 0 }))).size;
    return bytes;
  }

  async freeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.name);
    return bavail * bsize;
  }

  close(): Promise<void> {
    return this.#db.close();
  }
}
