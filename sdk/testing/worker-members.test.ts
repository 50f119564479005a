// What workers have beside running: numbers that say when they change, a say in patches, warnings of large payloads, bundles with a source map, and
// interceptors of Nexus handlers.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as nexus from 'nexus-rpc';
import { distinctUntilChanged, firstValueFrom, from, lastValueFrom, map, take, toArray } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { EventType } from '../../src/wire/enums.ts';
import type { HistoryEvent } from '../../src/wire/event.ts';
import { makeLogger } from '../common/logger.ts';
import type { ConnectionPlugin } from '../connection/options.ts';
import { metricMeter, log as nexusLog } from '../nexus/index.ts';
import { bundleWorkflowCode, Runtime, Worker, type WorkerOptions } from '../worker/index.ts';
import { TestWorkflowEnvironment } from './index.ts';

const CODE = `
  import * as wf from 'tenuto/workflow';
  const { hold } = wf.proxyActivities({ startToCloseTimeout: '10s', retry: { maximumAttempts: 1 } });
  export async function holds() { return await hold(); }
  export async function patches() {
    const first = [wf.patched('wanted'), wf.patched('unwanted'), wf.patched('wanted'), wf.patched('unwanted')];
    await wf.sleep(1);
    return [...first, wf.patched('unwanted'), wf.patched('later')];
  }
  export async function strange(id) { return wf.patched(id); }
  export async function large() { wf.upsertMemo({ text: 'm'.repeat(300) }); return 'r'.repeat(2000); }
  export async function fails() { throw wf.ApplicationFailure.nonRetryable('no'); }
  export async function calls() {
    const client = wf.createNexusServiceClient({ endpoint: 'members', service: { name: 'greeter', operations: { greet: { name: 'greet' } } } });
    return await client.executeOperation('greet', 'you');
  }`;

const limits: ConnectionPlugin = {
  name: 'limits',
  configureConnection: (options) => ({ ...options, payloadLimits: { payloadsWarnSize: 1000, memoWarnSize: 200 } }),
};

let folder: string;
let environment: TestWorkflowEnvironment;
const logged: { message: string; meta: Record<string, unknown> | undefined }[] = [];

beforeAll(async () => {
  Runtime.install({ logger: makeLogger((_level, message, meta) => logged.push({ message, meta })) });
  folder = mkdtempSync(join(tmpdir(), 'tenuto-worker-members-'));
  writeFileSync(join(folder, 'workflows.ts'), CODE);
  environment = await TestWorkflowEnvironment.createLocal({ plugins: [limits] });
});
afterAll(async () => {
  await environment?.teardown();
  rmSync(folder, { recursive: true });
});

let queues = 0;
async function worker(options: Partial<WorkerOptions>): Promise<Worker> {
  queues += 1;
  return await Worker.create({
    ...{ connection: environment.nativeConnection, taskQueue: `worker-members-${queues}` },
    ...(options.workflowBundle === undefined && { workflowsPath: join(folder, 'workflows.ts') }),
    ...options,
  });
}
const run = (of: Worker, type: string, ...args: unknown[]): Promise<unknown> =>
  environment.client.workflow.execute(type, {
    ...{ taskQueue: of.options.taskQueue, workflowId: `${type}-${of.options.taskQueue}-${args.join()}`, args },
  });

it('says how much it has in hand whenever that changes, to operators of rxjs', async () => {
  let letGo: () => void = () => {};
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const own = await worker({ activities: { hold: () => held } });
  const seen = { activities: [] as number[], activations: [] as number[], workflows: [] as number[] };
  own.numInFlightActivities$.subscribe((count) => seen.activities.push(count));
  own.numInFlightActivations$.subscribe((count) => seen.activations.push(count));
  own.numRunningWorkflowInstances$.subscribe((count) => seen.workflows.push(count));
  const firstTwo = lastValueFrom(
    from(own.numInFlightActivities$).pipe(
      map((count) => `${count} running`),
      distinctUntilChanged(),
      take(2),
      toArray(),
    ),
  );
  await own.runUntil(async () => {
    const done = run(own, 'holds');
    await expect(firstTwo).resolves.toEqual(['0 running', '1 running']);
    await vi.waitUntil(() => own.getStatus().numInFlightWorkflowActivations === 0);
    expect(own.getStatus()).toMatchObject({ numInFlightActivities: 1, numCachedWorkflows: 1 });
    letGo();
    await done;
  });
  expect(seen.activities).toEqual([0, 1, 0]);
  expect(seen.activations.slice(0, 3)).toEqual([0, 1, 0]);
  expect(seen.workflows).toEqual([0, 1, 0]);
  await expect(firstValueFrom(own.numInFlightActivities$)).resolves.toBe(0);
});

describe('patchActivationCallback', () => {
  it('decides once for each patch of a workflow, and what it declines leaves no marker', async () => {
    const asked: unknown[] = [];
    const own = await worker({
      // Each task replays: what was declined is asked for anew.
      maxCachedWorkflows: 0,
      patchActivationCallback: ({ workflowInfo, patchId }) => {
        const { workflowType, typedSearchAttributes, unsafe } = workflowInfo;
        expect(typedSearchAttributes.getAll()).toEqual([]);
        expect(unsafe.isReplaying).toBe(false);
        expect(unsafe.now()).toBeTypeOf('number');
        asked.push([workflowType, patchId]);
        return patchId === 'wanted';
      },
    });
    const result = await own.runUntil(run(own, 'patches'));
    expect(result).toEqual([true, false, true, false, false, false]);
    expect(asked).toEqual([
      ['patches', 'wanted'],
      ['patches', 'unwanted'],
      ['patches', 'unwanted'],
      ['patches', 'later'],
    ]);
    const history = await environment.client.workflow.getHandle(`patches-${own.options.taskQueue}-`).fetchHistory();
    const markers = (history.events as HistoryEvent[]).filter(
      ({ eventType }) => eventType === EventType.MARKER_RECORDED,
    );
    expect(markers).toHaveLength(1);
  });

  it.each([
    ['throws', 'Error: not today'],
    ['answers nothing', 'TypeError: patchActivationCallback must return a boolean, got undefined'],
  ])('that %s fails the workflow task', async (what, message) => {
    const own = await worker({
      patchActivationCallback: () => {
        if (what === 'throws') throw new Error('not today');
        // As code without types may.
        return undefined as unknown as boolean;
      },
    });
    await own.runUntil(async () => {
      const workflowId = `strange-${own.options.taskQueue}`;
      const { taskQueue } = own.options;
      const handle = await environment.client.workflow.start('strange', { taskQueue, workflowId, args: ['a'] });
      const failure = await vi.waitUntil(async () => {
        const { events } = await handle.fetchHistory();
        const failed = (events as HistoryEvent[]).find(({ eventType }) => eventType === EventType.WORKFLOW_TASK_FAILED);
        return failed?.eventType === EventType.WORKFLOW_TASK_FAILED ? failed.attributes.failure : undefined;
      });
      expect(failure.message).toBe(message);
      await handle.terminate();
    });
  });
});

it('warns of payloads and memos that are large, and sends them', async () => {
  const own = await worker({});
  await expect(own.runUntil(run(own, 'large'))).resolves.toHaveLength(2000);
  const warnings = logged.filter(({ message }) => message.startsWith('[TMPRL1103]'));
  expect(warnings.map(({ meta }) => meta)).toEqual([
    expect.objectContaining({ field: 'upsertedMemo', limit: 200, workflowType: 'large' }),
    expect.objectContaining({ field: 'result', limit: 1000, size: 2020 }),
  ]);
});

it('reads a bundle and its source map from files, so that stacks name the sources', async () => {
  const { code, sourceMap } = await bundleWorkflowCode({ workflowsPath: join(folder, 'workflows.ts') });
  const [codePath, sourceMapPath] = [join(folder, 'bundle.js'), join(folder, 'bundle.js.map')];
  writeFileSync(codePath, code);
  writeFileSync(sourceMapPath, sourceMap ?? '');
  const stackOf = async (options: Partial<WorkerOptions>): Promise<string | undefined> => {
    const own = await worker(options);
    const error = await own.runUntil(run(own, 'fails').catch((failed: Error) => failed));
    return ((error as Error).cause as Error).stack;
  };
  await expect(stackOf({ workflowBundle: { codePath, sourceMapPath } })).resolves.toContain('workflows.ts:');
  // Of two the bundle counts, and the other is said to be ignored.
  const both = { workflowBundle: { codePath }, workflowsPath: '/nowhere/workflows.ts' };
  await expect(stackOf(both)).resolves.not.toContain('workflows.ts:');
  const ignored = 'Ignoring WorkerOptions.workflowsPath because WorkerOptions.workflowBundle is set';
  expect(logged.map(({ message }) => message)).toContain(ignored);
});

it('runs interceptors around the calls of Nexus handlers', async () => {
  const service = nexus.service('greeter', { greet: nexus.operation<string, string>() });
  const passed: string[] = [];
  const counted: unknown[] = [];
  const own = await worker({
    nexusServices: [
      nexus.serviceHandler(service, {
        greet: async (_ctx, name) => {
          nexusLog.info('greeting');
          metricMeter.createCounter('greetings').add(1);
          return `hello ${name}`;
        },
      }),
    ],
    interceptors: {
      nexus: [
        ({ operation }) => ({
          inbound: {
            startOperation: async (input, next) => {
              passed.push(`outer ${operation}`);
              const { result } = await next({ ...input, input: `${input.input}!` });
              return result.isAsync
                ? { result }
                : { result: nexus.HandlerStartOperationResult.sync(`${result.value}?`) };
            },
          },
          outbound: { getLogAttributes: (input, next) => next({ ...input, who: 'outer' }) },
        }),
        () => ({
          inbound: {
            startOperation: (input, next) => {
              passed.push('inner');
              return next(input);
            },
          },
          outbound: {
            getMetricTags: (input, next) => {
              counted.push(input);
              return next(input);
            },
          },
        }),
      ],
    },
  });
  await environment.createNexusEndpoint('members', own.options.taskQueue);
  await expect(own.runUntil(run(own, 'calls'))).resolves.toBe('hello you!?');
  expect(passed).toEqual(['outer greet', 'inner']);
  expect(logged.find(({ message }) => message === 'greeting')?.meta).toMatchObject({
    operation: 'greet',
    who: 'outer',
  });
  expect(counted).toHaveLength(1);
});
