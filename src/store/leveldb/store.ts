// The embedded default: a LogStore over LevelDB in a locked, versioned data directory.
import { accessSync, constants, mkdirSync } from 'node:fs';
import type { ShardId } from '../../ports/ids.ts';
import type { ShardPosition, Store } from '../../ports/store.ts';
import { LogStore } from '../log-store.ts';
import { LevelBackend } from './backend.ts';
import {
  createManifest,
  DEFAULT_SHARD_COUNT,
  openError,
  readManifest,
  removePid,
  storePath,
  unusable,
  writePid,
} from './directory.ts';

export interface LevelStoreOptions {
  directory: string;
  /** Used when the directory is made; an existing one keeps its own. Default 256. */
  shardCount?: number;
}

/** Makes the directory if it is absent or empty. Throws StoreError `locked`, `version`, `corrupt` or `failed`. Call `open()` next. */
export function openLevelStore({ directory, shardCount = DEFAULT_SHARD_COUNT }: LevelStoreOptions): Store {
  const manifest = readManifest(directory) ?? createManifest(directory, shardCount);
  try {
    mkdirSync(storePath(directory), { recursive: true });
    accessSync(directory, constants.W_OK);
    accessSync(storePath(directory), constants.W_OK);
  } catch (error) {
    throw unusable(directory, error);
  }
  return new LevelStore(directory, manifest);
}

class LevelStore extends LogStore {
  readonly #directory: string;
  #opened = false;

  constructor(directory: string, identity: { directoryId: string; shardCount: number }) {
    super(new LevelBackend(storePath(directory)), identity);
    this.#directory = directory;
  }

  override async open(): Promise<ReadonlyMap<ShardId, ShardPosition>> {
    try {
      const positions = await super.open();
      writePid(this.#directory);
      this.#opened = true;
      return positions;
    } catch (error) {
      if (error instanceof Error && error.name === 'StoreError') throw error;
      throw openError(this.#directory, error);
    }
  }

  override async close(): Promise<void> {
    if (this.#opened) removePid(this.#directory);
    this.#opened = false;
    await super.close();
  }
}
