// Retry policies, exactly as Temporal computes them: which failures may be retried, after how long, and what stops it.
// Shared by activities and workflows.

import type { RetryPolicy } from '../../wire/common.ts';
import { RetryState, TimeoutType } from '../../wire/enums.ts';
import type { Failure } from '../../wire/failure.ts';
import { cut } from './durations.ts';

const DEFAULT_INITIAL_INTERVAL = 1_000;
const DEFAULT_COEFFICIENT = 2;
const DEFAULT_MAXIMUM_FACTOR = 100;

/** How a policy names a timeout among its non-retryable types. */
const TIMEOUT_TYPE_PREFIX = 'TemporalTimeout:';
const TIMEOUT_NAMES: Record<TimeoutType, string> = {
  [TimeoutType.UNSPECIFIED]: 'Unspecified',
  [TimeoutType.START_TO_CLOSE]: 'StartToClose',
  [TimeoutType.SCHEDULE_TO_START]: 'ScheduleToStart',
  [TimeoutType.SCHEDULE_TO_CLOSE]: 'ScheduleToClose',
  [TimeoutType.HEARTBEAT]: 'Heartbeat',
};

export const timeoutName = (type: TimeoutType): string => TIMEOUT_NAMES[type];

/** The policy with what it leaves out filled in: 1 s, doubled each time, at most 100 times the first. No interval is too long. */
export function completePolicy(policy: RetryPolicy | undefined): RetryPolicy {
  const initialInterval = cut(policy?.initialInterval || DEFAULT_INITIAL_INTERVAL);
  const complete: RetryPolicy = {
    initialInterval,
    backoffCoefficient: policy?.backoffCoefficient || DEFAULT_COEFFICIENT,
    maximumInterval: cut(policy?.maximumInterval || initialInterval * DEFAULT_MAXIMUM_FACTOR),
  };
  if (policy?.maximumAttempts) complete.maximumAttempts = policy.maximumAttempts;
  if (policy?.nonRetryableErrorTypes?.length) complete.nonRetryableErrorTypes = policy.nonRetryableErrorTypes;
  return complete;
}

/** What is wrong with a policy, or undefined. */
export function policyProblem(policy: RetryPolicy | undefined): string | undefined {
  if (policy === undefined) return undefined;
  const { initialInterval = 0, backoffCoefficient = 0, maximumInterval = 0, maximumAttempts = 0 } = policy;
  if (maximumAttempts === 1) return undefined; // Never retried: the rest does not matter.
  if (initialInterval < 0) return 'InitialInterval cannot be negative on retry policy.';
  if (backoffCoefficient !== 0 && !(backoffCoefficient >= 1)) {
    return 'BackoffCoefficient cannot be less than 1 on retry policy.';
  }
  if (maximumInterval < 0) return 'MaximumInterval cannot be negative on retry policy.';
  if (maximumInterval > 0 && maximumInterval < (initialInterval || DEFAULT_INITIAL_INTERVAL)) {
    return 'MaximumInterval cannot be less than InitialInterval on retry policy.';
  }
  if (maximumAttempts < 0) return 'MaximumAttempts cannot be negative on retry policy.';
  for (const type of policy.nonRetryableErrorTypes ?? []) {
    if (!type.startsWith(TIMEOUT_TYPE_PREFIX)) continue;
    const name = type.slice(TIMEOUT_TYPE_PREFIX.length);
    if (!Object.values(TIMEOUT_NAMES).includes(name)) return `Invalid timeout type value: ${name}.`;
  }
  return undefined;
}

export function isRetryable(failure: Failure, nonRetryableTypes: readonly string[]): boolean {
  if (failure.terminatedFailureInfo !== undefined || failure.canceledFailureInfo !== undefined) return false;
  if (failure.timeoutFailureInfo !== undefined) {
    const type = failure.timeoutFailureInfo.timeoutType ?? TimeoutType.UNSPECIFIED;
    if (type !== TimeoutType.START_TO_CLOSE && type !== TimeoutType.HEARTBEAT) return false;
    return !nonRetryableTypes.includes(TIMEOUT_TYPE_PREFIX + TIMEOUT_NAMES[type]);
  }
  if (failure.serverFailureInfo !== undefined) return failure.serverFailureInfo.nonRetryable !== true;
  const application = failure.applicationFailureInfo;
  if (application !== undefined) {
    return application.nonRetryable !== true && !nonRetryableTypes.includes(application.type ?? '');
  }
  return true;
}

export interface RetryQuestion {
  policy: RetryPolicy | undefined;
  /** 1-based: the attempt that failed. */
  attempt: number;
  failure: Failure;
  now: number;
  /** Epoch ms: no attempt may be scheduled after it. */
  expiration: number | undefined;
  /** Asked for by the failure; replaces the computed interval and its maximum. ms. */
  nextRetryDelay?: number | undefined;
}

export type RetryVerdict =
  | { retry: true /** ms */; interval: number }
  | { retry: false; state: Exclude<RetryState, typeof RetryState.IN_PROGRESS> };

export function retryVerdict({
  policy,
  attempt,
  failure,
  now,
  expiration,
  nextRetryDelay,
}: RetryQuestion): RetryVerdict {
  if (policy === undefined) return { retry: false, state: RetryState.RETRY_POLICY_NOT_SET };
  if (!isRetryable(failure, policy.nonRetryableErrorTypes ?? [])) {
    return { retry: false, state: RetryState.NON_RETRYABLE_FAILURE };
  }
  const { maximumAttempts = 0 } = policy;
  if (maximumAttempts > 0 && attempt >= maximumAttempts) {
    return { retry: false, state: RetryState.MAXIMUM_ATTEMPTS_REACHED };
  }
  const asked = nextRetryDelay === undefined ? undefined : Math.max(0, Math.round(nextRetryDelay));
  const interval = asked ?? retryInterval(policy, attempt);
  if (expiration !== undefined && now + interval > expiration) return { retry: false, state: RetryState.TIMEOUT };
  return { retry: true, interval };
}

/** Between attempt n and n + 1: initial × coefficientⁿ⁻¹, at most the maximum. ms. */
export function retryInterval(policy: RetryPolicy, attempt: number): number {
  const { initialInterval = DEFAULT_INITIAL_INTERVAL, backoffCoefficient = DEFAULT_COEFFICIENT } = policy;
  const maximum = policy.maximumInterval || initialInterval * DEFAULT_MAXIMUM_FACTOR;
  const interval = initialInterval * backoffCoefficient ** (attempt - 1);
  return Math.round(interval > maximum || !(interval > 0) ? maximum : interval);
}
