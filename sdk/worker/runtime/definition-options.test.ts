// What a workflow says about itself, and what only its queries may use.

import { beforeAll, describe, expect, test } from 'vitest';
import { CommandType, ContinueAsNewVersioningBehavior, VersioningBehavior } from '../../../src/wire/enums.ts';
import { MessageType } from '../../../src/wire/protocol-message.ts';
import type { FailureErrorTypes } from '../thread-protocol.ts';
import { failureErrorTypesOf } from './failure-error-types.ts';
import { HostDriver } from './host-driver.test-support.ts';
import type { Realm } from './realm.ts';
import { realmOf, TestRun, values } from './test-run.test-support.ts';

const WORKFLOWS = `
import * as wf from 'tenuto/workflow';
class OutOfStock extends Error {}
class Sold extends OutOfStock {}
export async function refuses() { throw new Sold('nothing left'); }
wf.setWorkflowOptions({ failureExceptionTypes: [OutOfStock] }, refuses);
export async function breaks() { throw new TypeError('a bug'); }
wf.setWorkflowOptions({ failureExceptionTypes: [OutOfStock] }, breaks);
export async function asked() { throw new Error(wf.workflowInfo().workflowId); }
wf.setWorkflowOptions(() => ({ failureExceptionTypes: wf.workflowInfo().workflowId === 'workflow' ? [Error] : [] }), asked);
export async function updates() {
  wf.setHandler(wf.defineUpdate('take'), () => { throw new Sold('all gone'); });
  await wf.condition(() => false);
}
wf.setWorkflowOptions({ failureExceptionTypes: [OutOfStock] }, updates);
export default async function other() { throw new OutOfStock('by default'); }
wf.setWorkflowOptions({ failureExceptionTypes: [OutOfStock] }, other);
class Shortage extends Error {}
class Rare extends Shortage {}
export async function sells() { throw new (class Sold extends Rare {})('sold'); }
export async function inside() {
  const stream = wf.getRandomStream('mine');
  const drawn = [stream.random(), wf.getRandomStream('mine').uuid4(), [...stream.fill(new Uint8Array(3))]];
  wf.setHandler(wf.defineQuery('chance'), () => [wf.workflowInfo().unsafe, wf.workflowInfo().unsafe.random.uuid4(), stream.random()]);
  await wf.sleep(1000);
  return [...drawn, stream.random(), wf.workflowRandom.random()];
}
export async function stays() { await wf.makeContinueAsNewFunc({ initialVersioningBehavior: 'AUTO_UPGRADE' })(); }
wf.setWorkflowOptions({ versioningBehavior: 'PINNED' }, stays);
export async function misspelt() {
  try { wf.setHandler(undefined, () => {}); } catch (error) { return String(error); }
}
export async function plainly() { const own = Math.random(); await wf.sleep(1000); return own; }
`;

let realm: Realm;
beforeAll(async () => {
  realm = await realmOf(WORKFLOWS);
});

describe('versioningBehavior', () => {
  test('goes with each answer, and may be another one for what continues', () => {
    const run = new TestRun(realm, 'stays');
    run.begin();
    const { request } = run.finish();
    expect(request.commands[0]).toMatchObject({
      commandType: CommandType.CONTINUE_AS_NEW_WORKFLOW_EXECUTION,
      attributes: { initialVersioningBehavior: ContinueAsNewVersioningBehavior.AUTO_UPGRADE },
    });
    expect(request.versioningBehavior).toBe(VersioningBehavior.PINNED);
  });
});

describe('failureExceptionTypes', () => {
  test.each([
    ['refuses', 'nothing left'],
    ['asked', 'workflow'],
    ['whatever', 'by default'],
  ])('%s: the workflow fails', (type, message) => {
    const [command] = new TestRun(realm, type).task();
    expect(command).toMatchObject({ commandType: CommandType.FAIL_WORKFLOW_EXECUTION });
    expect(command?.attributes).toMatchObject({
      failure: { message, applicationFailureInfo: { type: expect.stringMatching(/Error|Sold|OutOfStock/) } },
    });
  });

  test('other errors fail the workflow task', () => {
    expect(new TestRun(realm, 'breaks').failingTask().message).toBe('a bug');
  });

  test('an update fails with what its handler throws', () => {
    const run = new TestRun(realm, 'updates');
    run.task();
    const bodies = run.updateTask(run.update('u', 'take')).map(({ body }) => body);
    expect(bodies.find(({ type }) => type === MessageType.RESPONSE)).toMatchObject({
      value: { outcome: { failure: { message: 'all gone' } } },
    });
  });
});

describe("a worker's workflowFailureErrorTypes", () => {
  const failing = (failureErrorTypes: FailureErrorTypes, type: string): TestRun =>
    new TestRun(new HostDriver(realm, { failureErrorTypes }), type);

  test.each([
    ['the class itself', ['Sold']],
    ['one it extends', ['Shortage']],
    ['every error', ['Error']],
  ])('%s: the workflow fails', (_, names) => {
    const [command] = failing({ '*': names }, 'sells').task();
    expect(command).toMatchObject({
      commandType: CommandType.FAIL_WORKFLOW_EXECUTION,
      attributes: { failure: { message: 'sold' } },
    });
  });

  test.each([
    ['another class', { '*': ['TypeError', 'NondeterminismError'] }],
    ['those of another type of workflow', { other: ['Error'] }],
  ])('%s: the workflow task fails', (_, types) => {
    expect(failing(types, 'sells').failingTask().message).toBe('sold');
  });

  test('are those for all types, and those of its own', () => {
    const types = { '*': ['A'], order: ['B'], toString: [] };
    expect(failureErrorTypesOf('order', types)).toEqual(['A', 'B']);
    expect(failureErrorTypesOf('other', types)).toEqual(['A']);
    expect(failureErrorTypesOf('constructor', types)).toEqual(['A']);
    expect(failureErrorTypesOf('order')).toEqual([]);
  });
});

describe('chance', () => {
  test('of a named stream is the same on replay, and no query moves it', () => {
    const runId = 'a-run';
    const drawn = (queried: boolean): unknown[] => {
      const run = new TestRun(realm, 'inside', [], { runId });
      run.task();
      if (queried)
        for (const query of [run.query('chance'), run.replay('chance')]) expect(query.failure).toBeUndefined();
      run.forget();
      run.fire('1');
      run.task();
      return run.result as unknown[];
    };
    const result = drawn(false);
    expect(drawn(true)).toEqual(result);
    expect(new Set(result).size).toBe(5);
    const plain = new TestRun(realm, 'plainly', [], { runId });
    plain.task();
    plain.fire('1');
    plain.task();
    expect(plain.result).toBe(result.at(-1));
  });

  test('of the machine is there for queries, which are not replayed themselves', () => {
    const run = new TestRun(realm, 'inside');
    run.task();
    const ask = (): unknown[] => values(run.replay('chance').answer)[0] as unknown[];
    const [unsafe, uuid] = ask();
    expect(unsafe).toMatchObject({ isReplaying: true, isReplayingHistoryEvents: false });
    expect(ask()[1]).not.toBe(uuid);
  });
});

test('a handler for a definition that is not there is refused with what was expected', () => {
  const run = new TestRun(realm, 'misspelt');
  run.begin();
  const [command] = run.finish().request.commands;
  expect(values((command?.attributes as { result?: Parameters<typeof values>[0] } | undefined)?.result)).toEqual([
    expect.stringMatching(/^TypeError: setHandler\(\) is given what defineSignal.* not undefined: is it imported/),
  ]);
});
