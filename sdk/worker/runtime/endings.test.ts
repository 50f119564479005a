// How workflows end: who is warned of handlers that are cut off, when the next run begins, and what a worker cannot run.

import { beforeAll, describe, expect, test } from 'vitest';
import { CommandType } from '../../../src/wire/enums.ts';
import { HostDriver } from './host-driver.test-support.ts';
import { Realm } from './realm.ts';
import { bundleOf, TestRun } from './test-run.test-support.ts';

const WORKFLOWS = `
import * as wf from 'tenuto/workflow';
const { sleep, setHandler } = wf;
const finish = wf.defineUpdate<string, [string]>('finish');
const go = wf.defineSignal<[string]>('go');
export async function ends() {
  let ended = false;
  setHandler(finish, async (how) => {
    ended = true;
    if (how === 'later') await Promise.resolve().then(() => Promise.resolve());
    if (how === 'too late') await sleep(1000);
    return how;
  });
  setHandler(go, async (how) => {
    if (how === 'continue') await wf.continueAsNew();
    if (how === 'fail') throw wf.ApplicationFailure.nonRetryable('no');
    ended = true;
    if (how === 'too late') await sleep(1000);
  });
  await wf.condition(() => ended);
}
export async function fails() {
  setHandler(finish, async () => { await sleep(1000); return ''; });
  setHandler(go, async () => { await sleep(1000); });
  await wf.condition(() => !wf.allHandlersFinished());
  throw wf.ApplicationFailure.nonRetryable('no');
}
export async function continues() { await wf.makeContinueAsNewFunc({ backoffStartInterval: '3s' })(); }
const local = wf.proxyLocalActivities<Record<string, () => Promise<string>>>({ startToCloseTimeout: '5s' });
export async function runsLocally(): Promise<string> { return await local.known() + await local.unknown(); }
`;

let bundle: Awaited<ReturnType<typeof bundleOf>>;
let realm: Realm;
beforeAll(async () => {
  bundle = await bundleOf(WORKFLOWS);
  realm = new Realm(bundle);
});

describe('a handler that still runs when its workflow ends', () => {
  const warnings = (run: TestRun): string[] =>
    run
      .finish()
      .sinkCalls.filter(({ fn }) => fn === 'warn')
      .map(({ args }) => String(args[0]));
  const begun = (type: string): TestRun => {
    const run = new TestRun(realm, type);
    run.task();
    return run;
  };

  test.each([
    ['at once', 0],
    ['later', 0],
    ['too late', 1],
  ])('an update that lets it end and returns %s: %i warnings', (how, count) => {
    const run = begun('ends');
    run.begin({ messages: [run.update('u', 'finish', how)] });
    expect(warnings(run)).toHaveLength(count);
  });

  test.each([
    ['continue', 0],
    ['fail', 0],
    ['end', 0],
    ['too late', 1],
  ])('a signal that makes it %s: %i warnings', (how, count) => {
    const run = begun('ends');
    run.signal('go', how);
    run.begin();
    expect(warnings(run)).toHaveLength(count);
  });

  test('is no news where the workflow fails', () => {
    const run = begun('fails');
    run.signal('go');
    run.begin({ messages: [run.update('u', 'finish', '')] });
    expect(warnings(run)).toEqual([]);
  });
});

test('the next run may begin later (backoffStartInterval)', () => {
  expect(new TestRun(realm, 'continues').task()).toMatchObject([
    {
      commandType: CommandType.CONTINUE_AS_NEW_WORKFLOW_EXECUTION,
      attributes: { backoffStartInterval: 3000 },
    },
  ]);
});

describe('a local activity that its worker has no function for', () => {
  const done = { result: undefined, attempt: 1, originalScheduledTime: 0, completedTime: 0 };
  const begun = (activityTypes: string[] | undefined): TestRun => {
    const run = new TestRun(new HostDriver(new Realm(bundle, activityTypes)), 'runsLocally');
    run.begin();
    run.driver.take('startLocalActivities');
    run.resolveLocally(1, { kind: 'completed', ...done });
    return run;
  };

  test('fails the workflow task, for another worker to take', () => {
    const { request } = begun(['known']).driver.take('failed');
    expect(request.failure).toMatchObject({
      message: "Local activity of type 'unknown' not registered on worker",
      stackTrace: expect.stringMatching(/^ReferenceError/),
    });
  });

  test.each([[['known', 'unknown']], [['known', 'default']], [['default']], [undefined]])('of %j runs', (types) => {
    expect(begun(types).driver.take('startLocalActivities').tasks).toMatchObject([{ activityType: 'unknown' }]);
  });

  test('does not matter to a replay, which runs nothing', () => {
    const run = begun(undefined);
    run.driver.take('startLocalActivities');
    run.resolveLocally(2, { kind: 'completed', ...done });
    run.finish();
    expect(run.replay(undefined, new Realm(bundle, [])).errorMessage).toBeUndefined();
  });
});
