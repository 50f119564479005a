// A node whose data directory is put back from a copy: the others have heard of it since, and do not take it for the voter it was.

import { cpSync, rmSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Client, Connection } from '../../sdk/client/index.ts';
import { TestCluster } from '../support/cluster.ts';
import { eventually } from '../support/redis.ts';

const NAMES = ['a', 'b', 'c'];
let cluster: TestCluster;

beforeAll(async () => {
  cluster = await TestCluster.create(4, { firstMembers: 3 });
  await Promise.all(NAMES.map((name) => cluster.start(name)));
  await cluster.settled('a', NAMES, 3);
}, 60_000);

afterAll(() => cluster.close());

it('stops, is not started from again, and is a member anew once it was emptied', async () => {
  const connection = await Connection.connect({ address: cluster.node('a').address });
  const { workflow } = new Client({ connection });
  const begin = (workflowId: string) => workflow.start('waits', { workflowId, taskQueue: 'nobody' });
  const directory = cluster.directoryOf('c');
  await begin('before the copy');
  await cluster.stop('c');
  const copy = `${directory}-copy`;
  cpSync(directory, copy, { recursive: true });
  // Each start counts.
  for (const run of [1, 2]) {
    await cluster.start('c');
    await cluster.settled('a', NAMES, 3);
    await begin(`after the copy ${run}`);
    await cluster.stop('c');
  }
  rmSync(directory, { recursive: true });
  cpSync(copy, directory, { recursive: true });

  await cluster.start('c');
  const error = await eventually('the node stops', async () => cluster.fatal[0]);
  expect(error.message).toMatch(/^data directory .* of node c is older than it was: .* Empty it/);
  expect(await (await fetch(`http://${cluster.node('c').address}/readyz`)).text()).toContain('is older than it was');
  await begin('without it');
  await cluster.stop('c');
  await expect(cluster.start('c')).rejects.toThrow(/^the data directory was given up in an earlier run: .* is older/);

  rmSync(directory, { recursive: true });
  await cluster.start('c');
  await cluster.settled('a', NAMES, 3);
  for (const id of ['before the copy', 'after the copy 1', 'after the copy 2', 'without it'])
    expect((await workflow.getHandle(id).describe()).status.name).toBe('RUNNING');
  await connection.close();
}, 180_000);
