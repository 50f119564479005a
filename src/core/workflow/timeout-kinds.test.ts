// Every kind of timeout × whether a retry policy leaves another attempt: what is retried, and how the end is reported.
import { describe, expect, it } from 'vitest';
import { EventType, RetryState, TimeoutType } from '../../wire/enums.ts';
import { command, World } from './testing.ts';

const SECOND = 1_000;
type Over = Parameters<typeof command.activity>[1];

/** An attempt that runs into its timeout, with so many attempts in all. */
function activity(over: Over, maximumAttempts: number, taken: boolean): World {
  const world = new World();
  world.start();
  const retryPolicy = { initialInterval: SECOND, backoffCoefficient: 1, maximumAttempts };
  world.work(command.activity('a', { ...over, retryPolicy }));
  if (taken) world.takeActivity();
  return world;
}

const KINDS = {
  START_TO_CLOSE: { over: { startToCloseTimeout: 5 * SECOND }, taken: true, after: 5 * SECOND },
  HEARTBEAT: {
    over: { startToCloseTimeout: 60 * SECOND, heartbeatTimeout: 5 * SECOND },
    taken: true,
    after: 5 * SECOND,
  },
  SCHEDULE_TO_START: { over: { scheduleToStartTimeout: 5 * SECOND }, taken: false, after: 5 * SECOND },
  SCHEDULE_TO_CLOSE: {
    over: { startToCloseTimeout: 60 * SECOND, scheduleToCloseTimeout: 5 * SECOND },
    taken: true,
    after: 5 * SECOND,
  },
} as const;

describe('an activity that runs into its timeout', () => {
  it.each([
    ['START_TO_CLOSE', 'attempts are left', 3, 'is retried', undefined],
    ['START_TO_CLOSE', 'attempts are unlimited', 0, 'is retried', undefined],
    ['START_TO_CLOSE', 'it was the last attempt', 1, 'ends', RetryState.MAXIMUM_ATTEMPTS_REACHED],
    ['HEARTBEAT', 'attempts are left', 3, 'is retried', undefined],
    ['HEARTBEAT', 'attempts are unlimited', 0, 'is retried', undefined],
    ['HEARTBEAT', 'it was the last attempt', 1, 'ends', RetryState.MAXIMUM_ATTEMPTS_REACHED],
    // These two bound all attempts together: no retry could help.
    ['SCHEDULE_TO_START', 'attempts are left', 3, 'ends', RetryState.TIMEOUT],
    ['SCHEDULE_TO_START', 'attempts are unlimited', 0, 'ends', RetryState.TIMEOUT],
    ['SCHEDULE_TO_START', 'it was the last attempt', 1, 'ends', RetryState.TIMEOUT],
    ['SCHEDULE_TO_CLOSE', 'attempts are left', 3, 'ends', RetryState.TIMEOUT],
    ['SCHEDULE_TO_CLOSE', 'attempts are unlimited', 0, 'ends', RetryState.TIMEOUT],
    ['SCHEDULE_TO_CLOSE', 'it was the last attempt', 1, 'ends', RetryState.TIMEOUT],
  ] as const)('%s, %s: it %4$s', (kind, _when, maximumAttempts, outcome, retryState) => {
    const { over, taken, after } = KINDS[kind];
    const world = activity(over, maximumAttempts, taken);
    world.pass(after - 1);
    expect(world.types()).not.toContain('ACTIVITY_TASK_TIMED_OUT');
    world.pass(1);
    if (outcome === 'is retried') {
      expect(world.types()).not.toContain('ACTIVITY_TASK_TIMED_OUT');
      world.pass(SECOND);
      expect(world.offer('activity').attempt).toBe(2);
      const { lastFailure } = [...(world.state.run?.activities.values() ?? [])][0] ?? {};
      expect(lastFailure?.timeoutFailureInfo?.timeoutType).toBe(TimeoutType[kind]);
      return;
    }
    expect(world.lastOf(EventType.ACTIVITY_TASK_TIMED_OUT).attributes).toMatchObject({
      retryState,
      failure: { timeoutFailureInfo: { timeoutType: TimeoutType[kind] } },
    });
    world.pass(60 * SECOND);
    expect(world.types().filter((type) => type === 'ACTIVITY_TASK_TIMED_OUT')).toHaveLength(1);
  });
});

describe('a workflow that runs into its timeout', () => {
  const RUN = { workflowRunTimeout: 5 * SECOND };
  const EXECUTION = { workflowExecutionTimeout: 5 * SECOND };
  it.each([
    ['its run timeout', RUN, 'attempts are left', 3, RetryState.IN_PROGRESS],
    ['its run timeout', RUN, 'attempts are unlimited', 0, RetryState.IN_PROGRESS],
    ['its run timeout', RUN, 'it was the last attempt', 1, RetryState.MAXIMUM_ATTEMPTS_REACHED],
    ['its execution timeout', EXECUTION, 'attempts are left', 3, RetryState.TIMEOUT],
    ['its execution timeout', EXECUTION, 'attempts are unlimited', 0, RetryState.TIMEOUT],
    ['its execution timeout', EXECUTION, 'it was the last attempt', 1, RetryState.TIMEOUT],
  ] as const)('%s, %3$s: retry state %5$i', (_what, timeouts, _when, maximumAttempts, retryState) => {
    const world = new World();
    world.start({ runId: 'r1', ...timeouts, retryPolicy: { initialInterval: SECOND, maximumAttempts } });
    world.pass(5 * SECOND);
    expect(world.history('r1').at(-1)).toMatchObject({
      eventType: EventType.WORKFLOW_EXECUTION_TIMED_OUT,
      attributes: { retryState },
    });
    expect(world.state.run?.runId === 'r1').toBe(retryState !== RetryState.IN_PROGRESS);
  });

  it.each([
    ['without a retry policy', undefined],
    ['whatever its retry policy', { initialInterval: SECOND, maximumAttempts: 1 }],
  ])('of a workflow task, %s: the task is given out again, without end', (_name, retryPolicy) => {
    const world = new World();
    world.start({ runId: 'r1', workflowTaskTimeout: 5 * SECOND, retryPolicy });
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      world.takeWorkflowTask();
      world.pass(5 * SECOND);
      // Transient attempts wait longer and longer, and are not in the history.
      world.pass(600 * SECOND);
      expect(world.offer('workflow').attempt).toBe(attempt + 1);
    }
    expect(world.types('r1').filter((type) => type === 'WORKFLOW_TASK_TIMED_OUT')).toHaveLength(1);
  });
});
