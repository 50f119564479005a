// The engine, feature by feature: events in, commands out.

import { beforeAll, describe, expect, test } from 'vitest';
import { decode, encode } from '../../../src/wire/codec.ts';
import type { Command } from '../../../src/wire/command.ts';
import { CommandType, EventType, WorkflowTaskFailedCause } from '../../../src/wire/enums.ts';
import type { HistoryEvent } from '../../../src/wire/event.ts';
import type { LocalActivityResult } from '../thread-protocol.ts';
import { HostDriver } from './host-driver.test-support.ts';
import type { Realm } from './realm.ts';
import { FIRST_EVENT_TIME, payloads, realmOf, TestRun, values } from './test-run.test-support.ts';

const WORKFLOWS = `
import * as wf from 'tenuto/workflow';
import type * as activities from './activities.ts';
const { sleep, condition, setHandler, CancellationScope, ApplicationFailure } = wf;
const { act, other } = wf.proxyActivities<typeof activities>({ startToCloseTimeout: '10s' });
const { quick } = wf.proxyLocalActivities<typeof activities>({ startToCloseTimeout: '5s' });
export const go = wf.defineSignal<[unknown?]>('go');
export const ask = wf.defineQuery<unknown>('ask');
const caught = (p) => p.then((v) => v, (e) => e.name + ': ' + e.message + (e.cause ? ' < ' + e.cause.name : ''));

export async function clock() {
  const before = [Date.now(), new Date().getTime()];
  await sleep(1000);
  return [...before, Date.now(), typeof Date(), new Date(0).toISOString(), new Date() instanceof Date, wf.workflowInfo().startTime.getTime()];
}
export async function chance() { const r = [Math.random(), Math.random(), wf.uuid4()]; await sleep(1); return [...r, Math.random()]; }
export async function twoSignals() {
  const seen = [];
  setHandler(go, (v) => { seen.push(v); });
  setHandler(ask, () => seen);
  await condition(() => seen.length >= 2);
  return seen;
}
export async function signalsBeforeResolutions() {
  const order = [];
  // Handlers run at once: what they resolve tells their place among the resolutions.
  const told = new wf.Trigger();
  told.then(() => order.push('signal'));
  setHandler(go, () => told.resolve());
  await Promise.all([act(1).then(() => order.push('activity')), sleep(1000).then(() => order.push('timer'))]);
  return order;
}
export async function defaults() {
  const seen = [];
  wf.setDefaultSignalHandler((name, ...args) => { seen.push([name, ...args]); });
  wf.setDefaultQueryHandler((name, ...args) => [name, ...args]);
  await condition(() => seen.length === 2);
  return seen;
}
export async function scopes() {
  const outcomes = [];
  const inner = new CancellationScope();
  const a = caught(inner.run(() => act(1)));
  const b = caught(CancellationScope.nonCancellable(() => act(2)));
  const c = caught(CancellationScope.withTimeout('1 minute', () => act(3)));
  setHandler(go, () => inner.cancel());
  return Promise.all([a, b, c]);
}
export async function currentScopes() {
  const names = [];
  const root = CancellationScope.current();
  await CancellationScope.cancellable(async () => {
    const own = CancellationScope.current();
    await null; names.push(CancellationScope.current() === own);
    await sleep(1); names.push(CancellationScope.current() === own, own.parent === root);
    await new CancellationScope({ cancellable: false }).run(async () => { await sleep(1); names.push(CancellationScope.current().parent === own); });
    names.push(CancellationScope.current() === own);
  });
  names.push(CancellationScope.current() === root);
  return names;
}
export async function cancelled() {
  try { await sleep('1 hour'); } catch (e) { await CancellationScope.nonCancellable(() => act('clean')); throw e; }
}
export async function cancelTypes(cancellationType) {
  const scope = new CancellationScope();
  const slow = wf.proxyActivities({ startToCloseTimeout: '10s', cancellationType }).act;
  const p = caught(scope.run(() => slow(1)));
  await sleep(1000);
  scope.cancel();
  return p;
}
export async function timeouts() {
  const timer = setTimeout(() => {}, 500); clearTimeout(timer);
  let called; setTimeout((v) => { called = v; }, 700, 'x');
  await condition(() => called !== undefined);
  return called;
}
export async function conditionOrTimeout() {
  let told = false;
  setHandler(go, () => { told = true; });
  return [await condition(() => told, '1s'), told];
}
export async function conditionTimeout() { return [await condition(() => false, '1s'), await condition(() => true, '1s')]; }
export async function trigger() { const t = new wf.Trigger(); setHandler(go, (v) => t.resolve(v)); return await t; }
export async function again(n) { if (n > 0) await wf.continueAsNew(n - 1); return 'end'; }
export async function appFails() { throw ApplicationFailure.nonRetryable('no', 'Bad', { why: 1 }); }
export async function activityFails() { await act(1); }
export async function bug() { const x = undefined; return x.y; }
export async function handlerFails() { setHandler(go, () => { throw ApplicationFailure.create({ message: 'in handler' }); }); await sleep('1 day'); }
export async function local() { const a = await quick('a'); await sleep(1000); return [a, await quick('b')]; }
export async function localInParallel() { return Promise.all([quick(1), quick(2), sleep(1000)]); }
export async function localRetried() { return quick('x'); }
export async function localCancelled() {
  const scope = new CancellationScope();
  const p = caught(scope.run(() => quick(1)));
  const other = caught(wf.proxyLocalActivities({ startToCloseTimeout: '5s', cancellationType: 'TRY_CANCEL' }).quick(2));
  await condition(() => true);
  scope.cancel();
  return Promise.all([p, other]);
}
export async function localTimerCancelled() {
  const scope = new CancellationScope();
  const timer = caught(scope.run(() => sleep(5000)));
  await quick(1);
  scope.cancel();
  return timer;
}
export async function upserts() { wf.upsertMemo({ a: 1, b: null }); wf.upsertSearchAttributes({ CustomerId: ['c'] }); await sleep(1); return [wf.workflowInfo().memo, wf.workflowInfo().searchAttributes]; }
export async function queryThatActs() { setHandler(ask, () => { act(1); return 1; }); await sleep(1000); }
export async function asyncQuery() { setHandler(ask, async () => 1); await sleep(1000); }
export async function waits() { await Promise.all([act(1), sleepHere()]); }
async function sleepHere() { await sleep('1 hour'); }
export async function logs() { wf.log.info('before', { n: 1 }); await sleep(1000); wf.log.warn('after', { e: new Error('x') }); console.log('printed', { a: 1 }); await sleep(1000); }
export async function sinks() { const { audit } = wf.proxySinks(); audit.paid({ amount: 3, at: new Date(5) }); }
export async function executeWithOptions() { return act.executeWithOptions({ activityId: 'mine', summary: 'why', retry: { maximumAttempts: 3 }, taskQueue: 'elsewhere' }, [1]); }
export async function unfinished() { setHandler(go, async () => { await sleep('1 day'); }); await sleep(1000); return wf.allHandlersFinished(); }
export async function setInfo() { const i = wf.workflowInfo(); return [i.workflowId, i.workflowType, i.taskQueue, i.namespace, i.attempt, i.historyLength, i.unsafe.isReplaying]; }
export async function bytes(b) { return [b instanceof Uint8Array, b.length, new TextDecoder().decode(new TextEncoder().encode('é'))]; }
export async function closesEarly() { sleep(1); await null; return 1; }
export const notAFunction = 5;
`;
const ACTIVITIES = `export async function act(x: unknown): Promise<unknown> { return x }
export async function other(): Promise<void> {} export async function quick(x: unknown): Promise<unknown> { return x }`;

let realm: Realm;
beforeAll(async () => {
  realm = await realmOf({ 'workflows.ts': WORKFLOWS, 'activities.ts': ACTIVITIES });
});

const types = (commands: Command[]): string[] =>
  commands.map(({ commandType }) => Object.entries(CommandType).find(([, n]) => n === commandType)?.[0] ?? '');

const locally = (result: unknown): Extract<LocalActivityResult, { kind: 'completed' }> => ({
  kind: 'completed',
  result: payloads(result),
  attempt: 1,
  originalScheduledTime: 1,
  completedTime: 2,
});

describe('time and chance', () => {
  test('the clock stands at the start of the workflow task', () => {
    const run = new TestRun(realm, 'clock');
    run.task();
    run.fire('1');
    run.task();
    const first = FIRST_EVENT_TIME + 2000;
    const second = FIRST_EVENT_TIME + 7000;
    expect(run.result).toEqual([first, first, second, 'string', '1970-01-01T00:00:00.000Z', true, FIRST_EVENT_TIME]);
  });

  test('random numbers and uuids repeat on replay and differ between runs', () => {
    const results = ['a', 'a', 'b'].map((runId) => {
      const run = new TestRun(realm, 'chance', [], { runId });
      run.task();
      run.forget();
      run.fire('1');
      run.task();
      return run.result as unknown[];
    });
    expect(results[0]).toEqual(results[1]);
    expect(results[0]).not.toEqual(results[2]);
    expect(results[0]?.[2]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});

describe('signals and queries', () => {
  test('signals are handled in order, and unblock conditions', () => {
    const run = new TestRun(realm, 'twoSignals');
    run.signal('go', 1);
    expect(run.task()).toEqual([]);
    expect(values(run.query('ask').answer)).toEqual([[1]]);
    run.signal('go', 2);
    run.task();
    expect(run.result).toEqual([1, 2]);
  });

  test('signals come before resolutions of the same task, those in history order', () => {
    const run = new TestRun(realm, 'signalsBeforeResolutions');
    run.task();
    run.fire('1');
    run.completeActivity('1', 1);
    run.signal('go');
    run.task();
    expect(run.result).toEqual(['signal', 'timer', 'activity']);
  });

  test('default handlers get what nobody else handles', () => {
    const run = new TestRun(realm, 'defaults');
    run.signal('early', 1, 2);
    run.task();
    expect(values(run.query('anything', 5).answer)).toEqual([['anything', 5]]);
    run.signal('late');
    run.task();
    expect(run.result).toEqual([['early', 1, 2], ['late']]);
  });

  test('a query that nobody handles names those that are handled', () => {
    const run = new TestRun(realm, 'twoSignals');
    run.task();
    expect(run.query('nothing').errorMessage).toBe(
      'Workflow did not register a handler for nothing. Registered queries: ' +
        '[__stack_trace __enhanced_stack_trace __temporal_workflow_metadata ask]',
    );
  });

  test.each([
    ['queryThatActs', /may not change its workflow/],
    ['asyncQuery', /should not return a Promise/],
  ])('%s is refused', (type, message) => {
    const run = new TestRun(realm, type);
    run.task();
    expect(run.query('ask').errorMessage).toMatch(message);
    run.fire('1');
    expect(types(run.task())).toEqual(['COMPLETE_WORKFLOW_EXECUTION']);
  });

  test('queries that ride on a task see what it led to', () => {
    const run = new TestRun(realm, 'twoSignals');
    run.signal('go', 'x');
    run.begin({ queries: { q1: { queryType: 'ask' } } });
    const { queryResults } = run.finish().request;
    expect(values(queryResults?.q1?.answer)).toEqual([['x']]);
  });

  test('the stack trace query shows where the workflow waits, in its sources', () => {
    const run = new TestRun(realm, 'waits');
    run.task();
    const [stack] = values(run.query('__stack_trace').answer) as string[];
    expect(stack).toMatch(/at waits \(.*workflows\.ts:\d+:\d+\)/);
    expect(stack).toMatch(/at sleepHere \(.*workflows\.ts:\d+:\d+\)/);
    expect(stack).not.toContain('activator');
  });

  test('a closed workflow answers queries from its whole history', () => {
    const run = new TestRun(realm, 'twoSignals');
    run.signal('go', 1);
    run.signal('go', 2);
    run.task();
    expect(values(run.replay('ask').answer)).toEqual([[1, 2]]);
  });
});

describe('cancellation', () => {
  test('of a scope reaches its activities; non-cancellable ones run on', () => {
    const run = new TestRun(realm, 'scopes');
    expect(types(run.task())).toEqual([
      'SCHEDULE_ACTIVITY_TASK',
      'SCHEDULE_ACTIVITY_TASK',
      'START_TIMER',
      'SCHEDULE_ACTIVITY_TASK',
    ]);
    run.signal('go');
    expect(types(run.task())).toEqual(['REQUEST_CANCEL_ACTIVITY_TASK']);
    run.cancel();
    expect(types(run.task())).toEqual(['REQUEST_CANCEL_ACTIVITY_TASK', 'CANCEL_TIMER']);
    run.cancelActivity('1');
    run.completeActivity('2', 'two');
    run.cancelActivity('3');
    run.task();
    const failure = 'ActivityFailure: Activity cancelled < CancelledFailure';
    expect(run.result).toEqual([failure, 'two', failure]);
  });

  test('the current scope follows awaits', () => {
    const run = new TestRun(realm, 'currentScopes');
    run.task();
    run.fire('1');
    run.task();
    run.fire('2');
    run.task();
    expect(run.result).toEqual([true, true, true, true, true, true]);
  });

  test('a workflow that lets it through ends cancelled, after cleaning up', () => {
    const run = new TestRun(realm, 'cancelled');
    run.task();
    run.cancel();
    expect(types(run.task())).toEqual(['CANCEL_TIMER', 'SCHEDULE_ACTIVITY_TASK']);
    run.completeActivity('1', 1);
    expect(types(run.task())).toEqual(['CANCEL_WORKFLOW_EXECUTION']);
  });

  test.each([
    ['TRY_CANCEL', ['REQUEST_CANCEL_ACTIVITY_TASK', 'COMPLETE_WORKFLOW_EXECUTION']],
    ['ABANDON', ['COMPLETE_WORKFLOW_EXECUTION']],
    ['WAIT_CANCELLATION_COMPLETED', ['REQUEST_CANCEL_ACTIVITY_TASK']],
  ])('%s of an activity', (type, commands) => {
    const run = new TestRun(realm, 'cancelTypes', [type]);
    run.task();
    run.fire('1');
    expect(types(run.task())).toEqual(commands);
  });
});

describe('timers and conditions', () => {
  test('setTimeout is a timer; one cleared within its task is none', () => {
    const run = new TestRun(realm, 'timeouts');
    expect(run.task()).toMatchObject([{ attributes: { timerId: '2', startToFireTimeout: 700 } }]);
    run.fire('2');
    run.task();
    expect(run.result).toBe('x');
  });

  test('a condition that holds at once starts no timer', () => {
    const run = new TestRun(realm, 'conditionTimeout');
    expect(types(run.task())).toEqual(['START_TIMER']);
    run.fire('1');
    expect(types(run.task())).toEqual(['COMPLETE_WORKFLOW_EXECUTION']);
    expect(run.result).toEqual([false, true]);
  });

  test('a condition that a signal made true wins against its time-out in the same task', () => {
    const run = new TestRun(realm, 'conditionOrTimeout');
    run.task();
    run.signal('go');
    run.fire('1');
    run.task();
    expect(run.result).toEqual([true, true]);
  });

  test('a trigger is awaited like a promise', () => {
    const run = new TestRun(realm, 'trigger');
    run.task();
    run.signal('go', 7);
    run.task();
    expect(run.result).toBe(7);
  });
});

describe('closing', () => {
  test('continue as new carries arguments, type and queue', () => {
    const [command] = new TestRun(realm, 'again', [2]).task();
    expect(command).toMatchObject({
      commandType: CommandType.CONTINUE_AS_NEW_WORKFLOW_EXECUTION,
      attributes: { workflowType: { name: 'again' }, taskQueue: { name: 'queue' } },
    });
  });

  test('an ApplicationFailure fails the workflow, with its stack in the sources', () => {
    const [command] = new TestRun(realm, 'appFails').task();
    expect(command).toMatchObject({
      commandType: CommandType.FAIL_WORKFLOW_EXECUTION,
      attributes: { failure: { message: 'no', applicationFailureInfo: { type: 'Bad', nonRetryable: true } } },
    });
    expect(JSON.stringify(command)).toMatch(/at appFails \(.*workflows\.ts:\d+:\d+\)/);
  });

  test("so does an activity's failure, with its cause", () => {
    const run = new TestRun(realm, 'activityFails');
    run.task();
    run.failActivity('1', { message: 'inner', applicationFailureInfo: { type: 'X' } });
    expect(run.task()).toMatchObject([
      { attributes: { failure: { message: 'Activity task failed', cause: { message: 'inner' } } } },
    ]);
  });

  test('an ApplicationFailure of a signal handler too', () => {
    const run = new TestRun(realm, 'handlerFails');
    run.task();
    run.signal('go');
    expect(run.task()).toMatchObject([{ attributes: { failure: { message: 'in handler' } } }]);
  });

  test('any other error fails the workflow task, and the execution is replayed', () => {
    const run = new TestRun(realm, 'bug');
    const failed = run.failingTask();
    expect(failed).toMatchObject({ cause: WorkflowTaskFailedCause.WORKFLOW_WORKER_UNHANDLED_FAILURE });
    expect(failed.message).toContain("reading 'y'");
    expect(failed.stackTrace).toMatch(/at bug \(.*workflows\.ts:\d+:\d+\)/);
    expect(run.driver.has('evicted')).toBe(true);
  });

  test.each([
    [
      'nobody',
      expect.stringMatching(
        /^Failed to initialize workflow of type 'nobody': no such function is exported by the workflow bundle, only (\w+, ){20}and \d+ more$/,
      ),
    ],
    [
      'notAFunction',
      "Failed to initialize workflow of type 'notAFunction': expected workflow parameter to be a function, got number",
    ],
  ])('workflow type %s', (type, message) => {
    expect(new TestRun(realm, type).failingTask().message).toEqual(message);
  });

  test('the closing command is the last, whatever else was asked for', () => {
    expect(types(new TestRun(realm, 'closesEarly').task())).toEqual(['START_TIMER', 'COMPLETE_WORKFLOW_EXECUTION']);
  });

  test('a signal handler still running is warned about', () => {
    const run = new TestRun(realm, 'unfinished');
    run.task();
    run.signal('go');
    run.task();
    run.fire('1');
    run.begin();
    expect(run.finish().sinkCalls).toMatchObject([{ iface: '__temporal_logger', fn: 'warn' }]);
    expect(run.result).toBe(false);
  });
});

describe('local activities', () => {
  test('run within the task, are recorded as markers, and are not run again on replay', () => {
    const run = new TestRun(realm, 'local');
    run.begin();
    const { tasks } = run.driver.take('startLocalActivities');
    expect(tasks).toMatchObject([
      { seq: 1, activityId: '1', activityType: 'quick', attempt: 1, startToCloseTimeout: 5000 },
    ]);
    expect(run.driver.has('completed')).toBe(false);
    run.resolveLocally(1, locally('A'));
    expect(types(run.finish().request.commands)).toEqual(['RECORD_MARKER', 'START_TIMER']);
    run.forget();
    run.fire('1');
    run.begin();
    expect(run.driver.take('startLocalActivities').tasks).toMatchObject([{ seq: 2 }]);
    expect(run.driver.has('startLocalActivities')).toBe(false);
    run.resolveLocally(2, locally('B'));
    run.finish();
    expect(run.result).toEqual(['A', 'B']);
    expect(run.replay().errorMessage).toBeUndefined();
  });

  test('several at a time: the order of their results is kept on replay', () => {
    const run = new TestRun(realm, 'localInParallel');
    run.begin();
    run.resolveLocally(2, locally('second'));
    run.resolveLocally(1, locally('first'));
    expect(types(run.finish().request.commands)).toEqual(['START_TIMER', 'RECORD_MARKER', 'RECORD_MARKER']);
    run.forget();
    run.fire('1');
    run.task();
    expect(run.result).toEqual(['first', 'second', null]);
  });

  test('a back-off waits with a timer and goes on with the next attempt', () => {
    const run = new TestRun(realm, 'localRetried');
    run.begin();
    run.driver.take('startLocalActivities');
    run.resolveLocally(1, {
      kind: 'backoff',
      attempt: 1,
      backoffMs: 5000,
      originalScheduledTime: 77,
      failure: { message: 'f' },
      completedTime: 99,
    });
    expect(types(run.finish().request.commands)).toEqual(['RECORD_MARKER', 'START_TIMER']);
    run.forget();
    run.fire('1');
    run.begin();
    expect(run.driver.take('startLocalActivities').tasks).toMatchObject([
      { seq: 2, attempt: 2, originalScheduledTime: 77 },
    ]);
    run.resolveLocally(2, { ...locally('ok'), attempt: 2 });
    run.finish();
    expect(run.result).toBe('ok');
  });

  test('a heartbeat answers the task and asks for another, in which the result counts', () => {
    const run = new TestRun(realm, 'localRetried');
    const token = run.begin();
    run.driver.host.handle({ type: 'heartbeatDue', token });
    expect(run.finish().request).toMatchObject({ commands: [], forceCreateNewWorkflowTask: true, sticky: true });
    run.resolveLocally(1, locally('late'));
    expect(run.driver.has('completed')).toBe(false);
    run.begin();
    expect(types(run.finish().request.commands)).toEqual(['RECORD_MARKER', 'COMPLETE_WORKFLOW_EXECUTION']);
    expect(run.result).toBe('late');
    expect(run.replay().errorMessage).toBeUndefined();
  });

  test('cancelled: the main thread is told, and its answer waited for', () => {
    const run = new TestRun(realm, 'localCancelled');
    run.begin();
    run.resolveLocally(2, locally('other'));
    run.resolveLocally(1, locally('in time'));
    run.finish();
    expect(run.result).toEqual([expect.stringContaining('ActivityFailure: Activity cancelled'), 'other']);
  });

  test('a timer withdrawn after one, in the same task, leaves no command', () => {
    const run = new TestRun(realm, 'localTimerCancelled');
    run.begin();
    run.resolveLocally(1, locally(1));
    expect(types(run.finish().request.commands)).toEqual(['RECORD_MARKER', 'COMPLETE_WORKFLOW_EXECUTION']);
    expect(run.replay().errorMessage).toBeUndefined();
  });
});

describe('what leaves the workflow beside commands', () => {
  test('log lines, once, and marked when replayed', () => {
    const run = new TestRun(realm, 'logs');
    run.begin();
    expect(run.finish().sinkCalls).toMatchObject([
      {
        iface: '__temporal_logger',
        fn: 'info',
        args: ['before', { n: 1, sdkComponent: 'workflow' }],
        replaying: false,
      },
    ]);
    run.forget();
    run.fire('1');
    run.begin();
    const calls = run.finish().sinkCalls;
    expect(calls.map(({ fn, args, replaying }) => [fn, args[0], replaying])).toEqual([
      ['info', 'before', true],
      ['warn', 'after', false],
      ['info', 'printed {"a":1}', false],
    ]);
    expect(() => structuredClone(calls)).not.toThrow();
  });

  test('calls of sinks, with the workflow they come from', () => {
    const run = new TestRun(realm, 'sinks');
    run.begin();
    const { sinkCalls } = run.finish();
    expect(sinkCalls).toMatchObject([
      { iface: 'audit', fn: 'paid', args: [{ amount: 3, at: new Date(5) }], info: { workflowId: 'workflow' } },
    ]);
    expect(() => structuredClone(sinkCalls)).not.toThrow();
  });

  test('memo and search attributes', () => {
    const run = new TestRun(realm, 'upserts');
    expect(types(run.task())).toEqual([
      'MODIFY_WORKFLOW_PROPERTIES',
      'UPSERT_WORKFLOW_SEARCH_ATTRIBUTES',
      'START_TIMER',
    ]);
    run.fire('1');
    run.task();
    expect(run.result).toEqual([{ a: 1 }, { CustomerId: ['c'] }]);
  });

  test('options of a single call', () => {
    const [command] = new TestRun(realm, 'executeWithOptions').task();
    expect(command).toMatchObject({
      attributes: {
        activityId: 'mine',
        taskQueue: { name: 'elsewhere' },
        startToCloseTimeout: 10_000,
        retryPolicy: { maximumAttempts: 3 },
      },
      userMetadata: { summary: expect.anything() },
    });
  });

  test('commands are plain objects of the host', () => {
    const [command] = new TestRun(realm, 'executeWithOptions').task();
    expect(command).toEqual(structuredClone(command));
    expect(Object.getPrototypeOf(command?.attributes)).toBe(Object.prototype);
  });
});

describe('information', () => {
  test('about the execution', () => {
    const run = new TestRun(realm, 'setInfo');
    run.task();
    expect(run.result).toEqual(['workflow', 'setInfo', 'queue', 'default', 1, 3, false]);
  });

  test('bytes are bytes of the realm', () => {
    const run = new TestRun(realm, 'bytes', [new Uint8Array([1, 2])]);
    run.task();
    expect(run.result).toEqual([true, 2, 'é']);
  });

  test('of a megabyte are converted under the eyes of the deadlock watch, which begins anew with each', () => {
    const run = new TestRun(realm, 'bytes', ['x'.repeat(1024 * 1024)]);
    const busy = (): number => run.driver.said.filter(({ type }) => type === 'busy').length;
    run.begin();
    const small = new TestRun(realm, 'bytes', ['x']);
    small.begin();
    expect(busy()).toBeGreaterThan(small.driver.said.filter(({ type }) => type === 'busy').length);
    expect(run.driver.said.findLast(({ type }) => type === 'busy' || type === 'idle')).toEqual({ type: 'idle' });
  });

  test('the SDK names itself on the first task, and what it relies on when it does', () => {
    const run = new TestRun(realm, 'twoSignals');
    run.begin();
    expect(run.finish().request.sdkMetadata).toEqual({
      coreUsedFlags: [1, 2, 3],
      sdkName: 'tenuto-typescript',
      sdkVersion: '1.2.3',
    });
    run.signal('go', 1);
    run.begin();
    expect(run.finish().request.sdkMetadata).toEqual({ langUsedFlags: [2] });
    run.signal('go', 2);
    run.begin();
    expect(run.finish().request.sdkMetadata).toBeUndefined();
  });
});

describe('the cache', () => {
  test('keeps the executions used last', () => {
    const driver = new HostDriver(realm, { maxCachedWorkflows: 2 });
    const runs = [1, 2, 3].map(() => new TestRun(driver, 'twoSignals'));
    for (const run of runs) run.task();
    expect(driver.host.size).toBe(2);
    expect(driver.take('evicted').runId).toBe(runs[0]?.runId);
  });

  test('a task that does not follow the warm state is replayed from the start', () => {
    const run = new TestRun(realm, 'twoSignals');
    run.task();
    run.signal('go', 1);
    run.task();
    // Another worker had the task in between.
    run.signal('go', 2);
    const scheduledEventId = run.add(EventType.WORKFLOW_TASK_SCHEDULED, { taskQueue: { name: 'queue' } });
    run.add(EventType.WORKFLOW_TASK_STARTED, { scheduledEventId });
    const token = run.driver.task(run, run.events.slice(-1));
    expect(run.driver.take('needHistory')).toEqual({ type: 'needHistory', token, fromEventId: 1 });
  });

  test('history comes in pages, each asked for from where the last ended', () => {
    const run = new TestRun(realm, 'local');
    run.begin();
    run.resolveLocally(1, locally('A'));
    run.finish();
    run.fire('1');
    const scheduledEventId = run.add(EventType.WORKFLOW_TASK_SCHEDULED, { taskQueue: { name: 'queue' } });
    run.add(EventType.WORKFLOW_TASK_STARTED, { scheduledEventId });
    const driver = new HostDriver(realm);
    const token = driver.task(run, run.events.slice(0, 2), { nextEventId: 3, startedEventId: run.events.length });
    for (let from = 3; from <= run.events.length; from += 2) {
      expect(driver.take('needHistory')).toEqual({ type: 'needHistory', token, fromEventId: from });
      const events = run.events.slice(from - 1, from + 1);
      const nextEventId = from + 2 <= run.events.length ? from + 2 : undefined;
      driver.host.handle({ type: 'history', token, events: [encodeEvents(events)], firstEventId: from, nextEventId });
    }
    expect(driver.take('startLocalActivities').tasks).toMatchObject([{ seq: 2 }]);
  });

  test('a page that cannot be had gives the run up', () => {
    const driver = new HostDriver(realm);
    const token = driver.task({ workflowId: 'w', runId: 'r' }, []);
    driver.host.handle({ type: 'historyFailed', token, message: 'gone' });
    expect(driver.has('evicted')).toBe(true);
    expect(driver.host.size).toBe(0);
  });

  test('events of a transient attempt that the pages lack are made up', () => {
    const run = new TestRun(realm, 'setInfo');
    const driver = new HostDriver(realm);
    driver.task(run, run.events, { attempt: 2, startedEventId: 3, startedTime: FIRST_EVENT_TIME });
    expect(types(driver.take('completed').request.commands)).toEqual(['COMPLETE_WORKFLOW_EXECUTION']);
  });
});

test('a history of 10,000 events replays cold well within a second', async () => {
  const loops = await realmOf(`import { proxyActivities } from 'tenuto/workflow';
const { act } = proxyActivities({ startToCloseTimeout: '10s' });
export async function many() { for (let i = 0; i < 1666; i++) await act(i); return 'end'; }`);
  const run = new TestRun(loops, 'many');
  for (let i = 1; i <= 1666; i++) {
    run.task();
    run.completeActivity(String(i), i);
  }
  run.task();
  expect(run.events.length).toBeGreaterThan(10_000);
  // Of this process: what others take of the machine says nothing about it.
  const before = process.cpuUsage();
  expect(run.replay('__temporal_workflow_metadata', loops).errorMessage).toBeUndefined();
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1000).toBeLessThan(1000);
});

function encodeEvents(events: HistoryEvent[]): Uint8Array {
  const bytes = encode(events);
  expect(decode(bytes)).toHaveLength(events.length);
  return bytes;
}
