// Clients and workers on several nodes over real sockets (one engine behind them, test/support/many-doors.ts): they learn the nodes from any one,
// spread over them, and move on when one drains or dies; nothing acknowledged is lost, nothing acknowledged runs twice, executions stay warm.

import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { Client, Connection } from '../../sdk/client/index.ts';
import { Worker, type WorkerOptions } from '../../sdk/worker/index.ts';
import { ManyDoors } from '../support/many-doors.ts';

const workflowsPath = fileURLToPath(new URL('./workflows.ts', import.meta.url));
const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`not within 10 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function connect(address: string | string[]): Promise<Connection> {
  const connection = await Connection.connect({ address });
  closing.push(() => connection.close());
  return connection;
}

async function setUp(names: string[], greet: (name: string) => Promise<string>, options: Partial<WorkerOptions> = {}) {
  const doors = await ManyDoors.open(...names);
  closing.push(() => doors.close());
  const [first = ''] = names;
  const worker = await Worker.create({
    connection: await connect(doors.address(first)),
    taskQueue: 'nodes',
    workflowsPath,
    activities: { greet },
    ...options,
  });
  const connection = await connect(doors.address(first));
  const client = new Client({ connection });
  const start = (workflowId: string, workflowType = 'hello', args: unknown[] = [workflowId]) =>
    client.workflow.start(workflowType, { workflowId, taskQueue: 'nodes', args });
  const everywhere = () =>
    until('the worker is on every node', () => [...doors.doors.keys()].every((name) => doors.workers(name) === 1));
  return { doors, worker, client, connection, start, everywhere };
}

describe('a worker that was given one node', () => {
  it('takes tasks from every node, within its slots', async () => {
    let running = 0;
    let most = 0;
    const { doors, worker, start, everywhere } = await setUp(
      ['a', 'b', 'c'],
      async (name) => {
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setTimeout(resolve, 5));
        running -= 1;
        return name;
      },
      { maxConcurrentActivityTaskExecutions: 4 },
    );
    await worker.runUntil(async () => {
      await everywhere();
      const handles = await Promise.all(Array.from({ length: 60 }, (_, i) => start(`n${i}`)));
      expect(await Promise.all(handles.map((handle) => handle.result()))).toHaveLength(60);
      for (const name of ['a', 'b', 'c']) expect(doors.pushed(name, 'activityTask')).toBeGreaterThan(0);
      expect(most).toBeLessThanOrEqual(4);
      await until('all credit is back', () => doors.credit('activity') === 4);
    });
  });

  it('has all its slots for the one node that has work', async () => {
    let running = 0;
    let most = 0;
    let release = (): void => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { doors, worker, start, everywhere } = await setUp(
      ['a', 'b'],
      async (name) => {
        running += 1;
        most = Math.max(most, running);
        await released;
        running -= 1;
        return name;
      },
      { maxConcurrentActivityTaskExecutions: 6 },
    );
    await worker.runUntil(async () => {
      await everywhere();
      const handles = await Promise.all(
        Array.from({ length: 12 }, (_, i) => start(doors.workflowOf('b', `only-b-${i}`))),
      );
      // The last one stays where other work may come; the doors of this test share one backlog, so that is taken, too.
      await until('five run', () => running >= 5);
      release();
      await Promise.all(handles.map((handle) => handle.result()));
      expect(most).toBeLessThanOrEqual(6);
    });
  });

  it('serves a node that joins within a second, and leaves one that drains', async () => {
    const { doors, worker, start, everywhere } = await setUp(['a', 'b'], async (name) => name);
    await worker.runUntil(async () => {
      await everywhere();
      await doors.add('c');
      const before = Date.now();
      await everywhere();
      expect(Date.now() - before).toBeLessThan(1_500);
      doors.drain('a');
      await until('a is left by everybody', () => doors.connections('a') === 0);
      expect(doors.workers('a')).toBe(0);
      const names = Array.from({ length: 20 }, (_, i) => `after-${i}`);
      const handles = await Promise.all(names.map((name) => start(name)));
      expect(await Promise.all(handles.map((handle) => handle.result()))).toEqual(names);
    });
  });

  it('keeps its executions warm when their shard moves to another node', async () => {
    const { doors, worker, client, start, everywhere } = await setUp(['a', 'b'], async (name) => name, {
      stickyQueueScheduleToStartTimeout: '5s',
    });
    await worker.runUntil(async () => {
      await everywhere();
      const id = doors.workflowOf('b', 'warm');
      const handle = await start(id, 'approval', []);
      expect(await handle.query('state')).toBe('waiting');
      doors.drain('b');
      await until('b is left', () => doors.connections('b') === 0);
      const asked = doors.historyRequests;
      await client.workflow.getHandle(id).signal('approve', 'yes');
      expect(await handle.result()).toBe('yes');
      // A cold worker would have asked for the history from its beginning.
      expect(doors.historyRequests).toBe(asked);
    });
  });

  it('runs nothing twice and loses nothing while nodes are killed, drained and added under load', async () => {
    const runs = new Map<string, number>();
    const { doors, worker, start, everywhere } = await setUp(['a', 'b', 'c'], async (name) => {
      runs.set(name, (runs.get(name) ?? 0) + 1);
      await new Promise((resolve) => setTimeout(resolve, name.length % 7));
      return name;
    });
    await worker.runUntil(async () => {
      await everywhere();
      const results: Promise<string>[] = [];
      const names: string[] = [];
      const load = setInterval(() => {
        for (let i = 0; i < 3; i += 1) {
          const name = `load-${names.length}`;
          names.push(name);
          results.push(start(name).then((handle) => handle.result() as Promise<string>));
        }
      }, 5);
      const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
      try {
        await pause(200);
        doors.kill('a');
        await pause(300);
        await doors.add('d');
        await pause(300);
        doors.drain('b');
        await pause(300);
        doors.kill('b');
        await pause(200);
        doors.kill('c');
        await pause(300);
      } finally {
        clearInterval(load);
      }
      expect(await Promise.all(results)).toEqual(names);
      const twice = [...runs].filter(([, count]) => count !== 1);
      expect(twice).toEqual([]);
      await until(
        'all credit is at the last node',
        () => doors.credit('activity') === 100 && doors.credit('workflow') === 40,
      );
    });
  }, 60_000);
});

describe('a client', () => {
  it('connects to any of the addresses it was given', async () => {
    const doors = await ManyDoors.open('a', 'b');
    closing.push(() => doors.close());
    const gone = doors.address('a');
    doors.kill('a');
    const connection = await connect([gone, doors.address('b')]);
    expect(connection.welcome?.nodeId).toBe('b');
    const inOneText = await connect(`${gone},${doors.address('b')}`);
    expect(inOneText.welcome?.nodeId).toBe('b');
  });

  it('hears of a result although the node it asked, and the one it was given, die', async () => {
    const { doors, worker, client, start, everywhere } = await setUp(['a', 'b', 'c'], async (name) => name);
    await worker.runUntil(async () => {
      await everywhere();
      const id = doors.workflowOf('b', 'wait');
      const handle = await start(id, 'approval', []);
      const result = handle.result();
      await handle.query('state');
      doors.kill('b');
      doors.kill('a');
      await client.workflow.getHandle(id).signal('approve', 'yes');
      expect(await result).toBe('yes');
    });
  });
});
