// What the acceptance tests share: a worker with their workflows, connected to a node of any kind.

import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { ApplicationFailure, Context } from '../../sdk/activity/index.ts';
import { Client, Connection } from '../../sdk/client/index.ts';
import type { ConnectionOptions } from '../../sdk/connection/index.ts';
import { Worker, type WorkerOptions } from '../../sdk/worker/index.ts';
import type { AtEnd, Finished } from '../support/processes.ts';

export const TASK_QUEUE = 'acceptance';
export const workflowsPath = fileURLToPath(new URL('./workflows.ts', import.meta.url));

const activities = {
  greet: async (name: string): Promise<string> => `Hello, ${name}!`,
  large: async (bytes: number): Promise<string> => 'x'.repeat(bytes),
  breakDown: async (): Promise<void> => {
    throw ApplicationFailure.retryable('out of order', 'Broken', { part: 7 });
  },
  /** Two and a half seconds, with a sign of life every 100 ms. */
  slowly: async (): Promise<number> => {
    const { attempt } = Context.current().info;
    for (let i = 0; i < 25; i += 1) {
      Context.current().heartbeat(i);
      await wait(100);
    }
    return attempt;
  },
};

export async function connect(options: ConnectionOptions, atEnd: AtEnd): Promise<Connection> {
  const connection = await Connection.connect(options);
  atEnd(() => connection.close());
  return connection;
}

export async function startWorker(
  connection: Connection,
  atEnd: AtEnd,
  options: Partial<WorkerOptions> = {},
): Promise<Worker> {
  const worker = await Worker.create({ connection, taskQueue: TASK_QUEUE, workflowsPath, activities, ...options });
  const running = worker.run();
  atEnd(async () => {
    if (worker.getState() === 'RUNNING') worker.shutdown();
    await running;
  });
  return worker;
}

export interface World {
  client: Client;
  connection: Connection;
  worker: Worker;
}

/** A client and a worker with a connection each. */
export async function inhabit(
  options: ConnectionOptions,
  atEnd: AtEnd,
  more: { namespace?: string; worker?: Partial<WorkerOptions> } = {},
): Promise<World> {
  const { namespace = 'default' } = more;
  const connection = await connect(options, atEnd);
  const worker = await startWorker(await connect(options, atEnd), atEnd, { namespace, ...more.worker });
  return { client: new Client({ connection, namespace }), connection, worker };
}

/** What a command that went well printed with `-o json`. */
export async function printedJson(finished: Promise<Finished>): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await finished;
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return JSON.parse(stdout) as Record<string, unknown>;
}
