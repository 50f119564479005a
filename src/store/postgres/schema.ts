// The tables, made and brought up to date by `tenuto data migrate`, and what a node finds of them when it starts. A node never makes or
// changes a table: a shard is created once, not because a node finds none (DESIGN §7, Amnesia).
//
// tenuto_cluster  one row: format, identity of the cluster, number of shards, highest term given, whose the database is (holder.ts)
// tenuto_shard    one row per shard: its fence (term), how far its log and its rows go, and a version that every write conditions on and moves
// tenuto_log      the entries above a shard's applied lsn, each with its chain
// tenuto_row      rows in byte order of their keys; values framed with a CRC over key and value

import { randomUUID } from 'node:crypto';
import { StoreError } from '../../ports/store.ts';
import { VERSION } from '../../version.ts';
import { DEFAULT_SHARD_COUNT } from '../leveldb/directory.ts';
import type { Connection } from './connection.ts';
import type { Database } from './database.ts';
import { sqlState } from './errors.ts';

/** What this version reads and writes. */
export const SCHEMA_FORMAT = 2;
const MAX_SHARD_COUNT = 65_536;
const UNDEFINED_TABLE = '42P01';
/** Duplicate table, that of its row type (seen just after the table was not), and of its name in the catalogue: which of them depends on the moment. */
const MADE_MEANWHILE = new Set(['42P07', '42710', '23505']);
export const MIGRATE = '`tenuto data migrate --store postgres://…`';

export interface Cluster {
  format: number;
  /** Made when the tables were. */
  clusterId: string;
  shardCount: number;
  createdBy: string;
  createdAt: string;
}

/**
 * One step per format: from nothing to 1, from 1 to 2 …. Each statement may run again, because not every database undoes definitions with
 * a transaction; the step counts once its format is written, after them.
 */
const STEPS: readonly (readonly string[])[] = [
  [
    `CREATE TABLE IF NOT EXISTS tenuto_cluster (
       id integer PRIMARY KEY,
       format integer NOT NULL,
       cluster_id text NOT NULL,
       shard_count integer NOT NULL,
       term bigint NOT NULL,
       created_by text NOT NULL,
       created_at text NOT NULL,
       CHECK (id = 1)
     )`,
    `CREATE TABLE IF NOT EXISTS tenuto_shard (
       shard integer PRIMARY KEY,
       version bigint NOT NULL DEFAULT 0,
       term bigint NOT NULL DEFAULT 0,
       applied_lsn bigint NOT NULL DEFAULT 0,
       applied_term bigint NOT NULL DEFAULT 0,
       applied_chain bigint NOT NULL DEFAULT 0,
       last_lsn bigint NOT NULL DEFAULT 0,
       last_term bigint NOT NULL DEFAULT 0,
       last_chain bigint NOT NULL DEFAULT 0,
       voted_term bigint NOT NULL DEFAULT 0,
       voted_for text NOT NULL DEFAULT ''
     )`,
    `CREATE TABLE IF NOT EXISTS tenuto_log (
       shard integer NOT NULL,
       lsn bigint NOT NULL,
       term bigint NOT NULL,
       chain bigint NOT NULL,
       entry bytea NOT NULL,
       PRIMARY KEY (shard, lsn)
     )`,
    `CREATE TABLE IF NOT EXISTS tenuto_row (
       key bytea PRIMARY KEY,
       rest bytea,
       value bytea NOT NULL
     )`,
  ],
  ["ALTER TABLE tenuto_cluster ADD COLUMN IF NOT EXISTS holder text NOT NULL DEFAULT ''"],
];

const SHARDS_AT_ONCE = 1_000;

export interface Migration {
  cluster: Cluster;
  /** 0: there was nothing. */
  from: number;
}

/** Makes the tables, or brings them up to date; may be called by several at once, and again. @throws StoreError `version` when newer. */
export function migrate(database: Database, shardCount: number | undefined): Promise<Migration> {
  const wanted = shardCount ?? DEFAULT_SHARD_COUNT;
  if (!Number.isInteger(wanted) || wanted < 1 || wanted > MAX_SHARD_COUNT) {
    throw new StoreError('misuse', `shardCount must be 1..${MAX_SHARD_COUNT}, not ${wanted}`);
  }
  return database.write(async (connection) => {
    const found = await readCluster(connection, database.name);
    const from = found?.format ?? 0;
    for (let format = from; format < SCHEMA_FORMAT; format += 1) await step(connection, format, wanted);
    const cluster = await readCluster(connection, database.name);
    if (cluster === undefined) throw new StoreError('version', `${database.name} has no tables after a migration`);
    if (shardCount !== undefined && cluster.shardCount !== shardCount) {
      throw new StoreError(
        'misuse',
        `${database.name} has ${cluster.shardCount} shards, not ${shardCount}: the number is fixed when the tables are made`,
        { hint: 'Leave --shard-count out, or name an empty database.' },
      );
    }
    return { cluster, from };
  });
}

async function step(connection: Connection, from: number, shardCount: number): Promise<void> {
  for (const statement of STEPS[from] ?? []) {
    await connection.query(statement).catch((error: unknown) => {
      // Another one made it at this moment: then it is there.
      if (!MADE_MEANWHILE.has(sqlState(error) ?? '')) throw error;
    });
  }
  if (from === 0) await createShards(connection, shardCount);
  else await connection.query('UPDATE tenuto_cluster SET format = $1 WHERE id = 1 AND format = $2', [from + 1, from]);
}

function createShards(connection: Connection, shardCount: number): Promise<void> {
  return connection.transaction('', async () => {
    const [used] = await connection.query('SELECT shard FROM tenuto_shard WHERE version > 0 LIMIT 1');
    if (used !== undefined) {
      throw new StoreError('corrupt', 'tenuto_shard holds shards, but the row of tenuto_cluster is gone', {
        hint: 'Restore the database from a backup.',
      });
    }
    const made = await connection.query(
      `INSERT INTO tenuto_cluster (id, format, cluster_id, shard_count, term, created_by, created_at)
       VALUES (1, 1, $1, $2, 0, $3, $4) ON CONFLICT (id) DO NOTHING RETURNING id`,
      [randomUUID(), shardCount, VERSION, new Date().toISOString()],
    );
    if (made.length === 0) return;
    for (let first = 0; first < shardCount; first += SHARDS_AT_ONCE) {
      const last = Math.min(shardCount, first + SHARDS_AT_ONCE) - 1;
      await connection.query('INSERT INTO tenuto_shard (shard) SELECT generate_series($1::int, $2::int)', [
        first,
        last,
      ]);
    }
  });
}

/** What a node needs to start. @throws StoreError `version` when the tables are missing, older or newer, with what to do. */
export async function findCluster(database: Database): Promise<Cluster> {
  const cluster = await database.read((connection) => readCluster(connection, database.name));
  if (cluster === undefined) {
    throw new StoreError('version', `${database.name} has no Tenuto tables`, {
      hint: `${MIGRATE} makes them.`,
    });
  }
  if (cluster.format < SCHEMA_FORMAT) {
    throw new StoreError(
      'version',
      `${database.name} has schema ${cluster.format}; this Tenuto needs ${SCHEMA_FORMAT}`,
      {
        hint: `${MIGRATE} brings it up to date, once every node of the old version has stopped.`,
      },
    );
  }
  return cluster;
}

/** Undefined: there are no tables, or a migration was cut short before they counted. */
async function readCluster(connection: Connection, name: string): Promise<Cluster | undefined> {
  let rows: readonly (readonly unknown[])[];
  try {
    rows = await connection.query(
      'SELECT format, cluster_id, shard_count, created_by, created_at FROM tenuto_cluster WHERE id = 1',
    );
  } catch (error) {
    if (sqlState(error) === UNDEFINED_TABLE) return undefined;
    throw error;
  }
  const [row] = rows;
  if (row === undefined) return undefined;
  const [format, clusterId, shardCount, createdBy, createdAt] = row;
  const cluster = {
    format: Number(format),
    clusterId: String(clusterId),
    shardCount: Number(shardCount),
    createdBy: String(createdBy),
    createdAt: String(createdAt),
  };
  if (cluster.format > SCHEMA_FORMAT) {
    throw new StoreError(
      'version',
      `${name} has schema ${cluster.format}, made by a newer Tenuto; this is ${VERSION}, which knows up to ${SCHEMA_FORMAT}`,
      { hint: 'Use that version or a newer one. Nothing was changed.' },
    );
  }
  return cluster;
}
