// `tenuto activity start …` against a real node and worker: an activity without a workflow from the command line, from its start to its deletion.

import { afterAll, beforeAll, expect, it } from 'vitest';
import { type AtEnd, type Finished, type ServerProcess, startServer, tenuto, until } from '../support/processes.ts';
import { inhabit, TASK_QUEUE } from './world.ts';

const undo: (() => unknown)[] = [];
const atFileEnd: AtEnd = (step) => undo.push(step);
afterAll(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

let node: ServerProcess;
beforeAll(async () => {
  node = await startServer(['start-dev', '--port', '0'], { atEnd: atFileEnd });
  await inhabit({ address: node.address }, atFileEnd);
});

const activity = (...args: string[]): Promise<Finished> =>
  tenuto(['activity', ...args, '-o', 'json'], { env: { TENUTO_ADDRESS: node.address } });

async function json<T = Record<string, unknown>>(finished: Promise<Finished>): Promise<T> {
  const { code, stdout, stderr } = await finished;
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout) as T;
}

const timeout = ['--start-to-close-timeout', '10s'];

it('starts, awaits, shows, finds, counts, ends and deletes', { timeout: 120_000 }, async () => {
  const greet = ['-a', 'greet', '--type', 'greet', '-t', TASK_QUEUE, '-i', '"Ada"', ...timeout];
  expect(await json(activity('start', ...greet))).toMatchObject({ activityId: 'greet', type: 'greet' });
  expect(await json(activity('result', '-a', 'greet'))).toMatchObject({ status: 'COMPLETED', result: 'Hello, Ada!' });
  expect(await json(activity('describe', '-a', 'greet'))).toMatchObject({ activityType: 'greet', status: 'COMPLETED' });
  const waits = ['-a', 'waits', '--type', 'greet', '-t', 'nobody', ...timeout];
  await json(activity('start', ...waits));
  expect((await activity('start', ...waits)).code).toBe(4);
  const running = ['--query', "ExecutionStatus = 'Running'"];
  expect(await json(activity('list', ...running))).toMatchObject([{ activityId: 'waits', status: 'RUNNING' }]);
  expect(await json(activity('count'))).toEqual({ count: 2 });
  await json(activity('cancel', '-a', 'waits', '--reason', 'enough'));
  expect((await activity('result', '-a', 'waits')).code).toBe(1);
  await json(activity('delete', '-a', 'waits'));
  await until(async () => ((await json(activity('count'))).count === 1 ? true : undefined), 30_000);
  expect((await activity('describe', '-a', 'waits')).code).toBe(3);
});
