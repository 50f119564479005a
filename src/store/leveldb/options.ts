// What can be set of LevelDB.

export interface LevelDbOptions {
  /** Of rows gathered in memory before a table is written; up to twice as much is held. The more, the less often tables are merged. */
  readonly writeBufferBytes: number;
}

export const DEFAULT_LEVELDB_OPTIONS: LevelDbOptions = { writeBufferBytes: 16 * 1024 * 1024 };
export const MIN_WRITE_BUFFER_BYTES = 1024 * 1024;
export const MAX_WRITE_BUFFER_BYTES = 1024 * 1024 * 1024;
