// Readers of published state while nodes are killed: every value reaches each of them, once and in order, whether they are pushed to or poll, and
// everything is readable when the workflow has closed. TENUTO_STATE_KEYS: how many values, 64 at most.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { Client, Connection } from '../../sdk/client/index.ts';
import { Worker } from '../../sdk/worker/index.ts';
import { restartServer, startServer, temporaryDir } from '../support/processes.ts';
import { ChaosCluster } from './cluster/cluster.ts';
import { problemsOf, readers } from './state-readers.ts';

const KEYS = Number(process.env.TENUTO_STATE_KEYS ?? 40);
const CONNECTIONS = 4;
const TASK_QUEUE = 'announcing';
const PATIENCE_MS = 180_000;

/** Publishes all of them on each of the workflows, while `faults` happen, and looks at what the readers were told. */
async function announced(
  address: string | readonly string[],
  workflowIds: readonly string[],
  faults: (published: () => number) => Promise<void>,
): Promise<void> {
  const [connection, own] = await Promise.all([Connection.connect({ address }), Connection.connect({ address })]);
  const { workflow } = new Client({ connection });
  const worker = await Worker.create({
    ...{ connection: own, taskQueue: TASK_QUEUE },
    workflowsPath: fileURLToPath(new URL('./state-workflow.ts', import.meta.url)),
  });
  const running = worker.run();
  const handles = await Promise.all(
    workflowIds.map((workflowId) => workflow.start('announcing', { workflowId, taskQueue: TASK_QUEUE, args: [KEYS] })),
  );
  const reading = await Promise.all(workflowIds.map((id) => readers(address, id, CONNECTIONS)));
  let published = 0;
  const publishing = (async () => {
    for (let n = 0; n < KEYS; n += 1) {
      await Promise.all(handles.map((handle) => handle.signal('publish', n)));
      published += 1;
    }
  })();
  await faults(() => published);
  await publishing;
  for (const handle of handles) expect(await handle.result()).toBe(KEYS);
  for (const { ended } of reading) for (const told of await ended) expect(problemsOf(told, KEYS)).toEqual([]);
  worker.shutdown();
  await running;
  for (const handle of handles) expect((await handle.states()).size).toBe(KEYS);
  await Promise.all([...reading.map((each) => each.close()), connection.close(), own.close()]);
}

const untilPublished = async (share: number, published: () => number): Promise<void> => {
  await expect.poll(published, { timeout: PATIENCE_MS, interval: 5 }).toBeGreaterThanOrEqual(KEYS * share);
};

it('of a node that is killed and comes back', { timeout: PATIENCE_MS }, async () => {
  const args = ['start', '--data-dir', temporaryDir(), '--log-level', 'error'];
  let node = await startServer([...args, '--port', '0']);
  const { address } = node;
  await announced(address, ['one', 'two'], async (published) => {
    for (const share of [0.25, 0.5, 0.75]) {
      await untilPublished(share, published);
      node.kill('SIGKILL');
      await node.ended;
      node = await restartServer([...args, '--port', address.slice(address.lastIndexOf(':') + 1)]);
    }
  });
});

it('of a cluster whose nodes are killed in turn, the leader of each workflow among them', {
  timeout: PATIENCE_MS,
}, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tenuto-state-'));
  const cluster = new ChaosCluster({ directory, nodes: 3, shardCount: 16, replicas: 3, coordinator: 'single' });
  onTestFinished(async () => {
    await cluster.close();
    rmSync(directory, { recursive: true, force: true });
  });
  await cluster.start();
  await cluster.untilHealthy();
  await announced(cluster.addresses(), ['one', 'two', 'three'], async (published) => {
    for (const [n, node] of cluster.nodes.entries()) {
      await untilPublished((n + 1) / 5, published);
      await node.kill();
      await node.restart();
      await cluster.untilHealthy();
    }
  });
  expect(await cluster.endAndVerify()).toEqual([]);
});
