// A node whose disk refuses a write, in a real cluster of which it is one process: it goes from the cluster, says so, and the others serve on.

import { beforeAll, expect, it } from 'vitest';
import { Client, Connection } from '../../sdk/client/index.ts';
import { undoneAtFileEnd } from '../support/at-file-end.ts';
import { TestCluster } from '../support/cluster.ts';
import { type ServerProcess, startServer, tenuto } from '../support/processes.ts';
import { eventually } from '../support/redis.ts';

const SHARDS = 8;
/** Of 512 or 1,024 bytes: the log of its store is full after a few MiB. */
const FILE_BLOCKS = 6_000;

let cluster: TestCluster;
let failing: ServerProcess;
const atEnd = undoneAtFileEnd();

beforeAll(async () => {
  cluster = await TestCluster.create(SHARDS, { firstMembers: 3 });
  atEnd(() => cluster.close());
  const settings = ['--cluster-id', 'test', '--name', 'c', '--redis', `redis://127.0.0.1:${cluster.redis.port}`];
  const ports = ['--port', '0', '--gossip-port', '0', '--link-port', '0', '--shard-count', `${SHARDS}`];
  const env = { TENUTO_FIRST_MEMBERS: '3' };
  [failing] = await Promise.all([
    startServer(['start', ...settings, ...ports, '--data-dir', cluster.directoryOf('c')], {
      ...{ env, fileBlocks: FILE_BLOCKS, atEnd },
    }),
    cluster.start('a'),
    cluster.start('b'),
  ]);
  await cluster.settled('a', ['a', 'b', 'c'], 3);
}, 60_000);

it('goes from the cluster, and stays up to say why', { timeout: 90_000 }, async () => {
  const connection = await Connection.connect({ address: cluster.node('a').address, discovery: 'off' });
  atEnd(() => connection.close());
  const client = new Client({ connection });
  const input = 'x'.repeat(200_000);
  const readyz = async (): Promise<string> => (await fetch(`http://${failing.address}/readyz`)).text();
  let started = 0;
  for (; started < 1_000; started += 1) {
    await client.workflow.start('order', { workflowId: `w-${started}`, taskQueue: 'nobody', args: [input] });
    if (started % 10 === 0 && (await readyz()).includes('failed')) break;
  }
  expect(await readyz()).toMatch(/^not ready: .*(File too large|No space left)/);
  expect(failing.stderr()).toMatch(/the node stops serving; nothing acknowledged is lost\./);
  expect(await (await fetch(`http://${failing.address}/metrics`)).text()).toMatch(/^tenuto_ready 0$/m);

  // The others: nobody counts on it, everything is served, and health says which node it is.
  const gone = await eventually('the node to have left', async () =>
    cluster
      .node('a')
      .cluster?.status()
      .members.find(({ name, state }) => name === 'c' && state === 'left'),
  );
  expect(gone.planned).toBe(true);
  const leaders = await eventually('leaders among the others', async () => {
    const led = (await cluster.shards('a')).map(({ leader }) => leader);
    return led.every((leader) => leader === 'a' || leader === 'b') ? led : undefined;
  });
  expect(leaders).toHaveLength(SHARDS);
  await client.workflow.start('order', { workflowId: 'after', taskQueue: 'nobody', args: [input] });
  const health = await tenuto(['cluster', 'health', '--address', cluster.node('b').address ?? '']);
  expect([health.code, health.stdout]).toEqual([
    1,
    expect.stringContaining('node c has left: it was stopped, or its store failed'),
  ]);
  const asked = await tenuto(['cluster', 'health', '--address', failing.address]);
  expect([asked.code, asked.stderr]).toEqual([5, expect.stringMatching(/not ready: .*(File too large|No space left)/)]);
  expect(asked.stderr).toContain('A server is there and takes no connections now');
});
