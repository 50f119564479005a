// A node on PostgreSQL as its users see it: tables made by the command, errors that say what to do, what was acknowledged there after
// kill -9, and a password that shows up nowhere.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished as atTestEnd, beforeAll, describe, expect, test } from 'vitest';
import { type Database, type PostgresServer, sharedPostgres } from '../support/postgres.ts';
import { type AtEnd, restartServer, startServer, temporaryDir, tenuto } from '../support/processes.ts';
import { inhabit, TASK_QUEUE } from './world.ts';

const onTestFinished: AtEnd = (step) => atTestEnd(async () => void (await step()));

let server: PostgresServer;
beforeAll(async () => {
  server = await sharedPostgres();
});

async function emptyDatabase(): Promise<Database> {
  const database = await server.database();
  onTestFinished(() => database.drop());
  return database;
}

async function migratedDatabase(): Promise<Database> {
  const database = await emptyDatabase();
  expect((await tenuto(['data', 'migrate', '--store', database.url])).code).toBe(0);
  return database;
}

function configFor(url: string, port = 0, outage = '5s'): string {
  const file = join(temporaryDir(), 'tenuto.json');
  writeFileSync(file, JSON.stringify({ listen: { port }, store: { postgres: { url, outage } } }));
  return file;
}

const start = (config: string) => tenuto(['server', 'start', '--config', config]);

describe('tenuto data migrate', () => {
  test('makes the tables once, and says so when there is nothing to do', async () => {
    const { url } = await emptyDatabase();
    const first = await tenuto(['data', 'migrate', '--store', url, '--shard-count', '16', '-o', 'json']);
    expect(JSON.parse(first.stdout)).toMatchObject({ migration: 'made the tables', schema: 2, shards: 16 });
    const again = await tenuto(['data', 'migrate', '-o', 'json'], { env: { TENUTO_POSTGRES_URL: url } });
    expect(JSON.parse(again.stdout)).toMatchObject({ migration: 'nothing to do', shards: 16 });
    expect(JSON.parse(again.stdout).clusterId).toBe(JSON.parse(first.stdout).clusterId);
    const other = await tenuto(['data', 'migrate', '--store', url, '--shard-count', '17']);
    expect([other.code, other.stderr]).toEqual([1, expect.stringContaining('has 16 shards, not 17')]);
  });

  test('by several at once makes them once', async () => {
    const database = await emptyDatabase();
    const runs = await Promise.all([1, 2, 3].map(() => tenuto(['data', 'migrate', '--store', database.url])));
    expect(runs.map(({ code, stderr }) => [code, stderr])).toEqual(runs.map(() => [0, '']));
    expect(await database.sql('SELECT count(*)::int AS n FROM tenuto_shard')).toEqual([{ n: 256 }]);
  });

  test('goes on where it was cut short', async () => {
    const database = await migratedDatabase();
    await database.sql('DROP TABLE tenuto_row; DELETE FROM tenuto_cluster; DELETE FROM tenuto_shard');
    expect((await tenuto(['data', 'migrate', '--store', database.url])).code).toBe(0);
    expect(await database.sql('SELECT count(*)::int AS n FROM tenuto_shard')).toEqual([{ n: 256 }]);
  });

  test('wants a postgres:// URL', async () => {
    const { code, stderr } = await tenuto(['data', 'migrate', '--store', 'mysql://me:s3cret@db/x']);
    expect(code).toBe(2);
    expect(stderr).toContain('postgres://user:password@host:port/database');
    expect(stderr).not.toContain('s3cret');
  });
});

describe('a node that cannot start on its database says why', () => {
  test('no tables', async () => {
    const database = await emptyDatabase();
    const { code, stderr } = await start(configFor(database.url));
    expect(code).toBe(1);
    expect(stderr).toContain(`database "${database.name}" at 127.0.0.1:${database.port} has no Tenuto tables`);
    expect(stderr).toContain('tenuto data migrate --store');
  });

  test('tables of a newer version, which stay as they are', async () => {
    const database = await migratedDatabase();
    await database.sql('UPDATE tenuto_cluster SET format = 99');
    const { code, stderr } = await start(configFor(database.url));
    expect([code, stderr]).toEqual([1, expect.stringMatching(/has schema 99, made by a newer Tenuto/)]);
    const migration = await tenuto(['data', 'migrate', '--store', database.url]);
    expect([migration.code, migration.stderr]).toEqual([1, expect.stringContaining('Nothing was changed')]);
    expect(await database.sql('SELECT format FROM tenuto_cluster')).toEqual([{ format: 99 }]);
  });

  test('a wrong password, which is not repeated', async () => {
    const database = await migratedDatabase();
    const { code, stderr } = await start(configFor(database.url.replace(database.password, 'wr0ng')));
    expect(code).toBe(1);
    expect(stderr).toContain('password authentication failed');
    expect(stderr).not.toContain('wr0ng');
  });

  test('a cluster’s database, unless that was told to let go of it', { timeout: 30_000 }, async () => {
    const database = await migratedDatabase();
    await database.sql("UPDATE tenuto_cluster SET holder = 'cluster:orders'");
    const { code, stderr } = await start(configFor(database.url));
    expect([code, stderr]).toEqual([2, expect.stringContaining('belongs to cluster orders: a node that stands alone')]);
    expect(stderr).toContain('Set cluster.id (--cluster-id)');
    const released = await tenuto(['data', 'release', '--store', database.url, '-o', 'json']);
    expect(JSON.parse(released.stdout)).toMatchObject({ releasedFrom: 'cluster orders' });
    await startServer(['start', '--config', configFor(database.url)]);
  });

  test('a database that is not there', async () => {
    const database = await emptyDatabase();
    const { code, stderr } = await start(configFor(`${database.url}_not`));
    expect([code, stderr]).toEqual([1, expect.stringMatching(/does not exist.*\n.*Create the database/)]);
  });

  test('nobody listening', { timeout: 30_000 }, async () => {
    const { code, stderr } = await start(configFor('postgres://u:s3cret@127.0.0.1:1/x', 0, '500ms'));
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/database "x" at 127.0.0.1:1 failed for \d+ s: .*ECONNREFUSED/),
    ]);
    expect(stderr).not.toContain('s3cret');
  });
});

describe('a node on PostgreSQL', () => {
  test('goes on after kill -9 with what it had acknowledged', { timeout: 60_000 }, async () => {
    const database = await migratedDatabase();
    const node = await startServer(['start', '--config', configFor(database.url)]);
    expect(node.stdout()).toContain(`data in database "${database.name}" at 127.0.0.1`);
    const { client } = await inhabit({ address: node.address }, onTestFinished);
    const handle = await client.workflow.start('sum', { workflowId: 'w', taskQueue: TASK_QUEUE, args: [] });
    for (let n = 0; n < 5; n += 1) await handle.signal('add', 1);
    node.kill('SIGKILL');
    await node.ended;
    const port = Number(node.address.split(':')[1]);
    const again = await restartServer(['start', '--config', configFor(database.url, port)]);
    await handle.signal('finish');
    expect(await handle.result()).toBe(5);
    const verify = await tenuto(['data', 'verify', database.url, '-o', 'json']);
    expect(JSON.parse(verify.stdout)).toMatchObject({ sound: true, shardCount: 256 });
    for (const { stdout, stderr } of [node, again]) expect(stdout() + stderr()).not.toContain(database.password);
  });

  test('that is fenced by a second one on the same database stops serving', { timeout: 60_000 }, async () => {
    const database = await migratedDatabase();
    const first = await startServer(['start', '--config', configFor(database.url)]);
    const { client } = await inhabit({ address: first.address, requestTimeout: '2s' }, onTestFinished);
    await client.workflow.start('sum', { workflowId: 'w', taskQueue: TASK_QUEUE, args: [] });
    const second = await startServer(['start', '--config', configFor(database.url)]);
    const late = client.workflow.getHandle('w').signal('add', 1);
    await expect(late).rejects.toThrow(/was fenced while this node led it/);
    expect(await (await fetch(`http://${first.address}/readyz`)).text()).toMatch(/^not ready: .*was fenced/);
    const there = await inhabit({ address: second.address }, onTestFinished);
    const handle = there.client.workflow.getHandle('w');
    await handle.signal('finish');
    expect(await handle.result()).toBe(0);
  });
});
