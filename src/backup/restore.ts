// A data directory from a backup (DESIGN §7): everything is checked first, the cut too; then each row is written for the shard its actor belongs to
// now. The directory is a new one: alone, or the single voter of every shard of a cluster with a new incarnation, which others join. Called by the CLI.

import { randomUUID } from 'node:crypto';
import { RESTORED, stateFile } from '../../cluster/node/state.ts';
import { configurationOf, encodeConfiguration } from '../../cluster/replication/core/configuration.ts';
import { directoryId } from '../../cluster/replication/core/ids.ts';
import type { BackupProgress } from '../ports/cluster-backup.ts';
import { term } from '../ports/ids.ts';
import { StoreError } from '../ports/store.ts';
import { Cut } from '../shard/cut.ts';
import { Resharder } from '../shard/reshard.ts';
import { BulkLoad, fillDirectory, writeIdentity } from '../store/index.ts';
import { type BackupSource, openSource } from './source.ts';

/**
 * Between the backup and its restore the original may have gone on in later terms, whose tasks workers may still hold: no task of the restored
 * one may be called the same (I6).
 */
const TERM_GAP = 1_000_000;

export interface RestorePlan {
  readonly shardCount: number;
  /** Absent: a node that stands alone. */
  readonly clusterId: string | undefined;
  readonly onProgress?: ((progress: BackupProgress & { step: 'checked' | 'restored' }) => void) | undefined;
}

export interface RestoreReport extends BackupProgress {
  readonly directoryId: string;
  readonly shardCount: number;
  readonly clusterId: string | undefined;
  /** Of the new cluster. */
  readonly incarnation: string | undefined;
}

/** What becomes of a backup when nothing else is said: what it was. */
export interface RestoreWish {
  /** Default: as many as in the backup. */
  readonly shards?: number | undefined;
  /** Default: the cluster it is of, if any. */
  readonly clusterId?: string | undefined;
  /** `node`: one that stands alone, whatever it was. */
  readonly as?: 'node' | undefined;
  readonly onProgress?: RestorePlan['onProgress'];
}

/** As {@link restore}, from a directory that holds a backup, or a node's data. Neither is changed. */
export async function restoreDirectory(backup: string, directory: string, wish: RestoreWish): Promise<RestoreReport> {
  const source = await openSource(backup);
  try {
    return await restore(source, directory, {
      shardCount: wish.shards ?? source.shardCount,
      clusterId: wish.as === 'node' ? undefined : (wish.clusterId ?? source.clusterId),
      onProgress: wish.onProgress,
    });
  } finally {
    await source.close();
  }
}

export interface BackupReport extends BackupProgress {
  readonly clusterId: string | undefined;
  readonly shardCount: number;
}

/** Reads and checks all of it, the cut too. @throws StoreError for the first damage found, naming the file */
export async function verifyBackup(
  backup: string,
  onProgress?: (progress: BackupProgress) => void,
): Promise<BackupReport> {
  const source = await openSource(backup);
  try {
    let progress: BackupProgress = { records: 0, bytes: 0 };
    await checkedCut(source, (now) => {
      progress = now;
      onProgress?.(now);
    });
    return { clusterId: source.clusterId, shardCount: source.shardCount, ...progress };
  } finally {
    await source.close();
  }
}

/**
 * Into an empty or absent directory. Cut short, it leaves no data directory.
 *
 * @throws StoreError `corrupt` for a damaged backup or one that is no consistent cut, naming file or shards; `misuse` for a directory in use
 */
export async function restore(source: BackupSource, directory: string, plan: RestorePlan): Promise<RestoreReport> {
  const { shardCount, clusterId, onProgress } = plan;
  const cut = await checkedCut(source, (progress) => onProgress?.({ step: 'checked', ...progress }));
  return fillDirectory(directory, shardCount, async (backend, manifest) => {
    await writeIdentity(backend, manifest);
    const load = new BulkLoad(backend);
    const configuration =
      clusterId === undefined
        ? new Uint8Array()
        : encodeConfiguration(configurationOf([directoryId(manifest.directoryId)]));
    await fill(load, source, cut, {
      ...{ shardCount, configuration, origin: manifest.directoryId },
      onProgress: (progress) => onProgress?.({ step: 'restored', ...progress }),
    });
    const report = { directoryId: manifest.directoryId, shardCount, clusterId, records: load.rows, bytes: load.bytes };
    if (clusterId === undefined) return { ...report, incarnation: undefined };
    const record = { clusterId, incarnation: randomUUID(), shardCount, createdAtMs: Date.now() };
    await stateFile(directory).write({ record, plan: '', firstPlan: RESTORED, born: true, draining: 'no' });
    return { ...report, incarnation: record.incarnation };
  });
}

/** Reads everything once. Throws `corrupt` when it is no consistent cut. */
export async function checkedCut(source: BackupSource, onProgress?: (progress: BackupProgress) => void): Promise<Cut> {
  const cut = new Cut();
  const progress = { records: 0, bytes: 0 };
  for await (const rows of source.rows()) {
    for (const [k, value] of rows) {
      cut.take(k, value);
      progress.bytes += k.length + value.length;
    }
    progress.records += rows.length;
    onProgress?.({ ...progress });
  }
  const problem = cut.problem();
  if (problem === undefined) return cut;
  throw new StoreError('corrupt', `the backup is no consistent cut: ${problem}`, {
    hint: 'Restore another backup, and please report this.',
  });
}

export interface FillPlan {
  readonly shardCount: number;
  readonly configuration: Uint8Array;
  readonly origin: string;
  readonly onProgress?: (progress: BackupProgress) => void;
}

/** Writes the rows of a source whose cut was checked. */
export async function fill(load: BulkLoad, source: BackupSource, cut: Cut, plan: FillPlan): Promise<void> {
  const { shardCount, configuration, origin, onProgress } = plan;
  const resharder = new Resharder(cut, shardCount, (k, value) => load.add(k, value));
  for await (const rows of source.rows()) {
    for (const [k, value] of rows) resharder.row(k, value);
    await load.relieve();
    onProgress?.({ records: load.rows, bytes: load.bytes });
  }
  resharder.finish();
  await load.finish(shardCount, { term: term(source.term + TERM_GAP), origin, configuration });
}
