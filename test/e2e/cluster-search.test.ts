// Search attributes in a cluster: registered at one node, set, found, ordered and counted at all of them, also after the shard that keeps them
// has moved.

import { afterAll, beforeAll, expect, it } from 'vitest';
import { Client, Connection } from '../../sdk/client/index.ts';
import { IndexedValueType } from '../../src/wire/enums.ts';
import { shardOf } from '../../src/wire/shard.ts';
import { TestCluster } from '../support/cluster.ts';
import { eventually } from '../support/redis.ts';

const SHARDS = 16;
const NODES = ['a', 'b', 'c'];
let cluster: TestCluster;
const connections: Connection[] = [];

beforeAll(async () => {
  cluster = await TestCluster.create(SHARDS, { firstMembers: 3 });
  await Promise.all(NODES.map((name) => cluster.start(name)));
  await cluster.settled('a', NODES, 3);
  // Each asks the node it is connected to, whoever leads.
  for (const name of NODES) {
    const { address } = cluster.node(name);
    connections.push(await Connection.connect({ address, discovery: 'off' }));
  }
}, 60_000);

afterAll(async () => {
  await Promise.all(connections.map((connection) => connection.close()));
  await cluster.close();
});

const leaderOf = async (shard: number): Promise<string> =>
  (await cluster.shards('a')).find((status) => status.shard === shard)?.leader ?? '';

async function found(connection: Connection, query: string): Promise<string[]> {
  const all: string[] = [];
  for await (const { workflowId } of new Client({ connection }).workflow.list({ query, pageSize: 5 }))
    all.push(workflowId);
  return all;
}

it('what is registered and set at any node is found at every node', async () => {
  const [a, b, c] = connections;
  if (a === undefined || b === undefined || c === undefined) throw new Error('a node is missing');
  const searchAttributes = { City: IndexedValueType.KEYWORD, Weight: IndexedValueType.DOUBLE };
  await b.operatorService.addSearchAttributes({ namespace: 'default', searchAttributes });
  const ids = Array.from({ length: 12 }, (_, i) => `found-${String(i).padStart(2, '0')}`);
  await Promise.all(
    ids.map((workflowId, i) =>
      new Client({ connection: connections[i % 3] ?? a }).workflow.start('order', {
        ...{ workflowId, taskQueue: 'nobody', args: [] },
        searchAttributes: { City: ['Rome'], Weight: [100 - i] },
      }),
    ),
  );
  for (const connection of connections) {
    expect(await found(connection, "City = 'Rome' AND Weight > 0 ORDER BY Weight DESC")).toEqual(ids);
    const { groups } = await new Client({ connection }).workflow.count('City IS NOT NULL GROUP BY City');
    expect(groups).toEqual([{ count: ids.length, groupValues: [['Rome']] }]);
    expect(await new Client({ connection }).workflow.count("ExecutionStatus = 'Running'")).toMatchObject({ count: 12 });
  }

  // The shard that keeps them goes to another node, with the counters of its executions.
  const settings = shardOf('default', '', SHARDS);
  const owner = await leaderOf(settings);
  await new Promise<void>((resolve, reject) =>
    cluster
      .node('a')
      .cluster?.drain(owner, 'leadership', (error) => (error ? reject(new Error(error.message)) : resolve())),
  );
  await eventually('another leader', async () => {
    const leader = await leaderOf(settings);
    return leader !== '' && leader !== owner ? leader : undefined;
  });
  const { customAttributes } = await c.operatorService.listSearchAttributes({ namespace: 'default' });
  expect(customAttributes).toEqual(searchAttributes);
  expect(await found(c, "City = 'Rome' ORDER BY Weight DESC")).toEqual(ids);
  expect(await new Client({ connection: b }).workflow.count('GROUP BY ExecutionStatus')).toMatchObject({ count: 12 });
  await a.operatorService.removeSearchAttributes({ namespace: 'default', searchAttributes: ['Weight'] });
  expect((await b.operatorService.listSearchAttributes({ namespace: 'default' })).customAttributes).toEqual({
    City: 2,
  });
}, 60_000);
