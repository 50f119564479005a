// What code that moves from Temporal's packages uses beside the calls themselves: the environment's shortcuts, options of clients, signals and
// queries by options, plugins that are passed on.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ClientPlugin } from '../client/client.ts';
import { Client, WithStartWorkflowOperation } from '../client/index.ts';
import type { ConnectionPlugin } from '../connection/options.ts';
import { Worker } from '../worker/index.ts';
import { TestWorkflowEnvironment } from './index.ts';

const CODE = `
  import { condition, defineQuery, defineSignal, defineUpdate, getExternalWorkflowHandle, setHandler, startChild } from 'tenuto/workflow';
  export async function sum() {
    let total = 0;
    let done = false;
    setHandler(defineSignal('add'), (a, b) => { total += a + b; });
    setHandler(defineSignal('end'), () => { done = true; });
    setHandler(defineQuery('times'), (factor) => total * factor);
    setHandler(defineUpdate('set'), (to) => { total = to; return total; });
    await condition(() => done);
    return total;
  }
  export async function parent() {
    const child = await startChild('sum', { workflowId: 'child' });
    await child.signalWithOptions('add', { args: [1, 2] });
    const other = getExternalWorkflowHandle('child');
    await other.signalWithOptions('add', { args: [3, 4] });
    await other.signalWithOptions('end', {});
    return await child.result();
  }`;

let folder: string;
let environment: TestWorkflowEnvironment;
let worker: Worker;
let running: Promise<void>;
const configured: string[] = [];
/** By then, before there was a worker, which has a client of its own. */
let byThen: string[];

/** Of connections and of clients at once: an application's usual one. */
const plugin: ConnectionPlugin & ClientPlugin = {
  name: 'both',
  configureConnection: (options) => {
    configured.push('connection');
    return { ...options, identity: 'plugged' };
  },
  configureClient: (options) => {
    configured.push('client');
    return options;
  },
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tenuto-members-'));
  writeFileSync(join(folder, 'workflows.ts'), CODE);
  environment = await TestWorkflowEnvironment.createLocal({ plugins: [plugin] });
  byThen = [...configured].sort();
  worker = await Worker.create({
    ...{ connection: environment.nativeConnection, taskQueue: 'members' },
    workflowsPath: join(folder, 'workflows.ts'),
  });
  running = worker.run();
});
afterAll(async () => {
  worker?.shutdown();
  await running;
  await environment?.teardown();
  rmSync(folder, { recursive: true });
});

it('plugins of the environment configure its two connections and its client, once each', () => {
  expect(byThen).toEqual(['client', 'connection', 'connection']);
  expect(environment.connection.identity).toBe('plugged');
  expect(environment.options).toEqual({ plugins: [plugin] });
  expect(new Client({ connection: environment.connection }).options.plugins).toEqual([plugin]);
});

it('signals and queries by options', async () => {
  const { workflow } = environment.client;
  const handle = await workflow.start('sum', { workflowId: 'options', taskQueue: 'members' });
  await handle.signalWithOptions('add', { args: [2, 3] });
  expect(await handle.queryWithOptions('times', { args: [10] })).toBe(50);
  await handle.signalWithOptions('end', {});
  expect(await handle.result()).toBe(5);
  expect(await workflow.execute('parent', { workflowId: 'parent', taskQueue: 'members' })).toBe(10);
});

it('an interceptor of updates with start sees the update’s id and outcome', async () => {
  const seen: unknown[] = [];
  const client = new Client({
    connection: environment.connection,
    interceptors: {
      workflow: [
        {
          async startUpdateWithStart(input, next) {
            const output = await next(input);
            seen.push([
              output.workflowExecution.workflowId,
              output.updateId,
              output.updateOutcome?.success !== undefined,
            ]);
            return output;
          },
        },
      ],
    },
  });
  const startWorkflowOperation = new WithStartWorkflowOperation('sum', {
    ...{ workflowId: 'updated', taskQueue: 'members', workflowIdConflictPolicy: 'USE_EXISTING' },
  });
  const update = { startWorkflowOperation, updateId: 'u', args: [7] as [number] };
  expect(await client.workflow.executeUpdateWithStart('set', update)).toBe(7);
  expect(seen).toEqual([['updated', 'u', true]]);
});

it('the environment’s shortcuts are those of its client', async () => {
  expect(environment.workflowClient).toBe(environment.client.workflow);
  expect(environment.asyncCompletionClient).toBe(environment.client.activity);
  expect([environment.address, environment.connectionOptions.plugins]).toEqual([undefined, [plugin]]);
  const endpoint = await environment.createNexusEndpoint('payments', 'members');
  expect(endpoint.raw.spec.target).toMatchObject({ worker: { namespace: 'default', taskQueue: 'members' } });
  await environment.deleteNexusEndpoint(endpoint);
  await expect(environment.deleteNexusEndpoint(endpoint)).rejects.toMatchObject({ code: 5 });
});

it('what is not there says what to do instead', () => {
  expect(() => environment.client.nexus).toThrow(/createNexusServiceClient/);
  expect(() => environment.client.taskQueue).toThrow(/worker deployments/);
});

it('every client has its options, the workflow service and metadata', async () => {
  const { client } = environment;
  for (const one of [client, client.workflow, client.schedule, client.activity]) {
    expect(one.options).toMatchObject({ namespace: 'default', identity: 'plugged' });
    expect(one.options.connection).toBe(environment.connection);
    expect(one.workflowService).toBe(environment.connection.workflowService);
    await one.withMetadata({ other: 'x' }, () => one.workflowService.describeNamespace({ namespace: 'default' }));
  }
});
