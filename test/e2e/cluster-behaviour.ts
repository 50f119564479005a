// What a cluster of the nodes a, b and c does wherever its shards are: replicated in their directories, or in a database that they share.

import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { type Client, Connection, WorkflowFailedError } from '../../sdk/client/index.ts';
import { Worker } from '../../sdk/worker/index.ts';
import type { TestCluster } from '../support/cluster.ts';
import { eventually } from '../support/redis.ts';

export const workflowsPath = fileURLToPath(new URL('./workflows.ts', import.meta.url));

export interface Use {
  cluster(): TestCluster;
  /** Connected to this node at first. */
  clientOf(node: string): Promise<Client>;
  /** To be closed at the end. */
  keep(connection: Connection): void;
  /** A node that was stopped starts again, and leads its share when this resolves. */
  comesBack(node: string): Promise<unknown>;
}

export const start = (client: Client, workflowId: string) =>
  client.workflow.start('order', { workflowId, taskQueue: 'orders', args: [] });

/** What is started here, and nowhere else. */
const ORDERS = 'WorkflowType = "order"';

export function anyNodeAnswers(use: Use): void {
  it('answers anything at any node', async () => {
    const [a, b, c] = await Promise.all([use.clientOf('a'), use.clientOf('b'), use.clientOf('c')]);
    const ids = Array.from({ length: 30 }, (_, i) => `any-${String(i).padStart(2, '0')}`);
    await Promise.all(ids.map((id) => start(a, id)));
    await Promise.all(ids.map((id) => b.workflow.getHandle(id).signal('go', 1)));
    const described = await Promise.all(ids.map((id) => c.workflow.getHandle(id).describe()));
    expect(described.map(({ historyLength }) => historyLength)).toEqual(ids.map(() => 3));
    // Pages of ten, merged from all nodes, each execution once, newest first.
    const listed: string[] = [];
    for await (const info of c.workflow.list({ query: ORDERS, pageSize: 10 })) listed.push(info.workflowId);
    expect([...listed].sort()).toEqual(ids);
    expect((await a.workflow.count(ORDERS)).count).toBe(30);
    await expect(start(c, 'any-00')).rejects.toThrow(/already started/i);
    await Promise.all(ids.map((id) => c.workflow.getHandle(id).terminate('done')));
    await expect(a.workflow.getHandle('any-07').result()).rejects.toThrow(WorkflowFailedError);
  });

  it('brings every task to a worker that is connected to one node only', async () => {
    const connection = await Connection.connect({ address: use.cluster().node('a').address, discovery: 'off' });
    use.keep(connection);
    const worker = await Worker.create({
      connection,
      taskQueue: 'everywhere',
      workflowsPath,
      activities: { greet: async (name: string) => `Hello, ${name}!` },
    });
    const client = await use.clientOf('b');
    await worker.runUntil(async () => {
      const results = Array.from({ length: 30 }, (_, i) =>
        client.workflow.execute('hello', { workflowId: `near-${i}`, taskQueue: 'everywhere', args: [String(i)] }),
      );
      expect(await Promise.all(results)).toEqual(results.map((_, i) => `Hello, ${i}!`));
    });
  }, 60_000);
}

/** Leaves the workflows `roll-0` and so on. */
export function nodesComeAndGo(use: Use): void {
  it('lets a node go and come back while every request succeeds', async () => {
    const client = await use.clientOf('a');
    let going = true;
    let asked = 0;
    const load = (async () => {
      while (going) {
        await Promise.all(Array.from({ length: 5 }, (_, i) => start(client, `roll-${asked + i}`)));
        asked += 5;
      }
    })();
    await use.cluster().stop('b');
    await eventually('all shards led by the other two', async () =>
      (await use.cluster().shards('a')).every(({ leader }) => leader === 'a' || leader === 'c') ? true : undefined,
    );
    await use.comesBack('b');
    await eventually('enough was asked', async () => (asked >= 100 ? true : undefined));
    going = false;
    await load;
    const back = await use.clientOf('b');
    expect((await back.workflow.count(`${ORDERS} AND ExecutionStatus = "Running"`)).count).toBe(asked);
  }, 60_000);
}
