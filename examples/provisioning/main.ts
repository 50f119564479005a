// Three requests: one approved, one refused, one forgotten. `node dist/examples/provisioning/main.js`; needs no server.

import { fileURLToPath } from 'node:url';
import { WorkflowUpdateFailedError } from 'tenuto/client';
import { TestWorkflowEnvironment } from 'tenuto/testing';
import { Worker } from 'tenuto/worker';
import * as activities from './activities.ts';
import { decide, provision, type Stage, stage } from './workflows.ts';

const TASK_QUEUE = 'provisioning';
const DAY_MS = 24 * 3_600_000;

/** What came of each request, and what their requester was told who wanted to decide. */
export async function run(): Promise<{ stages: Record<string, Stage>; told: string[]; machines: string[] }> {
  const environment = await TestWorkflowEnvironment.createLocal();
  const { workflow } = environment.client;
  const worker = await Worker.create({
    connection: environment.nativeConnection,
    taskQueue: TASK_QUEUE,
    workflowsPath: fileURLToPath(
      new URL(`./workflows${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
    ),
    activities,
  });
  const ask = (name: string, patienceMs = DAY_MS) =>
    workflow.start(provision, {
      workflowId: `machine-${name}`,
      taskQueue: TASK_QUEUE,
      args: [{ name, requester: 'ada', patienceMs }],
    });
  const told: string[] = [];
  const stages: Record<string, Stage> = {};
  try {
    await worker.runUntil(async () => {
      const [wanted, frowned, forgotten] = await Promise.all([ask('build-7'), ask('toaster'), ask('attic', 200)]);
      const impatient = wanted.executeUpdate(decide, { args: [{ by: 'ada', approve: true }] });
      told.push(
        await impatient.catch((error: unknown) => {
          if (error instanceof WorkflowUpdateFailedError) return error.cause?.message ?? error.message;
          throw error;
        }),
      );
      stages.before = await wanted.query(stage);
      told.push(await wanted.executeUpdate(decide, { args: [{ by: 'grace', approve: true }] }));
      told.push(await frowned.executeUpdate(decide, { args: [{ by: 'grace', approve: false }] }));
      stages.wanted = await wanted.result();
      stages.frowned = await frowned.result();
      stages.forgotten = await forgotten.result();
    });
  } finally {
    await environment.teardown();
  }
  return { stages, told, machines: activities.machines };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(await run());
