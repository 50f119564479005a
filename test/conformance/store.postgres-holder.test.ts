// Whose a database is: the first to use it, until an operator releases it. Who it was taken from takes no shard of it any more.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { shardId } from '../../src/ports/ids.ts';
import { silentLog } from '../../src/ports/log.ts';
import { migrateDatabase, openPostgresStore, releaseDatabase } from '../../src/store/postgres/index.ts';
import type { PostgresStore } from '../../src/store/postgres/store.ts';
import { type Database, sharedPostgres } from '../support/postgres.ts';
import { migrated, optionsOf } from './postgres-medium.ts';

let database: Database;
const stores: PostgresStore[] = [];

beforeEach(async () => {
  database = await (await sharedPostgres()).database();
  await migrated(database, 4);
});
afterEach(async () => {
  await Promise.all(stores.splice(0).map((store) => store.close()));
  await database.drop();
});

async function open(clusterId: string | undefined): Promise<PostgresStore> {
  const store = await openPostgresStore(optionsOf(database.url), clusterId, silentLog);
  stores.push(store);
  await store.open();
  return store;
}

const refused = (kind: string, message: string, hint: string) =>
  expect.objectContaining({ kind, message: expect.stringContaining(message), hint: expect.stringContaining(hint) });

describe('a database', () => {
  it('of a cluster is refused to a node that stands alone, and to another cluster, and changes nothing for its own', async () => {
    const first = await open('orders');
    const given = await first.nextTerm({ shards: [shardId(0)] });
    await expect(open(undefined)).rejects.toEqual(
      refused(
        'held',
        'belongs to cluster orders: a node that stands alone would take its shards',
        'tenuto data release',
      ),
    );
    await expect(open('demo')).rejects.toEqual(
      refused('held', 'belongs to cluster orders, not to cluster demo', 'Correct cluster.id'),
    );
    expect(await first.confirm([{ shard: shardId(0), term: given }])).toEqual([]);
    await open('orders');
  });

  it('of a node that stands alone is refused to a cluster, and open to the node that follows it', async () => {
    await open(undefined);
    await expect(open('orders')).rejects.toEqual(
      refused('held', 'belongs to a node that stands alone, not to cluster orders', 'tenuto data release'),
    );
    await open(undefined);
  });

  it('that was released is its next user’s: nodes of the one before take no further shard', async () => {
    const before = await open('orders');
    await before.nextTerm({ shards: [shardId(0)] });
    expect(await releaseDatabase(optionsOf(database.url))).toBe('cluster orders');
    expect(await releaseDatabase(optionsOf(database.url))).toBe('nobody');
    const alone = await open(undefined);
    const taken = await alone.nextTerm();
    await expect(before.nextTerm({ shards: [shardId(1)] })).rejects.toEqual(
      refused('held', 'was taken from cluster orders', 'Stop this node'),
    );
    expect(await alone.confirm([{ shard: shardId(1), term: taken }])).toEqual([]);
  });

  it('with tables of format 1 is nobody’s once it is migrated, and keeps what it has', async () => {
    await database.sql('ALTER TABLE tenuto_cluster DROP COLUMN holder');
    await database.sql('UPDATE tenuto_cluster SET format = 1, term = 7');
    await expect(open('orders')).rejects.toMatchObject({ kind: 'version' });
    expect(await migrateDatabase(optionsOf(database.url), undefined)).toMatchObject({
      from: 1,
      cluster: { format: 2 },
    });
    const store = await open('orders');
    expect(await store.nextTerm()).toBe(8);
  });
});
