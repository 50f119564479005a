// What a backup of a cluster is on disk: `backup.json`, written last, and one file of rows per node that led shards. The manifest says of each
// file how long it is and what its chunks digest to, so that nothing can be missing or changed unnoticed.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { StoreError } from '../ports/store.ts';
import { VERSION } from '../version.ts';

export const BACKUP_MANIFEST = 'backup.json';
const FORMAT = 1;
const MAX_SHARD_COUNT = 65_536;

export interface PartRecord {
  /** Within the backup. */
  readonly file: string;
  readonly node: string;
  readonly bytes: number;
  readonly chunks: number;
  readonly rows: number;
  /** CRC-32 over all chunks. */
  readonly digest: number;
  readonly shards: readonly { readonly shard: number; readonly term: number; readonly lsn: number }[];
}

export interface BackupManifest {
  readonly clusterId: string;
  readonly incarnation: string;
  readonly shardCount: number;
  readonly createdBy: string;
  /** RFC 3339. */
  readonly createdAt: string;
  readonly parts: readonly PartRecord[];
}

export const serializeManifest = (manifest: BackupManifest): string =>
  `${JSON.stringify({ format: FORMAT, ...manifest }, null, 2)}\n`;

export const isClusterBackup = (directory: string): boolean => existsSync(join(directory, BACKUP_MANIFEST));

/** @throws StoreError naming the file, for what is no manifest, was written by a newer version, or does not have every shard once */
export function readBackupManifest(directory: string): BackupManifest {
  const file = join(directory, BACKUP_MANIFEST);
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw damaged(file, error instanceof Error ? error.message : String(error));
  }
  const fields = isRecord(value) ? value : {};
  const { format, clusterId, incarnation, shardCount, createdBy, createdAt, parts } = fields;
  if (typeof format === 'number' && format > FORMAT) {
    throw new StoreError(
      'version',
      `${directory} has format ${format}, written by Tenuto ${String(createdBy)}; this is ${VERSION}, which reads up to ${FORMAT}`,
      { hint: 'Restore it with that version or a newer one.' },
    );
  }
  const named = typeof clusterId === 'string' && typeof incarnation === 'string';
  if (format !== FORMAT || !named || !isCount(shardCount) || shardCount < 1 || shardCount > MAX_SHARD_COUNT) {
    throw damaged(file, 'it is no manifest of a backup');
  }
  if (!Array.isArray(parts) || !parts.every(isPart)) throw damaged(file, 'a part of the backup is not described');
  const missing = missingShard(parts, shardCount);
  if (missing !== undefined) throw damaged(file, missing);
  return { clusterId, incarnation, shardCount, createdBy: String(createdBy), createdAt: String(createdAt), parts };
}

function missingShard(parts: readonly PartRecord[], shardCount: number): string | undefined {
  const seen = new Set<number>();
  for (const { shards } of parts) {
    for (const { shard } of shards) {
      if (seen.has(shard) || shard >= shardCount) return `shard ${shard} is named where it should not be`;
      seen.add(shard);
    }
  }
  for (let shard = 0; shard < shardCount; shard += 1) if (!seen.has(shard)) return `shard ${shard} is missing`;
  return undefined;
}

export const damaged = (file: string, what: string): StoreError =>
  new StoreError('corrupt', `${file} is damaged: ${what}`, { hint: 'Take another backup; nothing was restored.' });

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0; // an integer by then

/** A file of the backup itself: a name that leads elsewhere is none. */
const isFileName = (value: unknown): boolean => typeof value === 'string' && /^[\w.-]+$/.test(value);

function isPart(value: unknown): value is PartRecord {
  if (!isRecord(value)) return false;
  const { file, node, bytes, chunks, rows, digest, shards } = value;
  const counted = [bytes, chunks, rows, digest].every(isCount);
  if (!isFileName(file) || typeof node !== 'string' || !counted || !Array.isArray(shards)) return false;
  return shards.every(
    (shard: unknown) => isRecord(shard) && isCount(shard.shard) && isCount(shard.term) && isCount(shard.lsn),
  );
}
