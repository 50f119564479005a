// PostgreSQL as a medium under the conformance suite. One database per file, emptied for each medium; statements fail inside the server, by a
// trigger; a killed store's connections are cut and their backends awaited.

import { randomUUID } from 'node:crypto';
import pg from 'pg';
import type { Store } from '../../src/ports/store.ts';
import { Database } from '../../src/store/postgres/database.ts';
import { DEFAULT_POSTGRES_OPTIONS, type PostgresOptions } from '../../src/store/postgres/options.ts';
import type { OutageListener } from '../../src/store/postgres/outage.ts';
import { migrate } from '../../src/store/postgres/schema.ts';
import { PostgresStore } from '../../src/store/postgres/store.ts';
import type { Database as TestDatabase } from '../support/postgres.ts';
import type { Medium } from './medium.ts';

export const optionsOf = (url: string, more: Partial<PostgresOptions> = {}): PostgresOptions => ({
  ...DEFAULT_POSTGRES_OPTIONS,
  url,
  outageMs: 10_000,
  ...more,
});

export const SHARDS = 256;

export async function migrated(database: TestDatabase, shardCount = SHARDS): Promise<void> {
  const handle = new Database(optionsOf(database.url), 'migration');
  await migrate(handle, shardCount);
  await handle.close();
}

/** A handle as a node has it. `url` may lead through a proxy. */
export function storeOn(
  url: string,
  more: Partial<PostgresOptions> = {},
  shardCount = SHARDS,
  listener?: OutageListener,
): PostgresStore {
  const id = randomUUID();
  return new PostgresStore(
    new Database(optionsOf(url, more), `tenuto ${id}`, { listener }),
    { clusterId: 'cluster', shardCount, holder: '' },
    id,
  );
}

/** Cuts the store's connections and waits until the server has noticed. */
export async function killed(database: TestDatabase, store: Store): Promise<void> {
  (store as PostgresStore).abandon();
  const look = 'SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = $1';
  for (;;) {
    const [row] = await database.sql(look, [`tenuto ${store.directoryId}`]);
    if (row?.n === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const EMPTY = `
  DROP TRIGGER IF EXISTS tenuto_test_refuse ON tenuto_shard;
  DELETE FROM tenuto_row;
  DELETE FROM tenuto_log;
  INSERT INTO tenuto_shard (shard) SELECT generate_series(0, ${SHARDS - 1}) ON CONFLICT (shard) DO NOTHING;
  UPDATE tenuto_shard SET version = 0, term = 0, applied_lsn = 0, applied_term = 0, applied_chain = 0, last_lsn = 0, last_term = 0,
    last_chain = 0, voted_term = 0, voted_for = '';
  UPDATE tenuto_cluster SET term = 0`;

/** A sequence is not undone with its transaction: it counts refused writes too. */
const REFUSE = (nth: number, state: string, every: boolean): string => `
  DROP TRIGGER IF EXISTS tenuto_test_refuse ON tenuto_shard;
  DROP SEQUENCE IF EXISTS tenuto_test_writes;
  CREATE SEQUENCE tenuto_test_writes;
  CREATE OR REPLACE FUNCTION tenuto_test_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF nextval('tenuto_test_writes') ${every ? `% ${nth} = 0` : `= ${nth}`} THEN
        RAISE EXCEPTION 'the disk refuses' USING ERRCODE = '${state}';
      END IF;
      RETURN NULL;
    END $$;
  CREATE TRIGGER tenuto_test_refuse AFTER UPDATE ON tenuto_shard FOR EACH STATEMENT EXECUTE FUNCTION tenuto_test_refuse()`;

/** From now on write number `nth` fails with a SQLSTATE; or each `nth`. */
export const refuseWrites = (database: TestDatabase, nth: number, state: string, every = 'once'): Promise<unknown> =>
  database.sql(REFUSE(nth, state, every === 'every'));

const IS_WRITE = /^\s*(UPDATE tenuto_shard|WITH given)/;
let watched: { atOnce: number; total: number; underWay: number } | undefined;

const { query } = pg.Client.prototype;
pg.Client.prototype.query = function watchedQuery(this: pg.Client, ...args: unknown[]) {
  const result: unknown = Reflect.apply(query, this, args);
  const [config] = args;
  const text = typeof config === 'object' && config !== null && 'text' in config ? String(config.text) : '';
  const seen = watched;
  if (seen === undefined || !IS_WRITE.test(text)) return result;
  seen.total += 1;
  seen.underWay += 1;
  seen.atOnce = Math.max(seen.atOnce, seen.underWay);
  const over = (): void => {
    seen.underWay -= 1;
  };
  (result as Promise<unknown>).then(over, over);
  return result;
} as typeof query;

/** `database` is migrated. */
export async function postgresMedium(database: TestDatabase): Promise<Medium> {
  await database.sql(EMPTY);
  const unsupported = (): never => {
    throw new Error('a database is not looked at record by record');
  };
  const open = new Set<PostgresStore>();
  return {
    store: () => {
      const store = storeOn(database.url);
      open.add(store);
      return store;
    },
    kill: async (store) => {
      await database.sql('DROP TRIGGER IF EXISTS tenuto_test_refuse ON tenuto_shard');
      await killed(database, store);
    },
    failWrite: async (n) => {
      await refuseWrites(database, n, 'XX000');
    },
    damage: async (what) => {
      const [row] =
        what === 'log'
          ? await database.sql(
              `UPDATE tenuto_log SET entry = set_bit(entry, 5, 1 - get_bit(entry, 5))
               WHERE (shard, lsn) IN (SELECT shard, lsn FROM tenuto_log ORDER BY shard, lsn DESC LIMIT 1) RETURNING lsn`,
            )
          : await database.sql(
              'UPDATE tenuto_row SET value = set_bit(value, 37, 1 - get_bit(value, 37)) WHERE key = $1 RETURNING key',
              [Buffer.from(what.row, 'latin1')],
            );
      return row !== undefined;
    },
    watchWrites: () => {
      watched = { atOnce: 0, total: 0, underWay: 0 };
      return watched;
    },
    records: unsupported,
    setRecords: unsupported,
    remove: async () => {
      watched = undefined;
      for (const store of open) store.abandon();
    },
  };
}
