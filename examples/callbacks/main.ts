// Payments whose end is told over HTTP, signed, and told again until it is taken. `node dist/examples/callbacks/main.js`; needs no server.

import { fileURLToPath } from 'node:url';
import { TestWorkflowEnvironment } from 'tenuto/testing';
import { Worker } from 'tenuto/worker';
import { type Heard, receive } from './receiver.ts';
import { pay } from './workflows.ts';

const SECRET = 'a-secret-of-both-sides';
const TASK_QUEUE = 'payments';

/** What the receiver has heard of, in the order of the payments. */
export async function run(): Promise<Heard[]> {
  const { url, heard, server } = await receive(SECRET);
  const environment = await TestWorkflowEnvironment.createLocal({
    server: {
      callbacks: {
        // Without this no address may be called.
        allowedAddresses: [{ pattern: '127.0.0.1:*', allowInsecure: true }],
        secrets: [SECRET],
      },
    },
  });
  const worker = await Worker.create({
    connection: environment.nativeConnection,
    taskQueue: TASK_QUEUE,
    workflowsPath: fileURLToPath(
      new URL(`./workflows${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
    ),
  });
  try {
    await worker.runUntil(async () => {
      const completionCallbacks = [{ url, headers: { 'x-tenant': 'shop-1' } }];
      for (const [order, amount] of [['order-1', 20] as const, ['order-2', 0] as const]) {
        await environment.client.workflow.start(pay, {
          workflowId: `payment-${order}`,
          taskQueue: TASK_QUEUE,
          args: [order, amount],
          completionCallbacks,
        });
      }
      while (heard.length < 2) await environment.sleep(20);
    });
  } finally {
    await environment.teardown();
    server.close();
  }
  return heard.sort((a, b) => (a.state < b.state ? 1 : -1));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const { state, tenant, body } of await run()) console.log(`${tenant}: ${state}`, body);
}
