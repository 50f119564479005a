// Updates inside the worker: validators, handlers, their places among the events, replay, and tasks that the server has forgotten.

import { beforeAll, describe, expect, test } from 'vitest';
import { EventType } from '../../../src/wire/enums.ts';
import { MessageType, type ProtocolMessage } from '../../../src/wire/protocol-message.ts';
import type { Realm } from './realm.ts';
import { payloads, realmOf, TestRun, values } from './test-run.test-support.ts';

const WORKFLOWS = `
import * as wf from 'tenuto/workflow';
const { sleep, condition, setHandler, ApplicationFailure } = wf;
const { act } = wf.proxyActivities<{ act(v: unknown): Promise<unknown> }>({ startToCloseTimeout: '10s' });
export const go = wf.defineSignal('go');
export const list = wf.defineQuery('list');
const add = wf.defineUpdate<number, [string, object?]>('add');
const slow = wf.defineUpdate<unknown, [unknown]>('slow');
const fail = wf.defineUpdate<void, [string]>('fail');
const late = wf.defineUpdate<string>('late');
const info = wf.defineUpdate<unknown[]>('info');

export async function cart() {
  const items = [];
  let over = false;
  setHandler(go, () => { over = true; });
  setHandler(list, () => items);
  setHandler(add, (item, bag) => { items.push(item, ...Object.keys(bag ?? {})); return items.length; }, {
    validator: (item, bag) => {
      if (bag) bag.seenByTheValidator = true;
      if (item === 'bad') throw ApplicationFailure.create({ message: 'bad', type: 'Bad' });
      if (item === 'timer') void sleep(1);
      if (item === 'random') throw new Error(String(Math.random()));
    },
  });
  setHandler(slow, async (v) => { items.push('begun ' + v); const r = await act(v); items.push(r); return r; });
  setHandler(fail, (how) => {
    if (how === 'application') throw ApplicationFailure.nonRetryable('no', 'No', 7);
    if (how === 'cancelled') throw new wf.CancelledFailure('enough');
    if (how === 'continue') return wf.continueAsNew();
    throw new TypeError('a bug');
  });
  setHandler(info, async () => {
    const of = () => wf.currentUpdateInfo()?.id ?? 'none';
    const seen = [of(), await act(1).then(of)];
    seen.push(await wf.CancellationScope.cancellable(async () => { await null; return of(); }));
    return [...seen, of()];
  });
  await condition(() => over);
  return [items, wf.allHandlersFinished(), wf.currentUpdateInfo() === undefined, Math.random()];
}
export async function lateHandlers() {
  await null;
  setHandler(late, () => 'at last');
  await sleep(1000);
  return 'done';
}
export async function tooLate() {
  await sleep(1000);
  setHandler(late, () => 'at last');
  await sleep(1000);
}
export async function abandons() {
  setHandler(slow, (v) => act(v), { unfinishedPolicy: 'ABANDON' });
  setHandler(info, () => act(1).then(() => []));
  await condition(() => !wf.allHandlersFinished());
  return wf.allHandlersFinished();
}
export async function order() {
  const seen = [];
  setHandler(go, () => { seen.push('signal'); });
  setHandler(late, () => { seen.push('update'); return 'u'; });
  await sleep(1000);
  seen.push('timer');
  return seen;
}
export async function cancelled() {
  setHandler(late, async () => { try { await sleep(1000); } catch (e) { return e.name; } return 'slept'; });
  setHandler(fail, () => { wf.CancellationScope.current().cancel(); });
  await sleep('1 hour');
}
export async function fallback() {
  const seen = [];
  setHandler(late, () => 'own');
  wf.setDefaultUpdateHandler((name, ...args) => { seen.push(name, ...args); return seen; });
  await condition(() => seen.length > 5);
}
`;

let realm: Realm;
beforeAll(async () => {
  realm = await realmOf(WORKFLOWS);
});

const begun = (type: string, ...args: unknown[]): TestRun => {
  const run = new TestRun(realm, type, args);
  run.task();
  return run;
};

/** By update: what was said of it. */
const said = (messages: readonly ProtocolMessage[]): unknown[] =>
  messages.map(({ protocolInstanceId, body }) => {
    if (body.type === MessageType.ACCEPTANCE) return [protocolInstanceId, 'accepted'];
    if (body.type === MessageType.REJECTION) return [protocolInstanceId, 'rejected', body.value.failure?.message];
    if (body.type !== MessageType.RESPONSE) return [protocolInstanceId, body.type];
    const { success, failure } = body.value.outcome ?? {};
    return [protocolInstanceId, failure === undefined ? values(success)[0] : failure.message];
  });

const replays = (run: TestRun, name = 'list'): unknown[] => {
  const { answer, errorMessage } = run.replay(name, realm);
  expect(errorMessage).toBeUndefined();
  return values(answer);
};

describe('an update', () => {
  test('is accepted and completed, each in its place, with the request it accepts', () => {
    const run = begun('cart');
    const messages = run.updateTask(run.update('u', 'add', 'tea'));
    expect(said(messages)).toEqual([
      ['u', 'accepted'],
      ['u', 1],
    ]);
    expect(messages[0]?.body.value).toEqual({
      acceptedRequestMessageId: 'u/request',
      acceptedRequestSequencingEventId: 5,
      acceptedRequest: { meta: { updateId: 'u', identity: 'client' }, input: { name: 'add', args: payloads('tea') } },
    });
    expect(run.events.slice(-2).map(({ eventType }) => eventType)).toEqual([
      EventType.WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
      EventType.WORKFLOW_EXECUTION_UPDATE_COMPLETED,
    ]);
    expect(replays(run)).toEqual([['tea']]);
  });

  test('sees no change that its validator makes to the arguments', () => {
    const run = begun('cart');
    run.updateTask(run.update('u', 'add', 'tea', {}));
    expect(values(run.query('list').answer)).toEqual([['tea']]);
  });

  test('may take several tasks; its handler is told what it waits for', () => {
    const run = begun('cart');
    expect(said(run.updateTask(run.update('u', 'slow', 'x')))).toEqual([['u', 'accepted']]);
    run.completeActivity('1', 'X');
    expect(said(run.updateTask())).toEqual([['u', 'X']]);
    expect(replays(run)).toEqual([['begun x', 'X']]);
  });

  test('fails with what its handler throws, if that is a failure; else the task does', () => {
    const run = begun('cart');
    const messages = run.updateTask(run.update('a', 'fail', 'application'), run.update('c', 'fail', 'cancelled'));
    expect(said(messages)).toEqual([
      ['a', 'accepted'],
      ['c', 'accepted'],
      ['a', 'no'],
      ['c', 'enough'],
    ]);
    for (const how of ['bug', 'continue']) {
      const broken = begun('cart');
      broken.begin({ messages: [broken.update('b', 'fail', how)] });
      expect(broken.driver.take('failed').request.failure?.message).toMatch(/a bug|continued as new/i);
    }
  });

  test('is known to its handler, also after awaits and in scopes', () => {
    const run = begun('cart');
    run.updateTask(run.update('u', 'info'));
    run.completeActivity('1', 0);
    const [response] = run.updateTask();
    expect(said(response ? [response] : [])).toEqual([['u', ['u', 'u', 'u', 'u']]]);
    run.signal('go');
    run.task();
    expect(run.result).toMatchObject([[], expect.any(Boolean), true, expect.any(Number)]);
  });

  test('comes after the signals before it, and before what the workflow waits for', () => {
    const run = begun('order');
    run.fire('1');
    run.signal('go');
    run.updateTask(run.update('u', 'late'));
    expect(run.result).toEqual(['signal', 'update', 'timer']);
    expect(run.replay('__temporal_workflow_metadata', realm).errorMessage).toBeUndefined();
  });

  test('finds a handler that is set later in the task it came with, and none that is set after it', () => {
    const first = new TestRun(realm, 'lateHandlers');
    expect(said(first.updateTask(first.update('u', 'late')))).toEqual([
      ['u', 'accepted'],
      ['u', 'at last'],
    ]);
    const second = new TestRun(realm, 'tooLate');
    expect(said(second.updateTask(second.update('u', 'late')))).toEqual([
      ['u', 'rejected', expect.stringMatching(/^No registered handler for update: late\. Registered updates: \[.*\]$/)],
    ]);
  });

  test('goes to the default handler when it has none of its own', () => {
    const run = begun('fallback');
    const messages = run.updateTask(run.update('a', 'late'), run.update('b', 'other', 1, 2));
    expect(said(messages)).toEqual([
      ['a', 'accepted'],
      ['b', 'accepted'],
      ['a', 'own'],
      ['b', ['other', 1, 2]],
    ]);
  });

  test('is cancelled with its workflow, and may cancel it', () => {
    const run = begun('cancelled');
    run.updateTask(run.update('u', 'late'));
    run.cancel();
    run.begin();
    const { commands, messages = [] } = run.finish().request;
    expect(said(messages)).toEqual([['u', 'CancelledFailure']]);
    expect(commands).toHaveLength(4);
    const other = begun('cancelled');
    other.begin({ messages: [other.update('u', 'fail', '')] });
    expect(said(other.finish().request.messages ?? [])).toContainEqual(['u', undefined]);
  });

  test('whose handler still runs at the end is warned of, unless told otherwise', () => {
    for (const [name, warnings] of [
      ['info', 1],
      ['slow', 0],
    ] as const) {
      const run = begun('abandons');
      run.begin({ messages: [run.update('u', name, 1)] });
      const { sinkCalls } = run.finish();
      expect(run.result).toBe(false);
      const warned = sinkCalls.filter(({ fn }) => fn === 'warn').map(({ args }) => String(args[0]));
      expect(warned).toHaveLength(warnings);
      for (const text of warned) expect(text).toMatch(/^\[TMPRL1102\] .*\[info \(u\)\]/);
    }
  });
});

describe('a rejected update', () => {
  test('leaves no command and no trace: what follows goes on from the task before', () => {
    const run = begun('cart');
    run.updateTask(run.update('a', 'add', 'tea'));
    for (const item of ['bad', 'timer', 'random']) {
      const [failure] = run.forgottenTask(run.update('r', 'add', item));
      expect(failure?.message).toMatch(/^bad$|validator may not change its workflow|^0\.\d+$/);
    }
    expect(run.forgottenTask(run.update('r', 'nobody'))).toMatchObject([
      { applicationFailureInfo: { nonRetryable: true } },
    ]);
    // Warm: nothing is asked for again.
    expect(said(run.updateTask(run.update('b', 'add', 'cake')))).toEqual([
      ['b', 'accepted'],
      ['b', 2],
    ]);
    expect(run.driver.said.filter(({ type }) => type === 'needHistory')).toEqual([]);
    run.signal('go');
    run.task();
    expect(replays(run)).toEqual([['tea', 'cake']]);
  });

  test('does so after commands, too, and when the worker was cold', () => {
    const run = begun('cart');
    run.updateTask(run.update('s', 'slow', 'x'));
    run.forget();
    const cold = run.forgottenTask(run.update('r', 'add', 'bad'));
    expect(cold).toMatchObject([{ message: 'bad' }]);
    run.forgottenTask(run.update('r', 'add', 'bad'));
    run.completeActivity('1', 'X');
    expect(said(run.updateTask())).toEqual([['s', 'X']]);
  });

  test('that the server kept a task for is an ordinary one', () => {
    const run = begun('cart');
    expect(said(run.updateTask(run.update('r', 'add', 'bad')))).toEqual([['r', 'rejected', 'bad']]);
    expect(said(run.updateTask(run.update('a', 'add', 'tea')))).toContainEqual(['a', 1]);
    expect(run.driver.said.filter(({ type }) => type === 'needHistory')).toEqual([]);
    expect(replays(run)).toEqual([['tea']]);
  });
});

describe('replay', () => {
  test('tells an accepted update that the code does not know any more', async () => {
    const run = begun('cart');
    run.updateTask(run.update('u', 'add', 'tea'));
    const other = await realmOf('export async function cart() { await new Promise(() => {}); }');
    expect(run.replay('__stack_trace', other).errorMessage).toMatch(/event 8 .*UpdateAccepted/);
  });

  test('finds the request of an update that was admitted before it was accepted', () => {
    const run = begun('cart');
    const request = { meta: { updateId: 'u', identity: 'client' }, input: { name: 'add', args: payloads('tea') } };
    run.add(EventType.WORKFLOW_EXECUTION_UPDATE_ADMITTED, { request });
    run.updateTask(run.update('u', 'add', 'tea'));
    const accepted = run.events.find(({ eventType }) => eventType === EventType.WORKFLOW_EXECUTION_UPDATE_ACCEPTED);
    Object.assign(accepted?.attributes ?? {}, { acceptedRequest: undefined });
    expect(replays(run)).toEqual([['tea']]);
  });
});
