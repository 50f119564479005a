// The attributes of every event type, named as in the Temporal API (camelCase).
// Times are epoch milliseconds, durations milliseconds; an absent field means the API's default.

import type {
  ActivityType,
  Callback,
  Deployment,
  Header,
  InheritedAutoUpgradeInfo,
  Memo,
  MeteringMetadata,
  Payload,
  Payloads,
  Priority,
  ResetPoints,
  RetryPolicy,
  SearchAttributes,
  TaskQueue,
  TimeSkippingConfig,
  TimeSkippingStatePropagation,
  UpdateMeta,
  UpdateOutcome,
  UpdateRequest,
  VersioningOverride,
  WorkerDeploymentVersion,
  WorkerVersionStamp,
  WorkflowExecution,
  WorkflowTaskCompletedMetadata,
  WorkflowType,
} from './common.ts';
import type {
  CancelExternalWorkflowExecutionFailedCause,
  ContinueAsNewInitiator,
  ContinueAsNewVersioningBehavior,
  ParentClosePolicy,
  RetryState,
  SignalExternalWorkflowExecutionFailedCause,
  StartChildWorkflowExecutionFailedCause,
  SuggestContinueAsNewReason,
  TimeoutType,
  UpdateAdmittedEventOrigin,
  VersioningBehavior,
  WorkflowIdReusePolicy,
  WorkflowTaskFailedCause,
} from './enums.ts';
import type { Failure } from './failure.ts';
import type { FlowControl, GrantedFlowControl } from './flow-control.ts';

export interface WorkflowExecutionStartedEventAttributes {
  workflowType: WorkflowType;
  parentWorkflowNamespace?: string | undefined;
  parentWorkflowNamespaceId?: string | undefined;
  parentWorkflowExecution?: WorkflowExecution | undefined;
  parentInitiatedEventId?: number | undefined;
  taskQueue: TaskQueue;
  input?: Payloads | undefined;
  workflowExecutionTimeout?: number | undefined;
  workflowRunTimeout?: number | undefined;
  workflowTaskTimeout?: number | undefined;
  continuedExecutionRunId?: string | undefined;
  initiator?: ContinueAsNewInitiator | undefined;
  continuedFailure?: Failure | undefined;
  lastCompletionResult?: Payloads | undefined;
  originalExecutionRunId?: string | undefined;
  identity?: string | undefined;
  firstExecutionRunId?: string | undefined;
  retryPolicy?: RetryPolicy | undefined;
  attempt?: number | undefined;
  workflowExecutionExpirationTime?: number | undefined;
  cronSchedule?: string | undefined;
  firstWorkflowTaskBackoff?: number | undefined;
  memo?: Memo | undefined;
  searchAttributes?: SearchAttributes | undefined;
  prevAutoResetPoints?: ResetPoints | undefined;
  header?: Header | undefined;
  parentInitiatedEventVersion?: number | undefined;
  workflowId?: string | undefined;
  sourceVersionStamp?: WorkerVersionStamp | undefined;
  completionCallbacks?: Callback[] | undefined;
  rootWorkflowExecution?: WorkflowExecution | undefined;
  inheritedBuildId?: string | undefined;
  versioningOverride?: VersioningOverride | undefined;
  parentPinnedWorkerDeploymentVersion?: string | undefined;
  priority?: Priority | undefined;
  inheritedPinnedVersion?: WorkerDeploymentVersion | undefined;
  inheritedAutoUpgradeInfo?: InheritedAutoUpgradeInfo | undefined;
  eagerExecutionAccepted?: boolean | undefined;
  declinedTargetVersionUpgrade?: DeclinedTargetVersionUpgrade | undefined;
  timeSkippingConfig?: TimeSkippingConfig | undefined;
  timeSkippingStatePropagation?: TimeSkippingStatePropagation | undefined;
  /** Of the native door alone. */
  flowControl?: GrantedFlowControl | undefined;
}

export interface DeclinedTargetVersionUpgrade {
  deploymentVersion?: WorkerDeploymentVersion | undefined;
  revisionNumber?: number | undefined;
}

export interface WorkflowExecutionCompletedEventAttributes {
  result?: Payloads | undefined;
  workflowTaskCompletedEventId: number;
  newExecutionRunId?: string | undefined;
}

export interface WorkflowExecutionFailedEventAttributes {
  failure?: Failure | undefined;
  retryState?: RetryState | undefined;
  workflowTaskCompletedEventId: number;
  newExecutionRunId?: string | undefined;
}

export interface WorkflowExecutionTimedOutEventAttributes {
  retryState?: RetryState | undefined;
  newExecutionRunId?: string | undefined;
}

export interface WorkflowTaskScheduledEventAttributes {
  taskQueue: TaskQueue;
  startToCloseTimeout?: number | undefined;
  attempt?: number | undefined;
}

export interface WorkflowTaskStartedEventAttributes {
  scheduledEventId: number;
  identity?: string | undefined;
  requestId?: string | undefined;
  suggestContinueAsNew?: boolean | undefined;
  suggestContinueAsNewReasons?: SuggestContinueAsNewReason[] | undefined;
  targetWorkerDeploymentVersionChanged?: boolean | undefined;
  historySizeBytes?: number | undefined;
  workerVersion?: WorkerVersionStamp | undefined;
  buildIdRedirectCounter?: number | undefined;
}

export interface WorkflowTaskCompletedEventAttributes {
  scheduledEventId: number;
  startedEventId: number;
  identity?: string | undefined;
  binaryChecksum?: string | undefined;
  workerVersion?: WorkerVersionStamp | undefined;
  sdkMetadata?: WorkflowTaskCompletedMetadata | undefined;
  meteringMetadata?: MeteringMetadata | undefined;
  deployment?: Deployment | undefined;
  versioningBehavior?: VersioningBehavior | undefined;
  workerDeploymentVersion?: string | undefined;
  workerDeploymentName?: string | undefined;
  deploymentVersion?: WorkerDeploymentVersion | undefined;
}

export interface WorkflowTaskTimedOutEventAttributes {
  scheduledEventId: number;
  startedEventId: number;
  timeoutType?: TimeoutType | undefined;
}

export interface WorkflowTaskFailedEventAttributes {
  scheduledEventId: number;
  startedEventId: number;
  cause?: WorkflowTaskFailedCause | undefined;
  failure?: Failure | undefined;
  identity?: string | undefined;
  baseRunId?: string | undefined;
  newRunId?: string | undefined;
  forkEventVersion?: number | undefined;
  binaryChecksum?: string | undefined;
  workerVersion?: WorkerVersionStamp | undefined;
}

export interface ActivityTaskScheduledEventAttributes {
  activityId: string;
  activityType: ActivityType;
  taskQueue: TaskQueue;
  header?: Header | undefined;
  input?: Payloads | undefined;
  scheduleToCloseTimeout?: number | undefined;
  scheduleToStartTimeout?: number | undefined;
  startToCloseTimeout?: number | undefined;
  heartbeatTimeout?: number | undefined;
  workflowTaskCompletedEventId: number;
  retryPolicy?: RetryPolicy | undefined;
  useWorkflowBuildId?: boolean | undefined;
  priority?: Priority | undefined;
  /** Of the native door alone. */
  flowControl?: FlowControl | undefined;
}

export interface ActivityTaskStartedEventAttributes {
  scheduledEventId: number;
  identity?: string | undefined;
  requestId?: string | undefined;
  attempt?: number | undefined;
  lastFailure?: Failure | undefined;
  workerVersion?: WorkerVersionStamp | undefined;
  buildIdRedirectCounter?: number | undefined;
}

export interface ActivityTaskCompletedEventAttributes {
  result?: Payloads | undefined;
  scheduledEventId: number;
  startedEventId: number;
  identity?: string | undefined;
  workerVersion?: WorkerVersionStamp | undefined;
}

export interface ActivityTaskFailedEventAttributes {
  failure?: Failure | undefined;
  scheduledEventId: number;
  startedEventId: number;
  identity?: string | undefined;
  retryState?: RetryState | undefined;
  workerVersion?: WorkerVersionStamp | undefined;
}

export interface ActivityTaskTimedOutEventAttributes {
  failure?: Failure | undefined;
  scheduledEventId: number;
  startedEventId: number;
  retryState?: RetryState | undefined;
}

export interface TimerStartedEventAttributes {
  timerId: string;
  startToFireTimeout?: number | undefined;
  workflowTaskCompletedEventId: number;
}

export interface TimerFiredEventAttributes {
  timerId: string;
  startedEventId: number;
}

export interface ActivityTaskCancelRequestedEventAttributes {
  scheduledEventId: number;
  workflowTaskCompletedEventId: number;
}

export interface ActivityTaskCanceledEventAttributes {
  details?: Payloads | undefined;
  latestCancelRequestedEventId?: number | undefined;
  scheduledEventId: number;
  startedEventId: number;
  identity?: string | undefined;
  workerVersion?: WorkerVersionStamp | undefined;
}

export interface TimerCanceledEventAttributes {
  timerId: string;
  startedEventId: number;
  workflowTaskCompletedEventId: number;
  identity?: string | undefined;
}

export interface MarkerRecordedEventAttributes {
  markerName: string;
  details?: Record<string, Payloads> | undefined;
  workflowTaskCompletedEventId: number;
  header?: Header | undefined;
  failure?: Failure | undefined;
}

export interface WorkflowExecutionSignaledEventAttributes {
  signalName: string;
  input?: Payloads | undefined;
  identity?: string | undefined;
  header?: Header | undefined;
  skipGenerateWorkflowTask?: boolean | undefined;
  externalWorkflowExecution?: WorkflowExecution | undefined;
  requestId?: string | undefined;
}

export interface WorkflowExecutionTerminatedEventAttributes {
  reason?: string | undefined;
  details?: Payloads | undefined;
  identity?: string | undefined;
}

export interface WorkflowExecutionCancelRequestedEventAttributes {
  cause?: string | undefined;
  externalInitiatedEventId?: number | undefined;
  externalWorkflowExecution?: WorkflowExecution | undefined;
  identity?: string | undefined;
}

export interface WorkflowExecutionCanceledEventAttributes {
  workflowTaskCompletedEventId: number;
  details?: Payloads | undefined;
}

export interface RequestCancelExternalWorkflowExecutionInitiatedEventAttributes {
  workflowTaskCompletedEventId: number;
  namespace?: string | undefined;
  namespaceId?: string | undefined;
  workflowExecution: WorkflowExecution;
  control?: string | undefined;
  childWorkflowOnly?: boolean | undefined;
  reason?: string | undefined;
}

export interface RequestCancelExternalWorkflowExecutionFailedEventAttributes {
  cause?: CancelExternalWorkflowExecutionFailedCause | undefined;
  workflowTaskCompletedEventId: number;
  namespace?: string | undefined;
  namespaceId?: string | undefined;
  workflowExecution: WorkflowExecution;
  initiatedEventId: number;
  control?: string | undefined;
}

export interface ExternalWorkflowExecutionCancelRequestedEventAttributes {
  initiatedEventId: number;
  namespace?: string | undefined;
  namespaceId?: string | undefined;
  workflowExecution: WorkflowExecution;
}

export interface WorkflowExecutionContinuedAsNewEventAttributes {
  newExecutionRunId?: string | undefined;
  workflowType: WorkflowType;
  taskQueue: TaskQueue;
  input?: Payloads | undefined;
  workflowRunTimeout?: number | undefined;
  workflowTaskTimeout?: number | undefined;
  workflowTaskCompletedEventId: number;
  backoffStartInterval?: number | undefined;
  initiator?: ContinueAsNewInitiator | undefined;
  failure?: Failure | undefined;
  lastCompletionResult?: Payloads | undefined;
  header?: Header | undefined;
  memo?: Memo | undefined;
  searchAttributes?: SearchAttributes | undefined;
  inheritBuildId?: boolean | undefined;
  initialVersioningBehavior?: ContinueAsNewVersioningBehavior | undefined;
}

export interface StartChildWorkflowExecutionInitiatedEventAttributes {
  namespace?: string | undefined;
  namespaceId?: string | undefined;
  workflowId?: string | undefined;
  workflowType: WorkflowType;
  taskQueue: TaskQueue;
  input?: Payloads | undefined;
  workflowExecutionTimeout?: number | undefined;
  workflowRunTimeout?: number | undefined;
  workflowTaskTimeout?: number | undefined;
  parentClosePolicy?: ParentClosePolicy | undefined;
  control?: string | undefined;
  workflowTaskCompletedEventId: number;
  workflowIdReusePolicy?: WorkflowIdReusePolicy | undefined;
  retryPolicy?: RetryPolicy | undefined;
  cronSchedule?: string | undefined;
  header?: Header | undefined;
  memo?: Memo | undefined;
  searchAttributes?: SearchAttributes | undefined;
  inheritBuildId?: boolean | undefined;
  priority?: Priority | undefined;
  timeSkippingConfig?: TimeSkippingConfig | undefined;
  timeSkippingStatePropagation?: TimeSkippingStatePropagation | undefined;
  versioningOverride?: VersioningOverride | undefined;
  /** Of the native door alone. */
  flowControl?: FlowControl | undefined;
}

export interface StartChildWorkflowExecutionFailedEventAttributes {
  namespace?: string | undefined;
  namespaceId?: string | undefined;
  workflowId?: string | undefined;
  workflowType: WorkflowType;
  cause?: StartChildWorkflowExecutionFailedCause | undefined;
  control?: string | undefined;
  initiatedEventId: number;
  workflowTaskCompletedEventId: number;
}

export interface ChildWorkflowExecutionStartedEventAttributes {
  namespace?: string | undefined;
  namespaceId?: string | undefined;
  initiatedEventId: number;
  workflowExecution: WorkflowExecution;
  workflowType: WorkflowType;
  header?: Header | undefined;
}

export interface ChildWorkflowExecutionCompletedEventAttributes {
  result?: Payloads | undefined;
  namespace?: string | undefined;
  namespaceId?: string | undefined;
  workflowExecution: WorkflowExecution;
  workflowType: WorkflowType;
  initiatedEventId: number;
  startedEventId: number;
}

export interface ChildWorkflowExecutionFailedEventAttributes {
  failure?: Failure | undefined;
  namespace?: string | undefined;
  namespaceId?: string | undefined;
  workflowExecution: WorkflowExecution;
  workflowType: WorkflowType;
  initiatedEventId: number;
  startedEventId: number;
  retryState?: RetryState | undefined;
}

export interface ChildWorkflowExecutionCanceledEventAttributes {
  details?: Payloads | undefined;
  namespace?: string | undefined;
  namespaceId?: string | undefined;
  workflowExecution: WorkflowExecution;
  workflowType: WorkflowType;
  initiatedEventId: number;
  startedEventId: number;
}

export interface ChildWorkflowExecutionTimedOutEventAttributes {
  namespace?: string | undefined;
  namespaceId?: string | undefined;
  workflowExecution: WorkflowExecution;
  workflowType: WorkflowType;
  initiatedEventId: number;
  startedEventId: number;
  retryState?: RetryState | undefined;
}

export interface ChildWorkflowExecutionTerminatedEventAttributes {
  namespace?: string | undefined;
  namespaceId?: string | undefined;
  workflowExecution: WorkflowExecution;
  workflowType: WorkflowType;
  initiatedEventId: number;
  startedEventId: number;
}

export interface SignalExternalWorkflowExecutionInitiatedEventAttributes {
  workflowTaskCompletedEventId: number;
  namespace?: string | undefined;
  namespaceId?: string | undefined;
  workflowExecution: WorkflowExecution;
  signalName: string;
  input?: Payloads | undefined;
  control?: string | undefined;
  childWorkflowOnly?: boolean | undefined;
  header?: Header | undefined;
}

export interface SignalExternalWorkflowExecutionFailedEventAttributes {
  cause?: SignalExternalWorkflowExecutionFailedCause | undefined;
  workflowTaskCompletedEventId: number;
  namespace?: string | undefined;
  namespaceId?: string | undefined;
  workflowExecution: WorkflowExecution;
  initiatedEventId: number;
  control?: string | undefined;
}

export interface ExternalWorkflowExecutionSignaledEventAttributes {
  initiatedEventId: number;
  namespace?: string | undefined;
  namespaceId?: string | undefined;
  workflowExecution: WorkflowExecution;
  control?: string | undefined;
}

export interface UpsertWorkflowSearchAttributesEventAttributes {
  workflowTaskCompletedEventId: number;
  searchAttributes?: SearchAttributes | undefined;
}

export interface WorkflowExecutionUpdateAcceptedEventAttributes {
  protocolInstanceId?: string | undefined;
  acceptedRequestMessageId?: string | undefined;
  acceptedRequestSequencingEventId?: number | undefined;
  acceptedRequest?: UpdateRequest | undefined;
}

export interface WorkflowExecutionUpdateRejectedEventAttributes {
  protocolInstanceId?: string | undefined;
  rejectedRequestMessageId?: string | undefined;
  rejectedRequestSequencingEventId?: number | undefined;
  rejectedRequest?: UpdateRequest | undefined;
  failure?: Failure | undefined;
}

export interface WorkflowExecutionUpdateCompletedEventAttributes {
  meta?: UpdateMeta | undefined;
  acceptedEventId: number;
  outcome?: UpdateOutcome | undefined;
}

export interface WorkflowPropertiesModifiedExternallyEventAttributes {
  newTaskQueue?: string | undefined;
  newWorkflowTaskTimeout?: number | undefined;
  newWorkflowRunTimeout?: number | undefined;
  newWorkflowExecutionTimeout?: number | undefined;
  upsertedMemo?: Memo | undefined;
}

export interface ActivityPropertiesModifiedExternallyEventAttributes {
  scheduledEventId: number;
  newRetryPolicy?: RetryPolicy | undefined;
}

export interface WorkflowPropertiesModifiedEventAttributes {
  workflowTaskCompletedEventId: number;
  upsertedMemo?: Memo | undefined;
}

export interface WorkflowExecutionUpdateAdmittedEventAttributes {
  request?: UpdateRequest | undefined;
  origin?: UpdateAdmittedEventOrigin | undefined;
}

export interface NexusOperationScheduledEventAttributes {
  endpoint?: string | undefined;
  service?: string | undefined;
  operation?: string | undefined;
  input?: Payload | undefined;
  scheduleToCloseTimeout?: number | undefined;
  nexusHeader?: Record<string, string> | undefined;
  workflowTaskCompletedEventId: number;
  requestId?: string | undefined;
  endpointId?: string | undefined;
  scheduleToStartTimeout?: number | undefined;
  startToCloseTimeout?: number | undefined;
}

export interface NexusOperationStartedEventAttributes {
  scheduledEventId: number;
  operationId?: string | undefined;
  requestId?: string | undefined;
  operationToken?: string | undefined;
}

export interface NexusOperationCompletedEventAttributes {
  scheduledEventId: number;
  result?: Payload | undefined;
  requestId?: string | undefined;
}

export interface NexusOperationFailedEventAttributes {
  scheduledEventId: number;
  failure?: Failure | undefined;
  requestId?: string | undefined;
}

export interface NexusOperationCanceledEventAttributes {
  scheduledEventId: number;
  failure?: Failure | undefined;
  requestId?: string | undefined;
}

export interface NexusOperationTimedOutEventAttributes {
  scheduledEventId: number;
  failure?: Failure | undefined;
  requestId?: string | undefined;
}

export interface NexusOperationCancelRequestedEventAttributes {
  scheduledEventId: number;
  workflowTaskCompletedEventId: number;
}

export interface WorkflowExecutionOptionsUpdatedEventAttributes {
  versioningOverride?: VersioningOverride | undefined;
  unsetVersioningOverride?: boolean | undefined;
  attachedRequestId?: string | undefined;
  attachedCompletionCallbacks?: Callback[] | undefined;
  identity?: string | undefined;
  priority?: Priority | undefined;
  timeSkippingConfig?: TimeSkippingConfig | undefined;
  timeSkippingConfigUpdated?: boolean | undefined;
  workflowUpdateOptions?: WorkflowExecutionOptionsUpdatedEventAttributesWorkflowUpdateOptionsUpdate[] | undefined;
}

export interface WorkflowExecutionOptionsUpdatedEventAttributesWorkflowUpdateOptionsUpdate {
  updateId?: string | undefined;
  attachedRequestId?: string | undefined;
  attachedCompletionCallbacks?: Callback[] | undefined;
}

export interface NexusOperationCancelRequestCompletedEventAttributes {
  requestedEventId?: number | undefined;
  workflowTaskCompletedEventId: number;
  scheduledEventId: number;
}

export interface NexusOperationCancelRequestFailedEventAttributes {
  requestedEventId?: number | undefined;
  workflowTaskCompletedEventId: number;
  failure?: Failure | undefined;
  scheduledEventId: number;
}

export interface WorkflowExecutionPausedEventAttributes {
  identity?: string | undefined;
  reason?: string | undefined;
  requestId?: string | undefined;
}

export interface WorkflowExecutionUnpausedEventAttributes {
  identity?: string | undefined;
  reason?: string | undefined;
  requestId?: string | undefined;
}

export interface WorkflowExecutionTimeSkippingTransitionedEventAttributes {
  targetTime?: number | undefined;
  disabledAfterFastForward?: boolean | undefined;
  wallClockTime?: number | undefined;
}
