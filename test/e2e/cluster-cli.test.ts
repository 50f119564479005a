// `tenuto cluster` against a cluster that is one: what it asks for comes about, and its answers tell when. Tests build on one another.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestCluster } from '../support/cluster.ts';
import { type Finished, tenuto, until } from '../support/processes.ts';
import { eventually } from '../support/redis.ts';

const SHARDS = 8;
let cluster: TestCluster;

beforeAll(async () => {
  cluster = await TestCluster.create(SHARDS, { firstMembers: 3 });
  await Promise.all(['a', 'b', 'c'].map((name) => cluster.start(name)));
  await cluster.settled('a', ['a', 'b', 'c'], 3);
}, 60_000);

afterAll(() => cluster.close());

const addressOf = (name: string): string => cluster.node(name).address ?? '';
const cli = (by: string, ...args: string[]): Promise<Finished> =>
  tenuto(['cluster', ...args], { env: { TENUTO_ADDRESS: addressOf(by) } });
const check = (name: string, ...args: string[]): Promise<Finished> =>
  tenuto(['server', 'check', '--address', addressOf(name), ...args]);

describe('tenuto cluster', () => {
  it('finds nothing wrong where nothing is', async () => {
    expect(await cli('b', 'health')).toEqual({ code: 0, stdout: 'healthy\n', stderr: '' });
    const { stdout } = await cli('b', 'members', '-o', 'json');
    expect(JSON.parse(stdout)).toMatchObject({
      clusterId: 'test',
      self: 'b',
      shardCount: SHARDS,
      coordinator: 'ready',
      members: ['a', 'b', 'c'].map((name) => ({ name, state: 'alive', planned: true, shouldHold: SHARDS })),
    });
    expect((await cli('b', 'shards', '--misplaced')).stdout).toBe(`0 of ${SHARDS} shards\n`);
  });

  it('drains a node: it leads nothing, is not ready, and answers all the same', { timeout: 60_000 }, async () => {
    expect(await cli('b', 'drain', 'c')).toEqual({
      code: 0,
      stdout: `c leads nothing and holds ${SHARDS} shards; it may be restarted\n`,
      stderr: '',
    });
    expect((await cluster.shards('a')).filter(({ leader }) => leader === 'c')).toEqual([]);
    expect(await check('c')).toMatchObject({
      code: 1,
      stderr: 'tenuto: not ready: the node is being drained: it gives up leading\n',
    });
    expect((await check('c', '--live')).code).toBe(0);
    // The drained node itself can be asked to stop draining.
    expect(await cli('c', 'drain', 'c', '--undo')).toMatchObject({ code: 0, stdout: 'c takes shards again\n' });
    await until(async () => ((await check('c')).code === 0 ? true : undefined));
    await cluster.settled('a', ['a', 'b', 'c'], 3);
  });

  it('empties no node that the others cannot replace, and says so', { timeout: 60_000 }, async () => {
    const refused = await cli('b', 'drain', 'c', '--everything');
    expect([refused.code, refused.stdout]).toEqual([1, '']);
    expect(refused.stderr).toMatch(
      /^tenuto: c leads .*holds 8 shards, and they still need it: 2 other nodes hold shards, and cluster.replicas asks for 3\n/,
    );
    expect((await cli('a', 'health')).stdout).toContain('node c is to give up everything, but 8 shards need it');
    for (const { voters } of await cluster.shards('a')) expect(voters).toHaveLength(3);
    expect(await cli('a', 'drain', 'c', '--undo')).toMatchObject({ code: 0 });
    await cluster.settled('a', ['a', 'b', 'c'], 3);
  });

  it('empties a node that is to go', { timeout: 90_000 }, async () => {
    await cluster.start('d');
    await cluster.settled('a', ['a', 'b', 'c', 'd'], 3);
    const drained = await cli('a', 'drain', 'd', '--everything', '-o', 'json');
    expect(drained).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(drained.stdout)).toMatchObject({ node: 'd', draining: 'everything', leads: 0, holds: 0 });
    await cluster.stop('d');
    await eventually('a cluster that does not miss the node', async () =>
      (await cli('a', 'health')).code === 0 ? true : undefined,
    );
  });

  it('replaces nobody who is there, and nobody there never was', async () => {
    const present = await cli('a', 'replace', 'b');
    expect(present).toMatchObject({ code: 1, stdout: '' });
    expect(present.stderr).toContain('Node b is there: drain it instead');
    expect(await cli('a', 'replace', 'z')).toMatchObject({ code: 3, stdout: '' });
    expect(await cli('a', 'drain', 'z')).toMatchObject({ code: 3, stdout: '' });
  });

  it('says who is missing, and exits with 1', { timeout: 60_000 }, async () => {
    await cluster.stop('c');
    const unhealthy = await eventually('a problem', async () => {
      const health = await cli('a', 'health');
      return health.code === 1 ? health : undefined;
    });
    expect(unhealthy.stdout).toMatch(/error c: node c (has left|is dead)/);
    expect(unhealthy.stdout).toContain('tenuto cluster replace c');
  });
});
