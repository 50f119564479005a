// Where a cluster's backup goes, and what is said of it on the way (DESIGN §7). The cut is cluster/node's business; files are src/backup's.

import type { StoreChunk } from './replica-store.ts';

/** Of which moment a shard is in a backup. */
export interface ShardCut {
  readonly shard: number;
  /** In which it was led. */
  readonly term: number;
  /** Its rows are of this lsn, or of a later one within the cut. */
  readonly lsn: number;
}

/** What one node led, as one stream of rows. */
export interface BackupPart {
  /**
   * Chunks in order, the last one being marked; resolves when there is room for the next.
   *
   * @throws Error when the chunk's digest does not continue that of the one before, or the disk refuses
   */
  write(chunk: StoreChunk): Promise<void>;
}

export interface BackupHead {
  readonly clusterId: string;
  readonly incarnation: string;
  readonly shardCount: number;
}

export interface BackupTarget {
  part(node: string, shards: readonly ShardCut[]): Promise<BackupPart>;
  /** Everything is durable when it resolves, and only then there is a backup. */
  finish(head: BackupHead): Promise<void>;
  /** Nothing of it is to be kept. */
  abandon(): Promise<void>;
}

export interface BackupProgress {
  readonly records: number;
  readonly bytes: number;
}

export interface ClusterBackupReport {
  readonly nodes: number;
  readonly shards: number;
  /** How long messages between workflows waited for it, ms. */
  readonly pausedMs: number;
}

/** A running node, asked at its control socket. */
export interface BackupOfNode {
  readonly directoryId: string;
  /**
   * Into an empty or absent directory of this machine.
   *
   * @throws StoreError, or Error for people
   */
  backup(directory: string, onProgress: (progress: BackupProgress) => void): Promise<void>;
}
