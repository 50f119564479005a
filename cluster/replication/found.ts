// What a start finds of a shard in the store: its position, its log, and which of it is applied. Called by the driver.

import { lsn, type ShardId } from '../../src/ports/ids.ts';
import type { ReplicaPosition, ReplicaStore } from '../../src/ports/replica-store.ts';
import type { LogEntry } from '../../src/ports/store.ts';
import { type StoredEntry, storedEntry } from './core/log.ts';

export interface Found {
  readonly position: ReplicaPosition;
  /** Applied: their bytes need not be in memory. */
  readonly stored: readonly StoredEntry[];
  readonly entries: readonly LogEntry[];
}

/** Undefined: it is no replica here. Of one that was dropped its promises are left. */
export async function find(store: ReplicaStore, shard: ShardId): Promise<Found | undefined> {
  const position = store.replicaPosition(shard);
  if (position.lastLsn === 0) return undefined;
  const stored: StoredEntry[] = [];
  const entries: LogEntry[] = [];
  for await (const entry of store.readLog(shard, lsn(position.base.lsn + 1))) {
    if (entry.lsn <= position.appliedLsn) stored.push(storedEntry(entry));
    else entries.push(entry);
  }
  return { position, stored, entries };
}
