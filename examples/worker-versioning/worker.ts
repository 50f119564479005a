// A worker of one version of the shop: `worker.js HOST:PORT BUILD_ID`. Ends when it is told to (SIGTERM).

import { fileURLToPath } from 'node:url';
import { NativeConnection, Worker } from 'tenuto/worker';
import { DEPLOYMENT, TASK_QUEUE } from './names.ts';

const [address = '', buildId = ''] = process.argv.slice(2);
const connection = await NativeConnection.connect({ address });
try {
  const worker = await Worker.create({
    connection,
    taskQueue: TASK_QUEUE,
    workflowsPath: fileURLToPath(
      new URL(`./workflows${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
    ),
    activities: { version: async () => buildId },
    workerDeploymentOptions: {
      version: { deploymentName: DEPLOYMENT, buildId },
      useWorkerVersioning: true,
      defaultVersioningBehavior: 'PINNED',
    },
  });
  await worker.run();
} finally {
  await connection.close();
}
