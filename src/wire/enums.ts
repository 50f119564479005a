// The enums that events, commands and requests use, with the numbers of the Temporal API.
// In memory, on disk and on the wire an enum is its number; `enumName` gives the API's full name for people.

export const ApplicationErrorCategory = {
  UNSPECIFIED: 0,
  BENIGN: 1,
} as const;
export type ApplicationErrorCategory = (typeof ApplicationErrorCategory)[keyof typeof ApplicationErrorCategory];

export const BatchOperationType = {
  UNSPECIFIED: 0,
  TERMINATE: 1,
  CANCEL: 2,
  SIGNAL: 3,
  DELETE: 4,
  RESET: 5,
  UPDATE_EXECUTION_OPTIONS: 6,
  UNPAUSE_ACTIVITY: 7,
  UPDATE_ACTIVITY_OPTIONS: 8,
  RESET_ACTIVITY: 9,
  /** This one and the two after it: of activities without a workflow. */
  TERMINATE_ACTIVITY: 10,
  CANCEL_ACTIVITY: 11,
  DELETE_ACTIVITY: 12,
  /** Ours alone: the API has no such jobs, and no numbers near these. */
  PAUSE_ACTIVITY: 1001,
  PAUSE_WORKFLOW: 1002,
  UNPAUSE_WORKFLOW: 1003,
} as const;
export type BatchOperationType = (typeof BatchOperationType)[keyof typeof BatchOperationType];

export const ExecutionType = {
  UNSPECIFIED: 0,
  WORKFLOW: 1,
  /** An activity without a workflow. */
  ACTIVITY: 2,
} as const;
export type ExecutionType = (typeof ExecutionType)[keyof typeof ExecutionType];

export const BatchOperationState = {
  UNSPECIFIED: 0,
  RUNNING: 1,
  COMPLETED: 2,
  FAILED: 3,
} as const;
export type BatchOperationState = (typeof BatchOperationState)[keyof typeof BatchOperationState];

export const NamespaceState = {
  UNSPECIFIED: 0,
  REGISTERED: 1,
  DEPRECATED: 2,
  DELETED: 3,
} as const;
export type NamespaceState = (typeof NamespaceState)[keyof typeof NamespaceState];

export const CancelExternalWorkflowExecutionFailedCause = {
  UNSPECIFIED: 0,
  EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND: 1,
  NAMESPACE_NOT_FOUND: 2,
} as const;
export type CancelExternalWorkflowExecutionFailedCause =
  (typeof CancelExternalWorkflowExecutionFailedCause)[keyof typeof CancelExternalWorkflowExecutionFailedCause];

export const CommandType = {
  UNSPECIFIED: 0,
  SCHEDULE_ACTIVITY_TASK: 1,
  REQUEST_CANCEL_ACTIVITY_TASK: 2,
  START_TIMER: 3,
  COMPLETE_WORKFLOW_EXECUTION: 4,
  FAIL_WORKFLOW_EXECUTION: 5,
  CANCEL_TIMER: 6,
  CANCEL_WORKFLOW_EXECUTION: 7,
  REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION: 8,
  RECORD_MARKER: 9,
  CONTINUE_AS_NEW_WORKFLOW_EXECUTION: 10,
  START_CHILD_WORKFLOW_EXECUTION: 11,
  SIGNAL_EXTERNAL_WORKFLOW_EXECUTION: 12,
  UPSERT_WORKFLOW_SEARCH_ATTRIBUTES: 13,
  PROTOCOL_MESSAGE: 14,
  MODIFY_WORKFLOW_PROPERTIES: 16,
  SCHEDULE_NEXUS_OPERATION: 17,
  REQUEST_CANCEL_NEXUS_OPERATION: 18,
} as const;
export type CommandType = (typeof CommandType)[keyof typeof CommandType];

export const ContinueAsNewInitiator = {
  UNSPECIFIED: 0,
  WORKFLOW: 1,
  RETRY: 2,
  CRON_SCHEDULE: 3,
} as const;
export type ContinueAsNewInitiator = (typeof ContinueAsNewInitiator)[keyof typeof ContinueAsNewInitiator];

export const ContinueAsNewVersioningBehavior = {
  UNSPECIFIED: 0,
  AUTO_UPGRADE: 1,
  USE_RAMPING_VERSION: 2,
} as const;
export type ContinueAsNewVersioningBehavior =
  (typeof ContinueAsNewVersioningBehavior)[keyof typeof ContinueAsNewVersioningBehavior];

export const EventType = {
  UNSPECIFIED: 0,
  WORKFLOW_EXECUTION_STARTED: 1,
  WORKFLOW_EXECUTION_COMPLETED: 2,
  WORKFLOW_EXECUTION_FAILED: 3,
  WORKFLOW_EXECUTION_TIMED_OUT: 4,
  WORKFLOW_TASK_SCHEDULED: 5,
  WORKFLOW_TASK_STARTED: 6,
  WORKFLOW_TASK_COMPLETED: 7,
  WORKFLOW_TASK_TIMED_OUT: 8,
  WORKFLOW_TASK_FAILED: 9,
  ACTIVITY_TASK_SCHEDULED: 10,
  ACTIVITY_TASK_STARTED: 11,
  ACTIVITY_TASK_COMPLETED: 12,
  ACTIVITY_TASK_FAILED: 13,
  ACTIVITY_TASK_TIMED_OUT: 14,
  ACTIVITY_TASK_CANCEL_REQUESTED: 15,
  ACTIVITY_TASK_CANCELED: 16,
  TIMER_STARTED: 17,
  TIMER_FIRED: 18,
  TIMER_CANCELED: 19,
  WORKFLOW_EXECUTION_CANCEL_REQUESTED: 20,
  WORKFLOW_EXECUTION_CANCELED: 21,
  REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED: 22,
  REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED: 23,
  EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED: 24,
  MARKER_RECORDED: 25,
  WORKFLOW_EXECUTION_SIGNALED: 26,
  WORKFLOW_EXECUTION_TERMINATED: 27,
  WORKFLOW_EXECUTION_CONTINUED_AS_NEW: 28,
  START_CHILD_WORKFLOW_EXECUTION_INITIATED: 29,
  START_CHILD_WORKFLOW_EXECUTION_FAILED: 30,
  CHILD_WORKFLOW_EXECUTION_STARTED: 31,
  CHILD_WORKFLOW_EXECUTION_COMPLETED: 32,
  CHILD_WORKFLOW_EXECUTION_FAILED: 33,
  CHILD_WORKFLOW_EXECUTION_CANCELED: 34,
  CHILD_WORKFLOW_EXECUTION_TIMED_OUT: 35,
  CHILD_WORKFLOW_EXECUTION_TERMINATED: 36,
  SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED: 37,
  SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED: 38,
  EXTERNAL_WORKFLOW_EXECUTION_SIGNALED: 39,
  UPSERT_WORKFLOW_SEARCH_ATTRIBUTES: 40,
  WORKFLOW_EXECUTION_UPDATE_ADMITTED: 47,
  WORKFLOW_EXECUTION_UPDATE_ACCEPTED: 41,
  WORKFLOW_EXECUTION_UPDATE_REJECTED: 42,
  WORKFLOW_EXECUTION_UPDATE_COMPLETED: 43,
  WORKFLOW_PROPERTIES_MODIFIED_EXTERNALLY: 44,
  ACTIVITY_PROPERTIES_MODIFIED_EXTERNALLY: 45,
  WORKFLOW_PROPERTIES_MODIFIED: 46,
  NEXUS_OPERATION_SCHEDULED: 48,
  NEXUS_OPERATION_STARTED: 49,
  NEXUS_OPERATION_COMPLETED: 50,
  NEXUS_OPERATION_FAILED: 51,
  NEXUS_OPERATION_CANCELED: 52,
  NEXUS_OPERATION_TIMED_OUT: 53,
  NEXUS_OPERATION_CANCEL_REQUESTED: 54,
  WORKFLOW_EXECUTION_OPTIONS_UPDATED: 55,
  NEXUS_OPERATION_CANCEL_REQUEST_COMPLETED: 56,
  NEXUS_OPERATION_CANCEL_REQUEST_FAILED: 57,
  WORKFLOW_EXECUTION_PAUSED: 58,
  WORKFLOW_EXECUTION_UNPAUSED: 59,
  WORKFLOW_EXECUTION_TIME_SKIPPING_TRANSITIONED: 60,
} as const;
export type EventType = (typeof EventType)[keyof typeof EventType];

export const HistoryEventFilterType = {
  UNSPECIFIED: 0,
  ALL_EVENT: 1,
  CLOSE_EVENT: 2,
} as const;
export type HistoryEventFilterType = (typeof HistoryEventFilterType)[keyof typeof HistoryEventFilterType];

export const IndexedValueType = {
  UNSPECIFIED: 0,
  TEXT: 1,
  KEYWORD: 2,
  INT: 3,
  DOUBLE: 4,
  BOOL: 5,
  DATETIME: 6,
  KEYWORD_LIST: 7,
} as const;
export type IndexedValueType = (typeof IndexedValueType)[keyof typeof IndexedValueType];

export const NexusHandlerErrorRetryBehavior = {
  UNSPECIFIED: 0,
  RETRYABLE: 1,
  NON_RETRYABLE: 2,
} as const;
export type NexusHandlerErrorRetryBehavior =
  (typeof NexusHandlerErrorRetryBehavior)[keyof typeof NexusHandlerErrorRetryBehavior];

export const ParentClosePolicy = {
  UNSPECIFIED: 0,
  TERMINATE: 1,
  ABANDON: 2,
  REQUEST_CANCEL: 3,
} as const;
export type ParentClosePolicy = (typeof ParentClosePolicy)[keyof typeof ParentClosePolicy];

export const PendingActivityState = {
  UNSPECIFIED: 0,
  SCHEDULED: 1,
  STARTED: 2,
  CANCEL_REQUESTED: 3,
  PAUSED: 4,
  PAUSE_REQUESTED: 5,
} as const;
export type PendingActivityState = (typeof PendingActivityState)[keyof typeof PendingActivityState];

export const PendingWorkflowTaskState = {
  UNSPECIFIED: 0,
  SCHEDULED: 1,
  STARTED: 2,
} as const;
export type PendingWorkflowTaskState = (typeof PendingWorkflowTaskState)[keyof typeof PendingWorkflowTaskState];

export const PinnedOverrideBehavior = {
  UNSPECIFIED: 0,
  PINNED: 1,
} as const;
export type PinnedOverrideBehavior = (typeof PinnedOverrideBehavior)[keyof typeof PinnedOverrideBehavior];

export const QueryRejectCondition = {
  UNSPECIFIED: 0,
  NONE: 1,
  NOT_OPEN: 2,
  NOT_COMPLETED_CLEANLY: 3,
} as const;
export type QueryRejectCondition = (typeof QueryRejectCondition)[keyof typeof QueryRejectCondition];

export const QueryResultType = {
  UNSPECIFIED: 0,
  ANSWERED: 1,
  FAILED: 2,
} as const;
export type QueryResultType = (typeof QueryResultType)[keyof typeof QueryResultType];

export const RetryState = {
  UNSPECIFIED: 0,
  IN_PROGRESS: 1,
  NON_RETRYABLE_FAILURE: 2,
  TIMEOUT: 3,
  MAXIMUM_ATTEMPTS_REACHED: 4,
  RETRY_POLICY_NOT_SET: 5,
  INTERNAL_SERVER_ERROR: 6,
  CANCEL_REQUESTED: 7,
} as const;
export type RetryState = (typeof RetryState)[keyof typeof RetryState];

export const ScheduleOverlapPolicy = {
  UNSPECIFIED: 0,
  SKIP: 1,
  BUFFER_ONE: 2,
  BUFFER_ALL: 3,
  CANCEL_OTHER: 4,
  TERMINATE_OTHER: 5,
  ALLOW_ALL: 6,
} as const;
export type ScheduleOverlapPolicy = (typeof ScheduleOverlapPolicy)[keyof typeof ScheduleOverlapPolicy];

export const SignalExternalWorkflowExecutionFailedCause = {
  UNSPECIFIED: 0,
  EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND: 1,
  NAMESPACE_NOT_FOUND: 2,
  SIGNAL_COUNT_LIMIT_EXCEEDED: 3,
} as const;
export type SignalExternalWorkflowExecutionFailedCause =
  (typeof SignalExternalWorkflowExecutionFailedCause)[keyof typeof SignalExternalWorkflowExecutionFailedCause];

export const StartChildWorkflowExecutionFailedCause = {
  UNSPECIFIED: 0,
  WORKFLOW_ALREADY_EXISTS: 1,
  NAMESPACE_NOT_FOUND: 2,
  INVALID_VERSIONING_OVERRIDE: 3,
} as const;
export type StartChildWorkflowExecutionFailedCause =
  (typeof StartChildWorkflowExecutionFailedCause)[keyof typeof StartChildWorkflowExecutionFailedCause];

export const SuggestContinueAsNewReason = {
  UNSPECIFIED: 0,
  HISTORY_SIZE_TOO_LARGE: 1,
  TOO_MANY_HISTORY_EVENTS: 2,
  TOO_MANY_UPDATES: 3,
} as const;
export type SuggestContinueAsNewReason = (typeof SuggestContinueAsNewReason)[keyof typeof SuggestContinueAsNewReason];

export const TaskQueueKind = {
  UNSPECIFIED: 0,
  NORMAL: 1,
  STICKY: 2,
  WORKER_COMMANDS: 3,
} as const;
export type TaskQueueKind = (typeof TaskQueueKind)[keyof typeof TaskQueueKind];

export const TimeoutType = {
  UNSPECIFIED: 0,
  START_TO_CLOSE: 1,
  SCHEDULE_TO_START: 2,
  SCHEDULE_TO_CLOSE: 3,
  HEARTBEAT: 4,
} as const;
export type TimeoutType = (typeof TimeoutType)[keyof typeof TimeoutType];

export const UpdateAdmittedEventOrigin = {
  UNSPECIFIED: 0,
  REAPPLY: 1,
} as const;
export type UpdateAdmittedEventOrigin = (typeof UpdateAdmittedEventOrigin)[keyof typeof UpdateAdmittedEventOrigin];

/** How far an update has come, and how far a caller waits for it. */
export const UpdateWorkflowExecutionLifecycleStage = {
  UNSPECIFIED: 0,
  ADMITTED: 1,
  ACCEPTED: 2,
  COMPLETED: 3,
} as const;
export type UpdateWorkflowExecutionLifecycleStage =
  (typeof UpdateWorkflowExecutionLifecycleStage)[keyof typeof UpdateWorkflowExecutionLifecycleStage];

export const VersioningBehavior = {
  UNSPECIFIED: 0,
  PINNED: 1,
  AUTO_UPGRADE: 2,
} as const;
export type VersioningBehavior = (typeof VersioningBehavior)[keyof typeof VersioningBehavior];

export const WorkflowExecutionStatus = {
  UNSPECIFIED: 0,
  RUNNING: 1,
  COMPLETED: 2,
  FAILED: 3,
  CANCELED: 4,
  TERMINATED: 5,
  CONTINUED_AS_NEW: 6,
  TIMED_OUT: 7,
  PAUSED: 8,
} as const;
export type WorkflowExecutionStatus = (typeof WorkflowExecutionStatus)[keyof typeof WorkflowExecutionStatus];

export const WorkflowIdConflictPolicy = {
  UNSPECIFIED: 0,
  FAIL: 1,
  USE_EXISTING: 2,
  TERMINATE_EXISTING: 3,
} as const;
export type WorkflowIdConflictPolicy = (typeof WorkflowIdConflictPolicy)[keyof typeof WorkflowIdConflictPolicy];

export const WorkflowIdReusePolicy = {
  UNSPECIFIED: 0,
  ALLOW_DUPLICATE: 1,
  ALLOW_DUPLICATE_FAILED_ONLY: 2,
  REJECT_DUPLICATE: 3,
  TERMINATE_IF_RUNNING: 4,
} as const;
export type WorkflowIdReusePolicy = (typeof WorkflowIdReusePolicy)[keyof typeof WorkflowIdReusePolicy];

export const WorkflowTaskFailedCause = {
  UNSPECIFIED: 0,
  UNHANDLED_COMMAND: 1,
  BAD_SCHEDULE_ACTIVITY_ATTRIBUTES: 2,
  BAD_REQUEST_CANCEL_ACTIVITY_ATTRIBUTES: 3,
  BAD_START_TIMER_ATTRIBUTES: 4,
  BAD_CANCEL_TIMER_ATTRIBUTES: 5,
  BAD_RECORD_MARKER_ATTRIBUTES: 6,
  BAD_COMPLETE_WORKFLOW_EXECUTION_ATTRIBUTES: 7,
  BAD_FAIL_WORKFLOW_EXECUTION_ATTRIBUTES: 8,
  BAD_CANCEL_WORKFLOW_EXECUTION_ATTRIBUTES: 9,
  BAD_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_ATTRIBUTES: 10,
  BAD_CONTINUE_AS_NEW_ATTRIBUTES: 11,
  START_TIMER_DUPLICATE_ID: 12,
  RESET_STICKY_TASK_QUEUE: 13,
  WORKFLOW_WORKER_UNHANDLED_FAILURE: 14,
  BAD_SIGNAL_WORKFLOW_EXECUTION_ATTRIBUTES: 15,
  BAD_START_CHILD_EXECUTION_ATTRIBUTES: 16,
  FORCE_CLOSE_COMMAND: 17,
  FAILOVER_CLOSE_COMMAND: 18,
  BAD_SIGNAL_INPUT_SIZE: 19,
  RESET_WORKFLOW: 20,
  BAD_BINARY: 21,
  SCHEDULE_ACTIVITY_DUPLICATE_ID: 22,
  BAD_SEARCH_ATTRIBUTES: 23,
  NON_DETERMINISTIC_ERROR: 24,
  BAD_MODIFY_WORKFLOW_PROPERTIES_ATTRIBUTES: 25,
  PENDING_CHILD_WORKFLOWS_LIMIT_EXCEEDED: 26,
  PENDING_ACTIVITIES_LIMIT_EXCEEDED: 27,
  PENDING_SIGNALS_LIMIT_EXCEEDED: 28,
  PENDING_REQUEST_CANCEL_LIMIT_EXCEEDED: 29,
  BAD_UPDATE_WORKFLOW_EXECUTION_MESSAGE: 30,
  UNHANDLED_UPDATE: 31,
  BAD_SCHEDULE_NEXUS_OPERATION_ATTRIBUTES: 32,
  PENDING_NEXUS_OPERATIONS_LIMIT_EXCEEDED: 33,
  BAD_REQUEST_CANCEL_NEXUS_OPERATION_ATTRIBUTES: 34,
  FEATURE_DISABLED: 35,
  GRPC_MESSAGE_TOO_LARGE: 36,
  PAYLOADS_TOO_LARGE: 37,
  EXTERNAL_STORAGE_FAILURE: 38,
  WORKFLOW_PAUSE_REQUESTED_BEFORE_TASK_STARTED: 39,
  REQUEST_TOO_LARGE: 40,
} as const;
export type WorkflowTaskFailedCause = (typeof WorkflowTaskFailedCause)[keyof typeof WorkflowTaskFailedCause];

/** Deprecated in the API, kept for its callers: which kinds a reset reapplies. */
export const ResetReapplyType = {
  UNSPECIFIED: 0,
  SIGNAL: 1,
  NONE: 2,
  ALL_ELIGIBLE: 3,
} as const;
export type ResetReapplyType = (typeof ResetReapplyType)[keyof typeof ResetReapplyType];

/** What a reset leaves behind of the events after its point. */
export const ResetReapplyExcludeType = {
  UNSPECIFIED: 0,
  SIGNAL: 1,
  UPDATE: 2,
  NEXUS: 3,
  CANCEL_REQUEST: 4,
} as const;
export type ResetReapplyExcludeType = (typeof ResetReapplyExcludeType)[keyof typeof ResetReapplyExcludeType];

export const CallbackState = {
  UNSPECIFIED: 0,
  STANDBY: 1,
  SCHEDULED: 2,
  BACKING_OFF: 3,
  FAILED: 4,
  SUCCEEDED: 5,
  BLOCKED: 6,
} as const;
export type CallbackState = (typeof CallbackState)[keyof typeof CallbackState];

export const PendingNexusOperationState = {
  UNSPECIFIED: 0,
  SCHEDULED: 1,
  BACKING_OFF: 2,
  STARTED: 3,
  BLOCKED: 4,
} as const;
export type PendingNexusOperationState = (typeof PendingNexusOperationState)[keyof typeof PendingNexusOperationState];

export const NexusOperationCancellationState = {
  UNSPECIFIED: 0,
  SCHEDULED: 1,
  BACKING_OFF: 2,
  SUCCEEDED: 3,
  FAILED: 4,
  TIMED_OUT: 5,
  BLOCKED: 6,
} as const;
export type NexusOperationCancellationState =
  (typeof NexusOperationCancellationState)[keyof typeof NexusOperationCancellationState];
/** A paused execution is as open as one that runs: it has not closed. */
export const isOpenStatus = (status: WorkflowExecutionStatus): boolean =>
  status === WorkflowExecutionStatus.RUNNING || status === WorkflowExecutionStatus.PAUSED;
