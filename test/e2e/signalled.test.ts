// One workflow under more signals than its worker can answer: each is acknowledged and counted once, and the run goes on as the next before callers are
// refused for good.

import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { Client, Connection } from '../../sdk/client/index.ts';
import { Worker } from '../../sdk/worker/index.ts';
import { Server } from '../../src/server.ts';
import { EventType, WorkflowTaskFailedCause } from '../../src/wire/enums.ts';
import type { HistoryEvent } from '../../src/wire/event.ts';
import type { counter } from './workflows.ts';

const isForced = (event: HistoryEvent): boolean =>
  event.eventType === EventType.WORKFLOW_TASK_FAILED &&
  event.attributes.cause === WorkflowTaskFailedCause.FORCE_CLOSE_COMMAND;

/** Twice as many as a run may receive. */
const SIGNALS = 22_000;

it('a workflow signalled without end loses no signal, refuses none for good, and seldom fails a task for them', async () => {
  const server = await Server.create({ port: 0 });
  const connection = await Connection.connect({ address: server.address, requestTimeout: '80 seconds' });
  const client = new Client({ connection });
  const workflowsPath = fileURLToPath(new URL('./workflows.ts', import.meta.url));
  const worker = await Worker.create({ connection, taskQueue: 'signalled', workflowsPath });
  await worker.runUntil(async () => {
    const handle = await client.workflow.start<typeof counter>('counter', {
      workflowId: 'hot',
      taskQueue: 'signalled',
    });
    const current = client.workflow.getHandle('hot');
    const wrong: unknown[] = [];
    const all: Promise<unknown>[] = [];
    // Not all in one turn of the event loop: they keep coming.
    while (all.length < SIGNALS) {
      for (let n = 0; n < 1_000; n += 1) all.push(current.signal('add').catch((err: unknown) => wrong.push(err)));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(all);
    await current.signal('end');
    expect(wrong).toEqual([]);
    expect(await handle.result()).toBe(SIGNALS);
    let forced = 0;
    let runs = 0;
    for (let runId: string | undefined = (await current.describe()).runId; runId !== undefined; runs += 1) {
      const events: HistoryEvent[] = (await client.workflow.getHandle('hot', runId).fetchHistory()).events ?? [];
      forced += events.filter(isForced).length;
      const start = events.find((event) => event.eventType === EventType.WORKFLOW_EXECUTION_STARTED);
      runId = start?.attributes.continuedExecutionRunId;
    }
    expect(runs).toBeGreaterThan(2);
    // Only for more than 2,000 that came meanwhile: a burst at the beginning, before the client hears that it sends too much.
    expect(forced).toBeLessThan(SIGNALS / 2_000);
  });
  await connection.close();
  await server.close();
});
