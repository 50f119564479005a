// The official worker of the chaos of the second door: `worker.mjs ADDRESS TASK_QUEUE WORKFLOWS`. Every tenth try of an activity fails.
import { Context } from '@temporalio/activity';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';

const [address, taskQueue, workflowsPath] = process.argv.slice(2);
Runtime.install({ logger: new DefaultLogger('ERROR') });
let tries = 0;
const activities = {
  async echo(text) {
    Context.current().heartbeat(text);
    tries += 1;
    if (tries % 10 === 0) throw new Error('the tenth try');
    return text;
  },
};
const connection = await NativeConnection.connect({ address });
const worker = await Worker.create({ connection, taskQueue, workflowsPath, activities });
const running = worker.run();
process.send?.('ready');
await running;
await connection.close();
process.disconnect?.();
