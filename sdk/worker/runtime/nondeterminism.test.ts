// Replays against changed code: what is refused, how it is named, and what patches allow.

import { describe, expect, test } from 'vitest';
import { CommandType, EventType, WorkflowTaskFailedCause } from '../../../src/wire/enums.ts';
import type { WorkflowHostOptions } from './host.ts';
import { HostDriver } from './host-driver.test-support.ts';
import type { Realm } from './realm.ts';
import { realmOf, TestRun } from './test-run.test-support.ts';

const HEAD = `
import { proxyActivities, sleep, patched, deprecatePatch } from 'tenuto/workflow';
const { act, other } = proxyActivities({ startToCloseTimeout: '10s' });
`;
const main = (body: string): Promise<Realm> => realmOf(`${HEAD}\nexport async function main() {\n${body}\n}`);

/** A run of `original` up to a task that is not answered, replayed with `changed`. */
async function replayed(
  original: string,
  changed: string,
  go: (run: TestRun) => void,
  options: Partial<WorkflowHostOptions> = {},
): Promise<HostDriver> {
  const run = new TestRun(await main(original), 'main');
  go(run);
  const scheduledEventId = run.add(EventType.WORKFLOW_TASK_SCHEDULED, { taskQueue: { name: 'queue' } });
  run.add(EventType.WORKFLOW_TASK_STARTED, { scheduledEventId });
  const driver = new HostDriver(await main(changed), options);
  driver.task(run, run.events);
  return driver;
}

const oneTask = (run: TestRun): void => {
  run.task();
};

describe('a change that shows', () => {
  test.each([
    {
      change: 'an activity where a timer was',
      original: 'await sleep(1000);',
      changed: 'await act();',
      message:
        /^\[TMPRL1100\] Nondeterminism error: event 5 of the history is TimerStarted \(timer '1'\), but the workflow's code asks for ScheduleActivityTask \(activity '1', type 'act'\) at .*workflows\.ts:6:\d+$/,
    },
    {
      change: 'another activity',
      original: 'await act();',
      changed: 'await other();',
      message:
        /event 5 of the history is ActivityTaskScheduled \(activity '1', type 'act'\), but .* \(activity '1', type 'other'\)/,
    },
    {
      change: 'nothing where a timer was',
      original: 'await sleep(1000);',
      changed: 'await new Promise(() => {});',
      message:
        /event 5 of the history is TimerStarted \(timer '1'\), but the workflow's code asks for nothing at this point$/,
    },
    {
      change: 'a timer more',
      original: 'await act();',
      changed: 'sleep(1000); await act();',
      message:
        /event 5 of the history is ActivityTaskScheduled .*asks for StartTimer \(timer '1'\) at .*workflows\.ts:6:1/,
    },
    {
      change: 'a timer more, after what was there',
      original: 'await act();',
      changed: 'act(); await sleep(1000);',
      message:
        /the history has no event for what the workflow's code asks for: StartTimer \(timer '1'\) at .*workflows\.ts:6:\d+; expected before event 7/,
    },
    {
      change: 'an early end',
      original: 'await act();',
      changed: 'return 1;',
      message: /event 5 of the history is ActivityTaskScheduled .*asks for CompleteWorkflowExecution$/,
    },
    {
      change: 'a patch taken away',
      original: "patched('p'); await act();",
      changed: 'await act();',
      message: /event 5 of the history is MarkerRecorded \(marker 'core_patch'\), but .*ScheduleActivityTask/,
    },
  ])('$change', async ({ original, changed, message }) => {
    const driver = await replayed(original, changed, oneTask);
    const { request } = driver.take('failed');
    expect(request.cause).toBe(WorkflowTaskFailedCause.NON_DETERMINISTIC_ERROR);
    expect(request.failure?.message).toMatch(message);
    expect(driver.has('evicted')).toBe(true);
  });

  test.each(['NondeterminismError', 'DeterminismViolationError', 'Error'])(
    'fails the workflow where its worker says so: %s',
    async (name) => {
      const failureErrorTypes = { '*': [name] };
      const driver = await replayed('await act();', 'await sleep(1);', oneTask, { failureErrorTypes });
      const { request } = driver.take('completed');
      expect(request).toMatchObject({
        sticky: false,
        commands: [
          {
            commandType: CommandType.FAIL_WORKFLOW_EXECUTION,
            attributes: { failure: { message: expect.stringMatching(/^\[TMPRL1100\]/) } },
          },
        ],
      });
      expect(driver.has('evicted')).toBe(true);
    },
  );

  test('in the last task of a closed history', async () => {
    const run = new TestRun(await main('await act(); return 1;'), 'main');
    run.task();
    run.completeActivity('1', 1);
    run.task();
    expect(run.replay().errorMessage).toBeUndefined();
    expect(run.replay('__stack_trace', await main('await act(); await sleep(1);')).errorMessage).toMatch(
      /event 11 of the history is WorkflowExecutionCompleted, but .*StartTimer/,
    );
  });
});

describe('a change that does not show', () => {
  test.each([
    ['other durations', 'await sleep(1000);', 'await sleep(5000);'],
    ['other arguments', 'await act(1);', 'await act(2);'],
    ['a timer withdrawn at once', 'await act();', 'const t = setTimeout(() => {}, 5); clearTimeout(t); await act();'],
  ])('%s', async (_, original, changed) => {
    expect((await replayed(original, changed, oneTask)).has('completed')).toBe(true);
  });
});

describe('patches', () => {
  test('an execution from before a patch goes the old way, a new one the new way', async () => {
    const changed = "if (patched('p')) { await act(); } else { await sleep(1000); }";
    expect((await replayed('await sleep(1000);', changed, oneTask)).has('completed')).toBe(true);
    expect((await replayed(changed, changed, oneTask)).has('completed')).toBe(true);
    expect((await replayed(changed, "patched('p'); await act();", oneTask)).has('completed')).toBe(true);
  });

  test('a patch is decided once, also when it is asked again later', async () => {
    const code = "patched('p'); await sleep(1000); return patched('p');";
    const run = new TestRun(await main(code), 'main');
    run.task();
    run.forget();
    run.fire('1');
    run.task();
    expect(run.result).toBe(true);
  });

  test('code that is reached only after the replay is new code', async () => {
    const driver = await replayed('await sleep(1000);', "await sleep(1000); if (patched('p')) await act();", (run) => {
      run.task();
      run.fire('1');
    });
    expect(driver.take('completed').request.commands).toHaveLength(3);
  });

  test('a deprecated patch accepts histories with the marker, with the deprecated one, and with none', async () => {
    const deprecated = "deprecatePatch('p'); await act();";
    expect((await replayed("patched('p'); await act();", deprecated, oneTask)).has('completed')).toBe(true);
    expect((await replayed(deprecated, deprecated, oneTask)).has('completed')).toBe(true);
    expect((await replayed('await act();', deprecated, oneTask)).has('completed')).toBe(true);
  });

  test("a deprecated patch's marker is passed over once the code has forgotten it", async () => {
    expect((await replayed("deprecatePatch('p'); await act();", 'await act();', oneTask)).has('completed')).toBe(true);
  });

  test('all patches of a run are listed in its search attribute', async () => {
    const run = new TestRun(await main("patched('a'); patched('b'); await sleep(1);"), 'main');
    const text = JSON.stringify(run.task(), (_, value) =>
      value instanceof Uint8Array ? Buffer.from(value).toString() : value,
    );
    expect(text).toContain('[\\"a\\",\\"b\\"]');
  });
});

test('after a reset, random numbers go on from the new run', async () => {
  const code = 'const a = Math.random(); await sleep(1000); return [a, Math.random()];';
  const results = ['new-1', 'new-2'].map(async (newRunId) => {
    const run = new TestRun(await main(code), 'main', [], { runId: 'base' });
    run.task();
    run.fire('1');
    const scheduledEventId = run.add(EventType.WORKFLOW_TASK_SCHEDULED, { taskQueue: { name: 'queue' } });
    const startedEventId = run.add(EventType.WORKFLOW_TASK_STARTED, { scheduledEventId });
    const cause = WorkflowTaskFailedCause.RESET_WORKFLOW;
    run.add(EventType.WORKFLOW_TASK_FAILED, { scheduledEventId, startedEventId, cause, newRunId });
    run.forget();
    run.task();
    return run.result as [number, number];
  });
  const [[a1, b1], [a2, b2]] = (await Promise.all(results)) as [[number, number], [number, number]];
  expect(a1).toBe(a2);
  expect(b1).not.toBe(b2);
});
