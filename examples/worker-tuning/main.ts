// Workers that take as much as there is room for: four licences shared by two workers, then slots by what the machine has left.
// `node dist/examples/worker-tuning/main.js`; needs no server.

import { fileURLToPath } from 'node:url';
import { TestWorkflowEnvironment } from 'tenuto/testing';
import { ResourceBasedController, Worker, type WorkerOptions, type WorkerTuner } from 'tenuto/worker';
import * as activities from './activities.js';
import { Licences } from './licences.js';
import { film } from './workflows.js';

const LICENCES = 4;

/** What came of it. */
export async function run(): Promise<Record<string, unknown>> {
  const environment = await TestWorkflowEnvironment.createLocal();
  const { client } = environment;
  const worker = (taskQueue: string, options: Partial<WorkerOptions>): Promise<Worker> =>
    Worker.create({
      connection: environment.nativeConnection,
      taskQueue,
      workflowsPath: fileURLToPath(
        new URL(`./workflows${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
      ),
      activities,
      ...options,
    });
  const make = (taskQueue: string, frames: number): Promise<number> =>
    client.workflow.execute(film, { workflowId: `film-${taskQueue}`, taskQueue, args: [frames] });
  try {
    const licences = new Licences(LICENCES);
    const tuner: WorkerTuner = {
      workflowTaskSlotSupplier: { type: 'fixed-size', numSlots: 40 },
      activityTaskSlotSupplier: licences,
      localActivityTaskSlotSupplier: { type: 'fixed-size', numSlots: 100 },
      nexusTaskSlotSupplier: { type: 'fixed-size', numSlots: 100 },
    };
    // One licence each is reserved ahead at first, more when frames have to wait.
    const activityTaskPollerBehavior = { type: 'autoscaling', minimum: 1, initial: 1, maximum: 2 } as const;
    const two = [
      await worker('trailers', { tuner, activityTaskPollerBehavior }),
      await worker('features', { tuner, activityTaskPollerBehavior }),
    ] as const;
    const films = await two[0].runUntil(() =>
      two[1].runUntil(() => Promise.all([make('trailers', 10), make('features', 10)])),
    );
    const peak = activities.peakSince();

    const controller = ResourceBasedController.create({ targetMemoryUsage: 1, targetCpuUsage: 1 });
    const byResources = await worker('shorts', { tuner: { controller, activityTaskSlotOptions: { minimumSlots: 3 } } });
    const shorts = await byResources.runUntil(() => make('shorts', 12));
    return { films, peak, used: licences.used, back: licences.free, shorts };
  } finally {
    await environment.teardown();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(await run());
