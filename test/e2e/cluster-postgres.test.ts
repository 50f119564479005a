// A cluster whose nodes keep nothing: one real PostgreSQL for all, real sockets and Redis. Any node answers anything, each shard is led by one, and
// what a node led goes to the others when it leaves (test/chaos/cluster-database.test.ts: when it is killed).

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client, Connection } from '../../sdk/client/index.ts';
import { Worker } from '../../sdk/worker/index.ts';
import { migrated } from '../conformance/postgres-medium.ts';
import { TestCluster } from '../support/cluster.ts';
import { type Database, sharedPostgres } from '../support/postgres.ts';
import { eventually } from '../support/redis.ts';
import { anyNodeAnswers, nodesComeAndGo, start, type Use, workflowsPath } from './cluster-behaviour.ts';

const SHARDS = 16;
let cluster: TestCluster;
let database: Database;
const connections: Connection[] = [];

beforeAll(async () => {
  database = await (await sharedPostgres()).database();
  await migrated(database, SHARDS);
  cluster = await TestCluster.create(SHARDS, { firstMembers: 3 });
  await Promise.all(['a', 'b', 'c'].map((name) => cluster.start(name, { postgres: database.url })));
  await ledBy('a', 'a', 'b', 'c');
}, 60_000);

afterAll(async () => {
  await Promise.all(connections.map((connection) => connection.close()));
  await cluster.close();
});

/** Every shard is led, and each of these nodes leads some; `by` says so. */
const ledBy = (by: string, ...names: string[]): Promise<true> =>
  eventually(
    `shards led by ${names.join(', ')}`,
    async () => {
      const leaders = (await cluster.shards(by)).map(({ leader }) => leader);
      return leaders.every((leader) => leader !== undefined && names.includes(leader)) &&
        names.every((name) => leaders.includes(name))
        ? true
        : undefined;
    },
    40_000,
  );

const use: Use = {
  cluster: () => cluster,
  clientOf: async (node) => new Client({ connection: await connectionTo(node) }),
  keep: (connection) => void connections.push(connection),
  comesBack: async (node) => {
    await cluster.start(node, { postgres: database.url });
    await ledBy('a', 'a', 'b', 'c');
  },
};

async function connectionTo(name: string): Promise<Connection> {
  const connection = await Connection.connect({ address: cluster.node(name).address });
  connections.push(connection);
  return connection;
}

describe('three nodes on one database', () => {
  it('are healthy with one copy of each shard: the database has the others', async () => {
    const { cluster: control } = cluster.node('a');
    await eventually('a healthy cluster', async () => {
      const problems = await new Promise((done) => control?.health((error, found) => done(error ?? found)));
      return JSON.stringify(problems) === '[]' ? true : undefined;
    });
    const status = control?.status();
    expect([status?.store, status?.replicas]).toEqual(['database', 1]);
    expect(status?.members.map(({ shouldHold }) => shouldHold)).toEqual(
      status?.members.map(({ shouldLead }) => shouldLead),
    );
    for (const { voters, desired } of await cluster.shards('b')) expect(voters).toEqual(desired);
  });

  it('share the shards, and run workflows started at any of them', async () => {
    const worker = await Worker.create({
      connection: await connectionTo('a'),
      taskQueue: 'shared',
      workflowsPath,
      activities: { greet: async (name: string) => `Hello, ${name}!` },
    });
    const client = new Client({ connection: await connectionTo('b') });
    await worker.runUntil(async () => {
      const results = Array.from({ length: 20 }, (_, i) =>
        client.workflow.execute('hello', { workflowId: `w-${i}`, taskQueue: 'shared', args: [String(i)] }),
      );
      expect(await Promise.all(results)).toEqual(results.map((_, i) => `Hello, ${i}!`));
    });
    const elsewhere = new Client({ connection: await connectionTo('c') });
    expect((await elsewhere.workflow.count('ExecutionStatus = "Completed"')).count).toBe(20);
  }, 60_000);

  anyNodeAnswers(use);
  nodesComeAndGo(use);

  it('are not joined by a second process of one of them', async () => {
    await expect(cluster.start('a', { postgres: database.url })).rejects.toThrow(/another node .* is called a/);
    await ledBy('b', 'a', 'b', 'c');
  }, 60_000);

  it('take over what a node led that leaves, and give it its share when it is back', async () => {
    const client = new Client({ connection: await connectionTo('a') });
    await cluster.stop('c');
    await ledBy('a', 'a', 'b');
    const start = (i: number) =>
      client.workflow.start('hello', { workflowId: `later-${i}`, taskQueue: 'nobody', args: [''] });
    await Promise.all(Array.from({ length: 20 }, (_, i) => start(i)));
    await cluster.start('c', { postgres: database.url });
    await ledBy('a', 'a', 'b', 'c');
    const back = new Client({ connection: await connectionTo('c') });
    expect((await back.workflow.count('WorkflowType = "hello" AND ExecutionStatus = "Running"')).count).toBe(20);
    expect(cluster.fatal).toEqual([]);
  }, 90_000);

  // Last: for a while afterwards Redis does not know whose names are taken.
  it('lead on while Redis is away, and are joined when it is back with nothing in it', async () => {
    await cluster.redis.kill();
    const client = await use.clientOf('a');
    await start(client, 'without-redis');
    expect((await client.workflow.getHandle('without-redis').describe()).status.name).toBe('RUNNING');
    await cluster.redis.start();
    await cluster.stop('c');
    await ledBy('a', 'a', 'b');
    await use.comesBack('c');
    const back = await use.clientOf('c');
    expect((await back.workflow.getHandle('without-redis').describe()).status.name).toBe('RUNNING');
  }, 90_000);
});
