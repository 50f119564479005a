// Histories that this project's worker made, replayed by the official one: it accepts them as its own, so a team can move in either direction.

import { fileURLToPath } from 'node:url';
import { Client as OfficialClient, Connection as OfficialConnection } from '@temporalio/client';
import { DefaultLogger, Worker as OfficialWorker, Runtime } from '@temporalio/worker';
import { Client, Connection, ResetReapplyExcludeType } from 'tenuto/client';
import { defaultPayloadConverter, toPayloads } from 'tenuto/common';
import { Server } from 'tenuto/server';
import { Worker } from 'tenuto/worker';
import { expect, it } from 'vitest';
import * as workflows from './native-workflows.ts';

Runtime.install({ logger: new DefaultLogger('ERROR') });

const TASK_QUEUE = 'native';
let flakes = 0;
const activities = {
  greet: async (name: string): Promise<string> => `Hello, ${name}!`,
  flaky: async (succeedOn: number): Promise<number> => {
    flakes += 1;
    if (flakes < succeedOn) throw new Error(`attempt ${flakes}`);
    return flakes;
  },
};

const payloads = (...args: unknown[]) => ({ payloads: toPayloads(defaultPayloadConverter, ...args) ?? [] });

let ids = 0;
const options = () => ({ taskQueue: TASK_QUEUE, workflowId: `native-${(ids += 1)}` });

/** What workflows do, by the native client and worker. */
async function drive(client: Client): Promise<void> {
  const { workflow } = client;
  await workflow.execute(workflows.hello, { ...options(), args: ['native'] });
  await workflow.execute(workflows.retried, options());
  await workflow.execute(workflows.parent, { ...options(), args: ['child'] });
  await workflow.execute(workflows.again, { ...options(), args: [1] });
  await workflow.execute(workflows.marked, options());
  await workflow.execute(workflows.failing, options()).catch(() => {});
  const counter = await workflow.start(workflows.counter, options());
  await counter.signal(workflows.add, 2);
  // An event that means nothing to the workflow's code.
  await counter.updateOptions({ priority: { priorityKey: 1 } });
  await counter.executeUpdate(workflows.addUpdate, { args: [3] });
  await counter.executeUpdate(workflows.addUpdate, { args: [-3] }).catch(() => {});
  await counter.signal(workflows.finish);
  expect(await counter.result()).toBe(5);
  // Again from its first task on, with other signals: what the reset sends comes before that task.
  const { runId } = await client.connection.request('resetWorkflowExecution', {
    ...{ namespace: 'default', workflowId: counter.workflowId, identity: 'test', requestId: 'again' },
    ...{ reason: 'counted wrong', workflowTaskFinishEventId: 4 },
    resetReapplyExcludeTypes: [ResetReapplyExcludeType.SIGNAL, ResetReapplyExcludeType.UPDATE],
    postResetOperations: [
      { signalWorkflow: { signalName: 'add', input: payloads(7) } },
      { signalWorkflow: { signalName: 'finish' } },
    ],
  });
  expect(await workflow.getHandle(counter.workflowId, runId).result()).toBe(7);
  const sleeper = await workflow.start(workflows.sleeper, options());
  await sleeper.cancel();
  expect(await sleeper.result()).toBe('Hello, cancelled!');
}

it('the official worker replays what the native one did', async () => {
  const server = await Server.create({ port: 0, grpcPort: 0, logLevel: 'error' });
  const connection = await Connection.connect({ address: server.address });
  const workflowsPath = fileURLToPath(new URL('native-workflows.ts', import.meta.url));
  const worker = await Worker.create({ connection, taskQueue: TASK_QUEUE, workflowsPath, activities });
  await worker.runUntil(drive(new Client({ connection })));

  const official = await OfficialConnection.connect({ address: server.grpcAddress ?? '' });
  const client = new OfficialClient({ connection: official });
  const histories = [];
  for await (const { workflowId, runId } of client.workflow.list()) {
    histories.push({
      workflowId,
      history: await client.workflow.getHandle(workflowId, runId).fetchHistory(),
    });
  }
  expect(histories.length).toBeGreaterThan(9);
  const twins = fileURLToPath(new URL('workflows.ts', import.meta.url));
  for await (const { workflowId, error } of OfficialWorker.runReplayHistories({ workflowsPath: twins }, histories)) {
    expect(error, workflowId).toBeUndefined();
  }
  await official.close();
  await connection.close();
  await server.close();
}, 120_000);
