// A payload codec that fails, against a real server and worker: the task fails and is done again, the run goes on.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EventType } from '../../src/wire/enums.ts';
import type { PayloadCodec } from '../common/data-converter.ts';
import { Worker } from '../worker/index.ts';
import { TestWorkflowEnvironment } from './test-workflow-environment.ts';

let environment: TestWorkflowEnvironment;
let folder: string;
beforeAll(async () => {
  environment = await TestWorkflowEnvironment.createLocal();
  folder = mkdtempSync(join(tmpdir(), 'tenuto-codecs-'));
  writeFileSync(
    join(folder, 'workflows.ts'),
    `import { proxyActivities } from 'tenuto/workflow';
const { act } = proxyActivities({ startToCloseTimeout: '10s', retry: { initialInterval: 1 } });
export async function twice(n: number) { return (await act(n)) * 2; }`,
  );
});
afterAll(async () => {
  await environment.teardown();
  rmSync(folder, { recursive: true });
});

/** Fails the `nth` call (from 1) of one of its directions. */
function failing(direction: 'encode' | 'decode', nth: number): PayloadCodec {
  const calls = { encode: 0, decode: 0 };
  const pass = async <T>(own: 'encode' | 'decode', payloads: T[]): Promise<T[]> => {
    if (++calls[own] === nth && own === direction) throw new Error('the key service is away');
    return payloads;
  };
  return { encode: (payloads) => pass('encode', payloads), decode: (payloads) => pass('decode', payloads) };
}

describe('a codec that fails', () => {
  it.each([
    ['decoding the start', 'decode', 1],
    ['encoding the arguments of an activity', 'encode', 1],
    ['decoding the arguments of an activity', 'decode', 2],
    ['encoding the result of an activity', 'encode', 2],
  ] as const)('%s costs one attempt, not the run', async (_, direction, nth) => {
    const taskQueue = `codecs-${direction}-${nth}`;
    const worker = await Worker.create({
      connection: environment.nativeConnection,
      taskQueue,
      workflowsPath: join(folder, 'workflows.ts'),
      activities: { act: async (n: number) => n + 1 },
      dataConverter: { payloadCodecs: [failing(direction, nth)] },
    });
    const handle = await environment.client.workflow.start('twice', { workflowId: taskQueue, taskQueue, args: [20] });
    expect(await worker.runUntil(handle.result())).toBe(42);
    const { events } = await handle.fetchHistory();
    const told = JSON.stringify(
      events.filter(
        ({ eventType }) =>
          eventType === EventType.WORKFLOW_TASK_FAILED || eventType === EventType.ACTIVITY_TASK_STARTED,
      ),
    );
    expect(told).toMatch('A payload codec failed: the key service is away');
  });
});
