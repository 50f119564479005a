// The store in PostgreSQL: opening it for a node, and what `tenuto data` does to it. Loaded only when a configuration names a database.

import { randomUUID } from 'node:crypto';
import { Database } from './database.ts';
import type { PostgresOptions } from './options.ts';
import { findCluster, type Migration, migrate } from './schema.ts';
import { backupDatabase } from './snapshot.ts';
import { PostgresStore } from './store.ts';

export { describeDatabase, isPostgresUrl } from './options.ts';
export { type DatabaseReport, verifyDatabase } from './verify.ts';

/** A start gives up sooner than a running node: whoever waits for it wants to know. */
const START_PATIENCE_MS = 10_000;

const hurried = (options: PostgresOptions): PostgresOptions => ({
  ...options,
  outageMs: Math.min(options.outageMs, START_PATIENCE_MS),
});

async function briefly<T>(
  options: PostgresOptions,
  name: string,
  work: (database: Database) => Promise<T>,
): Promise<T> {
  const database = new Database(hurried(options), name);
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}

/** Call `open()` next. @throws StoreError when the database cannot be reached, or its tables are missing, older or newer. */
export async function openPostgresStore(options: PostgresOptions): Promise<PostgresStore> {
  const cluster = await briefly(options, 'tenuto start', findCluster);
  const nodeId = randomUUID();
  return new PostgresStore(new Database(options, `tenuto ${nodeId}`), cluster, nodeId);
}

/** Makes or updates the tables. `shardCount` counts only when they are made. */
export function migrateDatabase(options: PostgresOptions, shardCount: number | undefined): Promise<Migration> {
  return briefly(options, 'tenuto data migrate', (database) => migrate(database, shardCount));
}

/** Copies a database into a data directory, while nodes use it. */
export function copyDatabase(
  options: PostgresOptions,
  directory: string,
  onProgress?: (progress: { records: number; bytes: number }) => void,
): Promise<{ records: number; bytes: number }> {
  return briefly(options, 'tenuto data backup', async (database) => {
    const { shardCount } = await findCluster(database);
    return backupDatabase(database, directory, shardCount, onProgress);
  });
}
