// A cluster's backup on its way into a directory: one file per node that led shards, then the manifest, written beside and renamed. Without the
// manifest there is no backup; what was written of one that failed is removed.

import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { BackupHead, BackupPart, BackupProgress, BackupTarget, ShardCut } from '../ports/cluster-backup.ts';
import { StoreError } from '../ports/store.ts';
import { syncPath, unusable } from '../store/index.ts';
import { VERSION } from '../version.ts';
import { BACKUP_MANIFEST, serializeManifest } from './manifest.ts';
import { PartWriter } from './part-file.ts';

interface OpenPart {
  readonly file: string;
  readonly node: string;
  readonly shards: readonly ShardCut[];
  readonly writer: PartWriter;
}

/**
 * @param directory empty or absent
 * @throws StoreError `misuse` for a directory that is not empty, `failed` for one that cannot be made
 */
export function directoryTarget(directory: string, onProgress?: (progress: BackupProgress) => void): BackupTarget {
  if (existsSync(directory) && readdirSync(directory).length > 0) {
    throw new StoreError('misuse', `${directory} is not empty`, { hint: 'Name an empty or absent directory.' });
  }
  try {
    mkdirSync(directory, { recursive: true });
  } catch (error) {
    throw unusable(directory, error);
  }
  return new DirectoryTarget(directory, onProgress);
}

class DirectoryTarget implements BackupTarget {
  readonly #directory: string;
  readonly #onProgress: ((progress: BackupProgress) => void) | undefined;
  readonly #parts: OpenPart[] = [];
  readonly #progress = { records: 0, bytes: 0 };
  #lastPart = 0;

  constructor(directory: string, onProgress: ((progress: BackupProgress) => void) | undefined) {
    this.#directory = directory;
    this.#onProgress = onProgress;
  }

  async part(node: string, shards: readonly ShardCut[]): Promise<BackupPart> {
    this.#lastPart += 1;
    const file = `part-${this.#lastPart}.rows`;
    const path = join(this.#directory, file);
    const handle = await open(path, 'wx').catch((error: unknown) => {
      throw unusable(this.#directory, error);
    });
    const writer = new PartWriter(path, handle, ({ records, bytes }) => {
      this.#progress.records += records;
      this.#progress.bytes += bytes;
      this.#onProgress?.({ ...this.#progress });
    });
    this.#parts.push({ file, node, shards, writer });
    return writer;
  }

  async finish(head: BackupHead): Promise<void> {
    const unfinished = this.#parts.find(({ writer }) => !writer.isComplete);
    if (unfinished !== undefined) throw new Error(`the part of node ${unfinished.node} is not complete`);
    const parts = this.#parts.map(({ file, node, shards, writer }) => {
      const { bytes, chunks, rows, digest } = writer;
      return { file, node, bytes, chunks, rows, digest, shards };
    });
    for (const { writer } of this.#parts) await writer.close();
    const text = serializeManifest({ ...head, createdBy: VERSION, createdAt: new Date().toISOString(), parts });
    const manifest = join(this.#directory, BACKUP_MANIFEST);
    const beside = await open(`${manifest}.new`, 'w');
    try {
      await beside.writeFile(text);
      await beside.sync();
    } finally {
      await beside.close();
    }
    await rename(`${manifest}.new`, manifest);
    syncPath(this.#directory);
  }

  async abandon(): Promise<void> {
    for (const { file, writer } of this.#parts) {
      await writer.close().catch(() => undefined);
      rmSync(join(this.#directory, file), { force: true });
    }
    rmSync(join(this.#directory, `${BACKUP_MANIFEST}.new`), { force: true });
  }
}
