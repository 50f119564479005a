// What a restore reads: the backup of a cluster, or the data directory of a node that stood alone. Either is every row once, checked, those of a
// shard in the order of their keys, and may be read twice: to see whether it is whole, then to write it. Neither is changed.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { STATE_FILE } from '../../cluster/node/state.ts';
import { type Key, key, type ShardId } from '../ports/ids.ts';
import { type ShardPosition, type Store, StoreError } from '../ports/store.ts';
import { logTail } from '../shard/log-tail.ts';
import { ownerOf } from '../shard/row-layout.ts';
import { checkIdentity, LevelBackend, LogStore, openError, readManifest, storePath } from '../store/index.ts';
import { type BackupManifest, damaged, isClusterBackup, readBackupManifest } from './manifest.ts';
import { readPart } from './part-file.ts';

export type SourceRow = readonly [k: Key, value: Uint8Array];

export interface BackupSource {
  readonly shardCount: number;
  /** Whose backup it is; undefined: of a node that stood alone. */
  readonly clusterId: string | undefined;
  /** The highest any shard was led in. */
  readonly term: number;
  rows(): AsyncIterable<readonly SourceRow[]>;
  close(): Promise<void>;
}

const PAGE = 1_000;
const FIRST = key('');
const END = key('\xff\xff');

/** @throws StoreError for what is neither, is damaged, or is in use */
export async function openSource(directory: string): Promise<BackupSource> {
  if (isClusterBackup(directory)) return new ClusterSource(directory, readBackupManifest(directory));
  const manifest = readManifest(directory);
  if (manifest === undefined) {
    throw new StoreError('version', `${directory} is neither a backup nor a data directory`, {
      hint: 'Name one that `tenuto data backup` or a server made.',
    });
  }
  refuseReplica(directory);
  const backend = new LevelBackend(storePath(directory), { create: false });
  try {
    await backend.open();
    await checkIdentity(backend, directory, manifest);
    const store = new LogStore(backend, manifest);
    const positions = await store.open();
    return storeSource(store, positions);
  } catch (error) {
    await backend.close();
    throw openError(directory, error);
  }
}

/** Whether it is the data directory of a node of a cluster. */
export const isReplica = (directory: string): boolean => existsSync(join(directory, STATE_FILE));

/** A node of a cluster holds some of its shards, at different moments: a copy of it is no backup. */
export function refuseReplica(directory: string): void {
  if (!isReplica(directory)) return;
  throw new StoreError('misuse', `${directory} is the data directory of a node of a cluster: alone it is no backup`, {
    hint: 'Back up the whole cluster with `tenuto data backup` while its nodes run: naming the directory of any of them is enough.',
  });
}

class ClusterSource implements BackupSource {
  readonly shardCount: number;
  readonly clusterId: string;
  readonly term: number;
  readonly #directory: string;
  readonly #manifest: BackupManifest;

  constructor(directory: string, manifest: BackupManifest) {
    this.#directory = directory;
    this.#manifest = manifest;
    this.shardCount = manifest.shardCount;
    this.clusterId = manifest.clusterId;
    this.term = Math.max(0, ...manifest.parts.flatMap(({ shards }) => shards.map(({ term }) => term)));
  }

  async *rows(): AsyncIterable<readonly SourceRow[]> {
    for (const part of this.#manifest.parts) {
      const path = join(this.#directory, part.file);
      const shards = new Set<number | undefined>(part.shards.map(({ shard }) => shard));
      for await (const rows of readPart(path, part)) {
        if (rows.some(([k]) => !shards.has(ownerOf(k))))
          throw damaged(path, 'it holds a row of a shard it does not name');
        yield rows;
      }
    }
  }

  async close(): Promise<void> {}
}

/** Of an open store whose shards one node leads alone: all that is durable counts (R = 1). Closes the store. */
export async function storeSource(
  store: Pick<Store, 'shardCount' | 'read' | 'readLog' | 'range' | 'close'>,
  positions: ReadonlyMap<ShardId, ShardPosition>,
): Promise<BackupSource> {
  const changes = await logTail(store, positions);
  async function* rows(): AsyncIterable<readonly SourceRow[]> {
    const left = new Map(changes);
    for (let from: Key | undefined = FIRST; from !== undefined; ) {
      const page = await store.range({ from, to: END, limit: PAGE });
      const last = page.at(-1);
      from = page.length < PAGE || last === undefined ? undefined : key(`${last[0]}\x00`);
      const current: SourceRow[] = [];
      for (const [k, value] of page) {
        const now = left.has(k) ? left.get(k) : value;
        left.delete(k);
        if (now !== undefined) current.push([k, now]);
      }
      yield current;
    }
    // Outbox rows of the log have higher numbers than those that were flushed: they come behind them.
    const added: SourceRow[] = [];
    for (const [k, value] of [...left].sort(([a], [b]) => (a < b ? -1 : 1)))
      if (value !== undefined) added.push([k, value]);
    yield added;
  }
  return {
    shardCount: store.shardCount,
    clusterId: undefined,
    term: Math.max(0, ...[...positions.values()].map(({ term }) => term)),
    rows,
    close: () => store.close(),
  };
}
