// Pending activities of a workflow, as they are described, paused, reset and given other options. Times are epoch milliseconds, durations milliseconds.

import type { Empty, Payloads, Priority, RetryPolicy } from './common.ts';
import type { PendingActivityState } from './enums.ts';
import type { Failure } from './failure.ts';
import type { FlowControl } from './flow-control.ts';

export interface PendingActivityInfo {
  activityId: string;
  activityType: string;
  state: PendingActivityState;
  attempt: number;
  maximumAttempts: number;
  scheduledTime?: number | undefined;
  lastStartedTime?: number | undefined;
  lastHeartbeatTime?: number | undefined;
  lastAttemptCompleteTime?: number | undefined;
  nextAttemptScheduleTime?: number | undefined;
  currentRetryInterval?: number | undefined;
  expirationTime?: number | undefined;
  heartbeatDetails?: Payloads | undefined;
  lastFailure?: Failure | undefined;
  lastWorkerIdentity?: string | undefined;
  taskQueue: string;
  scheduleToCloseTimeout?: number | undefined;
  scheduleToStartTimeout?: number | undefined;
  startToCloseTimeout?: number | undefined;
  heartbeatTimeout?: number | undefined;
  retryPolicy?: RetryPolicy | undefined;
  priority?: Priority | undefined;
  /** Also where `state` says CANCEL_REQUESTED. */
  paused?: boolean | undefined;
  pauseInfo?: ActivityPauseInfo | undefined;
  /** Absent: it names no flow-control key. `none`: no attempt waits or runs. */
  flowControl?: (FlowControl & { state: 'queued' | 'held' | 'none' }) | undefined;
}

export interface ActivityPauseInfo {
  pauseTime: number;
  identity: string;
  reason: string;
}

/** Pending activities of one run, of a workflow that runs. Exactly one of `activityId`, `activityType` and `matchAll` chooses. */
export interface ActivitiesTarget {
  namespace: string;
  workflowId: string;
  /** Empty: the current run. */
  runId?: string | undefined;
  identity: string;
  activityId?: string | undefined;
  activityType?: string | undefined;
  matchAll?: boolean | undefined;
}

export interface PauseActivityRequest extends ActivitiesTarget {
  reason?: string | undefined;
  /** A repeat with the same id is the same pause; another one of a paused activity is FAILED_PRECONDITION. */
  requestId?: string | undefined;
}

export interface UnpauseActivityRequest extends ActivitiesTarget {
  resetAttempts?: boolean | undefined;
  resetHeartbeat?: boolean | undefined;
  /** ms: each activity goes on after a random part of it. Default: at once. */
  jitter?: number | undefined;
}

export interface ResetActivityRequest extends ActivitiesTarget {
  resetHeartbeat?: boolean | undefined;
  /** What is paused stays so; default: it is unpaused. */
  keepPaused?: boolean | undefined;
  restoreOriginalOptions?: boolean | undefined;
  jitter?: number | undefined;
}

/** Timeouts are ms, 0: none. */
export interface ActivityOptions {
  taskQueue?: string | undefined;
  scheduleToCloseTimeout?: number | undefined;
  scheduleToStartTimeout?: number | undefined;
  startToCloseTimeout?: number | undefined;
  heartbeatTimeout?: number | undefined;
  retryPolicy?: RetryPolicy | undefined;
  priority?: Priority | undefined;
  /** Only of an activity without a workflow; it can be changed until the first attempt is put on its queue. */
  startDelay?: number | undefined;
}

export interface UpdateActivityOptionsRequest extends ActivitiesTarget {
  activityOptions?: ActivityOptions | undefined;
  /**
   * Fields of `activityOptions` that are set, others stay: `startToCloseTimeout`, `retryPolicy.initialInterval`, `taskQueue.name`; in snake case,
   * too. A name that is not known is ignored.
   */
  updateMask?: string[] | undefined;
  /** As they were when the workflow scheduled it; not beside the two above. */
  restoreOriginal?: boolean | undefined;
}

export interface UpdateActivityOptionsResponse {
  activityOptions: ActivityOptions;
}

/** Activities of a workflow that runs. */
export interface PendingActivityMethods {
  pauseActivity: { request: PauseActivityRequest; response: Empty };
  unpauseActivity: { request: UnpauseActivityRequest; response: Empty };
  resetActivity: { request: ResetActivityRequest; response: Empty };
  updateActivityOptions: { request: UpdateActivityOptionsRequest; response: UpdateActivityOptionsResponse };
}
