// A workflow from start to result through everything that is real: Server.create, the in-process door and a socket, the SDK's client and
// worker, an activity, a signal and a query.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { Client, Connection } from '../../sdk/client/index.ts';
import { Worker } from '../../sdk/worker/index.ts';
import { Server } from '../../src/server.ts';

const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const workflowsPath = fileURLToPath(new URL('./workflows.ts', import.meta.url));
const activities = {
  greet: async (name: string): Promise<string> => `Hello, ${name}!`,
};

async function worker(connection: Connection): Promise<Worker> {
  return await Worker.create({ connection, taskQueue: 'smoke', workflowsPath, activities });
}

describe('a workflow', () => {
  it.each(['in process', 'over a socket'] as const)('runs an activity and returns its result, %s', async (how) => {
    const server = await Server.create(how === 'in process' ? {} : { port: 0 });
    closing.push(() => server.close());
    const connect = async (): Promise<Connection> => {
      const connection =
        how === 'in process'
          ? Connection.fromTransport(() => server.connect())
          : await Connection.connect({ address: server.address });
      closing.push(() => connection.close());
      return connection;
    };
    const client = new Client({ connection: await connect() });
    const running = await worker(await connect());
    const result = await running.runUntil(
      client.workflow.execute('hello', { workflowId: `hello ${how}`, taskQueue: 'smoke', args: ['world'] }),
    );
    expect(result).toBe('Hello, world!');
  });

  it('is queried, signalled and described while it waits', async () => {
    const server = await Server.create();
    closing.push(() => server.close());
    const connection = Connection.fromTransport(() => server.connect());
    closing.push(() => connection.close());
    const client = new Client({ connection });
    const running = await worker(connection);
    await running.runUntil(async () => {
      const handle = await client.workflow.start('approval', { workflowId: 'a', taskQueue: 'smoke' });
      expect(await handle.query('state')).toBe('waiting');
      expect((await handle.describe()).status.name).toBe('RUNNING');
      await handle.signal('approve', 'yes');
      expect(await handle.result()).toBe('yes');
      expect((await handle.describe()).status.name).toBe('COMPLETED');
      expect(await handle.query('state')).toBe('yes');
    });
  });

  it('goes on after the node and its data were closed and opened again', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'tenuto-smoke-'));
    closing.push(() => rm(dataDir, { recursive: true, force: true }));
    const before = await Server.create({ dataDir });
    const first = Connection.fromTransport(() => before.connect());
    await new Client({ connection: first }).workflow.start('hello', {
      workflowId: 'durable',
      taskQueue: 'smoke',
      args: ['again'],
    });
    await first.close();
    await before.close();

    const after = await Server.create({ dataDir });
    closing.push(() => after.close());
    const connection = Connection.fromTransport(() => after.connect());
    closing.push(() => connection.close());
    const client = new Client({ connection });
    const running = await worker(connection);
    expect(await running.runUntil(client.workflow.getHandle('durable').result())).toBe('Hello, again!');
  });
});
