// What there is to tell of a workflow execution. Times are epoch milliseconds, durations milliseconds.

import type {
  Callback,
  Memo,
  Payloads,
  Priority,
  ResetPointInfo,
  RetryPolicy,
  SearchAttributes,
  UserMetadata,
  VersioningOverride,
  WorkerDeploymentVersion,
  WorkerVersionStamp,
} from './common.ts';
import type {
  CallbackState,
  EventType,
  NexusOperationCancellationState,
  ParentClosePolicy,
  PendingNexusOperationState,
  PendingWorkflowTaskState,
  VersioningBehavior,
  WorkflowExecutionStatus,
  WorkflowTaskFailedCause,
} from './enums.ts';
import type { Failure } from './failure.ts';
import type { ExecutionFlowControl } from './flow-control.ts';
import type { ActivityOptions, PendingActivityInfo } from './pending-activity.ts';
import type { ListedSchedule } from './schedule.ts';

export interface WorkflowExecutionInfo {
  workflowId: string;
  runId: string;
  workflowType: string;
  taskQueue: string;
  status: WorkflowExecutionStatus;
  /** Epoch ms. */
  startTime: number;
  /** When the first workflow task may run: start plus delay or back-off. */
  executionTime: number;
  closeTime?: number | undefined;
  historyLength: number;
  historySizeBytes: number;
  memo?: Memo | undefined;
  searchAttributes?: SearchAttributes | undefined;
  parentNamespace?: string | undefined;
  /** Of its description alone, not in lists. */
  parentNamespaceId?: string | undefined;
  parentWorkflowId?: string | undefined;
  parentRunId?: string | undefined;
  rootWorkflowId?: string | undefined;
  rootRunId?: string | undefined;
  firstRunId: string;
  stateTransitionCount?: number | undefined;
  /** ms; set once closed. */
  executionDuration?: number | undefined;
  /** In a list of schedules, between nodes: what stands behind this entry. */
  schedule?: ListedSchedule | undefined;
  /** Absent: its start named none. */
  priority?: Priority | undefined;
}

/** A child that was asked for and has not closed. */
export interface PendingChildInfo {
  workflowId: string;
  /** First run of its chain; absent until it is known to have started. */
  runId?: string | undefined;
  workflowType: string;
  /** Event of the parent's history that asked for it. */
  initiatedEventId: number;
  parentClosePolicy: ParentClosePolicy;
}

export interface PendingWorkflowTaskInfo {
  state: PendingWorkflowTaskState;
  scheduledTime: number;
  originalScheduledTime: number;
  startedTime?: number | undefined;
  attempt: number;
  /** Epoch ms: no worker gets it before (back-off after repeated failures). */
  notBefore?: number | undefined;
  /** How the attempt before it ended; absent when that one succeeded. Not part of Temporal's API. */
  lastFailure?: WorkflowTaskFailureInfo | undefined;
}

export interface WorkflowTaskFailureInfo {
  attempt: number;
  time: number;
  /** Absent: the worker did not answer in time. */
  cause?: WorkflowTaskFailedCause | undefined;
  /** Shortened. */
  message: string;
  workerIdentity: string;
}

/** A callback of a run, and how far it has come. Times in epoch ms. */
export interface CallbackInfo {
  callback: Callback;
  trigger: { workflowClosed: object } | { updateWorkflowExecutionCompleted: { updateId: string } };
  registrationTime: number;
  state: CallbackState;
  attempt: number;
  lastAttemptCompleteTime?: number | undefined;
  lastAttemptFailure?: Failure | undefined;
  nextAttemptScheduleTime?: number | undefined;
}

/** Times in epoch ms, durations in ms; 0: none. */
export interface PendingNexusOperationInfo {
  endpoint: string;
  service: string;
  operation: string;
  operationToken?: string | undefined;
  scheduledEventId: number;
  scheduledTime: number;
  state: PendingNexusOperationState;
  attempt: number;
  lastAttemptCompleteTime?: number | undefined;
  lastAttemptFailure?: Failure | undefined;
  nextAttemptScheduleTime?: number | undefined;
  /** Of a blocked one: its destination has failed too often. */
  blockedReason?: string | undefined;
  scheduleToCloseTimeout: number;
  scheduleToStartTimeout: number;
  startToCloseTimeout: number;
  cancellationInfo?: NexusOperationCancellationInfo | undefined;
}

export interface NexusOperationCancellationInfo {
  state: NexusOperationCancellationState;
  attempt: number;
  lastAttemptCompleteTime?: number | undefined;
  lastAttemptFailure?: Failure | undefined;
  nextAttemptScheduleTime?: number | undefined;
  blockedReason?: string | undefined;
}

/** What a run's tasks go by. */
export interface WorkflowVersioningInfo {
  behavior: VersioningBehavior;
  /** That completed the latest workflow task, or was inherited. */
  deploymentVersion?: WorkerDeploymentVersion | undefined;
  /** The same as one text, for older clients. */
  version?: string | undefined;
  versioningOverride?: VersioningOverride | undefined;
  /** A task of it is on its way to another version. */
  versionTransition?: { deploymentVersion?: WorkerDeploymentVersion | undefined; version: string } | undefined;
}

/** What else is known of a run. Times are epoch ms. */
export interface WorkflowExecutionExtendedInfo {
  /** Of all its chain; absent: never. */
  executionExpirationTime?: number | undefined;
  /** Absent: never. */
  runExpirationTime?: number | undefined;
  cancelRequested: boolean;
  /** When the run was started. */
  originalStartTime: number;
  /** When the run began, if by a reset. */
  lastResetTime?: number | undefined;
  /** What the run was reset to last; absent: it was not, or that one has gone on as another run since. */
  resetRunId?: string | undefined;
  /** By the ids of requests: the events they became. */
  /** Of an event that waits for a workflow task to end: `buffered`, and no id yet (0). */
  requestIdInfos?: Record<string, { eventType: EventType; eventId: number; buffered?: boolean }> | undefined;
  pauseInfo?: DescribeWorkflowExecutionResponse['pauseInfo'];
}

export interface DescribeWorkflowExecutionResponse {
  executionConfig: {
    taskQueue: string;
    workflowExecutionTimeout: number;
    workflowRunTimeout: number;
    defaultWorkflowTaskTimeout: number;
    userMetadata?: UserMetadata | undefined;
    retryPolicy?: RetryPolicy | undefined;
  };
  workflowExecutionInfo: WorkflowExecutionInfo;
  pendingActivities: PendingActivityInfo[];
  pendingWorkflowTask?: PendingWorkflowTaskInfo | undefined;
  pendingTimers: { timerId: string; fireTime: number }[];
  pendingChildren: PendingChildInfo[];
  /** Cancellation was requested, the run has not closed yet. */
  cancelRequested: boolean;
  /** Set while it is paused. */
  pauseInfo?: { identity: string /** Epoch ms. */; pausedTime: number; reason: string } | undefined;
  /** Where the run can be reset to by build: one point for each build that completed workflow tasks. */
  autoResetPoints: ResetPointInfo[];
  callbacks: CallbackInfo[];
  pendingNexusOperations: PendingNexusOperationInfo[];
  /** Of the request that started this run; absent for a run that followed another, or was started by a server. */
  startRequestId?: string | undefined;
  /** Absent where no worker, and nobody else, has said anything of deployment versions. */
  versioningInfo?: WorkflowVersioningInfo | undefined;
  /** Of the worker that completed the latest workflow task; absent before the first that names a build. */
  mostRecentWorkerVersionStamp?: WorkerVersionStamp | undefined;
  /** Absent: its start named no flow-control key. */
  flowControl?: ExecutionFlowControl | undefined;
  /** Only of an activity without a workflow, for the methods about those. */
  standalone?:
    | {
        heartbeats?: number | undefined;
        version?: { deploymentName: string; buildId: string } | undefined;
        /** Once it has closed: options as they were changed last, its last heartbeat, and the attempt that waited to begin, if one did. */
        end?:
          | {
              options?: ActivityOptions | undefined;
              heartbeatDetails?: Payloads | undefined;
              lastHeartbeatTime?: number | undefined;
              lastAttemptCompleteTime?: number | undefined;
              attempt?: number | undefined;
              lastFailure?: Failure | undefined;
              lastStartedTime?: number | undefined;
              identity?: string | undefined;
            }
          | undefined;
      }
    | undefined;
  /** Absent from a server of an earlier version. */
  workflowExtendedInfo?: WorkflowExecutionExtendedInfo | undefined;
}
