// A worker process of one version, on the built package: `worker.mjs --address A,B --bundle FILE --build-id V [--heartbeat-ms N]`. Says `ready`, and
// ends by SIGTERM.
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { NativeConnection, Runtime, Worker } from 'tenuto/worker';

const WORK_MS = 200;

const { values } = parseArgs({
  options: {
    ...{ address: { type: 'string' }, bundle: { type: 'string' } },
    ...{ 'build-id': { type: 'string' }, 'heartbeat-ms': { type: 'string' } },
  },
});
const buildId = values['build-id'];
if (values['heartbeat-ms'] !== undefined) Runtime.install({ workerHeartbeatInterval: Number(values['heartbeat-ms']) });

const activities = {
  version: async () => buildId,
  work: async () => {
    await sleep(WORK_MS);
    return 1;
  },
};

const worker = await Worker.create({
  connection: await NativeConnection.connect({ address: values.address.split(',') }),
  taskQueue: 'shop',
  workflowBundle: { codePath: values.bundle },
  activities,
  workerDeploymentOptions: {
    version: { deploymentName: 'shop', buildId },
    useWorkerVersioning: true,
    defaultVersioningBehavior: 'PINNED',
  },
});
process.stdout.write('ready\n');
await worker.run();
process.exit(0);
