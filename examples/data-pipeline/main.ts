// Counts words in 1,000 parts at once: `node dist/examples/data-pipeline/main.js`; needs no server.

import { fileURLToPath } from 'node:url';
import { TestWorkflowEnvironment } from 'tenuto/testing';
import { Worker } from 'tenuto/worker';
import * as activities from './activities.ts';
import { countWords } from './workflows.ts';

const TASK_QUEUE = 'pipeline';
const PARTS = 1_000;

/** The words of all parts. */
export async function run(): Promise<number> {
  const environment = await TestWorkflowEnvironment.createLocal();
  const worker = await Worker.create({
    connection: environment.nativeConnection,
    taskQueue: TASK_QUEUE,
    workflowsPath: fileURLToPath(
      new URL(`./workflows${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
    ),
    activities,
  });
  const options = { workflowId: 'words', taskQueue: TASK_QUEUE, args: [PARTS] as [number] };
  try {
    return await worker.runUntil(() => environment.client.workflow.execute(countWords, options));
  } finally {
    await environment.teardown();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(await run());
