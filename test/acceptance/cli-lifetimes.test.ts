// `tenuto workflow reset` and the other verbs about the life of an execution: what they print, and their exit codes.

import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Client } from '../../sdk/client/index.ts';
import { type AtEnd, type Finished, type ServerProcess, startServer, tenuto } from '../support/processes.ts';
import { inhabit, TASK_QUEUE } from './world.ts';

const undo: (() => unknown)[] = [];
const atFileEnd: AtEnd = (step) => undo.push(step);
afterAll(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

let node: ServerProcess;
let client: Client;
beforeAll(async () => {
  node = await startServer(['start-dev', '--port', '0'], { atEnd: atFileEnd });
  ({ client } = await inhabit({ address: node.address }, atFileEnd));
});

const workflow = (...args: string[]): Promise<Finished> =>
  tenuto(['workflow', ...args], { env: { TENUTO_ADDRESS: node.address } });

async function json(finished: Promise<Finished>): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await finished;
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return JSON.parse(stdout) as Record<string, unknown>;
}

const RUN_ID = expect.stringMatching(/^[0-9a-f-]{36}$/) as unknown;

it('reset begins a run again, with the signals since', async () => {
  const handle = await client.workflow.start('cart', { workflowId: 'reset', taskQueue: TASK_QUEUE });
  await handle.executeUpdate('addItem', { args: ['tea'] });
  await handle.signal('checkOut', 'cash');
  expect(await handle.result()).toContain('tea');
  const to = ['reset', '-w', 'reset', '--reason', 'once more', '-o', 'json'];
  const again = await json(workflow(...to, '--type', 'FirstWorkflowTask'));
  expect(again).toEqual({ workflowId: 'reset', runId: RUN_ID });
  expect(await client.workflow.getHandle('reset', String(again.runId)).result()).toContain('tea');
  const without = await json(workflow(...to, '--event-id', '4', '--reapply-exclude', 'All'));
  expect((await client.workflow.getHandle('reset').describe()).status.name).toBe('RUNNING');
  expect(without.runId).not.toBe(again.runId);
  await client.workflow.getHandle('reset').terminate();
});

it('reset says what is missing, and what is not there', async () => {
  await client.workflow.start('cart', { workflowId: 'waits', taskQueue: 'nobody' });
  const refused = async (code: number, text: string, ...args: string[]): Promise<void> => {
    const finished = await workflow('reset', '-w', 'waits', '--reason', 'x', ...args);
    expect(finished).toMatchObject({ code, stderr: expect.stringContaining(text) as unknown });
  };
  await refused(2, 'one of --event-id and --type');
  await refused(2, 'no workflow task of waits has completed', '--type', 'LastWorkflowTask');
  await refused(2, 'no worker of build v1', '--type', 'BuildId', '--build-id', 'v1');
  await refused(2, '--reapply-exclude takes', '--event-id', '4', '--reapply-exclude', 'Everything');
  await refused(2, 'Workflow task finish ID', '--event-id', '77');
  expect((await workflow('reset', '-w', 'nobody', '--reason', 'x', '--event-id', '4')).code).toBe(3);
});
