// A server that skips time, as the official clients of such servers use it: by the test service.

import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
// What the official test environment opens its connections with.
import { InternalConnectionOptionsSymbol } from '@temporalio/client/lib/connection.js';
import { NativeConnection, Worker } from '@temporalio/worker';
import { Server } from 'tenuto/server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as workflows from './workflows.ts';
import { activities } from './world.ts';

const DAY = 86_400_000;
const TASK_QUEUE = 'skipping';

let server: Server;
let connection: Connection;
let native: NativeConnection;
let worker: Worker;
let running: Promise<void>;
beforeAll(async () => {
  server = await Server.create({ port: 0, grpcPort: 0, logLevel: 'error', timeSkipping: true });
  const address = server.grpcAddress ?? '';
  connection = await connect(address);
  native = await NativeConnection.connect({ address });
  const workflowsPath = fileURLToPath(new URL('workflows.ts', import.meta.url));
  worker = await Worker.create({ connection: native, taskQueue: TASK_QUEUE, workflowsPath, activities });
  running = worker.run();
}, 120_000);
afterAll(async () => {
  worker?.shutdown();
  await running;
  await connection?.close();
  await native?.close();
  await server?.close();
});

/** With the test service. */
const connect = async (address = ''): Promise<Connection> =>
  // The symbol's option is in no public type.
  await Connection.connect({ address, [InternalConnectionOptionsSymbol]: { supportsTestService: true } } as {
    address: string;
  });

const service = () => {
  const { testService } = connection;
  if (testService === undefined) throw new Error('the connection has no test service');
  return testService;
};
const serverTime = async (): Promise<number> => Number((await service().getCurrentTime({})).time?.seconds) * 1_000;
const options = () => ({ taskQueue: TASK_QUEUE, workflowId: randomUUID() });

/** As the official test environment's client waits for a result. */
async function unlocked<T>(work: () => Promise<T>): Promise<T> {
  await service().unlockTimeSkipping({});
  try {
    return await work();
  } finally {
    await service().lockTimeSkipping({});
  }
}

describe('a server that skips time', () => {
  it('has done in a moment what takes a month', async () => {
    const client = new Client({ connection });
    const [began, started] = [await serverTime(), Date.now()];
    const result = await unlocked(() => client.workflow.execute(workflows.monthly, { ...options(), args: [30] }));
    expect(result).toEqual(['Hello, day 0!', 'Hello, day 15!', 'Hello, day 30!']);
    expect(Date.now() - started).toBeLessThan(20_000);
    expect((await serverTime()) - began).toBeGreaterThanOrEqual(30 * DAY - 1_000);
  });

  it('skips what an activity waits between its attempts, and not while it runs', async () => {
    const client = new Client({ connection });
    const began = await serverTime();
    expect(
      await unlocked(() => client.workflow.execute(workflows.patient, { ...options(), args: [randomUUID()] })),
    ).toBe('there at attempt 3');
    const passed = (await serverTime()) - began;
    expect(passed).toBeGreaterThanOrEqual(2 * 3_600_000 - 1_000);
    expect(passed).toBeLessThan(DAY);
  });

  it('sleeps in its own time, and stands still when it is locked', async () => {
    const began = await serverTime();
    await service().unlockTimeSkippingWithSleep({ duration: { seconds: 3_600 as never } });
    expect((await serverTime()) - began).toBeGreaterThanOrEqual(3_600_000 - 1_000);
    const locked = await serverTime();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect((await serverTime()) - locked).toBeLessThanOrEqual(1_000);
  });

  it('is unlocked for all who wait, until the last is done', async () => {
    const client = new Client({ connection });
    const months = [30, 60].map((days) =>
      unlocked(() => client.workflow.execute(workflows.monthly, { ...options(), args: [days] })),
    );
    expect((await Promise.all(months)).map((said) => said.length)).toEqual([3, 3]);
    const locked = await serverTime();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect((await serverTime()) - locked).toBeLessThanOrEqual(1_000);
  });
});

it('is there only where it was asked for', async () => {
  const plain = await Server.create({ port: 0, grpcPort: 0, logLevel: 'error' });
  const other = await connect(plain.grpcAddress);
  await expect(other.testService?.getCurrentTime({})).rejects.toThrow('UNIMPLEMENTED');
  await other.close();
  await plain.close();
});
