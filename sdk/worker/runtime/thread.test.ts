// The thread's entry, in a real thread: readiness, a task there and back, the loop that never ends, and errors nobody awaits.

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { buildSync } from 'esbuild';
import { afterEach, expect, test } from 'vitest';
import { encode } from '../../../src/wire/codec.ts';
import { EventType } from '../../../src/wire/enums.ts';
import type { WorkflowTask } from '../../../src/wire/workflow-task.ts';
import { BusyWatch, newBusyMark } from '../busy-mark.ts';
import { type Batch, packBatch, unpackBatch } from '../thread-batch.ts';
import type { FromWorkflowThread, ToWorkflowThread, WorkflowThreadOptions } from '../thread-protocol.ts';
import { bundleOf } from './test-run.test-support.ts';

const WORKFLOWS = `
import { sleep } from 'tenuto/workflow';
export async function fine() { await sleep(1000); }
export async function endless() { for (;;) {} }
export async function floating() { Promise.reject(new Error('nobody awaits me')); await sleep(1000); }
`;

let worker: Worker | undefined;
afterEach(async () => {
  await worker?.terminate();
});

class Thread {
  readonly said: FromWorkflowThread[] = [];
  readonly watch: BusyWatch;
  readonly #worker: Worker;

  constructor(options: WorkflowThreadOptions) {
    this.watch = new BusyWatch(options.busyMark);
    const entry = new URL('./thread.ts', import.meta.url);
    const { outputFiles } = buildSync({
      entryPoints: [entry.pathname],
      bundle: true,
      write: false,
      platform: 'node',
      format: 'cjs',
      external: ['msgpackr-extract'],
      define: { 'import.meta.url': JSON.stringify(entry.href) },
      logLevel: 'silent',
    });
    this.#worker = new Worker(outputFiles[0]?.text ?? '', { eval: true, workerData: options, execArgv: [] });
    worker = this.#worker;
    this.#worker.on('message', (batch: Batch<FromWorkflowThread>) => this.said.push(...unpackBatch(batch)));
  }

  send(runId: string, type: string): void {
    const attributes = { workflowType: { name: type }, taskQueue: { name: 'q' }, originalExecutionRunId: runId };
    const events = [
      { eventId: 1, eventTime: 1, eventType: EventType.WORKFLOW_EXECUTION_STARTED, attributes },
      { eventId: 2, eventTime: 1, eventType: EventType.WORKFLOW_TASK_SCHEDULED, attributes: {} },
      { eventId: 3, eventTime: 1, eventType: EventType.WORKFLOW_TASK_STARTED, attributes: { scheduledEventId: 2 } },
    ];
    const task: WorkflowTask = {
      workerId: 'w',
      token: new TextEncoder().encode(runId),
      namespace: 'default',
      workflowId: 'wf',
      runId,
      workflowType: type,
      attempt: 1,
      previousStartedEventId: 0,
      startedEventId: 3,
      scheduledTime: 1,
      startedTime: 1,
      history: [encode(events)],
      firstEventId: 1,
    };
    const { value, transfer } = packBatch<ToWorkflowThread>([{ type: 'task', task }]);
    this.#worker.postMessage(value, transfer);
  }

  async until<T extends FromWorkflowThread['type']>(type: T): Promise<Extract<FromWorkflowThread, { type: T }>> {
    for (;;) {
      const found = this.said.find((message) => message.type === type);
      // Found by its type.
      if (found !== undefined) return found as Extract<FromWorkflowThread, { type: T }>;
      await once(this.#worker, 'message');
    }
  }
}

async function thread(): Promise<Thread> {
  const bundle = await bundleOf(WORKFLOWS);
  const options = {
    namespace: 'default',
    taskQueue: 'q',
    identity: 'me',
    maxCachedWorkflows: 10,
    busyMark: newBusyMark(),
  };
  const started = new Thread({ ...options, bundle });
  await started.until('ready');
  return started;
}

test('a task goes in, its commands come out', async () => {
  const worker = await thread();
  worker.send('run', 'fine');
  const { request } = await worker.until('completed');
  expect(request.commands).toMatchObject([{ attributes: { timerId: '1', startToFireTimeout: 1000 } }]);
  expect(worker.said.map(({ type }) => type)).toEqual(['ready', 'completed']);
});

test('an endless loop is seen from outside', async () => {
  const worker = await thread();
  worker.send('stuck', 'endless');
  await expect.poll(() => worker.watch.look(5, 70)?.runId).toBe('stuck');
  expect(worker.watch.look(9, 72)).toEqual({ runId: 'stuck', since: 5, workedMs: 2, values: 'small' });
});

test('a rejection that nobody awaits fails the task of its workflow, and no other', async () => {
  const worker = await thread();
  worker.send('bad', 'floating');
  worker.send('good', 'fine');
  const failed = await worker.until('failed');
  expect(failed).toMatchObject({ runId: 'bad', request: { failure: { message: 'nobody awaits me' } } });
  expect((await worker.until('completed')).runId).toBe('good');
});
