// Looks at a database of stopped or running nodes: every row's checksum, every shard's chain, as of one instant. Changes nothing.

import { ROW, unframe } from '../framing.ts';
import { Database } from './database.ts';
import { checkLogs } from './log.ts';
import { fullKey } from './long-keys.ts';
import type { PostgresOptions } from './options.ts';
import { type Cluster, findCluster } from './schema.ts';
import { readShardRow } from './shard-state.ts';
import { READ_ALL_SHARDS } from './statements.ts';

const MAX_PROBLEMS = 100;
const PAGE = 500;

export interface DatabaseReport {
  name: string;
  cluster: Cluster;
  records: number;
  bytes: number;
  shards: number;
  logEntries: number;
  /** The first ones; empty: sound. */
  problems: string[];
  /** Found beyond those. */
  moreProblems: number;
}

/** Throws StoreError when the database cannot be reached or has no tables; damage is reported, not thrown. */
export async function verifyDatabase(
  options: PostgresOptions,
  onProgress?: (progress: { records: number; bytes: number }) => void,
): Promise<DatabaseReport> {
  const database = new Database(options, 'tenuto data verify', { server: 'any' });
  try {
    const cluster = await findCluster(database);
    const report: DatabaseReport = {
      name: database.name,
      cluster,
      records: 0,
      bytes: 0,
      shards: 0,
      logEntries: 0,
      problems: [],
      moreProblems: 0,
    };
    const note = (error: unknown): void => {
      if (report.problems.length < MAX_PROBLEMS)
        report.problems.push(error instanceof Error ? error.message : String(error));
      else report.moreProblems += 1;
    };
    await database.read((connection) =>
      connection.transaction('ISOLATION LEVEL REPEATABLE READ READ ONLY', async () => {
        Object.assign(report, { records: 0, bytes: 0, problems: [], moreProblems: 0 });
        const rows = (await connection.query(READ_ALL_SHARDS)).map(readShardRow);
        if (rows.length !== cluster.shardCount) note(`tenuto_shard has ${rows.length} of ${cluster.shardCount} shards`);
        report.shards = rows.filter(({ lastLsn }) => lastLsn > 0).length;
        const heads = await checkLogs(connection, rows, { name: database.name, onDamage: note });
        for (const found of heads.values()) report.logEntries += found.length;
        let after = Buffer.alloc(0);
        for (;;) {
          const page = await connection.query(
            'SELECT key, rest, value FROM tenuto_row WHERE key > $1::bytea ORDER BY key LIMIT $2::int',
            [after, PAGE],
          );
          for (const [key, rest, value] of page) {
            // As the columns are declared: bytea NOT NULL, bytea, bytea NOT NULL.
            after = key as Buffer<ArrayBuffer>;
            const stored = ROW + fullKey(key as Buffer, rest as Buffer | null);
            report.records += 1;
            report.bytes += stored.length + (value as Buffer).length;
            try {
              unframe(stored, value as Buffer, `tenuto_row of ${database.name}`);
            } catch (error) {
              note(error);
            }
          }
          onProgress?.(report);
          if (page.length < PAGE) break;
        }
      }),
    );
    return report;
  } finally {
    await database.close();
  }
}
