// `tenuto workflow update …` and `metadata`: what they print for people and for programs, and their exit codes.

import { beforeAll, expect, it } from 'vitest';
import { undoneAtFileEnd } from '../support/at-file-end.ts';
import { type Finished, type ServerProcess, startServer, tenuto } from '../support/processes.ts';
import { inhabit, printedJson, TASK_QUEUE } from './world.ts';

const atFileEnd = undoneAtFileEnd();

let node: ServerProcess;
beforeAll(async () => {
  node = await startServer(['start-dev', '--port', '0'], { atEnd: atFileEnd });
  const { client } = await inhabit({ address: node.address }, atFileEnd);
  await client.workflow.start('cart', { workflowId: 'cart', taskQueue: TASK_QUEUE });
});

const workflow = (...args: string[]): Promise<Finished> =>
  tenuto(['workflow', ...args], { env: { TENUTO_ADDRESS: node.address } });
const update = (verb: string, ...args: string[]): Promise<Finished> => workflow('update', verb, '-w', 'cart', ...args);

it('execute prints the result; a rejected update says why and exits with 1', async () => {
  const add = ['--name', 'addItem', '-i'];
  expect(await update('execute', ...add, '"tea"', '--update-id', 'first')).toEqual({
    code: 0,
    stdout: '1\n',
    stderr: '',
  });
  expect(await printedJson(update('execute', ...add, '"tea"', '--update-id', 'first', '-o', 'json'))).toEqual({
    workflowId: 'cart',
    updateId: 'first',
    status: 'COMPLETED',
    result: 1,
  });
  const refused = await update('execute', ...add, '""');
  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(
    /^tenuto: cart: Workflow Update failed\n {2}because ApplicationFailure: an item needs a name\n$/,
  );
  const asJson = await update('execute', ...add, '""', '-o', 'json');
  expect(JSON.parse(asJson.stdout)).toMatchObject({ status: 'FAILED', failure: { type: 'Nameless' } });
});

it('start returns once it is accepted; describe and result say what becomes of it', async () => {
  const started = await printedJson(update('start', '--name', 'hang', '--update-id', 'hanging', '-o', 'json'));
  const runId = expect.stringMatching(/^[0-9a-f-]{36}$/) as unknown;
  expect(started).toEqual({ workflowId: 'cart', runId, name: 'hang', updateId: 'hanging' });
  const described = { workflowId: 'cart', runId, updateId: 'hanging' };
  expect(await printedJson(update('describe', '--update-id', 'hanging', '-o', 'json'))).toEqual({
    ...described,
    stage: 'ACCEPTED',
  });
  const late = await update('result', '--update-id', 'hanging', '--command-timeout', '300ms');
  expect(late).toMatchObject({ code: 5, stderr: expect.stringContaining('not done within 300ms') as unknown });
  expect(await printedJson(update('describe', '--update-id', 'first', '-o', 'json'))).toMatchObject({
    stage: 'COMPLETED',
    result: 1,
  });
  expect((await workflow('terminate', '-w', 'cart')).code).toBe(0);
  const cutOff = await update('result', '--update-id', 'hanging');
  expect(cutOff.code).toBe(1);
  expect(cutOff.stderr).toContain('the Workflow completed before the Update completed');
  expect(await update('describe', '--update-id', 'nothing')).toMatchObject({ code: 3 });
  expect((await update('execute', '--name', 'addItem', '-i', '"late"')).code).toBe(3);
});

it('metadata lists what a workflow handles', async () => {
  const metadata = await printedJson(workflow('metadata', '-w', 'cart', '-o', 'json'));
  expect(metadata).toMatchObject({ definition: { type: 'cart' }, currentDetails: '0 items at first' });
  expect((await workflow('metadata', '-w', 'cart')).stdout).toContain('"puts an item into the cart"');
});
