// What workflow code publishes: one marker for a workflow task, and nothing that a replay depends on.

import { beforeAll, describe, expect, test } from 'vitest';
import type { Command } from '../../../src/wire/command.ts';
import { CommandType } from '../../../src/wire/enums.ts';
import type { Realm } from './realm.ts';
import { realmOf, TestRun, values } from './test-run.test-support.ts';

const WORKFLOWS = (publish: string): string => `
import * as wf from 'tenuto/workflow';
const { act } = wf.proxyActivities({ startToCloseTimeout: '10s' });
const setState = ${publish};
export const go = wf.defineSignal('go');
export async function order() {
  setState('step', 'begun');
  setState('count', 1);
  await act('first');
  setState('count', 2);
  wf.setHandler(wf.defineQuery('asks'), () => setState('no', 1));
  wf.setHandler(wf.defineQuery('own'), () => wf.getState('count'));
  await act('second');
  setState('step', 'done');
  return wf.getState('step') ?? null;
}
export async function badly(key) { wf.setState(key, 1); }
`;

let realm: Realm;
let silent: Realm;
let other: Realm;
beforeAll(async () => {
  realm = await realmOf(WORKFLOWS('wf.setState'));
  silent = await realmOf(WORKFLOWS('() => {}'));
  other = await realmOf(WORKFLOWS("(key, value) => { wf.setState('more', 0); wf.setState('other ' + key, value); }"));
});

/** What a task publishes; the rest of its commands by their kind. */
function published(commands: readonly Command[]): unknown[] {
  return commands.map((command) =>
    command.commandType === CommandType.RECORD_MARKER
      ? Object.fromEntries(
          Object.entries(command.attributes.details ?? {}).map(([key, payloads]) => [key, values(payloads)[0]]),
        )
      : command.commandType,
  );
}

const ACTIVITY = CommandType.SCHEDULE_ACTIVITY_TASK;

function whole(of: Realm): TestRun {
  const run = new TestRun(of, 'order');
  run.task();
  run.completeActivity('1', 0);
  run.task();
  run.completeActivity('2', 0);
  run.task();
  return run;
}

test('all of one workflow task is one marker, where the first of it was', () => {
  const run = new TestRun(realm, 'order');
  const first = run.task();
  expect(published(first)).toEqual([{ step: 'begun', count: 1 }, ACTIVITY]);
  expect(first[0]?.attributes).toMatchObject({ markerName: 'tenuto_state' });
  run.completeActivity('1', 0);
  expect(published(run.task())).toEqual([{ count: 2 }, ACTIVITY]);
  expect(values(run.query('own').answer)).toEqual([2]);
  expect(run.query('asks').errorMessage).toMatch('A query handler may not change its workflow (it tried: publish)');
  run.completeActivity('2', 0);
  expect(published(run.task())).toEqual([{ step: 'done' }, CommandType.COMPLETE_WORKFLOW_EXECUTION]);
  expect(run.result).toBe('done');
});

describe('a history replays', () => {
  test.each([
    ['that published, by code that does', () => realm, () => realm],
    ['that published, by code that no longer does', () => realm, () => silent],
    ['that did not publish, by code that does now', () => silent, () => realm],
    ['that published something else', () => other, () => realm],
    ['that published less', () => realm, () => other],
  ])('%s', (_, wrote, replays) => {
    expect(whole(wrote()).replay('__temporal_workflow_metadata', replays()).errorMessage).toBeUndefined();
  });

  test('and goes on from there', () => {
    const run = new TestRun(realm, 'order');
    run.task();
    run.forget();
    run.completeActivity('1', 0);
    expect(published(run.task())).toEqual([{ count: 2 }, ACTIVITY]);
  });
});

test.each([[''], ['__proto__'], ['é'.repeat(65)], [5]])('the key %s is refused', (key) => {
  expect(new TestRun(realm, 'badly', [key]).failingTask().message).toMatch(
    'A state key must be a text of 1 to 128 bytes',
  );
});
