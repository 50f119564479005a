// Interceptors of workflow code: what comes in and what goes out passes them, in order, with headers; on replay as the first time.

import { beforeAll, describe, expect, test } from 'vitest';
import type { Command } from '../../../src/wire/command.ts';
import type { Header } from '../../../src/wire/common.ts';
import { EventType } from '../../../src/wire/enums.ts';
import { MessageType } from '../../../src/wire/protocol-message.ts';
import { defaultPayloadConverter } from '../../common/payload-converter.ts';
import type { Realm } from './realm.ts';
import { realmOf, TestRun, values } from './test-run.test-support.ts';

const WORKFLOWS = `
import * as wf from 'tenuto/workflow';
const { act } = wf.proxyActivities({ startToCloseTimeout: '10s' });
const { quick } = wf.proxyLocalActivities({ startToCloseTimeout: '10s' });
export const go = wf.defineSignal('go');
export async function everything(argument) {
  await wf.sleep(1000, { summary: 'nap' });
  const result = await act('a');
  const other = wf.getExternalWorkflowHandle('other');
  await other.signal('hello', 1);
  return [argument, result];
}
export async function locally() { return quick(1); }
export async function parent() { const child = await wf.startChild('leaf', { workflowId: 'c', args: [7] }); return child.result(); }
export async function again(n) { await wf.continueAsNew(n + 1); }
export async function talks() {
  const seen = [];
  wf.setHandler(go, (v) => { seen.push(v); });
  wf.setHandler(wf.defineQuery('ask'), (v) => ['answer', v]);
  wf.setHandler(wf.defineUpdate('change'), (v) => v * 2, { validator: (v) => { if (v < 0) throw wf.ApplicationFailure.create({ message: 'negative' }); } });
  wf.log.info('begun', { own: 1 });
  await wf.condition(() => seen.length === 2);
  return seen;
}
export async function chance() { return [Math.random(), wf.uuid4()]; }
`;

/** Leaves its name wherever it can: in arguments, results and headers. */
const interceptor = (name: string): string => `
import { defaultPayloadConverter, getRandomStream, workflowInfo } from 'tenuto/workflow';
const mark = (headers) => ({ ...headers, trail: defaultPayloadConverter.toPayload([...trail(headers), '${name}']) });
const trail = (headers) => headers.trail === undefined ? [] : defaultPayloadConverter.fromPayload(headers.trail);
export const interceptors = () => {
  getRandomStream('${name}').random();
  const type = workflowInfo().workflowType;
  return {
    inbound: [{
      async execute(input, next) { return ['${name}', type, trail(input.headers), await next({ ...input, args: input.args.map((a) => '${name}' + a) })]; },
      handleSignal: (input, next) => next({ ...input, args: ['${name}', ...input.args, ...trail(input.headers)] }),
      async handleQuery(input, next) { await null; return ['${name}', await next(input)]; },
      validateUpdate(input, next) { if (input.args[0] === 13) throw new Error('unlucky'); next(input); },
      async handleUpdate(input, next) { return ['${name}', input.name, input.updateId, await next(input)]; },
    }],
    outbound: [{
      startTimer: (input, next) => next({ ...input, durationMs: input.durationMs + 1 }),
      scheduleActivity: (input, next) => next({ ...input, headers: mark(input.headers), args: ['${name}', ...input.args] }),
      scheduleLocalActivity: (input, next) => next({ ...input, headers: mark(input.headers) }),
      startChildWorkflowExecution: (input, next) => next({ ...input, headers: mark(input.headers), options: { ...input.options, args: ['${name}', ...input.options.args] } }),
      signalWorkflow: (input, next) => next({ ...input, headers: mark(input.headers), args: ['${name}', ...input.args] }),
      continueAsNew: (input, next) => next({ ...input, headers: mark(input.headers), args: [input.args[0] * 10] }),
      getLogAttributes: (input, next) => next({ ...input, ['${name}']: input.workflowId }),
    }],
  };
};
`;

let realm: Realm;
let plain: Realm;
beforeAll(async () => {
  const modules = { 'workflows.ts': WORKFLOWS, 'a.ts': interceptor('a'), 'b.ts': interceptor('b') };
  realm = await realmOf(modules, { workflowInterceptorModules: ['a.ts', 'b.ts'] });
  plain = await realmOf(WORKFLOWS);
});

const header = (...names: string[]): Header => ({ fields: { trail: defaultPayloadConverter.toPayload(names) } });
const attributes = (commands: Command[]): Record<string, never> => commands[0]?.attributes as never;

describe('what goes out', () => {
  test('passes them first to last, and carries the headers they set', () => {
    const run = new TestRun(realm, 'everything', ['x']);
    const timer = run.task();
    expect(timer).toMatchObject([{ attributes: { startToFireTimeout: 1002 } }]);
    run.fire('1');
    const activity = attributes(run.task());
    expect(values(activity.input)).toEqual(['b', 'a', 'a']);
    expect(activity.header).toEqual(header('a', 'b'));
    run.completeActivity('1', 'done');
    const signal = attributes(run.task());
    expect(signal).toMatchObject({ signalName: 'hello', childWorkflowOnly: false, execution: { workflowId: 'other' } });
    expect(values(signal.input)).toEqual(['b', 'a', 1]);
    expect(signal.header).toEqual(header('a', 'b'));
    run.add(EventType.EXTERNAL_WORKFLOW_EXECUTION_SIGNALED, {
      initiatedEventId: run.events.length,
      workflowExecution: { workflowId: 'other', runId: '' },
    });
    run.task();
    expect(run.result).toEqual(['a', 'everything', [], ['b', 'everything', [], ['bax', 'done']]]);
    expect(run.replay().failure).toBeUndefined();
  });

  test('also of local activities, children and the next run', () => {
    const local = new TestRun(realm, 'locally');
    local.begin();
    expect(local.driver.take('startLocalActivities').tasks[0]?.header).toEqual(header('a', 'b'));
    const child = attributes(new TestRun(realm, 'parent').task());
    expect(values(child.input)).toEqual(['b', 'a', 7]);
    expect(child.header).toEqual(header('a', 'b'));
    const next = attributes(new TestRun(realm, 'again', [1]).task());
    // 'ba1' + 1, ten times as much, twice: not a number, but the interceptors' doing.
    expect(values(next.input)).toEqual([null]);
    expect(next.header).toEqual(header('a', 'b'));
  });

  test('adds to log lines', () => {
    const run = new TestRun(realm, 'talks');
    run.begin();
    const [line] = run.finish().sinkCalls;
    expect(line?.args[1]).toMatchObject({ own: 1, a: 'workflow', b: 'workflow' });
  });
});

describe('what comes in', () => {
  test('signals, with their headers, in order', () => {
    const run = new TestRun(realm, 'talks');
    run.task();
    run.add(EventType.WORKFLOW_EXECUTION_SIGNALED, { signalName: 'go', header: header('sender') });
    run.signal('go');
    run.task();
    // The handler takes the first argument: what the innermost put there.
    expect(run.result).toEqual(['a', 'talks', [], ['b', 'talks', [], ['b', 'b']]]);
  });

  test('queries, which interceptors may await', () => {
    const run = new TestRun(realm, 'talks');
    run.task();
    expect(values(run.query('ask', 5).answer)).toEqual([['a', ['b', ['answer', 5]]]]);
    expect(run.query('nobody').errorMessage).toMatch('did not register a handler for nobody');
  });

  test('updates, and their validation', () => {
    const run = new TestRun(realm, 'talks');
    run.task();
    const said = run.updateTask(run.update('u', 'change', 4));
    const outcome = said.map(({ body }) => (body.type === MessageType.RESPONSE ? body.value.outcome : undefined));
    expect(values(outcome[1]?.success)).toEqual([['a', 'change', 'u', ['b', 'change', 'u', 8]]]);
    expect(run.forgottenTask(run.update('v', 'change', -1))).toMatchObject([{ message: 'negative' }]);
    expect(run.forgottenTask(run.update('w', 'change', 13))).toMatchObject([{ message: 'unlucky' }]);
  });
});

test('what they draw from streams of their own changes nothing for the workflow', () => {
  const drawn = (of: Realm): unknown => {
    const run = new TestRun(of, 'chance', [], { runId: 'the-same' });
    run.task();
    return run.result;
  };
  expect(drawn(realm)).toEqual(['a', 'chance', [], ['b', 'chance', [], drawn(plain)]]);
});

describe('a module of interceptors', () => {
  test('that exports none is passed over', async () => {
    const modules = { 'workflows.ts': WORKFLOWS, 'a.ts': 'export const other = 1;' };
    const run = new TestRun(await realmOf(modules, { workflowInterceptorModules: ['a.ts'] }), 'chance');
    expect(run.task()).toHaveLength(1);
  });

  test.each([
    ['is no function', 'export const interceptors = 1;', 'must export a function as interceptors, got number'],
    ['throws', "export const interceptors = () => { throw new Error('no') };", 'no'],
  ])('whose factory %s fails the workflow task', async (_, text, message) => {
    const modules = { 'workflows.ts': WORKFLOWS, 'a.ts': text };
    const run = new TestRun(await realmOf(modules, { workflowInterceptorModules: ['a.ts'] }), 'chance');
    expect(run.failingTask().message).toMatch(message);
  });
});

describe('internals', () => {
  const MODULE = `
    import { defaultPayloadConverter, log } from 'tenuto/workflow';
    const note = (what) => log.info('internals', { what });
    export const interceptors = () => ({
      internals: [{
        activate(input, next) {
          note(['activate', input.batchIndex, input.activation.jobs.map(({ kind }) => kind)]);
          next(input);
        },
        concludeActivation(input, next) {
          const { commands } = next(input);
          note(['conclude', commands.map(({ kind }) => kind)]);
          return { commands: commands.filter(({ kind }) => kind !== 'upsertMemo') };
        },
        dispose(input, next) { next(input); throw new Error('cannot let go'); },
      }],
    });`;
  const WORKFLOW = `
    import * as wf from 'tenuto/workflow';
    export async function waits() { wf.upsertMemo({ a: 1 }); await wf.sleep(1000); return 'done'; }
    export async function asked() { wf.setHandler(wf.defineQuery('ask'), () => 1); await wf.sleep(1); }`;

  test('see each round, may change what is asked for, and learn that the execution leaves memory', async () => {
    const modules = { 'workflows.ts': WORKFLOW, 'a.ts': MODULE };
    const run = new TestRun(await realmOf(modules, { workflowInterceptorModules: ['a.ts'] }), 'waits');
    const noted = (finished: { sinkCalls: readonly { args: unknown[] }[] }): unknown[] =>
      finished.sinkCalls.map(({ args }) => (args[1] as { what: unknown }).what);
    run.begin();
    const first = run.finish();
    expect(noted(first)).toEqual([
      ['activate', 0, []],
      ['conclude', ['upsertMemo', 'startTimer']],
    ]);
    expect(run.events.map(({ eventType }) => eventType)).not.toContain(EventType.WORKFLOW_PROPERTIES_MODIFIED);
    run.fire('1');
    run.begin();
    expect(noted(run.finish())).toEqual([
      ['activate', 0, ['timerFired']],
      ['conclude', ['complete']],
    ]);
    expect(run.driver.take('evicted').problem).toBe('Error: cannot let go');
  });

  test('queries have ids, and the SDK’s own are none of the interceptors’ business', async () => {
    const module = `export const interceptors = () => ({
      inbound: [{ handleQuery: async (input, next) => [input.queryId, await next(input)] }],
    });`;
    const modules = { 'workflows.ts': WORKFLOW, 'a.ts': module };
    const run = new TestRun(await realmOf(modules, { workflowInterceptorModules: ['a.ts'] }), 'asked');
    run.task();
    expect(values(run.query('ask').answer)).toEqual([['legacy_query', 1]]);
    expect(values(run.query('__stack_trace').answer)).toEqual([expect.stringContaining('asked')]);
    run.begin({ queries: { 'query-7': { queryType: 'ask' } } });
    expect(values(run.finish().request.queryResults?.['query-7']?.answer)).toEqual([['query-7', 1]]);
  });
});

describe('chance of another stream', () => {
  const WORKFLOW = `
    import * as wf from 'tenuto/workflow';
    export async function draws() {
      const stream = wf.getRandomStream('library');
      const other = wf.getRandomStream('other');
      const seen = await stream.with(async () => {
        const before = [Math.random(), wf.uuid4()];
        await wf.sleep(1);
        return [...before, Math.random(), wf.workflowRandom.with(() => Math.random()), other.with(() => wf.uuid4()), Math.random()];
      });
      return [...seen, Math.random()];
    }
    export async function drawsPlainly() {
      const stream = wf.getRandomStream('library');
      const other = wf.getRandomStream('other');
      const before = [stream.random(), stream.uuid4()];
      await wf.sleep(1);
      return [...before, stream.random(), Math.random(), other.uuid4(), stream.random(), Math.random()];
    }
    export async function leaves() { return Math.random(); }
`;

  const outcome = (run: TestRun): unknown => {
    run.task();
    if (run.events.at(-1)?.eventType !== EventType.WORKFLOW_EXECUTION_COMPLETED) {
      run.fire('1');
      run.task();
    }
    return run.result;
  };

  test('is drawn by what the code calls as usual, and by what that awaits', async () => {
    const realm = await realmOf(WORKFLOW);
    const [scoped, plainly] = ['draws', 'drawsPlainly'].map((type) => new TestRun(realm, type, [], { runId: 'same' }));
    const drawn = scoped === undefined ? undefined : outcome(scoped);
    expect(drawn).toHaveLength(7);
    expect(drawn).toEqual(plainly === undefined ? undefined : outcome(plainly));
    expect(scoped?.replay().failure).toBeUndefined();
  });

  test('ends where an interceptor goes on to the next', async () => {
    const module = `
      import { getRandomStream } from 'tenuto/workflow';
      export const interceptors = () => ({
        inbound: [{ execute: (input, next) => getRandomStream('own').with(() => (Math.random(), next(input))) }],
      });`;
    const modules = { 'workflows.ts': WORKFLOW, 'a.ts': module };
    const intercepted = new TestRun(await realmOf(modules, { workflowInterceptorModules: ['a.ts'] }), 'leaves', [], {
      runId: 'same',
    });
    const plain = new TestRun(await realmOf(WORKFLOW), 'leaves', [], { runId: 'same' });
    expect(outcome(intercepted)).toBe(outcome(plain));
  });
});

test.each(['signal', 'update', 'query'])('a default handler gets no %s of a reserved name', async (kind) => {
  const workflow = `
    import * as wf from 'tenuto/workflow';
    export async function takesAll() {
      wf.setDefaultSignalHandler(() => {});
      wf.setDefaultUpdateHandler(() => {});
      wf.setDefaultQueryHandler(() => 1);
      await wf.sleep(1);
    }`;
  const run = new TestRun(await realmOf(workflow), 'takesAll');
  run.task();
  const refused = `Cannot use ${kind} name: '__temporal_x', with reserved prefix: '__temporal_'`;
  if (kind === 'query') {
    expect(run.query('__temporal_x').errorMessage).toBe(refused);
    return;
  }
  if (kind === 'signal') {
    run.signal('__temporal_x');
    run.begin();
  } else run.begin({ messages: [run.update('u', '__temporal_x')] });
  expect(run.driver.take('failed').request.failure?.message).toBe(refused);
});
