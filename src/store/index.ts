// The store's adapters and tools.
export { copyDirectory, type Progress } from './backup.ts';
export { prefixEnd, u16Key, u48Key, utf8Key } from './keys.ts';
export { DEFAULT_SHARD_COUNT, type Manifest, readManifest } from './leveldb/directory.ts';
export { type LevelStoreOptions, openLevelStore } from './leveldb/store.ts';
export { type DiskFaults, MemoryDisk } from './memory/backend.ts';
export { type MemoryStore, type MemoryStoreOptions, openMemoryStore } from './memory/store.ts';
export { Scrubber, type ScrubberOptions } from './scrubber.ts';
export { type DirectoryStats, directoryStats, type VerifyReport, verifyDirectory } from './verify.ts';
