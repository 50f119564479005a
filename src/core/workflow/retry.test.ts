import { describe, expect, it } from 'vitest';
import { RetryState, TimeoutType } from '../../wire/enums.ts';
import type { Failure } from '../../wire/failure.ts';
import { completePolicy, isRetryable, policyProblem, retryInterval, retryVerdict } from './retry.ts';

const application = (info: Failure['applicationFailureInfo'] = {}): Failure => ({ applicationFailureInfo: info });
const timeout = (timeoutType: TimeoutType): Failure => ({ timeoutFailureInfo: { timeoutType } });

describe('which failures may be retried', () => {
  it.each<[string, Failure, string[], boolean]>([
    ['an application failure', application({ type: 'A' }), [], true],
    ['one of a non-retryable type', application({ type: 'A' }), ['B', 'A'], false],
    ['one that says it is not', application({ nonRetryable: true }), [], false],
    ['a start-to-close timeout', timeout(TimeoutType.START_TO_CLOSE), [], true],
    ['a heartbeat timeout', timeout(TimeoutType.HEARTBEAT), [], true],
    ['a timeout named by the policy', timeout(TimeoutType.HEARTBEAT), ['TemporalTimeout:Heartbeat'], false],
    ['another timeout than the named one', timeout(TimeoutType.HEARTBEAT), ['TemporalTimeout:StartToClose'], true],
    ['a schedule-to-start timeout', timeout(TimeoutType.SCHEDULE_TO_START), [], false],
    ['a schedule-to-close timeout', timeout(TimeoutType.SCHEDULE_TO_CLOSE), [], false],
    ['a cancellation', { canceledFailureInfo: {} }, [], false],
    ['a termination', { terminatedFailureInfo: {} }, [], false],
    ['a server failure', { serverFailureInfo: {} }, [], true],
    ['a server failure for good', { serverFailureInfo: { nonRetryable: true } }, [], false],
    ['a failure of another kind', { activityFailureInfo: {} }, ['A'], true],
  ])('%s', (_name, failure, types, expected) => {
    expect(isRetryable(failure, types)).toBe(expected);
  });
});

describe('the interval before the next attempt', () => {
  const policy = completePolicy({ initialInterval: 100, backoffCoefficient: 3, maximumInterval: 1_000 });
  it.each([
    [1, 100],
    [2, 300],
    [3, 900],
    [4, 1_000],
    [60, 1_000],
    [5_000, 1_000],
  ])('after attempt %i: %i ms', (attempt, ms) => {
    expect(retryInterval(policy, attempt)).toBe(ms);
  });

  it('is what the failure asks for, beyond the maximum too', () => {
    const verdict = retryVerdict({
      policy,
      attempt: 1,
      failure: application(),
      now: 0,
      expiration: undefined,
      nextRetryDelay: 7_777,
    });
    expect(verdict).toEqual({ retry: true, interval: 7_777 });
  });
});

describe('what stops retrying', () => {
  const policy = completePolicy({ initialInterval: 100, maximumAttempts: 3 });
  const ask = { policy, attempt: 1, failure: application(), now: 1_000, expiration: undefined };
  it.each([
    ['no policy', { ...ask, policy: undefined }, RetryState.RETRY_POLICY_NOT_SET],
    ['the last attempt', { ...ask, attempt: 3 }, RetryState.MAXIMUM_ATTEMPTS_REACHED],
    ['no time left', { ...ask, expiration: 1_099 }, RetryState.TIMEOUT],
    ['a failure for good', { ...ask, failure: application({ nonRetryable: true }) }, RetryState.NON_RETRYABLE_FAILURE],
    [
      'a failure for good on the last attempt',
      { ...ask, attempt: 3, failure: application({ nonRetryable: true }) },
      RetryState.NON_RETRYABLE_FAILURE,
    ],
  ])('%s', (_name, question, state) => {
    expect(retryVerdict(question)).toEqual({ retry: false, state });
  });

  it('nothing, when the next attempt fits to the millisecond', () => {
    expect(retryVerdict({ ...ask, expiration: 1_100 })).toEqual({ retry: true, interval: 100 });
  });
});

describe('a policy', () => {
  it('is completed: 1 s, doubled, at most 100 times the first', () => {
    expect(completePolicy(undefined)).toEqual({
      initialInterval: 1_000,
      backoffCoefficient: 2,
      maximumInterval: 100_000,
    });
    expect(completePolicy({ initialInterval: 200 }).maximumInterval).toBe(20_000);
  });

  it.each([
    [{ maximumAttempts: -1 }],
    [{ backoffCoefficient: 0.5 }],
    [{ backoffCoefficient: Number.NaN }],
    [{ initialInterval: -1 }],
    [{ maximumInterval: -1 }],
    [{ initialInterval: 9_000, maximumInterval: 1_000 }],
    [{ nonRetryableErrorTypes: ['TemporalTimeout:Never'] }],
  ])('is refused: %j', (policy) => {
    expect(policyProblem(policy)).toMatch(/\.$/);
  });

  it.each([
    [undefined],
    [{}],
    [{ maximumAttempts: 1, backoffCoefficient: 0.5 }],
    [{ nonRetryableErrorTypes: ['TemporalTimeout:Heartbeat'] }],
  ])('is accepted: %j', (policy) => {
    expect(policyProblem(policy)).toBeUndefined();
  });
});
