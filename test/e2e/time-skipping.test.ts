// The test environment that skips time, by this project's own client and worker.

import { fileURLToPath } from 'node:url';
import { TestWorkflowEnvironment } from 'tenuto/testing';
import { Worker } from 'tenuto/worker';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { sleeper } from '../compat/native-workflows.ts';

const HOUR = 3_600_000;
const TASK_QUEUE = 'skipping';

let env: TestWorkflowEnvironment;
let worker: Worker;
beforeAll(async () => {
  env = await TestWorkflowEnvironment.createTimeSkipping({ server: { logLevel: 'error' } });
  worker = await Worker.create({
    connection: env.nativeConnection,
    taskQueue: TASK_QUEUE,
    workflowsPath: fileURLToPath(new URL('../compat/native-workflows.ts', import.meta.url)),
    activities: { greet: async (name: string) => `Hello, ${name}!` },
  });
});
afterAll(async () => await env?.teardown());

it('an hour of sleep is over in a moment, while its result is waited for', async () => {
  expect(env.supportsTimeSkipping).toBe(true);
  const [began, started] = [await env.currentTimeMs(), Date.now()];
  await worker.runUntil(async () => {
    const options = { taskQueue: TASK_QUEUE, workflowId: 'sleeper' };
    const both = [1, 2].map((i) => env.client.workflow.execute(sleeper, { ...options, workflowId: `sleeper-${i}` }));
    expect(await Promise.all(both)).toEqual(['slept', 'slept']);
  });
  expect(Date.now() - started).toBeLessThan(30_000);
  expect((await env.currentTimeMs()) - began).toBeGreaterThanOrEqual(HOUR);
  await env.sleep('10 hours');
  expect((await env.currentTimeMs()) - began).toBeGreaterThanOrEqual(11 * HOUR);
});
