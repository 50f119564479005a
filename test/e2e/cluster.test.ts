// A cluster as its users see it, node by node in this process over real sockets, directories and Redis: any node answers anything, nodes come
// and go with no failed request, and who does not belong is told so. Tests build on one another, so that the cluster starts once.

import { cpSync } from 'node:fs';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client, Connection } from '../../sdk/client/index.ts';
import type { Draining } from '../../src/ports/cluster.ts';
import { TestCluster } from '../support/cluster.ts';
import { eventually } from '../support/redis.ts';
import { anyNodeAnswers, nodesComeAndGo, start, type Use } from './cluster-behaviour.ts';

const SHARDS = 16;
let cluster: TestCluster;
const connections: Connection[] = [];

beforeAll(async () => {
  cluster = await TestCluster.create(SHARDS, { firstMembers: 3 });
  await Promise.all(['a', 'b', 'c'].map((name) => cluster.start(name)));
  await cluster.settled('a', ['a', 'b', 'c'], 3);
}, 60_000);

afterAll(async () => {
  await Promise.all(connections.map((connection) => connection.close()));
  await cluster.close();
});

async function clientOf(name: string): Promise<Client> {
  const connection = await Connection.connect({ address: cluster.node(name).address });
  connections.push(connection);
  return new Client({ connection });
}

const use: Use = {
  cluster: () => cluster,
  clientOf,
  keep: (connection) => void connections.push(connection),
  comesBack: async (node) => {
    await cluster.start(node);
    await cluster.settled('a', ['a', 'b', 'c'], 3);
  },
};

const drain = (by: string, node: string, how: Draining): Promise<void> =>
  new Promise((resolve, reject) =>
    cluster.node(by).cluster?.drain(node, how, (error) => (error ? reject(new Error(error.message)) : resolve())),
  );

describe('a cluster of three nodes', () => {
  it('leads a third of the shards at each node, all replicated three times', async () => {
    const shards = await cluster.shards('b');
    const leads = ['a', 'b', 'c'].map((name) => shards.filter(({ leader }) => leader === name).length);
    expect(leads.reduce((sum, n) => sum + n, 0)).toBe(SHARDS);
    for (const n of leads) expect(n).toBeGreaterThanOrEqual(Math.floor(SHARDS / 3) - 1);
  });

  anyNodeAnswers(use);

  it('shows what each node leads, and how far followers are behind', async () => {
    const response = await fetch(`http://${cluster.node('b').address}/metrics`);
    const text = await response.text();
    expect(text).toMatch(/^tenuto_cluster_replicas 16$/m);
    expect(text).toMatch(/^tenuto_cluster_members\{state="alive"\} 3$/m);
    const led = Number(/^tenuto_cluster_shards_led (\d+)$/m.exec(text)?.[1]);
    expect(text.match(/^tenuto_shard_follower_lag\{shard="\d+"\} 0$/gm)).toHaveLength(led);
  });

  it('has nothing to complain about', async () => {
    const problems = await new Promise((resolve) => cluster.node('c').cluster?.health((_, found) => resolve(found)));
    expect(problems).toEqual([]);
  });

  nodesComeAndGo(use);

  it('gives a new node its share, and what it had is there', async () => {
    await cluster.start('d');
    const shards = await cluster.settled('a', ['a', 'b', 'c', 'd'], 3);
    const share = shards.filter(({ leader }) => leader === 'd').length;
    expect(share).toBeGreaterThanOrEqual(2);
    expect(share).toBeLessThanOrEqual(6);
    const client = await clientOf('d');
    expect((await client.workflow.getHandle('roll-0').describe()).status.name).toBe('RUNNING');
  }, 60_000);

  it('drains a node until it holds nothing', async () => {
    await drain('a', 'c', 'everything');
    const shards = await cluster.settled('a', ['a', 'b', 'd'], 3);
    expect(shards.filter(({ voters, desired }) => [...voters, ...desired].includes('c'))).toEqual([]);
    expect(cluster.node('c').notReady()).toMatch(/being drained/);
    // It still forwards what clients ask of it.
    const client = await clientOf('c');
    expect((await client.workflow.getHandle('roll-1').describe()).status.name).toBe('RUNNING');
    await drain('a', 'c', 'no');
    await cluster.settled('a', ['a', 'b', 'c', 'd'], 3);
    expect(cluster.node('c').notReady()).toBeUndefined();
  }, 90_000);
});

describe('who does not belong', () => {
  it('is not let in under the name of another', async () => {
    await expect(
      cluster.start('a2', { cluster: { name: 'a' }, directory: cluster.directoryOf('twin') }),
    ).rejects.toThrow(/another node of cluster test is called a/);
  });

  it('is not let in with a copy of a directory that is in use', async () => {
    const copy = cluster.directoryOf('copy');
    cpSync(cluster.directoryOf('a'), copy, { recursive: true, filter: (file) => !/LOCK$|\.pid$/.test(file) });
    await expect(cluster.start('thief', { directory: copy })).rejects.toThrow(
      /data directory of this node \(id .*\) is in use by node a/,
    );
  });

  it('is told when its directory is of another cluster', async () => {
    const directory = cluster.directoryOf('a');
    await expect(cluster.start('x', { directory, cluster: { id: 'other' } })).rejects.toThrow(
      /belongs to cluster test, not to other/,
    );
  });
});

describe('Redis', () => {
  it('may be away, and come back having forgotten everything', async () => {
    await cluster.redis.kill();
    const client = await clientOf('a');
    await start(client, 'without-redis');
    expect((await client.workflow.getHandle('without-redis').describe()).status.name).toBe('RUNNING');
    await cluster.redis.start();
    // A node that has no seeds finds the others there, and in the record which cluster it joins.
    await eventually('record and nodes are there again', async () => {
      const redis = new Redis(cluster.redis.port);
      const found = Promise.all([redis.hlen('tenuto:{test}:peers'), redis.exists('tenuto:{test}:cluster')]);
      const [peers, records] = await found.finally(() => redis.disconnect());
      return peers >= 4 && records === 1 ? true : undefined;
    });
    await cluster.start('e');
    await cluster.settled('a', ['a', 'b', 'c', 'd', 'e'], 3);
  }, 60_000);

  it('may be away when all nodes start again, without seeds: they know where the others were', async () => {
    const members = cluster.node('a').cluster?.status().members ?? [];
    const places = members.map(({ name, addresses }) => [name, Number(addresses.gossip.split(':')[1])] as const);
    await Promise.all(places.map(([name]) => cluster.stop(name)));
    await cluster.redis.kill();
    await Promise.all(places.map(([name, port]) => cluster.start(name, { cluster: { gossip: { port } } })));
    const client = await clientOf('c');
    await eventually('every shard is led', async () =>
      (await cluster.shards('b')).every(({ leader }) => leader !== undefined) ? true : undefined,
    );
    await start(client, 'without-redis-again');
    expect((await client.workflow.getHandle('without-redis').describe()).status.name).toBe('RUNNING');
  }, 90_000);
});
