// When a local activity is tried again: Temporal's retry policy, decided on the worker because the server never sees the attempts.

import type { RetryPolicy } from '../../src/wire/common.ts';
import type { Failure } from '../../src/wire/failure.ts';

const DEFAULT_INITIAL_INTERVAL_MS = 1000;
const DEFAULT_BACKOFF_COEFFICIENT = 2;
/** The default cap of the interval, in initial intervals. */
const DEFAULT_MAXIMUM_INTERVALS = 100;

/**
 * ms to wait before the attempt after `attempt` (1-based), undefined when there is none.
 *
 * @param failure What the attempt failed with; timeouts are retried unless their type is listed as non-retryable.
 */
export function nextRetryDelay(policy: RetryPolicy | undefined, attempt: number, failure: Failure): number | undefined {
  const application = failure.applicationFailureInfo;
  if (application?.nonRetryable === true) return undefined;
  const { maximumAttempts = 0, nonRetryableErrorTypes = [] } = policy ?? {};
  if (maximumAttempts > 0 && attempt >= maximumAttempts) return undefined;
  if (application?.type !== undefined && nonRetryableErrorTypes.includes(application.type)) return undefined;
  if (application?.nextRetryDelay !== undefined) return application.nextRetryDelay;
  const initial = policy?.initialInterval || DEFAULT_INITIAL_INTERVAL_MS;
  const maximum = policy?.maximumInterval || initial * DEFAULT_MAXIMUM_INTERVALS;
  const interval = initial * (policy?.backoffCoefficient || DEFAULT_BACKOFF_COEFFICIENT) ** (attempt - 1);
  return Math.min(interval, maximum);
}
