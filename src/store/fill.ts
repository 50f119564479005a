// Making a data directory from something else than a start: the store is filled, every file of it synced, and the manifest comes last. An
// interrupted filling is no data directory. Called by backup.ts and bulk-load.ts.

import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { StoreError } from '../ports/store.ts';
import { LevelBackend } from './leveldb/backend.ts';
import {
  finishDirectory,
  type Manifest,
  newManifest,
  readManifest,
  storePath,
  syncPath,
  unusable,
} from './leveldb/directory.ts';

/**
 * Into an empty or absent directory, which gets an id of its own.
 *
 * @param fill writes everything, the store's identity included; its last write is synced
 * @throws StoreError `misuse` for a directory that is not empty, `failed` where the disk refuses
 */
export async function fillDirectory<T>(
  directory: string,
  shardCount: number,
  fill: (target: LevelBackend, manifest: Manifest) => Promise<T>,
): Promise<T> {
  if (existsSync(directory) && readdirSync(directory).length > 0) {
    const what = readManifest(directory) === undefined ? 'is not empty' : 'already holds a data directory';
    throw new StoreError('misuse', `${directory} ${what}`, { hint: 'Name an empty or absent directory.' });
  }
  const manifest = newManifest(shardCount);
  const path = storePath(directory);
  const target = new LevelBackend(path, { create: true });
  let result: T;
  try {
    mkdirSync(path, { recursive: true });
    await target.open();
    try {
      result = await fill(target, manifest);
    } finally {
      await target.close();
    }
    // The last batch was synced, but LevelDB may have gone through several files since the first.
    for (const name of readdirSync(path)) syncPath(join(path, name));
    syncPath(path);
  } catch (error) {
    throw error instanceof StoreError ? error : unusable(directory, error);
  }
  finishDirectory(directory, manifest);
  return result;
}
