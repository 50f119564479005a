// A rolling deploy with worker processes: version v1 serves, v2 takes a tenth of what is new, then everything that is not pinned; v1 drains and ends.
// `node dist/examples/worker-versioning/main.js`; needs no server.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client, Connection, type WorkflowHandle } from 'tenuto/client';
import { Server } from 'tenuto/server';
import { DEPLOYMENT, TASK_QUEUE } from './names.ts';
import { next, order, subscription, visit } from './workflows.ts';

const namespace = 'default';
/** VERSION_DRAINAGE_STATUS_DRAINED */
const DRAINED = 2;
/** EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT and EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT */
const TIMED_OUT: ReadonlySet<number> = new Set([8, 14]);
const WORKER = import.meta.url.endsWith('.ts')
  ? new URL('../../dist/examples/worker-versioning/worker.js', import.meta.url)
  : new URL('./worker.js', import.meta.url);

class Deploy {
  readonly #connection: Connection;
  readonly #address: string;
  readonly #client: Client;
  readonly workers = new Map<string, ChildProcess>();

  constructor(connection: Connection, address: string) {
    this.#connection = connection;
    this.#address = address;
    this.#client = new Client({ connection, namespace });
  }

  get #service() {
    return this.#connection.workflowService;
  }

  /** Starts a worker process, and waits until the server knows its version. */
  async startVersion(buildId: string): Promise<void> {
    const worker = spawn(process.execPath, [fileURLToPath(WORKER), this.#address, buildId], { stdio: 'inherit' });
    this.workers.set(buildId, worker);
    await until(async () => ((await this.describe(buildId))?.taskQueueInfos?.length ?? 0) === 2);
  }

  async stopVersion(buildId: string): Promise<void> {
    const worker = this.workers.get(buildId);
    if (worker === undefined || worker.exitCode !== null) return;
    worker.kill('SIGTERM');
    await once(worker, 'exit');
  }

  async describe(buildId: string) {
    const deploymentVersion = { deploymentName: DEPLOYMENT, buildId };
    const described = this.#service.describeWorkerDeploymentVersion({ namespace, deploymentVersion });
    return await described.then(
      ({ workerDeploymentVersionInfo }) => workerDeploymentVersionInfo,
      () => undefined,
    );
  }

  async setCurrent(buildId: string): Promise<void> {
    await this.#service.setWorkerDeploymentCurrentVersion({ namespace, deploymentName: DEPLOYMENT, buildId });
  }

  async ramp(buildId: string, percentage: number): Promise<void> {
    const request = { namespace, deploymentName: DEPLOYMENT, buildId, percentage };
    await this.#service.setWorkerDeploymentRampingVersion(request);
  }

  async liveWorkers(): Promise<string[]> {
    const { workers } = await this.#service.listWorkers({ namespace, query: `Status = 'Running'` });
    return (workers ?? []).map(({ deploymentVersion }) => deploymentVersion?.buildId ?? '').sort();
  }

  async start(workflow: typeof order, prefix: string, count: number): Promise<WorkflowHandle<typeof order>[]> {
    const starts = Array.from({ length: count }, (_, n) =>
      this.#client.workflow.start(workflow, { workflowId: `${prefix}-${n}`, taskQueue: TASK_QUEUE }),
    );
    return await Promise.all(starts);
  }

  /** The share, in percent, of so many new workflows that began on a version. */
  async share(buildId: string, count: number): Promise<number> {
    let begun = 0;
    for (let n = 0; n < count; n += 50) {
      const batch = Array.from({ length: Math.min(50, count - n) }, (_, i) =>
        this.#client.workflow.execute(visit, { workflowId: `visit-${n + i}`, taskQueue: TASK_QUEUE }),
      );
      begun += (await Promise.all(batch)).filter((version) => version === buildId).length;
    }
    return (begun / count) * 100;
  }

  /** Executions in which a task timed out. */
  async timeOuts(): Promise<string[]> {
    const ids: string[] = [];
    for await (const { workflowId } of this.#client.workflow.list()) {
      const { events } = await this.#client.workflow.getHandle(workflowId).fetchHistory();
      const late = (events ?? []).some(({ eventType }) => TIMED_OUT.has(eventType));
      if (late) ids.push(workflowId);
    }
    return ids;
  }
}

async function until(holds: () => Promise<boolean>, limitMs = 30_000): Promise<void> {
  const giveUpAt = Date.now() + limitMs;
  while (!(await holds())) {
    if (Date.now() > giveUpAt) throw new Error('it did not come to be in time');
    await wait(50);
  }
}

const step = async (handles: readonly WorkflowHandle<typeof order>[]): Promise<void> => {
  await Promise.all(handles.map((handle) => handle.signal(next)));
};

/** What came of it. */
export async function run({ visits = 200, running = 10 } = {}): Promise<Record<string, unknown>> {
  const server = await Server.create({ port: 0, logLevel: 'error' });
  const address = server.address ?? '';
  const connection = await Connection.connect({ address });
  const deploy = new Deploy(connection, address);
  const answers: Record<string, unknown> = {};
  try {
    await deploy.startVersion('v1');
    await deploy.setCurrent('v1');
    const orders = await deploy.start(order, 'order', running);
    const subscriptions = await deploy.start(subscription, 'subscription', running);
    await until(async () => (await deploy.liveWorkers()).length === 1);

    await deploy.startVersion('v2');
    await deploy.ramp('v2', 10);
    answers.share = await deploy.share('v2', visits);
    answers.workers = await deploy.liveWorkers();

    await step([...orders, ...subscriptions]);
    await deploy.setCurrent('v2');
    answers.draining = (await deploy.describe('v1'))?.drainageInfo?.status !== DRAINED;
    await wait(1_500); // Every node has heard of it by now.
    await step([...orders, ...subscriptions]);
    answers.orders = await Promise.all(orders.map((handle) => handle.result()));
    answers.subscriptions = await Promise.all(subscriptions.map((handle) => handle.result()));

    await until(async () => (await deploy.describe('v1'))?.drainageInfo?.status === DRAINED);
    await deploy.stopVersion('v1');
    answers.left = await deploy.liveWorkers();
    answers.timeOuts = await deploy.timeOuts();
    return answers;
  } finally {
    for (const buildId of deploy.workers.keys()) await deploy.stopVersion(buildId);
    await connection.close();
    await server.close();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(JSON.stringify(await run(), null, 2));
