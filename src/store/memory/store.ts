// The store in memory: the real LogStore over a disk that forgets when the process ends.
import type { ReplicaStore } from '../../ports/replica-store.ts';
import { LogStore } from '../log-store.ts';
import { MemoryBackend, MemoryDisk } from './backend.ts';

export interface MemoryStoreOptions {
  /** Default 256. */
  shardCount?: number;
  /** Share it between two stores to see what a restart finds. Default: a fresh, perfect one. */
  disk?: MemoryDisk;
  directoryId?: string;
}

/** A store that can be killed: `crash()` leaves on the disk what was durable, and nothing more is written or answered through this handle. */
export interface MemoryStore extends ReplicaStore {
  readonly disk: MemoryDisk;
  crash(): void;
}

/** Call `open()` next. */
export function openMemoryStore(options: MemoryStoreOptions = {}): MemoryStore {
  const disk = options.disk ?? new MemoryDisk();
  const backend = new MemoryBackend(disk);
  const store = new LogStore(backend, {
    directoryId: options.directoryId ?? 'memory',
    shardCount: options.shardCount ?? 256,
  });
  const crash = (): void => {
    store.abandon();
    backend.crash();
  };
  return Object.assign(store, { disk, crash });
}
