// Activities without a workflow at the doors: requests and answers, named as in the Temporal API but that types and queues are plain names.
// Times are epoch milliseconds, durations milliseconds.

import type { Empty, Header, Payloads, Priority, RetryPolicy, SearchAttributes, UserMetadata } from './common.ts';
import type { PendingActivityState, RetryState } from './enums.ts';
import type { Failure } from './failure.ts';
import type { FlowControl } from './flow-control.ts';
import type {
  PauseActivityRequest,
  PendingActivityInfo,
  ResetActivityRequest,
  UnpauseActivityRequest,
  UpdateActivityOptionsRequest,
  UpdateActivityOptionsResponse,
} from './pending-activity.ts';
import type { CountWorkflowExecutionsResponse } from './visibility.ts';

export const ActivityExecutionStatus = {
  UNSPECIFIED: 0,
  RUNNING: 1,
  COMPLETED: 2,
  FAILED: 3,
  CANCELED: 4,
  TERMINATED: 5,
  TIMED_OUT: 6,
  PAUSED: 7,
} as const;
export type ActivityExecutionStatus = (typeof ActivityExecutionStatus)[keyof typeof ActivityExecutionStatus];

export const ActivityIdReusePolicy = {
  UNSPECIFIED: 0,
  ALLOW_DUPLICATE: 1,
  ALLOW_DUPLICATE_FAILED_ONLY: 2,
  REJECT_DUPLICATE: 3,
} as const;
export type ActivityIdReusePolicy = (typeof ActivityIdReusePolicy)[keyof typeof ActivityIdReusePolicy];

export const ActivityIdConflictPolicy = { UNSPECIFIED: 0, FAIL: 1, USE_EXISTING: 2 } as const;
export type ActivityIdConflictPolicy = (typeof ActivityIdConflictPolicy)[keyof typeof ActivityIdConflictPolicy];

export interface ActivityExecutionTarget {
  namespace: string;
  activityId: string;
  /** Absent or empty: the latest. */
  runId?: string | undefined;
}

export interface StartActivityExecutionRequest {
  namespace: string;
  activityId: string;
  activityType: string;
  taskQueue: string;
  identity: string;
  /** A repeat returns the first answer. */
  requestId: string;
  /** One of schedule-to-close and start-to-close is needed. */
  scheduleToCloseTimeout?: number | undefined;
  scheduleToStartTimeout?: number | undefined;
  startToCloseTimeout?: number | undefined;
  heartbeatTimeout?: number | undefined;
  retryPolicy?: RetryPolicy | undefined;
  input?: Payloads | undefined;
  header?: Header | undefined;
  idReusePolicy?: ActivityIdReusePolicy | undefined;
  idConflictPolicy?: ActivityIdConflictPolicy | undefined;
  searchAttributes?: SearchAttributes | undefined;
  userMetadata?: UserMetadata | undefined;
  priority?: Priority | undefined;
  /** Before the first attempt. */
  startDelay?: number | undefined;
  /** Its attempts keep to this key's limits, with the activities of workflows that name it. */
  flowControl?: FlowControl | undefined;
}

export interface StartActivityExecutionResponse {
  runId: string;
  /** False: one that ran already is meant. */
  started: boolean;
}

/** Exactly one of the first two. */
export interface ActivityExecutionOutcome {
  result?: Payloads | undefined;
  failure?: Failure | undefined;
  /** Why a failure was not retried; absent where nothing says. */
  retryState?: RetryState | undefined;
}

export interface ActivityExecutionInfo {
  activityId: string;
  runId: string;
  activityType: string;
  status: ActivityExecutionStatus;
  /** While it is open. */
  runState?: PendingActivityState | undefined;
  taskQueue: string;
  /** 0: none. */
  scheduleToCloseTimeout: number;
  scheduleToStartTimeout: number;
  startToCloseTimeout: number;
  heartbeatTimeout: number;
  retryPolicy?: RetryPolicy | undefined;
  heartbeatDetails?: Payloads | undefined;
  lastHeartbeatTime?: number | undefined;
  lastStartedTime?: number | undefined;
  attempt: number;
  executionDuration?: number | undefined;
  scheduleTime: number;
  executionTime?: number | undefined;
  expirationTime?: number | undefined;
  closeTime?: number | undefined;
  lastFailure?: Failure | undefined;
  lastWorkerIdentity?: string | undefined;
  currentRetryInterval?: number | undefined;
  lastAttemptCompleteTime?: number | undefined;
  nextAttemptScheduleTime?: number | undefined;
  priority?: Priority | undefined;
  stateTransitionCount: number;
  searchAttributes?: SearchAttributes | undefined;
  header?: Header | undefined;
  userMetadata?: UserMetadata | undefined;
  canceledReason?: string | undefined;
  /** While it is open; `queued`: its attempt waits for the key. */
  flowControl?: PendingActivityInfo['flowControl'];
  startDelay?: number | undefined;
  /** Of all attempts, as many as reached the server; workers send fewer than activities make. */
  totalHeartbeatCount?: number | undefined;
  /** Of the worker that had the last attempt, if it was chosen by its version. */
  lastDeploymentVersion?: { deploymentName: string; buildId: string } | undefined;
}

export interface DescribeActivityExecutionRequest extends ActivityExecutionTarget {
  includeInput?: boolean | undefined;
  includeOutcome?: boolean | undefined;
  includeHeartbeatDetails?: boolean | undefined;
  includeLastFailure?: boolean | undefined;
  /** Of an earlier answer: waits until something is different. */
  longPollToken?: Uint8Array | undefined;
}

/** Empty: nothing changed while it was waited. */
export type DescribeActivityExecutionResponse =
  | { info?: undefined }
  | {
      runId: string;
      info: ActivityExecutionInfo;
      input?: Payloads | undefined;
      outcome?: ActivityExecutionOutcome | undefined;
      longPollToken: Uint8Array;
    };

/** Empty: it is not over yet. */
export interface PollActivityExecutionResponse {
  runId?: string | undefined;
  outcome?: ActivityExecutionOutcome | undefined;
}

export interface ActivityExecutionListInfo {
  activityId: string;
  runId: string;
  activityType: string;
  taskQueue: string;
  status: ActivityExecutionStatus;
  scheduleTime: number;
  executionTime?: number | undefined;
  closeTime?: number | undefined;
  executionDuration?: number | undefined;
  searchAttributes?: SearchAttributes | undefined;
  stateTransitionCount?: number | undefined;
}

export interface ListActivityExecutionsRequest {
  namespace: string;
  query?: string | undefined;
  pageSize?: number | undefined;
  nextPageToken?: Uint8Array | undefined;
}

export interface ListActivityExecutionsResponse {
  executions: ActivityExecutionListInfo[];
  nextPageToken?: Uint8Array | undefined;
}

/** Of `requestCancel…` and `terminateActivityExecution`. */
export interface EndActivityExecutionRequest extends ActivityExecutionTarget {
  identity: string;
  requestId: string;
  reason?: string | undefined;
}

/** Activities without a workflow. */
export interface ActivityExecutionMethods {
  /** ALREADY_EXISTS by the policies of the id. */
  startActivityExecution: { request: StartActivityExecutionRequest; response: StartActivityExecutionResponse };
  describeActivityExecution: { request: DescribeActivityExecutionRequest; response: DescribeActivityExecutionResponse };
  /** Waits for the outcome; without one when the time is over first. */
  pollActivityExecution: { request: ActivityExecutionTarget; response: PollActivityExecutionResponse };
  listActivityExecutions: { request: ListActivityExecutionsRequest; response: ListActivityExecutionsResponse };
  countActivityExecutions: {
    request: { namespace: string; query?: string | undefined };
    response: CountWorkflowExecutionsResponse;
  };
  /** FAILED_PRECONDITION for one that is over. */
  requestCancelActivityExecution: { request: EndActivityExecutionRequest; response: Empty };
  /** FAILED_PRECONDITION for one that is over. */
  terminateActivityExecution: { request: EndActivityExecutionRequest; response: Empty };
  /** One that runs is terminated first. */
  deleteActivityExecution: { request: ActivityExecutionTarget & { identity: string }; response: Empty };
  /** As the methods without `Execution`; with an empty workflow id the activity that has none is meant. */
  pauseActivityExecution: { request: PauseActivityRequest; response: Empty };
  unpauseActivityExecution: { request: UnpauseActivityRequest; response: Empty };
  resetActivityExecution: { request: ResetActivityRequest; response: Empty };
  updateActivityExecutionOptions: { request: UpdateActivityOptionsRequest; response: UpdateActivityOptionsResponse };
}
