// A worker and a client on a real cluster that were given one node: they find the others, and a rolling restart goes unnoticed.

import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client, Connection } from '../../sdk/client/index.ts';
import { Worker } from '../../sdk/worker/index.ts';
import { TestCluster } from '../support/cluster.ts';
import { eventually } from '../support/redis.ts';

const workflowsPath = fileURLToPath(new URL('./workflows.ts', import.meta.url));
let cluster: TestCluster;
const connections: Connection[] = [];

beforeAll(async () => {
  cluster = await TestCluster.create(16, { firstMembers: 3 });
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

describe('a worker that was given one node', () => {
  it('is served from all, also while that node goes and comes back: nothing is lost, nothing runs twice', async () => {
    const { connection } = await clientOf('b');
    const runs = new Map<string, number>();
    const worker = await Worker.create({
      connection,
      taskQueue: 'all-nodes',
      workflowsPath,
      activities: {
        greet: async (name: string) => {
          runs.set(name, (runs.get(name) ?? 0) + 1);
          return name;
        },
      },
    });
    const client = await clientOf('c');
    const registered = (name: string) =>
      clientOf(name).then((at) =>
        at.connection.request('describeTaskQueue', { namespace: 'default', taskQueue: 'all-nodes' }),
      );
    await worker.runUntil(async () => {
      for (const name of ['a', 'b', 'c']) {
        await eventually(`the worker at ${name}`, async () =>
          (await registered(name)).pollers.length > 0 ? true : undefined,
        );
      }
      const results: Promise<string>[] = [];
      const load = setInterval(() => {
        const workflowId = `all-${results.length}`;
        const options = { workflowId, taskQueue: 'all-nodes', args: [workflowId] };
        results.push(client.workflow.execute('hello', options) as Promise<string>);
      }, 20);
      try {
        await cluster.stop('b');
        await eventually('all shards led by the other two', async () =>
          (await cluster.shards('a')).every(({ leader }) => leader === 'a' || leader === 'c') ? true : undefined,
        );
        await cluster.start('b');
        await cluster.settled('a', ['a', 'b', 'c'], 3);
        await eventually('the worker is at b again', async () =>
          (await registered('b')).pollers.length > 0 ? true : undefined,
        );
      } finally {
        clearInterval(load);
      }
      expect(await Promise.all(results)).toEqual(results.map((_, i) => `all-${i}`));
      expect([...runs].filter(([, count]) => count !== 1)).toEqual([]);
    });
  }, 60_000);
});
