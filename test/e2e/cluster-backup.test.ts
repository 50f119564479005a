// A backup of a cluster under load, with children and signals on their way between shards, and what can be made of it: a cluster that begins
// with one node and grows, and a single node with another number of shards. In both, all that was under way goes on, each thing once. Tests build
// on one another.

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { Client, Connection } from '../../sdk/client/index.ts';
import { Worker } from '../../sdk/worker/index.ts';
import { readBackupManifest, restoreDirectory, verifyBackup } from '../../src/backup/index.ts';
import { completeConfig } from '../../src/config/config.ts';
import { type RunningNode, startNode } from '../../src/node.ts';
import { createLogger } from '../../src/observe/logger.ts';
import { TestCluster } from '../support/cluster.ts';
import { tenuto } from '../support/processes.ts';
import { eventually } from '../support/redis.ts';

const SHARDS = 16;
const QUEUE = 'families';
const workflowsPath = fileURLToPath(new URL('./families.ts', import.meta.url));
const root = mkdtempSync(join(tmpdir(), 'tenuto-backup-'));
const backup = join(root, 'backup');
/** Families that were acknowledged before the backup began. */
const acknowledged: string[] = [];
const closing: (() => Promise<unknown>)[] = [];

afterAll(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  rmSync(root, { recursive: true, force: true });
}, 60_000);

async function connect(node: RunningNode): Promise<Connection> {
  const connection = await Connection.connect({ address: node.address });
  closing.push(() => connection.close());
  return connection;
}

const workerAt = async (node: RunningNode): Promise<Worker> =>
  Worker.create({ connection: await connect(node), taskQueue: QUEUE, workflowsPath });

const begin = (client: Client, name: string) =>
  client.workflow.start('parent', { workflowId: name, taskQueue: QUEUE, args: [name] });

/** Everything that the backup holds comes to its end, each child and signal once. */
async function goesOn(node: RunningNode): Promise<void> {
  const client = new Client({ connection: await connect(node) });
  const families: string[] = [];
  for await (const { workflowId } of client.workflow.list({ query: 'WorkflowType = "parent"' }))
    families.push(workflowId);
  expect(families).toEqual(expect.arrayContaining(acknowledged));
  const worker = await workerAt(node);
  await worker.runUntil(async () => {
    const children = families.flatMap((name) => [0, 1, 2].map((i) => `${name}-${i}`)).sort();
    const results = await Promise.all(families.map((name) => client.workflow.getHandle(name).result()));
    expect(results.flat().sort()).toEqual(children);
    const registry = client.workflow.getHandle('registry');
    await registry.signal('enough');
    expect([...((await registry.result()) as string[])].sort()).toEqual(children);
    expect((await client.workflow.count('ExecutionStatus = "Completed"')).count).toBe(1 + 4 * families.length);
    expect((await client.workflow.count()).count).toBe(1 + 4 * families.length);
  });
}

describe('a backup of a cluster', () => {
  it('is taken in the midst of a load, which goes on', async () => {
    const cluster = await TestCluster.create(SHARDS, { firstMembers: 3 });
    try {
      await Promise.all(['a', 'b', 'c'].map((name) => cluster.start(name)));
      await cluster.settled('a', ['a', 'b', 'c'], 3);
      const client = new Client({ connection: await connect(cluster.node('c')) });
      const worker = await workerAt(cluster.node('a'));
      await worker.runUntil(async () => {
        await client.workflow.start('registry', { workflowId: 'registry', taskQueue: QUEUE });
        const started: string[] = [];
        let going = true;
        const load = (async () => {
          for (let n = 0; going; n += 1) {
            const name = `family-${String(n).padStart(3, '0')}`;
            await begin(client, name);
            started.push(name);
          }
        })();
        await eventually('a load', async () => (started.length >= 20 ? true : undefined));
        acknowledged.push(...started);
        try {
          const { code, stdout, stderr } = await tenuto([
            'data',
            'backup',
            cluster.directoryOf('b'),
            backup,
            '-o',
            'json',
          ]);
          expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
          expect(JSON.parse(stdout)).toMatchObject({ backup, node: 'running', cluster: 'test', shardCount: SHARDS });
        } finally {
          going = false;
          await load;
        }
        expect(started.length).toBeGreaterThan(acknowledged.length);
        // The cluster goes on: messages were only held.
        expect(await client.workflow.getHandle(started.at(-1) ?? '').result()).toHaveLength(3);
      });
      expect(cluster.fatal).toEqual([]);
    } finally {
      for (const close of closing.splice(0).reverse()) await close();
      await cluster.close();
    }
  }, 120_000);

  it('has every shard once, from whoever led it', async () => {
    const { parts, shardCount } = readBackupManifest(backup);
    expect(shardCount).toBe(SHARDS);
    expect(parts.map(({ node }) => node).sort()).toEqual(['a', 'b', 'c']);
    expect(await verifyBackup(backup)).toMatchObject({ clusterId: 'test', shardCount: SHARDS });
  });

  it('becomes a cluster of one node, which goes on and grows', async () => {
    const cluster = await TestCluster.create(SHARDS, { firstMembers: 1, replicas: 2 });
    closing.push(() => cluster.close());
    const { incarnation } = await restoreDirectory(backup, cluster.directoryOf('first'), {});
    expect(incarnation).not.toBe(readBackupManifest(backup).incarnation);
    const first = await cluster.start('first');
    await eventually('every shard led', async () =>
      (await cluster.shards('first')).every(({ leader }) => leader === 'first') ? true : undefined,
    );
    const second = cluster.start('second');
    await goesOn(first);
    await second;
    await cluster.settled('second', ['first', 'second'], 2);
    const client = new Client({ connection: await connect(cluster.node('second')) });
    expect(await client.workflow.getHandle(acknowledged[0] ?? '').result()).toHaveLength(3);
    expect(cluster.fatal).toEqual([]);
  }, 120_000);

  it('becomes a node that stands alone, with another number of shards', async () => {
    const dataDirectory = join(root, 'alone');
    await restoreDirectory(backup, dataDirectory, { shards: 5, as: 'node' });
    const config = completeConfig({ dataDirectory, shardCount: 5, listen: { port: 0 } });
    const node = await startNode(config, { log: createLogger('silent') });
    closing.push(() => node.close());
    expect(node.store.shardCount).toBe(5);
    await goesOn(node);
  }, 60_000);

  it('is refused when a bit of it is another, naming the file, and nothing is made of it', async () => {
    const [part] = readBackupManifest(backup).parts;
    const file = join(backup, part?.file ?? '');
    const bytes = readFileSync(file);
    const at = Math.floor(bytes.length / 2);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(file, bytes);
    const directory = join(root, 'never');
    await expect(restoreDirectory(backup, directory, {})).rejects.toThrow(`${file} is damaged`);
    expect(existsSync(directory) && readdirSync(directory).length > 0).toBe(false);
    writeFileSync(file, bytes.subarray(0, at));
    await expect(verifyBackup(backup)).rejects.toThrow(`${file} is damaged`);
  });
});
