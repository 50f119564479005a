// A worker to be killed, on the built package: `mortal-worker.mjs ADDRESS TASK_QUEUE WORKFLOWS`. Its activities begin, say so, and never end.
import { Context } from 'tenuto/activity';
import { NativeConnection, Runtime, Worker } from 'tenuto/worker';

const [, , address, taskQueue, workflowsPath] = process.argv;
Runtime.install({ workerHeartbeatInterval: '1s' });
const worker = await Worker.create({
  connection: await NativeConnection.connect({ address }),
  taskQueue,
  workflowsPath,
  activities: {
    async greet(name) {
      Context.current().heartbeat();
      process.stdout.write(`began ${name}\n`);
      await new Promise(() => {});
    },
  },
  stickyQueueScheduleToStartTimeout: '1s',
});
await worker.run();
