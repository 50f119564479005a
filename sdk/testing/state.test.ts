// What workflows publish, read and watched from a real server: without a worker, after the end, by a thousand at once, over broken connections.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Server } from '../../src/server.ts';
import { Client, type StateChange, type WorkflowHandle } from '../client/index.ts';
import { Connection } from '../connection/connection.ts';
import type { Transport } from '../connection/transport.ts';
import { Worker } from '../worker/index.ts';

const WORKFLOWS = `
import * as wf from 'tenuto/workflow';
export const set = wf.defineUpdate('set');
export const go = wf.defineSignal('go');
export async function counter(rounds) {
  let got = 0;
  wf.setState('count', 0);
  wf.setState('note', { by: 'nobody' });
  wf.setHandler(set, (n) => { got++; wf.setState('count', n); });
  await wf.condition(() => got >= rounds);
  wf.setState('note', null);
  return 'over';
}
export async function chain(left) {
  wf.setState('left', left);
  if (left > 0) await wf.continueAsNew(left - 1);
}
export async function keys(n, bytes) {
  let got = 0;
  wf.setHandler(set, (k) => { got++; wf.setState('k' + k, k + 'x'.repeat(bytes)); });
  await wf.condition(() => got >= n);
}
export async function large() { wf.setState('large', 'x'.repeat(9000)); }
`;

let server: Server;
let connection: Connection;
let client: Client;
let folder: string;
const taskQueue = 'state';
/** Links of `connection`, as they were opened. */
const links: Transport[] = [];

beforeAll(async () => {
  server = await Server.create();
  connection = Connection.fromTransport(() => {
    const link = server.connect();
    links.push(link);
    return link;
  });
  client = new Client({ connection });
  folder = mkdtempSync(join(tmpdir(), 'tenuto-state-'));
  writeFileSync(join(folder, 'workflows.ts'), WORKFLOWS);
});
afterAll(async () => {
  await connection.close();
  await server.close();
  rmSync(folder, { recursive: true });
});

/** Runs `fn` beside a worker. */
async function beside<T>(fn: () => Promise<T>): Promise<T> {
  const own = Connection.fromTransport(() => server.connect());
  try {
    const worker = await Worker.create({ connection: own, taskQueue, workflowsPath: join(folder, 'workflows.ts') });
    return await worker.runUntil(fn());
  } finally {
    await own.close();
  }
}

const start = (type: string, workflowId: string, ...args: unknown[]) =>
  client.workflow.start(type, { workflowId, taskQueue, args });

/** The values of one key, until the workflow has closed or there are so many. */
async function watched(
  handle: WorkflowHandle,
  key: string,
  enough = Number.POSITIVE_INFINITY,
  after?: StateChange,
): Promise<StateChange<number>[]> {
  const seen: StateChange<number>[] = [];
  for await (const change of handle.watchState<number>({ keys: [key], after })) {
    seen.push(change);
    if (seen.length === enough) break;
  }
  return seen;
}
const valuesOf = (changes: readonly StateChange[]): unknown[] => changes.map(({ value }) => value);

describe('state', () => {
  it('is read without a worker, also after the workflow has closed', async () => {
    const handle = await start('counter', 'read', 2);
    expect(await handle.state('count')).toBeUndefined();
    await beside(() => handle.executeUpdate('set', { args: [5] }));
    expect(await handle.state('count')).toBe(5);
    expect(await handle.states()).toEqual(
      new Map<string, unknown>([
        ['count', 5],
        ['note', { by: 'nobody' }],
      ]),
    );
    await beside(async () => {
      await handle.executeUpdate('set', { args: [6] });
      await handle.result();
    });
    expect(await handle.state('count')).toBe(6);
    expect(await handle.state('note')).toBeNull();
    expect(await handle.state('nothing')).toBeUndefined();
  });

  it('of an earlier run is there too', async () => {
    const handle = await start('chain', 'runs', 1);
    await beside(() => handle.result());
    expect(await handle.state('left')).toBe(0);
    const first = client.workflow.getHandle('runs', handle.firstExecutionRunId);
    expect(await first.state('left')).toBe(1);
  });

  it('of nobody is refused, and so is what is too large', async () => {
    const nobody = client.workflow.getHandle('nobody');
    await expect(nobody.state('a')).rejects.toMatchObject({ name: 'WorkflowNotFoundError' });
    await expect(watched(nobody, 'a')).rejects.toMatchObject({ name: 'WorkflowNotFoundError' });
    const handle = await start('large', 'large');
    await beside(() =>
      vi.waitFor(async () => {
        const told = JSON.stringify((await handle.fetchHistory()).events);
        expect(told).toMatch(/the value of state key 'large' has \d+ bytes, more than 8192/);
      }),
    );
    await handle.terminate();
  });
});

describe('a watch', () => {
  it('tells the present values, each change, and ends with the workflow', async () => {
    const handle = await start('counter', 'watched', 3);
    const seen = watched(handle, 'count');
    await beside(async () => {
      // The first workflow task publishes by itself: an update that came with it would be in the same marker.
      await vi.waitFor(async () => expect(await handle.state('count')).toBe(0));
      for (const n of [1, 2, 3]) await handle.executeUpdate('set', { args: [n] });
      expect(valuesOf(await seen)).toEqual([0, 1, 2, 3]);
    });
  });

  it('goes on where an earlier one stopped', async () => {
    const handle = await start('counter', 'resumed', 4);
    await beside(async () => {
      await handle.executeUpdate('set', { args: [1] });
      const [present] = await watched(handle, 'count', 1);
      expect(present?.value).toBe(1);
      await handle.executeUpdate('set', { args: [2] });
      const later = watched(handle, 'count', Number.POSITIVE_INFINITY, present);
      await handle.executeUpdate('set', { args: [3] });
      await handle.executeUpdate('set', { args: [4] });
      const seen = valuesOf(await later);
      // 2 may have been replaced by 3 before it was asked for.
      expect(seen.at(-1)).toBe(4);
      expect(seen).not.toContain(1);
      expect([...seen].sort()).toEqual(seen);
    });
  });

  it('follows a chain of runs, unless told not to', async () => {
    const handle = await start('chain', 'followed', 2);
    await beside(async () => {
      const first = client.workflow.getHandle('followed', handle.firstExecutionRunId);
      expect(valuesOf(await watched(first, 'left'))).toEqual([2, 1, 0]);
      const own: unknown[] = [];
      for await (const { value } of first.watchState({ followRuns: false })) own.push(value);
      expect(own).toEqual([2]);
    });
  });

  it('ends when its signal says so, though nothing happens', async () => {
    const handle = await start('counter', 'aborted', 1);
    const stop = new AbortController();
    const seen: unknown[] = [];
    const watching = (async () => {
      for await (const { value } of handle.watchState({ signal: stop.signal })) seen.push(value);
    })();
    await new Promise(setImmediate);
    stop.abort();
    await watching;
    expect(seen).toEqual([]);
    await handle.terminate();
  });

  it('over connections that are cut again and again is told every key, however large all are together, each once', async () => {
    const [keys, bytes] = [64, 7_000];
    const handle = await start('keys', 'cut', keys, bytes);
    const cuts: (() => void)[] = [];
    const others = Array.from({ length: 8 }, (_, n) =>
      Connection.fromTransport(() => {
        const link = server.connect();
        cuts[n] = () => link.close();
        return link;
      }),
    );
    await beside(async () => {
      const watchers = others.map(async (other) => {
        const seen: string[] = [];
        const watch = new Client({ connection: other }).workflow.getHandle('cut').watchState<string>();
        for await (const { key, value } of watch) {
          expect(value).toHaveLength(bytes + key.length - 1);
          seen.push(key);
        }
        return seen;
      });
      for (let n = 0; n < keys; n++) {
        await handle.executeUpdate('set', { args: [n] });
        // Another one each time: while it is told something, or between.
        cuts[n % others.length]?.();
      }
      const all = Array.from({ length: keys }, (_, n) => `k${n}`);
      for (const seen of await Promise.all(watchers)) expect(seen).toEqual(all);
      expect([...(await handle.states()).keys()]).toEqual(all);
    });
    await Promise.all(others.map((other) => other.close()));
  });

  it.each(['open', 'closed'])('of a workflow that is %s and deleted ends, and its state is gone', async (when) => {
    const workflowId = `deleted-${when}`;
    const handle = await start('counter', workflowId, 1);
    const seen: unknown[] = [];
    await beside(async () => {
      const watching = (async () => {
        for await (const { key, value } of handle.watchState()) if (key === 'count') seen.push(value);
      })().catch((error: unknown) => error);
      await vi.waitFor(() => expect(seen).toEqual([0]), 20_000);
      if (when === 'closed') {
        await handle.executeUpdate('set', { args: [1] });
        await vi.waitFor(() => expect(seen).toEqual([0, 1]), 20_000);
      }
      const workflowExecution = { workflowId, runId: handle.firstExecutionRunId };
      await connection.workflowService.deleteWorkflowExecution({ namespace: 'default', workflowExecution });
      await vi.waitFor(async () => {
        await expect(handle.state('count')).rejects.toMatchObject({ name: 'WorkflowNotFoundError' });
      }, 20_000);
      const end = await watching;
      if (end !== undefined) expect(end).toMatchObject({ name: 'WorkflowNotFoundError' });
    });
    expect(seen).toEqual(when === 'closed' ? [0, 1] : [0]);
  });

  it('of a thousand at once: all see all, in order, over connections that break', { timeout: 60_000 }, async () => {
    const rounds = 8;
    const handle = await start('counter', 'crowd', rounds);
    await beside(async () => {
      // They wait for the first of it.
      const others = Array.from({ length: 100 }, () => Connection.fromTransport(() => server.connect()));
      const handles = [
        handle,
        ...others.map((other) => new Client({ connection: other }).workflow.getHandle(handle.workflowId)),
      ];
      const watchers = handles.flatMap((one) => Array.from({ length: 10 }, () => watched(one, 'count')));
      for (let n = 1; n <= rounds; n++) {
        await handle.executeUpdate('set', { args: [n] });
        if (n % 3 === 0) links.at(-1)?.close();
      }
      for (const seen of await Promise.all(watchers)) {
        const ids = seen.map(({ eventId }) => eventId);
        expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
        const values = valuesOf(seen) as number[];
        expect(values).toEqual([...new Set(values)].sort((a, b) => a - b));
        expect(values.at(-1)).toBe(rounds);
      }
      expect(watchers.length).toBeGreaterThan(1000);
      await Promise.all(others.map((other) => other.close()));
    });
  });
});
