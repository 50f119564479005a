// Activity tasks, as they are pushed and answered. Times are epoch milliseconds, durations milliseconds.

import type { Empty, Header, Payloads, Priority, RetryPolicy } from './common.ts';
import type { Failure } from './failure.ts';
import type { NexusRequest } from './nexus.ts';

/** Push topic `activityTask`. */
export interface ActivityTask {
  workerId: string;
  token: Uint8Array;
  namespace: string;
  workflowId: string;
  runId: string;
  workflowType: string;
  activityId: string;
  activityType: string;
  input?: Payloads | undefined;
  header?: Header | undefined;
  heartbeatDetails?: Payloads | undefined;
  attempt: number;
  scheduledTime: number;
  currentAttemptScheduledTime: number;
  startedTime: number;
  scheduleToCloseTimeout: number;
  startToCloseTimeout: number;
  heartbeatTimeout: number;
  retryPolicy?: RetryPolicy | undefined;
  priority?: Priority | undefined;
  /** Set for a worker of Nexus services: it is no activity, but this. */
  nexus?: NexusRequest | undefined;
  /** Of an activity without a workflow; then workflow id, run id and workflow type are empty. */
  activityRunId?: string | undefined;
}

/** Push topic `cancelActivity`: cancellation was requested (or the activity is gone: its workflow closed, it timed out). */
export interface CancelActivityPush {
  workerId: string;
  token: Uint8Array;
  reason: 'cancelRequested' | 'notFound' | 'timedOut';
}

/** By task token, or by ids (asynchronous completion from a client). */
export type ActivityTarget =
  | { token: Uint8Array }
  | { namespace: string; workflowId: string; runId?: string | undefined; activityId: string };

export interface RespondActivityTaskCompletedRequest {
  target: ActivityTarget;
  identity: string;
  result?: Payloads | undefined;
  credit: number;
}

export interface RespondActivityTaskFailedRequest {
  target: ActivityTarget;
  identity: string;
  failure: Failure;
  lastHeartbeatDetails?: Payloads | undefined;
  credit: number;
}

export interface RespondActivityTaskCanceledRequest {
  target: ActivityTarget;
  identity: string;
  details?: Payloads | undefined;
  credit: number;
}

export interface RecordActivityTaskHeartbeatRequest {
  target: ActivityTarget;
  identity: string;
  details?: Payloads | undefined;
}

export interface RecordActivityTaskHeartbeatResponse {
  cancelRequested: boolean;
  /** The activity was paused, or reset, while this attempt runs: it may end, and the server decides what follows. */
  activityPaused: boolean;
  activityReset: boolean;
}

export interface ActivityTaskMethods {
  respondActivityTaskCompleted: { request: RespondActivityTaskCompletedRequest; response: Empty };
  respondActivityTaskFailed: { request: RespondActivityTaskFailedRequest; response: Empty };
  respondActivityTaskCanceled: { request: RespondActivityTaskCanceledRequest; response: Empty };
  recordActivityTaskHeartbeat: {
    request: RecordActivityTaskHeartbeatRequest;
    response: RecordActivityTaskHeartbeatResponse;
  };
}
