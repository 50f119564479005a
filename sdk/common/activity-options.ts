// Options of activities and local activities, as `proxyActivities` and `proxyLocalActivities` take them.

import type { ActivityCancellationType } from './enums.ts';
import type { ActivityFlowControl } from './flow-control.ts';
import type { Priority } from './priority.ts';
import type { RetryPolicy } from './retry-policy.ts';
import type { Duration } from './time.ts';
import type { VersioningIntent } from './worker-deployments.ts';

/** Either `startToCloseTimeout` or `scheduleToCloseTimeout` is required. */
export interface ActivityOptions {
  /** Id in the workflow's history. Default: a number that counts up. */
  activityId?: string | undefined;
  /** Default: the workflow's own. */
  taskQueue?: string | undefined;
  /** Longest silence between heartbeats; past it the attempt is timed out and retried. Default: heartbeats are not required. */
  heartbeatTimeout?: Duration | undefined;
  /** Default: retried without end, 1 s after the first failure, doubling up to 100 s. `maximumAttempts: 1` for none. */
  retry?: RetryPolicy | undefined;
  /** Time limit of one attempt. Default: `scheduleToCloseTimeout`. */
  startToCloseTimeout?: Duration | undefined;
  /** Longest wait for a worker; not retried when it fires. Default: `scheduleToCloseTimeout`. */
  scheduleToStartTimeout?: Duration | undefined;
  /** Time limit of all attempts together. Default: unlimited. */
  scheduleToCloseTimeout?: Duration | undefined;
  /** Default: WAIT_CANCELLATION_COMPLETED. */
  cancellationType?: ActivityCancellationType | undefined;
  /** Whether the server may hand the task straight back to the worker that scheduled it. Default: true. */
  allowEagerDispatch?: boolean | undefined;
  /** One line for people, shown beside the activity. */
  summary?: string | undefined;
  priority?: Priority | undefined;
  /** @deprecated As with Temporal; says nothing here: see {@link VersioningIntent}. */
  versioningIntent?: VersioningIntent | undefined;
  /** No attempt begins without a permit of this key. It is given back when the attempt ends, before the retry interval. */
  flowControl?: ActivityFlowControl | undefined;
}

/** Either `startToCloseTimeout` or `scheduleToCloseTimeout` is required. */
export interface LocalActivityOptions {
  /** Default: as for activities. Runs again also when the workflow task is retried. */
  retry?: RetryPolicy | undefined;
  /** Time limit of one attempt. */
  startToCloseTimeout?: Duration | undefined;
  /** Longest wait for a free slot in this worker. Default: unlimited. */
  scheduleToStartTimeout?: Duration | undefined;
  /** Time limit of all attempts together. Default: unlimited. */
  scheduleToCloseTimeout?: Duration | undefined;
  /** A back-off longer than this waits with a durable timer instead of in the worker. Default: 1 minute. */
  localRetryThreshold?: Duration | undefined;
  /** Default: WAIT_CANCELLATION_COMPLETED. */
  cancellationType?: ActivityCancellationType | undefined;
  /** One line for people, shown beside the activity. */
  summary?: string | undefined;
}

export interface ActivityCancellationDetailsOptions {
  notFound?: boolean | undefined;
  cancelRequested?: boolean | undefined;
  paused?: boolean | undefined;
  timedOut?: boolean | undefined;
  workerShutdown?: boolean | undefined;
  reset?: boolean | undefined;
}

/** Why an activity was cancelled; several may hold. Set once. */
export class ActivityCancellationDetails {
  readonly notFound: boolean;
  readonly cancelRequested: boolean;
  readonly paused: boolean;
  readonly timedOut: boolean;
  readonly workerShutdown: boolean;
  readonly reset: boolean;

  constructor(options: ActivityCancellationDetailsOptions = {}) {
    this.notFound = options.notFound ?? false;
    this.cancelRequested = options.cancelRequested ?? false;
    this.paused = options.paused ?? false;
    this.timedOut = options.timedOut ?? false;
    this.workerShutdown = options.workerShutdown ?? false;
    this.reset = options.reset ?? false;
  }
}
