// Copies of a store: every record as it is framed, as of one instant, into a directory with an id of its own (a copy is never the voter it
// was). The manifest comes last, after everything else is on the disk: an interrupted copy is no data directory.

import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { StoreError } from '../ports/store.ts';
import type { Backend, Write } from './backend.ts';
import { unframe } from './framing.ts';
import { LevelBackend } from './leveldb/backend.ts';
import {
  finishDirectory,
  newManifest,
  openError,
  readManifest,
  storePath,
  syncPath,
  unusable,
} from './leveldb/directory.ts';
import { checkIdentity, IDENTITY_KEY, identityWrite } from './leveldb/identity.ts';

const BATCH_RECORDS = 1_000;
const BATCH_BYTES = 4 * 1024 * 1024;

/** Whose records, framed as LogStore has them. */
export type BackupSource = Pick<Backend, 'locate' | 'snapshot'>;

export interface Progress {
  records: number;
  bytes: number;
}

/** Into an empty or absent directory. Every record is checked on its way: damage is not copied. */
export async function writeBackup(
  from: BackupSource,
  directory: string,
  shardCount: number,
  onProgress?: (progress: Progress) => void,
): Promise<Progress> {
  if (existsSync(directory) && readdirSync(directory).length > 0) {
    const what = readManifest(directory) === undefined ? 'is not empty' : 'already holds a data directory';
    throw new StoreError('misuse', `${directory} ${what}`, { hint: 'Name an empty or absent directory.' });
  }
  const manifest = newManifest(shardCount);
  const path = storePath(directory);
  const target = new LevelBackend(path, { create: true });
  let progress: Progress;
  try {
    mkdirSync(path, { recursive: true });
    await target.open();
    try {
      await target.write([identityWrite(manifest)], 'lazy');
      progress = await copyRecords(from, target, onProgress);
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
  return progress;
}

async function copyRecords(
  from: BackupSource,
  to: Backend,
  onProgress: ((progress: Progress) => void) | undefined,
): Promise<Progress> {
  const progress: Progress = { records: 0, bytes: 0 };
  let batch: Write[] = [];
  let bytes = 0;
  const write = async (durability: 'sync' | 'lazy') => {
    await to.write(batch, durability);
    progress.records += batch.length;
    progress.bytes += bytes;
    onProgress?.({ ...progress });
    batch = [];
    bytes = 0;
  };
  for await (const [key, framed] of from.snapshot()) {
    unframe(key, framed, (at) => from.locate(at));
    if (key === IDENTITY_KEY) continue;
    batch.push([key, framed]);
    bytes += key.length + framed.length;
    if (batch.length >= BATCH_RECORDS || bytes >= BATCH_BYTES) await write('lazy');
  }
  await write('sync');
  return progress;
}

/** A copy of a directory that nobody has open. */
export async function copyDirectory(
  from: string,
  to: string,
  onProgress?: (progress: Progress) => void,
): Promise<Progress> {
  const manifest = readManifest(from);
  if (!manifest)
    throw new StoreError('version', `${from} is not a Tenuto data directory`, {
      hint: 'Name one that a server or a backup made.',
    });
  const source = new LevelBackend(storePath(from), { create: false });
  try {
    await source.open();
    await checkIdentity(source, from, manifest);
    return await writeBackup(source, to, manifest.shardCount, onProgress);
  } catch (error) {
    throw openError(from, error);
  } finally {
    await source.close();
  }
}
