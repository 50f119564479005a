// The worker process: `worker.js --address HOST:PORT --payment URL --warehouse URL`, or by TENUTO_ADDRESS, PAYMENT_URL and WAREHOUSE_URL.
// Runs the order workflow and its activities until it is told to stop; a node that is away is waited for. With `--operations` it runs what a chaos
// run tries its operations on, too.

import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { NativeConnection, Worker } from 'tenuto/worker';
import { createActivities } from './activities.ts';
import { TASK_QUEUE } from './model.ts';
import { operationActivities } from './operations/activities.ts';
import { ServiceClient } from './service-client.ts';
import { report } from './supervisor/messages.ts';

/** A node that was killed is back within a second or two; past this something else is wrong. */
const CONNECT_PATIENCE_MS = 30_000;

const { values } = parseArgs({
  options: {
    address: { type: 'string', default: process.env.TENUTO_ADDRESS || '127.0.0.1:7280' },
    payment: { type: 'string', default: process.env.PAYMENT_URL ?? '' },
    warehouse: { type: 'string', default: process.env.WAREHOUSE_URL ?? '' },
    operations: { type: 'boolean', default: false },
  },
});
if (values.payment === '' || values.warehouse === '') {
  throw new Error('the worker needs --payment URL and --warehouse URL, or PAYMENT_URL and WAREHOUSE_URL');
}

async function connect(address: string): Promise<NativeConnection> {
  const giveUpAt = Date.now() + CONNECT_PATIENCE_MS;
  for (;;) {
    try {
      return await NativeConnection.connect({ address });
    } catch (error) {
      if (Date.now() > giveUpAt) throw error;
      await sleep(200);
    }
  }
}

const connection = await connect(values.address);
try {
  const worker = await Worker.create({
    connection,
    taskQueue: TASK_QUEUE,
    workflowsPath: fileURLToPath(
      new URL(values.operations ? './operations/all-workflows.js' : './workflows.js', import.meta.url),
    ),
    activities: {
      ...createActivities({
        payment: new ServiceClient('payment', values.payment),
        warehouse: new ServiceClient('warehouse', values.warehouse),
        onRetry: (activity, from) => report({ kind: 'retry', activity, from }),
      }),
      ...(values.operations ? operationActivities : {}),
    },
  });
  process.once('SIGTERM', () => {
    if (worker.getState() === 'RUNNING') worker.shutdown();
  });
  report({ kind: 'ready' });
  await worker.run();
} finally {
  await connection.close();
}
// The IPC channel is unreferenced and nothing else is open; ending here is the worker's own decision.
process.exit();
