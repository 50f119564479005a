// Flow control and schedules in a cluster, where a key, a schedule and what they start live on different nodes: asked through any of them.

import { afterAll, beforeAll, expect, it } from 'vitest';
import { Client, Connection, WorkflowExecutionAlreadyStartedError } from '../../sdk/client/index.ts';
import { TestCluster } from '../support/cluster.ts';
import { eventually } from '../support/redis.ts';

const SHARDS = 16;
const NAMES = ['a', 'b', 'c'] as const;
let cluster: TestCluster;
const clients: Client[] = [];

beforeAll(async () => {
  cluster = await TestCluster.create(SHARDS, { firstMembers: 3 });
  await Promise.all(NAMES.map((name) => cluster.start(name)));
  await cluster.settled('a', NAMES, 3);
  for (const name of NAMES) {
    // Asks this node and no other: it forwards.
    const connection = await Connection.connect({ address: cluster.node(name).address, discovery: 'off' });
    clients.push(new Client({ connection }));
  }
}, 60_000);

afterAll(async () => {
  await Promise.all(clients.map(({ connection }) => connection.close()));
  await cluster.close();
});

const clientOf = (n: number): Client => {
  const client = clients[n % clients.length];
  if (client === undefined) throw new Error('there are no clients');
  return client;
};

it('permits pass between nodes, through whichever they are asked for', { timeout: 60_000 }, async () => {
  const start = (n: number) =>
    clientOf(n).workflow.start('order', {
      ...{ workflowId: `limited-${n}`, taskQueue: 'nobody' },
      flowControl: { key: 'tenant', concurrency: { limit: 3 } },
    });
  const handles = [];
  for (let n = 0; n < 9; n += 1) handles.push(await start(n));
  const key = { namespace: 'default', key: 'tenant', scope: 'namespace' as const };
  for (const { connection } of clients) {
    await eventually('three have a permit', async () => {
      const { held, waiting } = await connection.request('describeFlowKey', key);
      return held === 3 && waiting === 6 ? true : undefined;
    });
  }
  const described = await Promise.all(
    handles.map(({ workflowId }, n) =>
      clientOf(n + 1)
        .workflow.getHandle(workflowId)
        .describe(),
    ),
  );
  const places = described.flatMap(({ flowControl }) => flowControl?.position ?? []);
  expect(places.sort()).toEqual([1, 2, 3, 4, 5, 6]);
  await clientOf(2).connection.request('setFlowLimits', { ...key, limits: { concurrency: { limit: 5 } } });
  for (const handle of handles) await handle.terminate();
  await eventually('all have given it back', async () => {
    const { held, waiting } = await clientOf(1).connection.request('describeFlowKey', key);
    return held + waiting === 0 ? true : undefined;
  });
  const { keys } = await clientOf(0).connection.request('listFlowKeys', { namespace: 'default' });
  expect(keys.map(({ key: name, limits }) => [name, limits.concurrency?.limit])).toEqual([['tenant', 5]]);
});

it('refuses a second singleton, and tells of the first, at any node', { timeout: 60_000 }, async () => {
  const options = (n: number, singleton: 'reject' | 'useExisting') => ({
    ...{ workflowId: `single-${n}`, taskQueue: 'nobody' },
    flowControl: { key: 'one', singleton },
  });
  await clientOf(0).workflow.start('order', options(0, 'reject'));
  for (let n = 1; n < 6; n += 1) {
    await expect(clientOf(n).workflow.start('order', options(n, 'reject'))).rejects.toThrow(
      WorkflowExecutionAlreadyStartedError,
    );
    expect((await clientOf(n).workflow.start('order', options(n, 'useExisting'))).workflowId).toBe('single-0');
  }
});

it('a schedule starts its runs on whichever node they live', { timeout: 60_000 }, async () => {
  const schedule = await clientOf(0).schedule.create({
    scheduleId: 'far',
    spec: { intervals: [{ every: '1 second' }] },
    action: { type: 'startWorkflow', workflowType: 'order', taskQueue: 'nobody' },
    policies: { overlap: 'ALLOW_ALL' },
    state: { remainingActions: 8 },
  });
  await eventually(
    'eight runs',
    async () => {
      const { count } = await clientOf(1).workflow.count("TemporalScheduledById = 'far'");
      return count === 8 ? true : undefined;
    },
    30_000,
  );
  expect((await schedule.describe()).info.recentActions).toHaveLength(8);
  await schedule.delete();
});
