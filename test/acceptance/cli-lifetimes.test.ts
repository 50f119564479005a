// `tenuto workflow reset` and the other verbs about the life of an execution: what they print, and their exit codes.

import { beforeAll, expect, it } from 'vitest';
import type { Client } from '../../sdk/client/index.ts';
import { EventType } from '../../src/wire/enums.ts';
import { undoneAtFileEnd } from '../support/at-file-end.ts';
import { type Finished, type ServerProcess, startServer, tenuto, until } from '../support/processes.ts';
import { connect, inhabit, printedJson, startWorker, TASK_QUEUE } from './world.ts';

const atFileEnd = undoneAtFileEnd();

let node: ServerProcess;
let client: Client;
beforeAll(async () => {
  node = await startServer(['start-dev', '--port', '0'], { atEnd: atFileEnd });
  ({ client } = await inhabit({ address: node.address }, atFileEnd));
});

const workflow = (...args: string[]): Promise<Finished> =>
  tenuto(['workflow', ...args], { env: { TENUTO_ADDRESS: node.address } });

const nameOf = (eventType: EventType): string =>
  Object.entries(EventType).find(([, value]) => value === eventType)?.[0] ?? String(eventType);

const RUN_ID = expect.stringMatching(/^[0-9a-f-]{36}$/) as unknown;

it('reset begins a run again, with the signals since', async () => {
  const handle = await client.workflow.start('cart', { workflowId: 'reset', taskQueue: TASK_QUEUE });
  await handle.executeUpdate('addItem', { args: ['tea'] });
  await handle.signal('checkOut', 'cash');
  expect(await handle.result()).toContain('tea');
  const to = ['reset', '-w', 'reset', '--reason', 'once more', '-o', 'json'];
  const again = await printedJson(workflow(...to, '--type', 'FirstWorkflowTask'));
  expect(again).toEqual({ workflowId: 'reset', runId: RUN_ID });
  expect(await client.workflow.getHandle('reset', String(again.runId)).result()).toContain('tea');
  const without = await printedJson(workflow(...to, '--event-id', '4', '--reapply-exclude', 'All'));
  expect((await client.workflow.getHandle('reset').describe()).status.name).toBe('RUNNING');
  expect(without.runId).not.toBe(again.runId);
  await client.workflow.getHandle('reset').terminate();
});

const typesOf = async (workflowId: string, runId?: string): Promise<string[]> =>
  (await client.workflow.getHandle(workflowId, runId).fetchHistory()).events.map(({ eventType }) => nameOf(eventType));

it('reset goes back to the last task, to an event, or to where a build came to work', { timeout: 60_000 }, async () => {
  // A worker whose build is known.
  await startWorker(await connect({ address: node.address }, atFileEnd), atFileEnd, {
    taskQueue: 'built',
    buildId: 'v1',
  });
  const handle = await client.workflow.start('cart', { workflowId: 'points', taskQueue: 'built' });
  await handle.executeUpdate('addItem', { args: ['tea'] });
  await handle.executeUpdate('addItem', { args: ['cake'] });
  await handle.signal('checkOut', 'cash');
  expect(await handle.result()).toEqual(['tea', 'cake']);
  const { events } = await handle.fetchHistory();
  const ends = events.filter(({ eventType }) => eventType === EventType.WORKFLOW_TASK_COMPLETED);
  // Everything before the point is as it was, and what came after it is told again.
  const to = async (point: string[]): Promise<string[]> => {
    // Of the first run, which is closed, each time.
    const run = ['-w', 'points', '-r', handle.firstExecutionRunId, '--reason', 'again', '-o', 'json'];
    const { runId } = await printedJson(workflow('reset', ...run, ...point));
    expect(await client.workflow.getHandle('points', String(runId)).result()).toEqual(['tea', 'cake']);
    const types = await typesOf('points', String(runId));
    expect(types.filter((type) => type === 'WORKFLOW_TASK_FAILED')).toHaveLength(1);
    return types.slice(0, types.indexOf('WORKFLOW_TASK_FAILED') + 1);
  };
  const before = (end: { eventId: number } | undefined): string[] => [
    ...events.slice(0, (end?.eventId ?? 0) - 1).map(({ eventType }) => nameOf(eventType)),
    'WORKFLOW_TASK_FAILED',
  ];
  expect(await to(['-t', 'FirstWorkflowTask'])).toEqual(before(ends[0]));
  expect(await to(['-t', 'LastWorkflowTask'])).toEqual(before(ends.at(-1)));
  expect(await to(['-e', String(ends[1]?.eventId)])).toEqual(before(ends[1]));
  expect(await to(['-t', 'BuildId', '--build-id', 'v1'])).toEqual(before(ends[0]));
});

it('reset goes back to before a run continued as new', async () => {
  const handle = await client.workflow.start('relay', {
    workflowId: 'relayed',
    taskQueue: TASK_QUEUE,
    args: [4, 2, []],
  });
  const relay = client.workflow.getHandle('relayed');
  for (const n of [0, 1]) await relay.signal('add', n);
  await until(async () => ((await relay.describe()).runId === handle.firstExecutionRunId ? undefined : true));
  await relay.signal('add', 2);
  const to = ['-t', 'LastContinuedAsNew', '--reason', 'again'];
  const again = await printedJson(workflow('reset', '-w', 'relayed', ...to, '-o', 'json'));
  const types = await typesOf('relayed', String(again.runId));
  expect(types.slice(0, types.indexOf('WORKFLOW_TASK_FAILED'))).toContain('WORKFLOW_EXECUTION_SIGNALED');
  // What the next run had heard is told again, to whichever run takes it.
  await relay.signal('add', 3);
  expect(await client.workflow.getHandle('relayed', String(again.runId)).result()).toEqual([0, 1, 2, 3]);
  const alone = await workflow('reset', '-w', 'points', ...to);
  expect([alone.code, alone.stderr]).toEqual([2, expect.stringContaining('this run of points continues no other')]);
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
  await refused(2, 'tenuto: waits cannot go back to event 77: Workflow task finish ID', '--event-id', '77');
  await refused(2, '\n  `tenuto workflow show -w waits` lists its events', '--event-id', '77');
  expect((await workflow('reset', '-w', 'nobody', '--reason', 'x', '--event-id', '4')).code).toBe(3);
});
