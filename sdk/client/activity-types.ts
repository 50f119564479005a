// Options and answers of activities without a workflow, with `@temporalio/client`'s names.

import * as wire from '../../src/wire/activity.ts';
import { PendingActivityState as WireState } from '../../src/wire/enums.ts';
import { enumConverters } from '../common/enums.ts';
import type { ActivityFlowControl } from '../common/flow-control.ts';
import type { Priority } from '../common/priority.ts';
import type { RetryPolicy } from '../common/retry-policy.ts';
import type { SearchAttributePair, TypedSearchAttributes } from '../common/search-attributes.ts';
import type { Duration } from '../common/time.ts';
import type { WorkerDeploymentVersion } from '../common/worker-deployments.ts';

/** What becomes of a start under the id of an activity that has closed. */
export const ActivityIdReusePolicy = {
  ALLOW_DUPLICATE: 'ALLOW_DUPLICATE',
  ALLOW_DUPLICATE_FAILED_ONLY: 'ALLOW_DUPLICATE_FAILED_ONLY',
  REJECT_DUPLICATE: 'REJECT_DUPLICATE',
} as const;
export type ActivityIdReusePolicy = (typeof ActivityIdReusePolicy)[keyof typeof ActivityIdReusePolicy];
export const [encodeActivityIdReusePolicy, decodeActivityIdReusePolicy] = enumConverters(
  ['ALLOW_DUPLICATE', 'ALLOW_DUPLICATE_FAILED_ONLY', 'REJECT_DUPLICATE'],
  wire.ActivityIdReusePolicy,
  'ACTIVITY_ID_REUSE_POLICY_',
);

/** What becomes of a start under the id of an activity that runs. */
export const ActivityIdConflictPolicy = { FAIL: 'FAIL', USE_EXISTING: 'USE_EXISTING' } as const;
export type ActivityIdConflictPolicy = (typeof ActivityIdConflictPolicy)[keyof typeof ActivityIdConflictPolicy];
export const [encodeActivityIdConflictPolicy, decodeActivityIdConflictPolicy] = enumConverters(
  ['FAIL', 'USE_EXISTING'],
  wire.ActivityIdConflictPolicy,
  'ACTIVITY_ID_CONFLICT_POLICY_',
);

export const ActivityExecutionStatus = {
  RUNNING: 'RUNNING',
  COMPLETED: 'COMPLETED',
  FAILED: 'FAILED',
  CANCELED: 'CANCELED',
  TERMINATED: 'TERMINATED',
  TIMED_OUT: 'TIMED_OUT',
  PAUSED: 'PAUSED',
} as const;
export type ActivityExecutionStatus = (typeof ActivityExecutionStatus)[keyof typeof ActivityExecutionStatus];
export const [encodeActivityExecutionStatus, decodeActivityExecutionStatus] = enumConverters(
  ['RUNNING', 'COMPLETED', 'FAILED', 'CANCELED', 'TERMINATED', 'TIMED_OUT', 'PAUSED'],
  wire.ActivityExecutionStatus,
  'ACTIVITY_EXECUTION_STATUS_',
);

export const PendingActivityState = {
  SCHEDULED: 'SCHEDULED',
  STARTED: 'STARTED',
  CANCEL_REQUESTED: 'CANCEL_REQUESTED',
  PAUSED: 'PAUSED',
  PAUSE_REQUESTED: 'PAUSE_REQUESTED',
} as const;
export type PendingActivityState = (typeof PendingActivityState)[keyof typeof PendingActivityState];
export const [encodePendingActivityState, decodePendingActivityState] = enumConverters(
  ['SCHEDULED', 'STARTED', 'CANCEL_REQUESTED', 'PAUSED', 'PAUSE_REQUESTED'],
  WireState,
  'PENDING_ACTIVITY_STATE_',
);

/** One of `startToCloseTimeout` and `scheduleToCloseTimeout` is needed. */
export interface ActivityOptions {
  /** Its identity: at most one activity of it runs. At most 1,000 bytes. */
  id: string;
  /** The queue of the workers that run it. */
  taskQueue: string;
  args?: readonly unknown[] | undefined;
  /** A worker that is silent for longer has lost it. */
  heartbeatTimeout?: Duration | undefined;
  /** Default: 1 s, doubled each time up to 100 s, without an end. */
  retry?: RetryPolicy | undefined;
  /** Of one attempt. */
  startToCloseTimeout?: Duration | undefined;
  /** From being ready to being taken by a worker; not retried. */
  scheduleToStartTimeout?: Duration | undefined;
  /** Of all attempts together. */
  scheduleToCloseTimeout?: Duration | undefined;
  /** One line for people. */
  summary?: string | undefined;
  /** More for people, of several lines; Temporal's client cannot set it, its command can. */
  staticDetails?: string | undefined;
  priority?: Priority | undefined;
  /** Before the first attempt. */
  startDelay?: Duration | undefined;
  /** Default: ALLOW_DUPLICATE. */
  idReusePolicy?: ActivityIdReusePolicy | undefined;
  /** Default: FAIL. */
  idConflictPolicy?: ActivityIdConflictPolicy | undefined;
  typedSearchAttributes?: SearchAttributePair[] | TypedSearchAttributes | undefined;
  /** How many of one key run at a time, and how often they begin: together with the activities of workflows that name it. */
  flowControl?: ActivityFlowControl | undefined;
}

/** Absent: stays as it is; null: none any more. */
export interface ActivityOptionsUpdate {
  taskQueue?: string | undefined;
  scheduleToCloseTimeout?: Duration | null | undefined;
  scheduleToStartTimeout?: Duration | null | undefined;
  startToCloseTimeout?: Duration | null | undefined;
  heartbeatTimeout?: Duration | null | undefined;
  retry?: RetryPolicy | null | undefined;
  priority?: Priority | null | undefined;
  /** From its start, until the first attempt is put on its queue: then it is refused with FAILED_PRECONDITION. */
  startDelay?: Duration | null | undefined;
}

export type ActivityOptionsUpdateResult = {
  [K in keyof ActivityOptionsUpdate]: Exclude<ActivityOptionsUpdate[K], null>;
};

/** What of it the description holds besides; each costs bytes. */
export interface ActivityDescribeOptions {
  includeInput?: boolean | undefined;
  includeOutcome?: boolean | undefined;
  includeHeartbeatDetails?: boolean | undefined;
  includeLastFailure?: boolean | undefined;
}

export interface ActivityPauseOptions {
  reason?: string | undefined;
}

export interface ActivityUnpauseOptions {
  /** For interceptors: the server does not keep it. */
  reason?: string | undefined;
  /** It goes on after a random part of this. Default: at once. */
  jitter?: Duration | undefined;
}

export interface GetActivityHandleOptions {
  /** Default: the latest of its id. */
  runId?: string | undefined;
}

/** As the server sends them; of the same content as the official client's, in this protocol's shape: flat, times in epoch ms. */
export type RawActivityExecutionInfo = wire.ActivityExecutionInfo;
export type RawActivityExecutionListInfo = wire.ActivityExecutionListInfo;

/** Of a list. */
export interface ActivityExecutionInfo {
  rawListInfo?: RawActivityExecutionListInfo | undefined;
  activityId: string;
  activityRunId: string;
  activityType: string;
  scheduleTime?: Date | undefined;
  closeTime?: Date | undefined;
  status: ActivityExecutionStatus;
  typedSearchAttributes: TypedSearchAttributes;
  taskQueue: string;
  executionDurationMs?: number | undefined;
  executionTime?: Date | undefined;
}

/** Getters of what is not there, or was not asked for, give undefined. */
export interface ActivityExecutionDescription extends ActivityExecutionInfo {
  rawInfo: RawActivityExecutionInfo;
  /** An activity without a workflow calls nobody back when it ends: none. */
  rawCallbacks: readonly never[];
  /** While it is open. */
  runState?: PendingActivityState | undefined;
  scheduleToCloseTimeoutMs?: number | undefined;
  scheduleToStartTimeoutMs?: number | undefined;
  startToCloseTimeoutMs?: number | undefined;
  heartbeatTimeoutMs?: number | undefined;
  retryPolicy: RetryPolicy;
  lastHeartbeatTime?: Date | undefined;
  lastStartedTime?: Date | undefined;
  attempt: number;
  expirationTime?: Date | undefined;
  lastWorkerIdentity?: string | undefined;
  /** Of the worker that had the last attempt, if it was chosen by its version. */
  lastDeploymentVersion?: WorkerDeploymentVersion | undefined;
  /** As many as reached the server, of all attempts: workers send fewer than activities make. */
  totalHeartbeatCount?: number | undefined;
  currentRetryIntervalMs?: number | undefined;
  lastAttemptCompleteTime?: Date | undefined;
  nextAttemptScheduleTime?: Date | undefined;
  priority: Priority;
  canceledReason?: string | undefined;
  startDelayMs?: number | undefined;
  /** While it is open, where it names a key. `queued`: its attempt waits for that; `none`: no attempt waits or runs. */
  flowControl?: { key: string; scope: 'namespace' | 'taskQueue'; state: 'queued' | 'held' | 'none' } | undefined;
  hasHeartbeatDetails: boolean;
  hasLastFailure: boolean;
  hasInput: boolean;
  hasResult: boolean;
  hasOutcomeFailure: boolean;
  getHeartbeatDetails<T = unknown>(): Promise<T | undefined>;
  getLastFailure(): Promise<Error | undefined>;
  getInput<T extends unknown[] = unknown[]>(): Promise<T | undefined>;
  getResult<T = unknown>(): Promise<T | undefined>;
  getOutcomeFailure(): Promise<Error | undefined>;
  staticSummary(): Promise<string | undefined>;
  staticDetails(): Promise<string | undefined>;
}

export interface CountActivityExecutions {
  count: number;
  groups: { count: number; groupValues: unknown[] }[];
}
