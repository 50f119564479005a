// `tenuto workflow trace` and the messages that start what they are for, as their users meet them.

import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  type AtEnd,
  type Finished,
  type ServerProcess,
  startServer,
  temporaryDir,
  tenuto,
} from '../support/processes.ts';
import { inhabit, TASK_QUEUE } from './world.ts';

const undo: (() => unknown)[] = [];
const atFileEnd: AtEnd = (step) => undo.push(step);
afterAll(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

let node: ServerProcess;
beforeAll(async () => {
  const dataDir = join(temporaryDir(atFileEnd), 'data');
  node = await startServer(['start-dev', '--data-dir', dataDir, '--port', '0', '--shard-count', '8'], {
    atEnd: atFileEnd,
  });
  await inhabit({ address: node.address }, atFileEnd);
});

const workflow = (...args: string[]): Promise<Finished> =>
  tenuto(['workflow', ...args], { env: { TENUTO_ADDRESS: node.address } });
const begin = ['--type', 'approval', '-t', TASK_QUEUE];

it('a signal starts the workflow it is for, once', async () => {
  const signal = [
    'signal-with-start',
    ...begin,
    '-w',
    'signalled',
    '--signal-name',
    'approve',
    '--signal-input',
    '"yes"',
  ];
  const { code, stdout } = await workflow(...signal, '-o', 'json');
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ workflowId: 'signalled', type: 'approval' });
  expect((await workflow('result', '-w', 'signalled')).stdout).toBe('completed signalled\n"yes"\n');
});

it('trace shows what a workflow does, for people and for programs', async () => {
  await workflow('start', ...begin, '-w', 'traced');
  expect((await workflow('trace', '-w', 'traced')).stdout).toMatch(/^approval traced RUNNING\n/);
  await workflow('signal', '-w', 'traced', '--name', 'approve', '-i', '"yes"');
  await workflow('result', '-w', 'traced');
  expect((await workflow('trace', '-w', 'traced', '--follow')).stdout).toMatch(/^approval traced COMPLETED \d+ ms\n/);
  const { stdout } = await workflow('trace', '-w', 'traced', '-o', 'json');
  expect(JSON.parse(stdout)).toMatchObject({ workflowId: 'traced', status: 'COMPLETED', steps: expect.any(Array) });
  expect((await workflow('trace', '-w', 'nobody')).code).toBe(3);
});

it('start takes a cron schedule', async () => {
  expect((await workflow('start', ...begin, '-w', 'nightly', '--cron', '0 3 * * *')).code).toBe(0);
  const { stdout } = await workflow('show', '-w', 'nightly', '--detailed');
  expect(stdout).toContain('"cronSchedule": "0 3 * * *"');
  expect((await workflow('start', ...begin, '-w', 'never', '--cron', 'sometimes')).code).toBe(2);
});
