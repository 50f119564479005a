// Payloads as files of a directory, which all clients and workers see (one machine, or a shared file system).

import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { errorCode } from '../common/type-helpers.ts';
import { BlobStorageDriver } from './blob-driver.ts';
import type { BlobStore, StoredBlob } from './blob-store.ts';

/** Files that are being written; left by a process that died. */
const UNFINISHED = '.unfinished';

export interface FileSystemStorageOptions {
  /** Made when it is not there. */
  directory: string;
  /** In references. Default: 'file-system'. */
  name?: string | undefined;
}

export class FileSystemStorageDriver extends BlobStorageDriver {
  constructor({ directory, name = 'file-system' }: FileSystemStorageOptions) {
    super(name, 'file-system', new FileStore(resolve(directory)));
  }
}

class FileStore implements BlobStore {
  readonly place: string;

  constructor(directory: string) {
    this.place = directory;
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    const path = join(this.place, key);
    const unfinished = join(this.place, UNFINISHED, randomUUID());
    await mkdir(dirname(unfinished), { recursive: true });
    const file = await open(unfinished, 'wx');
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await this.#into(path, unfinished);
    await syncFolder(dirname(path));
  }

  /** A sweep may take an empty folder away between its making and the rename into it. */
  async #into(path: string, unfinished: string): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      await mkdir(dirname(path), { recursive: true });
      try {
        await rename(unfinished, path);
        return;
      } catch (error) {
        if (errorCode(error) !== 'ENOENT' || attempt === 10) throw error;
      }
    }
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    try {
      return await readFile(join(this.place, key));
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  async *list(): AsyncIterable<StoredBlob> {
    yield* this.#below('');
  }

  async *#below(folder: string): AsyncIterable<StoredBlob> {
    const entries = await readdir(join(this.place, folder), { withFileTypes: true }).catch((error: unknown) => {
      if (errorCode(error) === 'ENOENT') return [];
      throw error;
    });
    entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    // Files first: those of one folder stay together.
    for (const entry of entries) {
      if (!entry.isFile()) continue;
      const key = folder === '' ? entry.name : `${folder}/${entry.name}`;
      const written = await stat(join(this.place, key)).catch(() => undefined);
      if (written !== undefined) yield { key, writtenAtMs: written.mtimeMs };
    }
    for (const entry of entries) {
      if (!entry.isDirectory() || entry.name === UNFINISHED) continue;
      yield* this.#below(folder === '' ? entry.name : `${folder}/${entry.name}`);
    }
  }

  async delete(keys: readonly string[]): Promise<void> {
    for (const key of keys) {
      const path = join(this.place, key);
      await rm(path, { force: true });
      await this.#tidy(dirname(path));
    }
  }

  /** Takes away folders that became empty. */
  async #tidy(folder: string): Promise<void> {
    if (!folder.startsWith(this.place + sep)) return;
    try {
      await rmdir(folder);
    } catch {
      // Others are in it, or it is gone.
      return;
    }
    await this.#tidy(dirname(folder));
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r').catch(() => undefined);
  // Some file systems cannot.
  await folder?.sync().catch(() => undefined);
  await folder?.close();
}
