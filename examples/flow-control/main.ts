// Keyed flow control: two imports of a tenant at a time, one index for many edits, one sync, three calls of a provider, sections that take turns.
// `node dist/examples/flow-control/main.js`; needs no server.

import { fileURLToPath } from 'node:url';
import { type Client, WorkflowExecutionAlreadyStartedError } from 'tenuto/client';
import { TestWorkflowEnvironment } from 'tenuto/testing';
import { Worker } from 'tenuto/worker';
import * as activities from './activities.js';
import { callMany, importOf, inTurn, rebuildIndex, stop, sync } from './workflows.js';

const TASK_QUEUE = 'flow';

/** What came of it. */
export async function run(): Promise<Record<string, unknown>> {
  const environment = await TestWorkflowEnvironment.createLocal();
  const { client } = environment;
  const worker = await Worker.create({
    connection: environment.nativeConnection,
    taskQueue: TASK_QUEUE,
    workflowsPath: fileURLToPath(
      new URL(`./workflows${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
    ),
    activities,
  });
  try {
    const waiting = await startImports(client);
    return await worker.runUntil(async () => ({
      waiting,
      imported: await Promise.all([1, 2, 3, 4].map((n) => client.workflow.getHandle(`import-${n}`).result())),
      ...(await edits(client)),
      ...(await syncs(client)),
      together: await client.workflow.execute(callMany, { workflowId: 'calls', taskQueue: TASK_QUEUE, args: [12] }),
      sections: await Promise.all(
        ['a', 'b'].map((name) =>
          client.workflow.execute(inTurn, { workflowId: name, taskQueue: TASK_QUEUE, args: [name] }),
        ),
      ),
    }));
  } finally {
    await environment.teardown();
  }
}

/** Before there is a worker: two have a permit, the others wait in their order. */
async function startImports(client: Client): Promise<unknown[]> {
  const handles = [];
  for (const n of [1, 2, 3, 4]) {
    const handle = await client.workflow.start(importOf, {
      workflowId: `import-${n}`,
      taskQueue: TASK_QUEUE,
      args: ['acme'],
      flowControl: { key: 'acme', concurrency: { limit: 2 }, throttle: { limit: 100, period: '1 minute' } },
    });
    handles.push(handle);
    await settled(async () => (await handle.describe()).flowControl?.position !== undefined || n <= 2);
  }
  const descriptions = await Promise.all(handles.map((handle) => handle.describe()));
  return descriptions.map(({ flowControl }) => flowControl?.position ?? flowControl?.state);
}

/** Ten edits, each a start: the last one rebuilds. */
async function edits(client: Client): Promise<Record<string, unknown>> {
  const handles = [];
  for (let edit = 1; edit <= 10; edit += 1) {
    handles.push(
      await client.workflow.start(rebuildIndex, {
        workflowId: `rebuild-${edit}`,
        taskQueue: TASK_QUEUE,
        args: [edit],
        flowControl: { key: 'index', debounce: { quiet: '300ms', maxWait: '10s' } },
      }),
    );
  }
  const ends = await Promise.allSettled(handles.map((handle) => handle.result()));
  return { rebuilt: ends.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : [])) };
}

async function syncs(client: Client): Promise<Record<string, unknown>> {
  const options = (name: string, singleton: 'reject' | 'useExisting' | 'terminateExisting') => ({
    workflowId: `sync-${name}`,
    taskQueue: TASK_QUEUE,
    args: [name] as [string],
    flowControl: { key: 'sync', singleton },
  });
  const first = await client.workflow.start(sync, options('first', 'reject'));
  const refused = await client.workflow
    .start(sync, options('second', 'reject'))
    .catch((error: unknown) => error instanceof WorkflowExecutionAlreadyStartedError);
  const same = await client.workflow.start(sync, options('third', 'useExisting'));
  const newest = await client.workflow.start(sync, options('fourth', 'terminateExisting'));
  const ended = await first.result().catch(() => 'terminated');
  await newest.signal(stop);
  return { refused, same: same.workflowId, ended, newest: await newest.result() };
}

async function settled(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 10));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(JSON.stringify(await run(), null, 2));
