// Connections that drop under a client and a worker: nothing acknowledged is lost, nothing acknowledged runs twice, and nobody notices.

import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { Client, Connection } from '../../sdk/client/index.ts';
import { Worker } from '../../sdk/worker/index.ts';
import { type InProcessTransport, Server } from '../../src/server.ts';

const workflowsPath = fileURLToPath(new URL('./workflows.ts', import.meta.url));
const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A connection whose link a test can cut. */
function cuttable(server: Server): { connection: Connection; cut(): void; links: number } {
  let current: InProcessTransport | undefined;
  const made = {
    links: 0,
    connection: Connection.fromTransport(() => {
      current = server.connect();
      made.links += 1;
      return current;
    }),
    cut: () => current?.close(1006, 'cut by the test'),
  };
  closing.push(() => made.connection.close());
  return made;
}

async function setUp(activities: Record<string, (...args: never[]) => Promise<unknown>>) {
  const server = await Server.create();
  closing.push(() => server.close());
  const forClient = cuttable(server);
  const forWorker = cuttable(server);
  const worker = await Worker.create({
    connection: forWorker.connection,
    taskQueue: 'smoke',
    workflowsPath,
    activities,
  });
  return { client: new Client({ connection: forClient.connection }), forClient, forWorker, worker };
}

describe('a connection that drops', () => {
  it('while an activity runs: it runs once, and its result arrives', async () => {
    let runs = 0;
    let release = (): void => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    let begun = (): void => {};
    const running = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const { client, forWorker, worker } = await setUp({
      greet: async (name: string) => {
        runs += 1;
        begun();
        await released;
        return `Hello, ${name}!`;
      },
    });
    await worker.runUntil(async () => {
      const handle = await client.workflow.start('hello', { workflowId: 'w', taskQueue: 'smoke', args: ['you'] });
      await running;
      forWorker.cut();
      release();
      expect(await handle.result()).toBe('Hello, you!');
    });
    expect(runs).toBe(1);
    expect(forWorker.links).toBe(2);
  });

  it('again and again, on both sides: every workflow completes, no completed activity runs again', async () => {
    const runs = new Map<string, number>();
    const { client, forClient, forWorker, worker } = await setUp({
      greet: async (name: string) => {
        runs.set(name, (runs.get(name) ?? 0) + 1);
        await new Promise((resolve) => setTimeout(resolve, name.length % 5));
        return name;
      },
    });
    let cuts = 0;
    const chaos = setInterval(() => {
      cuts += 1;
      (cuts % 3 === 0 ? forClient : forWorker).cut();
    }, 15);
    try {
      await worker.runUntil(async () => {
        const names = Array.from({ length: 150 }, (_, i) => `n${i}`);
        const results = await Promise.all(
          names.map((name) => client.workflow.execute('hello', { workflowId: name, taskQueue: 'smoke', args: [name] })),
        );
        expect(results).toEqual(names);
      });
    } finally {
      clearInterval(chaos);
    }
    expect([...runs.values()].every((count) => count === 1)).toBe(true);
    expect(forWorker.links + forClient.links).toBeGreaterThan(3);
  }, 60_000);
});
