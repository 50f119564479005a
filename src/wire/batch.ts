// Batch jobs on the wire: one operation on many executions. Named as in the Temporal API's batch.v1 and its StartBatchOperationRequest.

import type { Empty, Header, Payloads } from './common.ts';
import type {
  BatchOperationState,
  BatchOperationType,
  ExecutionType,
  ResetReapplyExcludeType,
  ResetReapplyType,
} from './enums.ts';
import type { WorkflowExecutionOptions } from './execution.ts';
import type { ActivityOptions } from './pending-activity.ts';
import type { PostResetOperation } from './post-reset.ts';

export interface BatchTarget {
  workflowId: string;
  /** Absent or empty: the current run. */
  runId?: string | undefined;
}

/** A workflow, or an activity without one: of the kind that the job's operation is for. */
export interface BatchExecution {
  type: ExecutionType;
  /** The workflow's id, or the activity's. */
  businessId: string;
  /** Absent or empty: the current run. */
  runId?: string | undefined;
}

/** Where resets go back to, exactly one of the first four, and what of that which came since they leave behind. */
export interface ResetOptions {
  firstWorkflowTask?: object | undefined;
  lastWorkflowTask?: object | undefined;
  /** The event that ends the workflow task to do again, of each execution. */
  workflowTaskId?: number | undefined;
  /** Before the first workflow task that a worker of this build completed. */
  buildId?: string | undefined;
  /** With a build: not in an earlier run of the chain. */
  currentRunOnly?: boolean | undefined;
  /** Default: ALL_ELIGIBLE. */
  resetReapplyType?: ResetReapplyType | undefined;
  resetReapplyExcludeTypes?: ResetReapplyExcludeType[] | undefined;
}

/** Pending activities of each execution: exactly one of these is set. */
export interface BatchActivities {
  identity?: string | undefined;
  activityId?: string | undefined;
  type?: string | undefined;
  matchAll?: boolean | undefined;
}

/** Of activities without a workflow. */
export interface EndingOfActivities {
  identity?: string | undefined;
  /** What the activity is told, beside the reason of the job. */
  reason?: string | undefined;
}

/** What is done to each execution: exactly one of these is set. */
export interface BatchOperations {
  terminationOperation?: { details?: Payloads | undefined; identity?: string | undefined } | undefined;
  /** Those that are open are terminated first. */
  deletionOperation?: { identity?: string | undefined } | undefined;
  cancellationOperation?: { identity?: string | undefined } | undefined;
  signalOperation?:
    | { signal: string; input?: Payloads | undefined; header?: Header | undefined; identity?: string | undefined }
    | undefined;
  resetOperation?:
    | {
        options?: ResetOptions | undefined;
        /** Older than `options`: 1 first, 2 last workflow task. */
        resetType?: number | undefined;
        resetReapplyType?: ResetReapplyType | undefined;
        /** Done to each new run before its first task, one after the other; 100 at most. */
        postResetOperations?: PostResetOperation[] | undefined;
        identity?: string | undefined;
      }
    | undefined;
  updateWorkflowOptionsOperation?:
    | {
        workflowExecutionOptions?: WorkflowExecutionOptions | undefined;
        /** `versioningOverride`. */
        updateMask?: string[] | undefined;
        identity?: string | undefined;
      }
    | undefined;
  /** This one and the two after it are Tenuto's own: the Temporal API has no such jobs. */
  pauseWorkflowOperation?: { identity?: string | undefined } | undefined;
  unpauseWorkflowOperation?: { identity?: string | undefined } | undefined;
  pauseActivitiesOperation?: BatchActivities | undefined;
  unpauseActivitiesOperation?:
    | (BatchActivities & {
        resetAttempts?: boolean | undefined;
        resetHeartbeat?: boolean | undefined;
        /** ms: each activity goes on after a random part of it. */
        jitter?: number | undefined;
      })
    | undefined;
  resetActivitiesOperation?:
    | (BatchActivities & {
        /** Attempts always begin anew: there for clients that say so. */
        resetAttempts?: boolean | undefined;
        resetHeartbeat?: boolean | undefined;
        keepPaused?: boolean | undefined;
        restoreOriginalOptions?: boolean | undefined;
        /** ms */
        jitter?: number | undefined;
      })
    | undefined;
  updateActivityOptionsOperation?:
    | (BatchActivities & {
        activityOptions?: ActivityOptions | undefined;
        updateMask?: string[] | undefined;
        restoreOriginal?: boolean | undefined;
      })
    | undefined;
  /** This one and the two after it are for activities without a workflow: those are what the filter finds, or the names mean. */
  cancelActivitiesOperation?: EndingOfActivities | undefined;
  terminateActivitiesOperation?: EndingOfActivities | undefined;
  /** Those that run are terminated first. */
  deleteActivitiesOperation?: object | undefined;
}

export interface StartBatchOperationRequest extends BatchOperations {
  namespace: string;
  /** Names the job in its namespace while it is kept. */
  jobId: string;
  /** Why, for people; also of terminations and cancel requests. */
  reason: string;
  /** A list filter without ORDER BY. Either this, `executions` or `targetExecutions`. */
  visibilityQuery?: string | undefined;
  /** 1,000 at most. Where the operation is one for activities, `workflowId` is an activity's id. */
  executions?: BatchTarget[] | undefined;
  /** The same, and each says what it is; 1,000 at most. */
  targetExecutions?: BatchExecution[] | undefined;
  /** Default 50. */
  maxOperationsPerSecond?: number | undefined;
}

/** A job: what it is to do, and how far it has come. */
export interface BatchOperationInfo {
  operationType: BatchOperationType;
  jobId: string;
  state: BatchOperationState;
  /** Epoch ms. */
  startTime: number;
  closeTime?: number | undefined;
  /** Executions it is about; once it has completed, exactly those it came to. */
  totalOperationCount: number;
  completeOperationCount: number;
  failureOperationCount: number;
  identity: string;
  reason: string;
  /** Of a job by a filter. */
  query?: string | undefined;
  /** Why it ended before it was through: who stopped it and why, or what went wrong. */
  closeReason?: string | undefined;
}

export interface ListBatchOperationsRequest {
  namespace: string;
  /** Default 100, at most 1,000. */
  pageSize?: number | undefined;
  nextPageToken?: Uint8Array | undefined;
}

export interface ListBatchOperationsResponse {
  /** Newest first. */
  operationInfo: BatchOperationInfo[];
  nextPageToken?: Uint8Array | undefined;
}

export interface StopBatchOperationRequest {
  namespace: string;
  jobId: string;
  reason: string;
  identity?: string | undefined;
}

export interface BatchMethods {
  /** ALREADY_EXISTS while a job of that id is kept. */
  startBatchOperation: { request: StartBatchOperationRequest & { requestId?: string | undefined }; response: Empty };
  describeBatchOperation: { request: { namespace: string; jobId: string }; response: BatchOperationInfo };
  listBatchOperations: { request: ListBatchOperationsRequest; response: ListBatchOperationsResponse };
  /** NOT_FOUND for one that is over. */
  stopBatchOperation: { request: StopBatchOperationRequest; response: Empty };
}
