// A node without the role `shards` (cluster.roles) beside three that have it: it holds and leads nothing, passes on whatever it is asked, and nobody
// counts on it when shards are to be kept. Tests build on one another.

import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client, Connection } from '../../sdk/client/index.ts';
import { Worker } from '../../sdk/worker/index.ts';
import type { ClusterStatus } from '../../src/ports/cluster.ts';
import { TestCluster } from '../support/cluster.ts';
import { type Finished, tenuto } from '../support/processes.ts';
import { eventually } from '../support/redis.ts';

const workflowsPath = fileURLToPath(new URL('./workflows.ts', import.meta.url));
const SHARDS = 8;
/** The one that only passes on. */
const FRONT = 'front';
const HOLDERS = ['a', 'b', 'c'];
let cluster: TestCluster;
const connections: Connection[] = [];

beforeAll(async () => {
  cluster = await TestCluster.create(SHARDS, { firstMembers: 3 });
  // The first of all: it founds the cluster, and waits for those that hold something.
  await cluster.start(FRONT, { cluster: { roles: ['frontend'] } });
  expect(cluster.node(FRONT).notReady()).toMatch(/^the cluster has no ring plan yet/);
  await Promise.all(HOLDERS.map((name) => cluster.start(name)));
  await cluster.settled('a', HOLDERS, 3);
  await cluster.settled(FRONT, HOLDERS, 3);
}, 60_000);

afterAll(async () => {
  await Promise.all(connections.map((connection) => connection.close()));
  await cluster.close();
});

/** Asks this node and no other. */
async function connectTo(name: string): Promise<Connection> {
  const connection = await Connection.connect({ address: cluster.node(name).address, discovery: 'off' });
  connections.push(connection);
  return connection;
}

function statusAt(name: string): ClusterStatus {
  const status = cluster.node(name).cluster?.status();
  if (status === undefined) throw new Error(`node ${name} is of no cluster`);
  return status;
}

const cli = (by: string, ...args: string[]): Promise<Finished> =>
  tenuto(['cluster', ...args], { env: { TENUTO_ADDRESS: cluster.node(by).address ?? '' } });

async function isHealthy(by: string): Promise<void> {
  await eventually(`a cluster without a problem, says ${by}`, async () =>
    (await cli(by, 'health')).code === 0 ? true : undefined,
  );
}

/** Nobody says that it has, or should have, any shard. */
async function hasNothing(): Promise<void> {
  for (const by of [FRONT, 'a']) {
    const shards = await cluster.shards(by);
    expect(shards.filter(({ leader }) => leader === undefined || leader === FRONT)).toEqual([]);
    expect(shards.flatMap(({ voters, learners, desired }) => [...voters, ...learners, ...desired])).not.toContain(
      FRONT,
    );
    expect(statusAt(by).members.find(({ name }) => name === FRONT)).toMatchObject({
      ...{ roles: ['frontend'], planned: false, leads: 0, shouldLead: 0, shouldHold: 0, mustStay: false },
    });
  }
  const { body } = await cluster.node(FRONT).renderMetrics();
  expect(body).toMatch(/^tenuto_cluster_replicas 0$/m);
  expect(body).toMatch(/^tenuto_cluster_shards_led 0$/m);
}

describe('a node without shards', () => {
  it('holds and leads nothing, is ready, and nothing is wrong with it', async () => {
    await hasNothing();
    await eventually('it is ready', async () => (cluster.node(FRONT).notReady() === undefined ? true : undefined));
    await isHealthy(FRONT);
    await isHealthy('a');
  });

  it('passes on what clients and workers ask that know no other', { timeout: 60_000 }, async () => {
    const client = new Client({ connection: await connectTo(FRONT) });
    const worker = await Worker.create({
      ...{ connection: await connectTo(FRONT), taskQueue: 'front', workflowsPath },
      activities: { greet: async (name: string) => `Hello, ${name}!` },
    });
    await worker.runUntil(async () => {
      // So many that each of the others leads some.
      const ids = Array.from({ length: 24 }, (_, i) => `passed-${i}`);
      const handles = await Promise.all(
        ids.map((workflowId) => client.workflow.start('approval', { workflowId, taskQueue: 'front', args: [] })),
      );
      await Promise.all(handles.map((handle) => handle.signal('approve', `yes, ${handle.workflowId}`)));
      expect(await Promise.all(handles.map((handle) => handle.result()))).toEqual(ids.map((id) => `yes, ${id}`));
      expect(await Promise.all(handles.map((handle) => handle.query('state')))).toEqual(ids.map((id) => `yes, ${id}`));
      const options = { workflowId: 'greeted', taskQueue: 'front', args: ['you'] };
      expect(await client.workflow.execute('hello', options)).toBe('Hello, you!');
      expect((await client.workflow.count('ExecutionStatus = "Completed"')).count).toBe(25);
    });
    await hasNothing();
  });
});

describe('a drain beside it', () => {
  it('gives no leadership to it', { timeout: 60_000 }, async () => {
    expect(await cli(FRONT, 'drain', 'c')).toEqual({
      code: 0,
      stdout: `c leads nothing and holds ${SHARDS} shards; it may be restarted\n`,
      stderr: '',
    });
    await hasNothing();
    expect(await cli(FRONT, 'drain', 'c', '--undo')).toMatchObject({ code: 0 });
    await cluster.settled('a', HOLDERS, 3);
  });

  it('does not count on it for the replicas that a node gives up', { timeout: 60_000 }, async () => {
    const refused = await cli(FRONT, 'drain', 'c', '--everything');
    expect([refused.code, refused.stdout]).toEqual([1, '']);
    expect(refused.stderr).toMatch(
      /^tenuto: c leads .*holds 8 shards, and they still need it: 2 other nodes hold shards, and cluster.replicas asks for 3\n/,
    );
    const { stdout } = await cli('a', 'health');
    expect(stdout).toContain('node c is to give up everything, but 8 shards need it: 2 other nodes hold shards');
    expect(stdout).not.toContain(FRONT);
    await hasNothing();
  });

  it('lets it go at once, though node c is still needed', { timeout: 60_000 }, async () => {
    const drained = await cli('a', 'drain', FRONT, '--everything');
    expect(drained).toEqual({ code: 0, stdout: `${FRONT} holds nothing; it may be removed\n`, stderr: '' });
  });

  it('finds nothing wrong with its going', async () => {
    const { stdout } = await cli('a', 'health');
    expect(stdout).not.toContain(FRONT);
  });

  it('is taken back', { timeout: 60_000 }, async () => {
    for (const node of [FRONT, 'c']) expect(await cli('a', 'drain', node, '--undo')).toMatchObject({ code: 0 });
    await cluster.settled('a', HOLDERS, 3);
    await isHealthy(FRONT);
  });

  it('is over when another that holds shards has come', { timeout: 90_000 }, async () => {
    await cluster.start('d');
    const drained = await cli(FRONT, 'drain', 'c', '--everything', '-o', 'json');
    expect(drained).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(drained.stdout)).toMatchObject({ node: 'c', draining: 'everything', leads: 0, holds: 0 });
    await cluster.settled(FRONT, ['a', 'b', 'd'], 3);
    await hasNothing();
  });
});

it('is not missed when it has gone', { timeout: 60_000 }, async () => {
  await cluster.stop(FRONT);
  await eventually('a that has heard of it', async () =>
    statusAt('a').members.some(({ name, state }) => name === FRONT && state === 'left') ? true : undefined,
  );
  await isHealthy('a');
});
