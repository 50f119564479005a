// Published state goes with its history when the namespace's retention is over: whoever reads it then, or still watches, is told that there is none.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { StateChange } from '../client/index.ts';
import { Worker } from '../worker/index.ts';
import { TestWorkflowEnvironment } from './test-workflow-environment.ts';

const WORKFLOWS = `
import * as wf from 'tenuto/workflow';
export const set = wf.defineUpdate('set');
export async function counter() {
  let done = false;
  wf.setState('count', 0);
  wf.setHandler(set, (n) => { done = true; wf.setState('count', n); });
  await wf.condition(() => done);
}
export async function chain(left) {
  wf.setState('left', left);
  if (left > 0) await wf.continueAsNew(left - 1);
  await wf.condition(() => false);
}
`;
const taskQueue = 'retained';
const DAY_MS = 86_400_000;
const gone = { name: 'WorkflowNotFoundError' };

const first = (watch: AsyncIterable<StateChange>) => watch[Symbol.asyncIterator]().next();

let environment: TestWorkflowEnvironment;
let worker: Worker;
let running: Promise<void>;
let folder: string;

beforeAll(async () => {
  const namespaces = [{ name: 'default', retention: DAY_MS }];
  environment = await TestWorkflowEnvironment.createTimeSkipping({ server: { namespaces } });
  folder = mkdtempSync(join(tmpdir(), 'tenuto-retained-'));
  writeFileSync(join(folder, 'workflows.ts'), WORKFLOWS);
  const workflowsPath = join(folder, 'workflows.ts');
  worker = await Worker.create({ connection: environment.nativeConnection, taskQueue, workflowsPath });
  running = worker.run();
});
afterAll(async () => {
  worker.shutdown();
  await running;
  await environment.teardown();
  rmSync(folder, { recursive: true });
});

it('is there until then, and gone after: for readers, for new watches, and for one that goes on from its place', async () => {
  const { workflow } = environment.client;
  const handle = await workflow.start('counter', { workflowId: 'w', taskQueue });
  await handle.executeUpdate('set', { args: [5] });
  await handle.result();
  await environment.sleep('23 hours');
  expect(await handle.state('count')).toBe(5);
  const places = [];
  for await (const change of handle.watchState({ followRuns: false })) places.push(change);
  const [place] = places;
  expect(place).toMatchObject({ key: 'count', value: 5 });

  await environment.sleep('2 hours');
  for (const read of [handle.state('count'), handle.states(), workflow.getHandle('w').state('count')])
    await expect(read).rejects.toMatchObject(gone);
  await expect(first(handle.watchState())).rejects.toMatchObject(gone);
  await expect(first(handle.watchState({ after: place }))).rejects.toMatchObject(gone);
  // The same id again is another run, with what it publishes itself.
  const again = await workflow.start('counter', { workflowId: 'w', taskQueue });
  expect((await first(again.watchState())).value).toMatchObject({ value: 0, runId: again.firstExecutionRunId });
  await again.terminate();
});

it('a watch that was held up over it has the last values, and then hears that the run is gone', async () => {
  const handle = await environment.client.workflow.start('counter', { workflowId: 'held', taskQueue });
  const [following, alone] = [handle.watchState(), handle.watchState({ followRuns: false })].map((watch) =>
    watch[Symbol.asyncIterator](),
  ) as [AsyncIterator<StateChange>, AsyncIterator<StateChange>];
  for (const watch of [following, alone]) expect((await watch.next()).value).toMatchObject({ value: 0 });
  const last = Promise.all([following.next(), alone.next()]);
  await handle.executeUpdate('set', { args: [7] });
  for (const { value } of await last) expect(value).toMatchObject({ value: 7 });
  await handle.result();
  await environment.sleep('2 days');
  await expect(handle.state('count')).rejects.toMatchObject(gone);
  await expect(following.next()).rejects.toMatchObject(gone);
  expect(await alone.next()).toEqual({ done: true, value: undefined });
});

it('of a chain it goes run by run: the present one keeps its own', async () => {
  const handle = await environment.client.workflow.start('chain', { workflowId: 'chain', taskQueue, args: [1] });
  const values = [];
  for await (const { value } of handle.watchState()) {
    values.push(value);
    if (value === 0) break;
  }
  // A watch that begins late has the second run alone.
  expect([[1, 0], [0]]).toContainEqual(values);
  await environment.sleep('2 days');
  const ended = environment.client.workflow.getHandle('chain', handle.firstExecutionRunId);
  await expect(ended.state('left')).rejects.toMatchObject(gone);
  await expect(first(ended.watchState())).rejects.toMatchObject(gone);
  expect(await environment.client.workflow.getHandle('chain').state('left')).toBe(0);
});
