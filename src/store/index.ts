// The store's adapters and tools.
export { copyDirectory, type Progress } from './backup.ts';
export { BulkLoad } from './bulk-load.ts';
export { fillDirectory } from './fill.ts';
export { prefixEnd, u16Key, u48Key, utf8Key } from './keys.ts';
export { LevelBackend } from './leveldb/backend.ts';
export {
  DEFAULT_SHARD_COUNT,
  type Manifest,
  openError,
  readManifest,
  storePath,
  syncPath,
  unusable,
} from './leveldb/directory.ts';
export { checkIdentity, writeIdentity } from './leveldb/identity.ts';
export { type LevelStoreOptions, openLevelStore } from './leveldb/store.ts';
export { LogStore } from './log-store.ts';
export { type DiskFaults, MemoryBackend, MemoryDisk } from './memory/backend.ts';
export { type MemoryStore, type MemoryStoreOptions, openMemoryStore } from './memory/store.ts';
export { Scrubber, type ScrubberOptions } from './scrubber.ts';
export { rowsOfChunk } from './shard-snapshot.ts';
export { type DirectoryStats, directoryStats, type VerifyReport, verifyDirectory } from './verify.ts';
