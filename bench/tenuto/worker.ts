// The bench's worker process: `worker.js ADDRESSES TASK_QUEUE CACHED PAYLOADS`. Tells its figures when it is asked to (lib/inside.ts).

import { fileURLToPath } from 'node:url';
import { DefaultLogger, NativeConnection, Runtime, Worker } from 'tenuto/worker';
import { answerInside } from '../lib/inside.ts';
import * as activities from './activities.ts';
import { storedIn } from './payloads.ts';

const SLOTS = 512;

const [address = '', taskQueue = '', cached = '', payloads = ''] = process.argv.slice(2);
answerInside();
// A hot workflow that continues as new has answers refused, again and again: warnings, not news.
Runtime.install({ logger: new DefaultLogger('ERROR') });
const connection = await NativeConnection.connect({ address: address.split(',') });
const worker = await Worker.create({
  connection,
  taskQueue,
  workflowsPath: fileURLToPath(new URL('./workflows.js', import.meta.url)),
  activities,
  maxConcurrentActivityTaskExecutions: SLOTS,
  maxConcurrentLocalActivityExecutions: SLOTS,
  maxConcurrentWorkflowTaskExecutions: SLOTS,
  ...(payloads === '' ? {} : { dataConverter: storedIn(payloads) }),
  ...(cached === '' ? {} : { maxCachedWorkflows: Number(cached) }),
});
const running = worker.run();
process.on('disconnect', () => process.exit(0));
process.send?.('ready');
await running;
await connection.close();
process.exit(0);
