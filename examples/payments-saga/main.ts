// Pays three times, once well: `node dist/examples/payments-saga/main.js`; needs no server.

import { fileURLToPath } from 'node:url';
import { WorkflowFailedError } from 'tenuto/client';
import { TestWorkflowEnvironment } from 'tenuto/testing';
import { Worker } from 'tenuto/worker';
import * as activities from './activities.ts';
import { pay } from './workflows.ts';

const TASK_QUEUE = 'payments';
const PAYMENTS: Readonly<Record<string, activities.Payment>> = {
  kettle: { account: 'ada', item: 'kettle', amount: 4_900 },
  piano: { account: 'ada', item: 'piano', amount: 90_000 },
  castle: { account: 'ada', item: 'castle', amount: 9_000_000 },
};

/** What became of each payment, and what the books say then. */
export async function run(): Promise<{ outcomes: Record<string, string>; books: typeof activities.books }> {
  const environment = await TestWorkflowEnvironment.createLocal();
  const worker = await Worker.create({
    connection: environment.nativeConnection,
    taskQueue: TASK_QUEUE,
    workflowsPath: fileURLToPath(
      new URL(`./workflows${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
    ),
    activities,
  });
  const outcomes: Record<string, string> = {};
  try {
    await worker.runUntil(async () => {
      for (const [name, payment] of Object.entries(PAYMENTS)) {
        const options = {
          workflowId: `payment-${name}`,
          taskQueue: TASK_QUEUE,
          args: [payment] as [activities.Payment],
        };
        try {
          outcomes[name] = await environment.client.workflow.execute(pay, options);
        } catch (error) {
          if (!(error instanceof WorkflowFailedError)) throw error;
          outcomes[name] = error.cause?.message ?? error.message;
        }
      }
    });
  } finally {
    await environment.teardown();
  }
  return { outcomes, books: activities.books };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(await run());
