// The bench's worker process: `worker.js ADDRESS TASK_QUEUE`.
import { fileURLToPath } from 'node:url';
import { NativeConnection, Worker } from '../sdk/worker/index.ts';

const [address = '', taskQueue = ''] = process.argv.slice(2);
const connection = await NativeConnection.connect({ address });
const worker = await Worker.create({
  connection,
  taskQueue,
  workflowsPath: fileURLToPath(new URL('./workflows.js', import.meta.url)),
  activities: {
    echo: async (value: unknown) => value,
  },
  maxConcurrentActivityTaskExecutions: 512,
  maxConcurrentWorkflowTaskExecutions: 512,
});
const running = worker.run();
process.on('disconnect', () => process.exit(0));
process.send?.('ready');
await running;
await connection.close();
process.exit(0);
