// Retry options as users write them, checked with the official SDK's messages, to and from the wire.

import type { RetryPolicy as WireRetryPolicy } from '../../src/wire/common.ts';
import { ValueError } from './errors.ts';
import { type Duration, msOptionalToNumber, msToNumber } from './time.ts';

/** How a workflow or activity is tried again. */
export interface RetryPolicy {
  /** The next interval is the last one times this. At least 1; default 2. */
  backoffCoefficient?: number | undefined;
  /** Interval before the first retry. Default 1 second. */
  initialInterval?: Duration | undefined;
  /** Attempts in all, the first included. Default: unlimited (`Infinity`). */
  maximumAttempts?: number | undefined;
  /** Cap of the growing interval. Default: 100 times `initialInterval`. */
  maximumInterval?: Duration | undefined;
  /** Types of ApplicationFailure (class names of errors) that are not retried. */
  nonRetryableErrorTypes?: string[] | undefined;
}

/** @throws ValueError, saying which field is wrong. */
export function compileRetryPolicy(retryPolicy: RetryPolicy): WireRetryPolicy {
  const { backoffCoefficient, nonRetryableErrorTypes } = retryPolicy;
  if (backoffCoefficient !== undefined && backoffCoefficient <= 0) {
    throw new ValueError('RetryPolicy.backoffCoefficient must be greater than 0');
  }
  // Infinity is the default: the field is left out.
  const maximumAttempts =
    retryPolicy.maximumAttempts === Number.POSITIVE_INFINITY ? undefined : retryPolicy.maximumAttempts;
  if (maximumAttempts !== undefined) {
    if (maximumAttempts <= 0) throw new ValueError('RetryPolicy.maximumAttempts must be a positive integer');
    if (!Number.isInteger(maximumAttempts)) throw new ValueError('RetryPolicy.maximumAttempts must be an integer');
  }
  const maximumInterval = msOptionalToNumber(retryPolicy.maximumInterval);
  const initialInterval = msToNumber(retryPolicy.initialInterval ?? 1000);
  if (maximumInterval === 0) throw new ValueError('RetryPolicy.maximumInterval cannot be 0');
  if (initialInterval === 0) throw new ValueError('RetryPolicy.initialInterval cannot be 0');
  if (maximumInterval !== undefined && maximumInterval < initialInterval) {
    throw new ValueError('RetryPolicy.maximumInterval cannot be less than its initialInterval');
  }
  return { maximumAttempts, initialInterval, maximumInterval, backoffCoefficient, nonRetryableErrorTypes };
}

export function decompileRetryPolicy(retryPolicy?: WireRetryPolicy | null): RetryPolicy | undefined {
  if (retryPolicy === undefined || retryPolicy === null) return undefined;
  const { backoffCoefficient, maximumAttempts, maximumInterval, initialInterval, nonRetryableErrorTypes } = retryPolicy;
  return { backoffCoefficient, maximumAttempts, maximumInterval, initialInterval, nonRetryableErrorTypes };
}
