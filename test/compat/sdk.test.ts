// The official TypeScript SDK, unmodified, against this server: what its users do every day works, and what one door starts the other one sees.

import { WorkflowFailedError, WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import { Worker } from '@temporalio/worker';
import { Client as NativeClient, Connection as NativeDoorConnection } from 'tenuto/client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import * as workflows from './workflows.ts';
import { TASK_QUEUE, World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await World.open();
}, 120_000);
afterAll(async () => await world?.close());

let ids = 0;
const options = () => ({ taskQueue: TASK_QUEUE, workflowId: `compat-${(ids += 1)}` });

it('a workflow of one activity', async () => {
  expect(await world.client.workflow.execute(workflows.hello, { ...options(), args: ['World'] })).toBe('Hello, World!');
});

it('an activity that fails twice', async () => {
  expect(await world.client.workflow.execute(workflows.retried, options())).toBe(3);
});

it('signals, queries and updates, of a running workflow and after its end', async () => {
  const handle = await world.client.workflow.start(workflows.counter, options());
  await handle.signal(workflows.add, 2);
  expect(await handle.executeUpdate(workflows.addUpdate, { args: [3] })).toBe(5);
  await expect(handle.executeUpdate(workflows.addUpdate, { args: [-1] })).rejects.toThrow(WorkflowUpdateFailedError);
  expect(await handle.query(workflows.sum)).toBe(5);
  await handle.signal(workflows.finish);
  expect(await handle.result()).toBe(5);
  expect(await handle.query(workflows.sum)).toBe(5);
});

it('signalWithStart, and an update with a start', async () => {
  const { workflowId } = options();
  const start = { taskQueue: TASK_QUEUE, workflowId };
  await world.client.workflow.signalWithStart(workflows.counter, {
    ...start,
    signal: workflows.add,
    signalArgs: [4],
  });
  const handle = world.client.workflow.getHandle(workflowId);
  expect(await handle.executeUpdate(workflows.addUpdate, { args: [1] })).toBe(5);
  await handle.signal(workflows.finish);
  expect(await handle.result()).toBe(5);
});

it('children, and runs that continue as new', async () => {
  expect(await world.client.workflow.execute(workflows.parent, { ...options(), args: ['child'] })).toBe(
    'Hello, child!',
  );
  const handle = await world.client.workflow.start(workflows.again, { ...options(), args: [2] });
  expect(await handle.result()).not.toBe(handle.firstExecutionRunId);
});

it('cancellation with clean-up, and termination', async () => {
  const cancelled = await world.client.workflow.start(workflows.sleeper, options());
  await cancelled.cancel();
  expect(await cancelled.result()).toBe('Hello, cancelled!');
  const terminated = await world.client.workflow.start(workflows.sleeper, options());
  await terminated.terminate('enough');
  await expect(terminated.result()).rejects.toThrow(WorkflowFailedError);
  expect((await terminated.describe()).status.name).toBe('TERMINATED');
});

it('a client that waits for a result is told where a retried run goes on, in the way it says it knows', async () => {
  const retry = { initialInterval: '20 milliseconds', maximumAttempts: 2 } as const;
  const handle = await world.client.workflow.start(workflows.failsOnce, { ...options(), retry });
  expect(await handle.result()).toBe(2);
  const { runId } = await handle.describe();
  const { connection } = world.client;
  const closing = async () => {
    const execution = { workflowId: handle.workflowId, runId: handle.firstExecutionRunId };
    const request = { namespace: 'default', execution, historyEventFilterType: 2 };
    const { history } = await connection.workflowService.getWorkflowExecutionHistory(request);
    return history?.events;
  };
  expect(await closing()).toMatchObject([
    { workflowExecutionContinuedAsNewEventAttributes: { newExecutionRunId: runId } },
  ]);
  const metadata = { 'supported-features': 'follows-next-run-id' };
  expect(await connection.withMetadata(metadata, closing)).toMatchObject([
    { workflowExecutionFailedEventAttributes: { newExecutionRunId: runId } },
  ]);
});

it('failures with their types', async () => {
  const error = await world.client.workflow.execute(workflows.failing, options()).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(WorkflowFailedError);
  expect(error).toMatchObject({ cause: { type: 'Refused', nonRetryable: true, details: [7] } });
  await expect(world.client.workflow.getHandle('nobody').describe()).rejects.toThrow(WorkflowNotFoundError);
});

it('tells the priority that a start named', async () => {
  const priority = { priorityKey: 2, fairnessKey: 'tenant', fairnessWeight: 1.5 };
  const handle = await world.client.workflow.start(workflows.hello, { ...options(), args: ['you'], priority });
  await handle.result();
  expect((await handle.describe()).priority).toEqual(priority);
});

it('lists and counts', async () => {
  await world.client.workflow.execute(workflows.hello, { ...options(), args: ['list'] });
  const found: string[] = [];
  for await (const { type } of world.client.workflow.list({ query: "WorkflowType = 'hello'" })) found.push(type);
  expect(found.length).toBeGreaterThan(0);
  expect((await world.client.workflow.count("WorkflowType = 'hello'")).count).toBe(found.length);
});

it('search attributes are found by another name, in one step or in the two that a Temporal server takes', async () => {
  const { connection, workflow } = world.client;
  const namespace = 'default';
  const { operatorService, workflowService } = connection;
  await operatorService.addSearchAttributes({ namespace, searchAttributes: { City: 2 } });
  const inRome = (name: string) =>
    workflow.start(workflows.sleeper, { ...options(), searchAttributes: { [name]: ['Rome'] } });
  const before = await inRome('City');
  const rename = async (name: string) => {
    const config = { customSearchAttributeAliases: { City: name } };
    return (await workflowService.updateNamespace({ namespace, config })).config?.customSearchAttributeAliases;
  };
  expect(await rename('Town')).toEqual({ City: 'Town' });
  // As there: a name that is there is left as it is, whoever is to have it.
  await operatorService.addSearchAttributes({ namespace, searchAttributes: { Town: 3, Other: 2 } });
  expect(await rename('Other')).toEqual({ City: 'Town', Other: 'Other' });
  await operatorService.removeSearchAttributes({ namespace, searchAttributes: ['Other'] });
  const since = await inRome('Town');
  const found = async (query: string): Promise<unknown[]> => {
    const seen: unknown[] = [];
    for await (const { searchAttributes } of workflow.list({ query })) seen.push(searchAttributes);
    return seen;
  };
  expect(await found("Town = 'Rome'")).toEqual([{ Town: ['Rome'] }, { Town: ['Rome'] }]);
  expect((await before.describe()).searchAttributes).toMatchObject({ Town: ['Rome'] });
  // What was written stays written.
  const execution = { workflowId: since.workflowId };
  const { history } = await workflowService.getWorkflowExecutionHistory({ namespace, execution });
  const started = history?.events?.[0]?.workflowExecutionStartedEventAttributes;
  expect(Object.keys(started?.searchAttributes?.indexedFields ?? {})).toEqual(['Town']);
  expect(await rename('')).toEqual({});
  await expect(found("Town = 'Rome'")).rejects.toThrow();
  expect(await rename('Place')).toEqual({ City: 'Place' });
  const described = await workflowService.describeNamespace({ namespace });
  expect(described.config?.customSearchAttributeAliases).toEqual({ City: 'Place' });
  expect(await found("Place = 'Rome'")).toHaveLength(2);
  for (const handle of [before, since]) await handle.terminate();
});

it('the other door sees, signals and ends what this one started', async () => {
  const handle = await world.client.workflow.start(workflows.counter, options());
  const connection = await NativeDoorConnection.connect({ address: world.server.address });
  const native = new NativeClient({ connection }).workflow.getHandle(handle.workflowId);
  await native.signal('add', 6);
  expect(await native.query('sum')).toBe(6);
  await native.signal('finish');
  expect(await native.result()).toBe(6);
  expect(await handle.result()).toBe(6);
  await connection.close();
});

it('replays the histories it is given without a difference', async () => {
  const handle = await world.client.workflow.start(workflows.parent, { ...options(), args: ['replayed'] });
  await handle.result();
  const histories = [{ workflowId: handle.workflowId, history: await handle.fetchHistory() }];
  const workflowsPath = new URL('workflows.ts', import.meta.url).pathname;
  for await (const { error } of Worker.runReplayHistories({ workflowsPath }, histories)) expect(error).toBeUndefined();
});
