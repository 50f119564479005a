// The embedded default: a LogStore over LevelDB in a locked, versioned data directory.
import { accessSync, constants, existsSync } from 'node:fs';
import type { ShardId } from '../../ports/ids.ts';
import type { ReplicaStore } from '../../ports/replica-store.ts';
import type { ShardPosition } from '../../ports/store.ts';
import { LogStore } from '../log-store.ts';
import { LevelBackend } from './backend.ts';
import {
  beginDirectory,
  DEFAULT_SHARD_COUNT,
  emptied,
  finishDirectory,
  type Manifest,
  openError,
  raiseFormat,
  readManifest,
  removePid,
  storePath,
  unusable,
  writePid,
} from './directory.ts';
import { checkIdentity, writeIdentity } from './identity.ts';

export interface LevelStoreOptions {
  directory: string;
  /** Used when the directory is made; an existing one keeps its own. Default 256. */
  shardCount?: number;
  /** As of `LevelDbOptions`. Default 16 MiB. */
  writeBufferBytes?: number;
}

/** Makes the directory if it is absent or empty. Throws StoreError `locked`, `version`, `corrupt` or `failed`. Call `open()` next. */
export function openLevelStore({
  directory,
  shardCount = DEFAULT_SHARD_COUNT,
  writeBufferBytes,
}: LevelStoreOptions): ReplicaStore {
  const manifest = readManifest(directory);
  if (manifest === undefined)
    return new LevelStore(directory, beginDirectory(directory, shardCount), 'new', writeBufferBytes);
  const store = storePath(directory);
  if (!existsSync(store)) throw emptied(directory);
  try {
    accessSync(directory, constants.W_OK);
    accessSync(store, constants.W_OK);
  } catch (error) {
    throw unusable(directory, error);
  }
  return new LevelStore(directory, manifest, 'made', writeBufferBytes);
}

class LevelStore extends LogStore {
  readonly #directory: string;
  readonly #manifest: Manifest;
  readonly #state: 'new' | 'made';
  readonly #backend: LevelBackend;
  #opened = false;

  constructor(directory: string, manifest: Manifest, state: 'new' | 'made', writeBufferBytes: number | undefined) {
    const backend = new LevelBackend(storePath(directory), { create: state === 'new', writeBufferBytes });
    super(backend, manifest);
    this.#directory = directory;
    this.#manifest = manifest;
    this.#state = state;
    this.#backend = backend;
  }

  override async open(): Promise<ReadonlyMap<ShardId, ShardPosition>> {
    try {
      await this.#backend.open();
      if (this.#state === 'new') {
        await writeIdentity(this.#backend, this.#manifest);
        finishDirectory(this.#directory, this.#manifest);
      } else {
        await checkIdentity(this.#backend, this.#directory, this.#manifest);
        // Nobody else has it open from here on.
        raiseFormat(this.#directory, this.#manifest);
      }
      const positions = await super.open();
      writePid(this.#directory);
      this.#opened = true;
      return positions;
    } catch (error) {
      await this.#backend.close();
      throw openError(this.#directory, error);
    }
  }

  override async close(): Promise<void> {
    if (this.#opened) removePid(this.#directory);
    this.#opened = false;
    await super.close();
  }
}
