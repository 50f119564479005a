import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TimeoutType } from '../../src/wire/enums.ts';
import type { ActivityOutcome } from './activity-execution.ts';
import { LocalActivities, type LocalAttemptInfo } from './local-activities.ts';
import { nextRetryDelay } from './local-retry.ts';
import { FixedSlots } from './slots/slots.ts';
import type { LocalActivityResult, LocalActivityTask } from './thread-protocol.ts';

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

const failed = (type = 'E', nonRetryable = false): ActivityOutcome => ({
  kind: 'failed',
  failure: { message: 'no', applicationFailureInfo: { type, nonRetryable } },
});
const done: ActivityOutcome = { kind: 'completed', result: { payloads: [] } };

function task(fields: Partial<LocalActivityTask> = {}): LocalActivityTask {
  return {
    runId: 'run',
    workflowId: 'wf',
    workflowType: 'Type',
    namespace: 'default',
    seq: 1,
    activityId: '1',
    activityType: 'act',
    args: {},
    header: undefined,
    attempt: 1,
    originalScheduledTime: undefined,
    scheduleToCloseTimeout: undefined,
    scheduleToStartTimeout: undefined,
    startToCloseTimeout: undefined,
    retryPolicy: undefined,
    localRetryThreshold: 60_000,
    ...fields,
  };
}

/** Attempts end with these outcomes in turn; 'hangs' ends when it is cancelled. */
function harness(outcomes: (ActivityOutcome | 'hangs')[], slots = 10) {
  const attempts: LocalAttemptInfo[] = [];
  const cancels: string[] = [];
  const results: LocalActivityResult[] = [];
  const local = new LocalActivities({
    slots: () => new FixedSlots(slots),
    run(_task, info) {
      attempts.push(info);
      const outcome = outcomes[attempts.length - 1] ?? done;
      let end: (outcome: ActivityOutcome) => void = () => {};
      const promise = new Promise<ActivityOutcome>((resolve) => {
        end = resolve;
      });
      if (outcome !== 'hangs') end(outcome);
      return {
        outcome: promise,
        cancel(reason) {
          cancels.push(reason);
          end({ kind: 'cancelled', failure: { canceledFailureInfo: {} } });
        },
      };
    },
    resolved: (_runId, _seq, result) => results.push(result),
  });
  return { local, attempts, cancels, results };
}

const tick = (ms = 0) => vi.advanceTimersByTimeAsync(ms);

describe('a local activity', () => {
  it('is retried with growing back-off until it succeeds', async () => {
    const { local, attempts, results } = harness([failed(), failed(), done]);
    local.start(task({ retryPolicy: { initialInterval: 100 } }));
    await tick(99);
    expect(attempts).toHaveLength(1);
    await tick(1 + 200);
    expect(results).toEqual([
      {
        kind: 'completed',
        result: { payloads: [] },
        attempt: 3,
        originalScheduledTime: 1_000_000,
        completedTime: 1_000_300,
      },
    ]);
    expect(local.countOf('run')).toBe(0);
  });

  it('is handed back when the next attempt is beyond the threshold', async () => {
    const { local, results } = harness([failed()]);
    local.start(task({ retryPolicy: { initialInterval: 700 }, localRetryThreshold: 500 }));
    await tick();
    expect(results).toMatchObject([{ kind: 'backoff', attempt: 1, backoffMs: 700, failure: { message: 'no' } }]);
  });

  it('goes on from the attempt and the time it is given', async () => {
    const { local, attempts, results } = harness([failed()]);
    local.start(task({ attempt: 4, originalScheduledTime: 5, retryPolicy: { maximumAttempts: 4 } }));
    await tick();
    expect(attempts).toMatchObject([{ attempt: 4, originalScheduledTime: 5 }]);
    expect(results).toMatchObject([{ kind: 'failed', attempt: 4, originalScheduledTime: 5 }]);
  });

  it('is retried when an attempt times out, and fails with the timeout in the end', async () => {
    const { local, cancels, results } = harness(['hangs', 'hangs']);
    local.start(task({ startToCloseTimeout: 50, retryPolicy: { initialInterval: 10, maximumAttempts: 2 } }));
    await tick(200);
    expect(cancels).toEqual(['timedOut', 'timedOut']);
    expect(results).toMatchObject([
      { kind: 'failed', attempt: 2, failure: { timeoutFailureInfo: { timeoutType: TimeoutType.START_TO_CLOSE } } },
    ]);
  });

  it('ends when all its time is over, whatever it is doing', async () => {
    const { local, results } = harness(['hangs']);
    local.start(task({ scheduleToCloseTimeout: 80 }));
    await tick(80);
    expect(results).toMatchObject([
      { kind: 'failed', failure: { timeoutFailureInfo: { timeoutType: TimeoutType.SCHEDULE_TO_CLOSE } } },
    ]);
  });

  it('fails with its own failure when no time is left for another attempt', async () => {
    const { local, results } = harness([failed()]);
    local.start(task({ scheduleToCloseTimeout: 500, retryPolicy: { initialInterval: 600 } }));
    await tick();
    expect(results).toMatchObject([{ kind: 'failed', failure: { message: 'no' } }]);
  });

  it('waits for a slot no longer than its schedule-to-start timeout', async () => {
    const { local, attempts, results } = harness(['hangs', done], 1);
    local.start(task());
    local.start(task({ seq: 2, scheduleToStartTimeout: 30 }));
    local.start(task({ seq: 3 }));
    await tick(30);
    expect(results).toMatchObject([
      { failure: { timeoutFailureInfo: { timeoutType: TimeoutType.SCHEDULE_TO_START } } },
    ]);
    local.cancel('run', 1);
    await tick();
    expect(attempts).toHaveLength(2);
    expect(results.map((result) => result.kind)).toEqual(['failed', 'cancelled', 'completed']);
  });

  it('that waits for its next attempt is cancelled at once', async () => {
    const { local, attempts, results } = harness([failed()]);
    local.start(task());
    await tick();
    local.cancel('run', 1);
    await tick(5000);
    expect(results).toMatchObject([{ kind: 'cancelled' }]);
    expect(attempts).toHaveLength(1);
  });

  it('whose run was evicted is stopped, its result dropped', async () => {
    const { local, cancels, results } = harness(['hangs']);
    local.start(task());
    local.abandon('run');
    await local.ended();
    expect(cancels).toEqual(['notFound']);
    expect(results).toEqual([]);
  });
});

describe('nextRetryDelay', () => {
  const failure = { applicationFailureInfo: { type: 'E' } };
  it.each([
    ['defaults to one second', undefined, 1, failure, 1000],
    ['doubles by default', undefined, 3, failure, 4000],
    ['caps at a hundred initial intervals by default', undefined, 20, failure, 100_000],
    ['caps at the maximum interval', { initialInterval: 10, maximumInterval: 30 }, 5, failure, 30],
    ['ends at the maximum of attempts', { maximumAttempts: 2 }, 2, failure, undefined],
    ['ends at a non-retryable type', { nonRetryableErrorTypes: ['E'] }, 1, failure, undefined],
    ['ends at a non-retryable failure', {}, 1, { applicationFailureInfo: { nonRetryable: true } }, undefined],
    ['lets the failure say', {}, 1, { applicationFailureInfo: { nextRetryDelay: 7 } }, 7],
    ['retries timeouts', {}, 1, { timeoutFailureInfo: {} }, 1000],
  ])('%s', (_name, policy, attempt, given, expected) => {
    expect(nextRetryDelay(policy, attempt, given)).toBe(expected);
  });
});
