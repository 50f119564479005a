// A subscription over several runs, its plan changed on the way: `node dist/examples/subscription/main.js`; needs no server.

import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { TestWorkflowEnvironment } from 'tenuto/testing';
import { Worker } from 'tenuto/worker';
import * as activities from './activities.ts';
import { changePlan, current, type Subscription, subscription, unsubscribe } from './workflows.ts';

const TASK_QUEUE = 'subscriptions';
const LOOK_EVERY_MS = 20;

/** The subscription as it ended, and what was charged. */
export async function run(): Promise<{ ended: Subscription; charged: string[] }> {
  const environment = await TestWorkflowEnvironment.createLocal();
  const worker = await Worker.create({
    connection: environment.nativeConnection,
    taskQueue: TASK_QUEUE,
    workflowsPath: fileURLToPath(
      new URL(`./workflows${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
    ),
    activities,
  });
  const { workflow } = environment.client;
  try {
    return await worker.runUntil(async () => {
      const first: Subscription = { account: 'ada', plan: 'small', periodMs: 50, periods: 0 };
      await workflow.start(subscription, { workflowId: 'ada', taskQueue: TASK_QUEUE, args: [first] });
      // By its id alone: whichever run it is in.
      const handle = workflow.getHandle<typeof subscription>('ada');
      const periods = async (n: number): Promise<void> => {
        while ((await handle.query(current)).periods < n) await sleep(LOOK_EVERY_MS);
      };
      await periods(2);
      await handle.signal(changePlan, 'large');
      await periods(5);
      await handle.signal(unsubscribe);
      return { ended: await handle.result(), charged: activities.charged };
    });
  } finally {
    await environment.teardown();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(await run());
