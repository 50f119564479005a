// The store in PostgreSQL: opening it for a node, and what `tenuto data` does to it. Loaded only when a configuration names a database.

import { randomUUID } from 'node:crypto';
import type { Log } from '../../ports/log.ts';
import { Database } from './database.ts';
import { describeHolder, hold, holderOf, release } from './holder.ts';
import type { PostgresOptions } from './options.ts';
import type { OutageListener } from './outage.ts';
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

/**
 * Holds the database, for good. Call `open()` next.
 *
 * @param clusterId for a node of this cluster; undefined: for one that stands alone
 * @param log says when the database stays away, and when it is back
 * @throws StoreError when the database cannot be reached, belongs to another holder, or its tables are missing, older or newer.
 */
export async function openPostgresStore(
  options: PostgresOptions,
  clusterId: string | undefined,
  log: Log,
): Promise<PostgresStore> {
  const holder = holderOf(clusterId);
  const cluster = await briefly(options, 'tenuto start', async (database) => {
    const found = await findCluster(database);
    await hold(database, holder);
    return found;
  });
  const nodeId = randomUUID();
  const listener: OutageListener = {
    began: (reason) =>
      log.warn(
        { reason },
        `${database.name} does not answer: what is asked of it waits, for ${Math.round(options.outageMs / 1_000)} s at most; then this node stops serving`,
      ),
    ended: (awayMs) => log.info({ awayMs }, `${database.name} answers again`),
  };
  const database: Database = new Database(options, `tenuto ${nodeId}`, { listener });
  return new PostgresStore(database, { ...cluster, holder }, nodeId);
}

/** The database is nobody's from now on: the first node that is started on it holds it. Returns whose it was, for people. */
export function releaseDatabase(options: PostgresOptions): Promise<string> {
  return briefly(options, 'tenuto data release', async (database) => {
    await findCluster(database);
    return describeHolder(await release(database));
  });
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
