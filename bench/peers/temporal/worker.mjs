// Temporal's own worker, with the slots that Tenuto's has: `worker.mjs ADDRESS TASK_QUEUE INSIDE`. INSIDE is the module with which it tells its own
// figures. Runs where the SDK is installed.

import { fileURLToPath } from 'node:url';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';

const SLOTS = 512;

const [address, taskQueue, inside] = process.argv.slice(2);
(await import(inside)).answerInside();
Runtime.install({ logger: new DefaultLogger('WARN') });
const connection = await NativeConnection.connect({ address });
const worker = await Worker.create({
  connection,
  taskQueue,
  workflowsPath: fileURLToPath(new URL('./workflows.mjs', import.meta.url)),
  activities: { advance: async ({ value, n }) => ({ value, n: n + 1 }) },
  maxConcurrentActivityTaskExecutions: SLOTS,
  maxConcurrentLocalActivityExecutions: SLOTS,
  maxConcurrentWorkflowTaskExecutions: SLOTS,
});
const running = worker.run();
process.on('disconnect', () => process.exit(0));
process.send?.('ready');
await running;
await connection.close();
process.exit(0);
