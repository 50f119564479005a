// Two shops share a bank fairly, within the bank's rate limit. `node dist/examples/fair-queues/main.js`; needs no server.

import { fileURLToPath } from 'node:url';
import type { Client } from 'tenuto/client';
import { TestWorkflowEnvironment } from 'tenuto/testing';
import { Worker } from 'tenuto/worker';
import { BANK, payment } from './workflows.ts';

const PAYMENTS = 'payments';
const LARGE = 100;
const SMALL = 3;

export interface Activities {
  charge(shop: string): Promise<void>;
}

/** Each shop is a fairness key: its activities inherit it. */
async function pay(client: Client, shop: string, count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) {
    await client.workflow.start(payment, {
      workflowId: `${shop}-${i}`,
      taskQueue: PAYMENTS,
      args: [shop],
      priority: { fairnessKey: shop },
    });
  }
}

/** TASK_QUEUE_TYPE_ACTIVITY of the API. */
const ACTIVITY = 2;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** What waits at the bank once this many calls do. */
async function waiting(client: Client, calls: number) {
  for (;;) {
    const { activity } = await client.connection.request('describeTaskQueue', {
      namespace: 'default',
      taskQueue: BANK,
    });
    if (activity.approximateBacklogCount >= calls) return activity;
    await pause(20);
  }
}

export interface Shown {
  backlog: number;
  byPriority: { priority: number; backlog: number }[];
  /** The shops of the first calls, as they were made. */
  firstCalls: string[];
  rateLimit: { perSecond: number | undefined; source: string };
  callsPerSecond: number;
}

export async function run(): Promise<Shown> {
  const environment = await TestWorkflowEnvironment.createLocal();
  const { client, nativeConnection: connection } = environment;
  const workflowsPath = fileURLToPath(
    new URL(`./workflows${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
  );
  const calls: { shop: string; at: number }[] = [];
  const activities: Activities = {
    async charge(shop) {
      calls.push({ shop, at: performance.now() });
    },
  };
  try {
    // The bank allows so many calls a second, whoever makes them, and however many workers there are.
    await client.connection.workflowService.updateTaskQueueConfig({
      namespace: 'default',
      taskQueue: BANK,
      taskQueueType: ACTIVITY,
      updateQueueRateLimit: { rateLimit: { requestsPerSecond: 50 }, reason: "the bank's contract" },
    });
    const worker = await Worker.create({ connection, taskQueue: PAYMENTS, workflowsPath });
    return await worker.runUntil(async () => {
      await pay(client, 'large', LARGE);
      await waiting(client, LARGE);
      await pay(client, 'small', SMALL);
      const stats = await waiting(client, LARGE + SMALL);
      const bank = await Worker.create({
        connection,
        taskQueue: BANK,
        activities,
        maxConcurrentActivityTaskExecutions: 1,
      });
      await bank.runUntil(async () => {
        while (calls.length < LARGE + SMALL) await pause(20);
      });
      const tookMs = (calls.at(-1)?.at ?? 0) - (calls[0]?.at ?? 0);
      return {
        backlog: stats.approximateBacklogCount,
        byPriority: stats.byPriority.map(({ priority, approximateBacklogCount: backlog }) => ({ priority, backlog })),
        firstCalls: calls.slice(0, 8).map(({ shop }) => shop),
        rateLimit: { perSecond: stats.effectiveRateLimit, source: stats.rateLimitSource },
        callsPerSecond: (calls.length - 1) / (tookMs / 1_000),
      };
    });
  } finally {
    await environment.teardown();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(await run());
