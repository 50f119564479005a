// Requests and pushes of the native door: one entry per method, named as the Temporal RPC that means the same.
// Field names are the API's; times are epoch milliseconds, durations milliseconds. The server validates every field it reads.

import type {
  ActivityExecutionTarget,
  DescribeActivityExecutionRequest,
  DescribeActivityExecutionResponse,
  EndActivityExecutionRequest,
  ListActivityExecutionsRequest,
  ListActivityExecutionsResponse,
  PollActivityExecutionResponse,
  StartActivityExecutionRequest,
  StartActivityExecutionResponse,
} from './activity.ts';
import type {
  BatchOperationInfo,
  ListBatchOperationsRequest,
  ListBatchOperationsResponse,
  StartBatchOperationRequest,
  StopBatchOperationRequest,
} from './batch.ts';
import type {
  ClusterHealthResponse,
  ClusterShardsRequest,
  ClusterShardsResponse,
  ClusterStatus,
  DrainNodeRequest,
  RebalanceClusterResponse,
  ReplaceNodeRequest,
} from './cluster.ts';
import type { Command } from './command.ts';
import type {
  Callback,
  Header,
  Link,
  Memo,
  MeteringMetadata,
  Payloads,
  Priority,
  ResetPointInfo,
  RetryPolicy,
  SearchAttributes,
  UpdateOutcome,
  UserMetadata,
  VersioningOverride,
  WorkerDeploymentVersion,
  WorkerVersionStamp,
  WorkflowTaskCompletedMetadata,
} from './common.ts';
import type { DeploymentMethods } from './deployment.ts';
import type {
  CallbackState,
  EventType,
  IndexedValueType,
  NexusOperationCancellationState,
  ParentClosePolicy,
  PendingActivityState,
  PendingNexusOperationState,
  PendingWorkflowTaskState,
  QueryRejectCondition,
  ResetReapplyExcludeType,
  ResetReapplyType,
  UpdateWorkflowExecutionLifecycleStage,
  VersioningBehavior,
  WorkflowExecutionStatus,
  WorkflowIdConflictPolicy,
  WorkflowIdReusePolicy,
  WorkflowTaskFailedCause,
} from './enums.ts';
import type { Failure } from './failure.ts';
import type {
  DescribeFlowKeyRequest,
  DescribeFlowKeyResponse,
  ExecutionFlowControl,
  FlowControl,
  ListFlowKeysRequest,
  ListFlowKeysResponse,
  SetFlowLimitsRequest,
} from './flow-control.ts';
import type {
  DeleteNamespaceRequest,
  DeleteNamespaceResponse,
  DescribeNamespaceRequest,
  ListNamespacesRequest,
  ListNamespacesResponse,
  NamespaceDescription,
  RegisterNamespaceRequest,
  UpdateNamespaceRequest,
} from './namespace.ts';
import type {
  CreateNexusEndpointRequest,
  DeleteNexusEndpointRequest,
  ListNexusEndpointsRequest,
  ListNexusEndpointsResponse,
  NexusEndpoint,
  NexusHandlerError,
  NexusRequest,
  NexusResponse,
  UpdateNexusEndpointRequest,
} from './nexus.ts';
import type { PostResetOperation } from './post-reset.ts';
import type { ProtocolMessage, RequestMessage } from './protocol-message.ts';
import type {
  CountSchedulesResponse,
  CreateScheduleRequest,
  CreateScheduleResponse,
  DeleteScheduleRequest,
  DescribeScheduleResponse,
  ListedSchedule,
  ListScheduleMatchingTimesRequest,
  ListScheduleMatchingTimesResponse,
  ListSchedulesRequest,
  ListSchedulesResponse,
  PatchScheduleRequest,
  ScheduleTarget,
  UpdateScheduleRequest,
} from './schedule.ts';
import type { DescribeTaskQueueResponse, TaskQueueConfig, UpdateTaskQueueConfigRequest } from './task-queue.ts';
import type { WorkerMethods } from './worker.ts';

/** Events as the server keeps them: each element is a MessagePack array of `HistoryEvent`, in order, never re-encoded on its way. */
export type EventBatches = Uint8Array[];

// ---------------------------------------------------------------- client requests

export interface StartWorkflowExecutionRequest {
  namespace: string;
  workflowId: string;
  workflowType: string;
  taskQueue: string;
  input?: Payloads | undefined;
  header?: Header | undefined;
  memo?: Memo | undefined;
  searchAttributes?: SearchAttributes | undefined;
  workflowExecutionTimeout?: number | undefined;
  workflowRunTimeout?: number | undefined;
  workflowTaskTimeout?: number | undefined;
  workflowStartDelay?: number | undefined;
  retryPolicy?: RetryPolicy | undefined;
  cronSchedule?: string | undefined;
  workflowIdReusePolicy?: WorkflowIdReusePolicy | undefined;
  workflowIdConflictPolicy?: WorkflowIdConflictPolicy | undefined;
  priority?: Priority | undefined;
  userMetadata?: UserMetadata | undefined;
  identity: string;
  /** A repeat with the same id returns the first answer. */
  requestId: string;
  /** Instead of what the workflow says of itself: pinned to a version, or upgraded with the others. */
  versioningOverride?: VersioningOverride | undefined;
  /** A worker of the caller's own, which gets the first workflow task if it has room and nothing waits before it. */
  eagerWorkerId?: string | undefined;
  /** Called once the last run of the chain has closed: over HTTP, at addresses that the server's configuration allows. */
  completionCallbacks?: Callback[] | undefined;
  /** What the start is about: kept on its event. */
  /** What an earlier run came to, for the workflow to read, as a schedule's and cron's runs have it. */
  lastCompletionResult?: Payloads | undefined;
  continuedFailure?: Failure | undefined;
  links?: Link[] | undefined;
  onConflictOptions?: OnConflictOptions | undefined;
  /** No workflow task before a permit of this key. ALREADY_EXISTS or RESOURCE_EXHAUSTED (FLOW_CONTROL) where it asks to be refused. */
  flowControl?: FlowControl | undefined;
}

/** What of a start the running workflow takes over that it meets with USE_EXISTING. */
export interface OnConflictOptions {
  attachRequestId?: boolean | undefined;
  /** Asks for `attachRequestId`. */
  attachCompletionCallbacks?: boolean | undefined;
  attachLinks?: boolean | undefined;
}

export interface StartWorkflowExecutionResponse {
  runId: string;
  /** False when USE_EXISTING met a running execution. */
  started: boolean;
  status: WorkflowExecutionStatus;
  /** The first workflow task is on its way to `eagerWorkerId`. */
  eagerlyStarted?: boolean | undefined;
  /** The running workflow's history has this request id, by `onConflictOptions`. */
  attachedRequestId?: string | undefined;
  /** Of the workflow that a singleton with `useExisting` met: `runId` is of that one. Absent: the one asked for. */
  workflowId?: string | undefined;
  /** The first run of the chain that a run which was met goes on with; absent: that run is the first. */
  firstExecutionRunId?: string | undefined;
}

export interface SignalWorkflowExecutionRequest {
  namespace: string;
  workflowId: string;
  /** Empty: the current run. */
  runId?: string | undefined;
  /** When set, the run must belong to the chain that began with it. */
  firstExecutionRunId?: string | undefined;
  signalName: string;
  input?: Payloads | undefined;
  header?: Header | undefined;
  links?: Link[] | undefined;
  identity: string;
  requestId: string;
}

export interface SignalWithStartWorkflowExecutionRequest extends StartWorkflowExecutionRequest {
  signalName: string;
  signalInput?: Payloads | undefined;
}

export interface RequestCancelWorkflowExecutionRequest {
  namespace: string;
  workflowId: string;
  runId?: string | undefined;
  firstExecutionRunId?: string | undefined;
  reason?: string | undefined;
  links?: Link[] | undefined;
  identity: string;
  requestId: string;
}

export interface TerminateWorkflowExecutionRequest {
  namespace: string;
  workflowId: string;
  runId?: string | undefined;
  firstExecutionRunId?: string | undefined;
  reason?: string | undefined;
  details?: Payloads | undefined;
  links?: Link[] | undefined;
  identity: string;
  requestId: string;
}

/** Also of an unpause. */
export interface PauseWorkflowExecutionRequest {
  namespace: string;
  workflowId: string;
  /** Empty: the current run. */
  runId?: string | undefined;
  identity: string;
  reason?: string | undefined;
  requestId: string;
}

export interface DeleteWorkflowExecutionRequest {
  namespace: string;
  workflowId: string;
  /** Empty: the current run. Open or closed. */
  runId?: string | undefined;
  identity: string;
}

export interface ResetWorkflowExecutionRequest {
  namespace: string;
  workflowId: string;
  /** Empty: the current run. Open or closed. */
  runId?: string | undefined;
  reason: string;
  /** The event that ends the workflow task to do again (completed, failed, timed out), or its Started event. */
  workflowTaskFinishEventId: number;
  /** Default: ALL_ELIGIBLE. */
  resetReapplyType?: ResetReapplyType | undefined;
  /** What is not applied again; beside `resetReapplyType`. */
  resetReapplyExcludeTypes?: ResetReapplyExcludeType[] | undefined;
  /** Done to the new run before its first task, one after the other; 100 at most. */
  postResetOperations?: PostResetOperation[] | undefined;
  identity: string;
  requestId: string;
}

export interface ResetWorkflowExecutionResponse {
  /** The run that begins. */
  runId: string;
}

export interface QueryWorkflowRequest {
  namespace: string;
  workflowId: string;
  runId?: string | undefined;
  queryType: string;
  queryArgs?: Payloads | undefined;
  header?: Header | undefined;
  queryRejectCondition?: QueryRejectCondition | undefined;
}

export interface QueryWorkflowResponse {
  queryResult?: Payloads | undefined;
  queryRejected?: { status: WorkflowExecutionStatus } | undefined;
}

/** What an update is, apart from the workflow it is for. */
export interface UpdateSpec {
  /** A repeat with the same id is the same update. Empty: the server chooses one. */
  updateId: string;
  updateName: string;
  args?: Payloads | undefined;
  header?: Header | undefined;
  /** Of this call: repeats of it attach its callbacks once. Empty: the server chooses one. */
  requestId?: string | undefined;
  /** Called when the update has completed; not where it is rejected, or complete already: then the answer says it. */
  completionCallbacks?: Callback[] | undefined;
  /** On the event that accepts it. */
  links?: Link[] | undefined;
  /** ACCEPTED (the default) or COMPLETED: answered when the update has come that far. */
  waitStage?: UpdateWorkflowExecutionLifecycleStage | undefined;
}

export interface UpdateWorkflowExecutionRequest extends UpdateSpec {
  namespace: string;
  workflowId: string;
  /** Empty: the current run. */
  runId?: string | undefined;
  /** When set, the run must belong to the chain that began with it. */
  firstExecutionRunId?: string | undefined;
  identity: string;
}

export interface UpdateWorkflowExecutionResponse {
  /** The run that the update is for. */
  runId: string;
  updateId: string;
  stage: UpdateWorkflowExecutionLifecycleStage;
  /** From stage COMPLETED on; a rejected update has a failure and was never accepted. */
  outcome?: UpdateOutcome | undefined;
  /** The worker has not accepted it: no event tells of it. */
  rejected?: boolean | undefined;
}

export interface PollWorkflowExecutionUpdateRequest {
  namespace: string;
  workflowId: string;
  runId?: string | undefined;
  updateId: string;
  /** ACCEPTED or COMPLETED; absent: how far it has come by now. */
  waitStage?: UpdateWorkflowExecutionLifecycleStage | undefined;
}

/** Starts the workflow, or meets the running one as the conflict policy says, and gives it the update: both or neither. */
export interface UpdateWithStartWorkflowExecutionRequest extends StartWorkflowExecutionRequest {
  update: UpdateSpec;
}

/** Answered when the update has come as far as was asked for. */
export interface UpdateWithStartWorkflowExecutionResponse {
  start: StartWorkflowExecutionResponse;
  update: UpdateWorkflowExecutionResponse;
}

export interface ExecutionTarget {
  namespace: string;
  workflowId: string;
  runId?: string | undefined;
}

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

export interface GetWorkflowExecutionHistoryRequest extends ExecutionTarget {
  /** First event wanted, 1-based; default 1. Batches may begin before it. */
  fromEventId?: number | undefined;
  /** Upper bound of the answer, bytes; default 1 MiB, at most 2 MiB; at least one batch is returned. */
  maximumBytes?: number | undefined;
  /** Wait (within the request's timeout) until there is an event ≥ fromEventId or the run has closed. */
  waitNewEvent?: boolean | undefined;
  /** Only the closing event, waiting for it when waitNewEvent is set. */
  closeEventOnly?: boolean | undefined;
  /** After the last event those of a workflow task that are not in history yet. */
  withUnwritten?: boolean | undefined;
  /** Only the markers that hold the latest values of published state; with waitNewEvent, waits for one or for the run's end. */
  stateOnly?: boolean | undefined;
}

export interface GetWorkflowExecutionHistoryResponse {
  runId: string;
  events: EventBatches;
  /** Where to go on; absent when everything written so far was returned. */
  nextEventId?: number | undefined;
  closed: boolean;
}

/**
 * What a run publishes from an event on, as it comes: parts, then the answer once the run has closed. The first part comes at once and says which run
 * is watched. A value that is replaced before the caller has read it is left out.
 */
export interface WatchWorkflowStateRequest extends ExecutionTarget {
  /** First event wanted, 1-based; default 1. */
  fromEventId?: number | undefined;
}

/** A part: markers that held latest values when it was sent, whole batches. The answer is one without events. */
export interface WatchWorkflowStateResponse {
  runId: string;
  events: EventBatches;
  closed: boolean;
}

/** Answered when the execution (following continue-as-new, retry and cron unless told otherwise) has closed: pushed, never polled. */
export interface AwaitWorkflowResultRequest extends ExecutionTarget {
  followRuns: boolean;
}

export interface AwaitWorkflowResultResponse {
  runId: string;
  status: WorkflowExecutionStatus;
  /** One closing event as MessagePack array of one `HistoryEvent`. */
  closeEvent: Uint8Array;
}

export interface ListWorkflowExecutionsRequest {
  namespace: string;
  /** Temporal's list filter: `WorkflowType = 'x' AND ExecutionStatus = 'Running' AND StartTime > '…'`. Empty: all. */
  query?: string | undefined;
  /** Default 100, at most 1,000. */
  pageSize?: number | undefined;
  nextPageToken?: Uint8Array | undefined;
}

export interface ListWorkflowExecutionsResponse {
  executions: WorkflowExecutionInfo[];
  nextPageToken?: Uint8Array | undefined;
}

export interface CountWorkflowExecutionsResponse {
  count: number;
  /** For GROUP BY: its value, null for executions that have none. */
  groups?: { groupValues: unknown[]; count: number }[] | undefined;
}

/** Types by name. */
export interface ListSearchAttributesResponse {
  customAttributes: Record<string, IndexedValueType>;
  systemAttributes: Record<string, IndexedValueType>;
}

export interface AddSearchAttributesRequest {
  namespace: string;
  searchAttributes: Record<string, IndexedValueType>;
}

export interface RemoveSearchAttributesRequest {
  namespace: string;
  searchAttributes: string[];
}

export interface PollerInfo {
  identity: string;
  kind: 'workflow' | 'activity';
  /** Epoch ms of the last grant or push. */
  lastAccessTime: number;
  /** Tasks this worker would take now. */
  credit: number;
  /** Activities a second, as it said; absent: no limit of its own. */
  ratePerSecond?: number | undefined;
  buildId?: string | undefined;
  /** Of a worker that belongs to a deployment. */
  deploymentName?: string | undefined;
}

export interface GetServerInfoResponse {
  version: string;
  nodeId: string;
  shardCount: number;
  store: 'memory' | 'leveldb' | 'postgres';
  namespaces: string[];
}

/** A node that takes clients and workers. */
export interface ClusterNode {
  name: string;
  /** `host:port` of its door. */
  address: string;
  /** It will close its connections: move on. */
  draining: boolean;
}

export interface DescribeClusterRequest {
  /** Push `clusterMap` on this connection whenever the map changes. Asks for capability `cluster`. */
  watch?: boolean | undefined;
}

/** Where clients and workers may go, as far as the answering node knows. Also push topic `clusterMap`. */
export interface ClusterMap {
  /** Name of the answering node; empty where it stands alone. */
  self: string;
  /** Grows with every change within one run of the answering node; says nothing of other nodes' maps. */
  version: number;
  shardCount: number;
  /** By name. Empty where the answering node stands alone. */
  nodes: ClusterNode[];
  /** Two bytes for each shard, big endian: 1 + index into `nodes` of its leader, or 0: not known (src/wire/shard.ts). */
  leaders: Uint8Array;
}

// ---------------------------------------------------------------- worker requests

export interface RegisterWorkerRequest {
  /** Random, chosen once per worker process and kept over reconnects: the session tasks are started for. */
  workerId: string;
  namespace: string;
  taskQueue: string;
  identity: string;
  buildId?: string | undefined;
  /** It takes tasks of the queue's Nexus operations, as activity tasks that have `nexus`, and no others. */
  nexus?: boolean | undefined;
  /** The version of a deployment it belongs to: it gets the tasks that are for this version, and no others. */
  deploymentVersion?: WorkerDeploymentVersion | undefined;
  /** Name of this worker's own sticky queue; absent when it keeps no executions warm. */
  stickyQueue?: string | undefined;
  /** ms a workflow task may wait for this worker before it goes to the normal queue. Default 5,000. */
  stickyScheduleToStartTimeout?: number | undefined;
  /** Initial credit: how many tasks of each kind may be pushed at once. Each push takes one; `grantCredit` or a completion gives one back. */
  workflowCredit: number;
  activityCredit: number;
  /** Activities per second this worker is pushed at most; absent: unlimited. */
  maxActivitiesPerSecond?: number | undefined;
  /** Activities per second of the whole queue (the last worker to say wins). */
  maxTaskQueueActivitiesPerSecond?: number | undefined;
  /** Tokens of the tasks this worker still holds (after a reconnect): what was started for it and is not listed is pushed again, same attempt. */
  heldTokens: Uint8Array[];
}

export interface GrantCreditRequest {
  workerId: string;
  workflow?: number | undefined;
  activity?: number | undefined;
  /** Activities per second this worker is pushed at most from now on; 0: unlimited. Absent: as it was. */
  maxActivitiesPerSecond?: number | undefined;
}

/** Takes back credit that no task has used; 0 or absent: none of that kind. */
export interface WithdrawCreditRequest {
  workerId: string;
  workflow?: number | undefined;
  activity?: number | undefined;
}

/** How much was taken back: what was asked for, or what was left. */
export interface WithdrawCreditResponse {
  workflow: number;
  activity: number;
}

/** Asks for what this worker is owed, as a registration does, and leaves its credit alone: for shards this node has begun to lead since. */
export interface ResumeWorkerRequest {
  workerId: string;
  /** Tokens of every task it still holds. */
  heldTokens: Uint8Array[];
}

export interface WorkflowQuery {
  queryType: string;
  queryArgs?: Payloads | undefined;
  header?: Header | undefined;
}

/** Push topic `workflowTask`. */
export interface WorkflowTask {
  workerId: string;
  token: Uint8Array;
  namespace: string;
  workflowId: string;
  runId: string;
  workflowType: string;
  /** 1-based. */
  attempt: number;
  /** 0 for the first task and for direct queries of runs without a completed task. */
  previousStartedEventId: number;
  startedEventId: number;
  scheduledTime: number;
  startedTime: number;
  /**
   * Events from `firstEventId` on. On the sticky queue only those after previousStartedEventId; a worker without the warm execution
   * asks `getWorkflowTaskHistory` from 1. Includes the Scheduled and Started events of transient attempts, which are not in history yet.
   */
  history: EventBatches;
  firstEventId: number;
  /** More events follow: ask `getWorkflowTaskHistory` from here. */
  nextEventId?: number | undefined;
  /** Queries that ride on this task, by id. */
  queries?: Record<string, WorkflowQuery> | undefined;
  /** A direct query: answer with `respondQueryTaskCompleted`, no commands. */
  query?: WorkflowQuery | undefined;
  /** Updates, each right after the event it names. A worker that ignores them rejects them by its answer. */
  messages?: RequestMessage[] | undefined;
  /** Pushed before its entry is durable (I1): no local activity and no sink until push `durable` names the token. */
  ahead?: boolean | undefined;
}

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

/** Push topic `durable`: the entries under these ahead tasks are on disk. */
export interface DurablePush {
  workerId: string;
  tokens: Uint8Array[];
  /** Workflow tasks the worker said it holds, and that are over: an answer would be refused. */
  over?: Uint8Array[] | undefined;
}

export interface QueryResult {
  answer?: Payloads | undefined;
  failure?: Failure | undefined;
  errorMessage?: string | undefined;
}

/** Where a worker that polls, and never registers, keeps an execution warm: it says so with each answer. */
export interface StickyChoice {
  queue: string;
  /** ms a task waits there; 0: the default. */
  scheduleToStartTimeout: number;
}

export interface RespondWorkflowTaskCompletedRequest {
  token: Uint8Array;
  identity: string;
  commands: Command[];
  /** The worker keeps the execution warm: its next task goes to the sticky queue it registered, or the one named here. */
  sticky: boolean;
  stickyQueue?: StickyChoice | undefined;
  /** Answers to updates: a PROTOCOL_MESSAGE command gives one its place among the commands, a rejection needs none. */
  messages?: ProtocolMessage[] | undefined;
  /** Results of the queries that rode on the task, by id. */
  queryResults?: Record<string, QueryResult> | undefined;
  /** The local-activity heartbeat: complete this task and hand out another at once. */
  forceCreateNewWorkflowTask?: boolean | undefined;
  sdkMetadata?: WorkflowTaskCompletedMetadata | undefined;
  meteringMetadata?: MeteringMetadata | undefined;
  /** What workers said before they said a build id: kept in the history, and a point to reset to. */
  binaryChecksum?: string | undefined;
  workerVersion?: WorkerVersionStamp | undefined;
  /** Whose are the tasks that are to be eager, if not the answering worker's, and the workflow's next task: they are its if it has room at once. */
  eagerWorkerId?: string | undefined;
  /** Of a worker that belongs to a deployment: its version, and how this workflow goes on when another one is current. */
  deploymentVersion?: WorkerDeploymentVersion | undefined;
  versioningBehavior?: VersioningBehavior | undefined;
  /** Credit given back along with the answer; 0 or 1. */
  credit: number;
}

export interface RespondWorkflowTaskCompletedResponse {
  /**
   * The task left no events, since all it did was to reject updates: its worker forgets those it was shown after this one (the
   * WorkflowTaskStarted of the task before).
   */
  resetHistoryEventId?: number | undefined;
}

export interface RespondWorkflowTaskFailedRequest {
  token: Uint8Array;
  identity: string;
  cause: WorkflowTaskFailedCause;
  failure?: Failure | undefined;
  workerVersion?: WorkerVersionStamp | undefined;
  credit: number;
}

export interface RespondQueryTaskCompletedRequest {
  token: Uint8Array;
  result: QueryResult;
  credit: number;
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

/** One of `response`, `error` and `failure`; `failure` is one with `nexusHandlerFailureInfo`, or why the handler failed. */
export interface RespondNexusTaskRequest {
  /** Of the worker, not of the workflow that calls. */
  namespace: string;
  token: Uint8Array;
  identity: string;
  response?: NexusResponse | undefined;
  error?: NexusHandlerError | undefined;
  failure?: Failure | undefined;
  /** 1: the worker takes another task instead. */
  credit: number;
}

export interface GetWorkflowTaskHistoryRequest {
  token: Uint8Array;
  fromEventId: number;
  maximumBytes?: number | undefined;
}

export interface GetWorkflowTaskHistoryResponse {
  events: EventBatches;
  firstEventId: number;
  nextEventId?: number | undefined;
}

export type Empty = Record<string, never>;

/** Every method of the native door. */
/** `updateMask` names what is set; what it names and the options leave out is taken back. */
export interface UpdateWorkflowExecutionOptionsRequest extends ExecutionTarget {
  workflowExecutionOptions?: WorkflowExecutionOptions | undefined;
  updateMask?: string[] | undefined;
  identity?: string | undefined;
}

export interface WorkflowExecutionOptions {
  versioningOverride?: VersioningOverride | undefined;
  priority?: Priority | undefined;
}

export interface UpdateWorkflowExecutionOptionsResponse {
  workflowExecutionOptions: WorkflowExecutionOptions;
}

/** A call of Temporal's API in that API's own messages, answered as the gRPC door answers it. */
export interface CallServiceRequest {
  /** `temporal.api.workflowservice.v1.WorkflowService`, say. */
  service: string;
  /** Of the service, by the name its protos have: `DescribeNamespace`. */
  method: string;
  /** Protobuf. */
  request: Uint8Array;
}

export interface CallServiceResponse {
  /** Protobuf. */
  response: Uint8Array;
}

export interface Methods extends DeploymentMethods, WorkerMethods {
  getServerInfo: { request: Empty; response: GetServerInfoResponse };
  describeCluster: { request: DescribeClusterRequest; response: ClusterMap };
  callService: { request: CallServiceRequest; response: CallServiceResponse };
  describeNamespace: { request: DescribeNamespaceRequest; response: NamespaceDescription };
  /** For operators, like the four that change namespaces below. */
  registerNamespace: { request: RegisterNamespaceRequest; response: Empty };
  listNamespaces: { request: ListNamespacesRequest; response: ListNamespacesResponse };
  updateNamespace: { request: UpdateNamespaceRequest; response: NamespaceDescription };
  deprecateNamespace: { request: { namespace: string }; response: Empty };
  deleteNamespace: { request: DeleteNamespaceRequest; response: DeleteNamespaceResponse };
  startWorkflowExecution: { request: StartWorkflowExecutionRequest; response: StartWorkflowExecutionResponse };
  signalWorkflowExecution: { request: SignalWorkflowExecutionRequest; response: Empty };
  signalWithStartWorkflowExecution: {
    request: SignalWithStartWorkflowExecutionRequest;
    response: StartWorkflowExecutionResponse;
  };
  requestCancelWorkflowExecution: { request: RequestCancelWorkflowExecutionRequest; response: Empty };
  terminateWorkflowExecution: { request: TerminateWorkflowExecutionRequest; response: Empty };
  /** Ends the run when it is open; a repeat with the same request id returns the first answer. */
  resetWorkflowExecution: { request: ResetWorkflowExecutionRequest; response: ResetWorkflowExecutionResponse };
  queryWorkflow: { request: QueryWorkflowRequest; response: QueryWorkflowResponse };
  updateWorkflowExecution: { request: UpdateWorkflowExecutionRequest; response: UpdateWorkflowExecutionResponse };
  pollWorkflowExecutionUpdate: {
    request: PollWorkflowExecutionUpdateRequest;
    response: UpdateWorkflowExecutionResponse;
  };
  updateWithStartWorkflowExecution: {
    request: UpdateWithStartWorkflowExecutionRequest;
    response: UpdateWithStartWorkflowExecutionResponse;
  };
  describeWorkflowExecution: { request: ExecutionTarget; response: DescribeWorkflowExecutionResponse };
  getWorkflowExecutionHistory: {
    request: GetWorkflowExecutionHistoryRequest;
    response: GetWorkflowExecutionHistoryResponse;
  };
  /** Answered in parts. */
  watchWorkflowState: { request: WatchWorkflowStateRequest; response: WatchWorkflowStateResponse };
  awaitWorkflowResult: { request: AwaitWorkflowResultRequest; response: AwaitWorkflowResultResponse };
  listWorkflowExecutions: { request: ListWorkflowExecutionsRequest; response: ListWorkflowExecutionsResponse };
  countWorkflowExecutions: {
    request: { namespace: string; query?: string | undefined };
    response: CountWorkflowExecutionsResponse;
  };
  listSearchAttributes: { request: { namespace: string }; response: ListSearchAttributesResponse };
  /** Repeating it is harmless. ALREADY_EXISTS for a name that has another type. */
  addSearchAttributes: { request: AddSearchAttributesRequest; response: Empty };
  /** Values that were set stay where they are, and are found no more. */
  removeSearchAttributes: { request: RemoveSearchAttributesRequest; response: Empty };
  /** ALREADY_EXISTS while a job of that id is kept. */
  startBatchOperation: { request: StartBatchOperationRequest & { requestId?: string | undefined }; response: Empty };
  describeBatchOperation: { request: { namespace: string; jobId: string }; response: BatchOperationInfo };
  listBatchOperations: { request: ListBatchOperationsRequest; response: ListBatchOperationsResponse };
  /** NOT_FOUND for one that is over. */
  stopBatchOperation: { request: StopBatchOperationRequest; response: Empty };
  describeTaskQueue: { request: { namespace: string; taskQueue: string }; response: DescribeTaskQueueResponse };
  updateTaskQueueConfig: { request: UpdateTaskQueueConfigRequest; response: { config: TaskQueueConfig } };
  registerWorker: { request: RegisterWorkerRequest; response: Empty };
  /** Stops pushes; tasks already pushed may still be answered. */
  unregisterWorker: { request: { workerId: string }; response: Empty };
  grantCredit: { request: GrantCreditRequest; response: Empty };
  withdrawCredit: { request: WithdrawCreditRequest; response: WithdrawCreditResponse };
  resumeWorker: { request: ResumeWorkerRequest; response: Empty };
  respondWorkflowTaskCompleted: {
    request: RespondWorkflowTaskCompletedRequest;
    response: RespondWorkflowTaskCompletedResponse;
  };
  respondWorkflowTaskFailed: { request: RespondWorkflowTaskFailedRequest; response: Empty };
  respondQueryTaskCompleted: { request: RespondQueryTaskCompletedRequest; response: Empty };
  getWorkflowTaskHistory: { request: GetWorkflowTaskHistoryRequest; response: GetWorkflowTaskHistoryResponse };
  respondActivityTaskCompleted: { request: RespondActivityTaskCompletedRequest; response: Empty };
  respondActivityTaskFailed: { request: RespondActivityTaskFailedRequest; response: Empty };
  respondActivityTaskCanceled: { request: RespondActivityTaskCanceledRequest; response: Empty };
  recordActivityTaskHeartbeat: {
    request: RecordActivityTaskHeartbeatRequest;
    response: RecordActivityTaskHeartbeatResponse;
  };
  /** Answers an `activityTask` that has `nexus`. */
  respondNexusTask: { request: RespondNexusTaskRequest; response: Empty };
  /** For operators, like the four that follow. */
  createNexusEndpoint: { request: CreateNexusEndpointRequest; response: { endpoint: NexusEndpoint } };
  getNexusEndpoint: { request: { id: string }; response: { endpoint: NexusEndpoint } };
  /** FAILED_PRECONDITION for another version than it has. */
  updateNexusEndpoint: { request: UpdateNexusEndpointRequest; response: { endpoint: NexusEndpoint } };
  deleteNexusEndpoint: { request: DeleteNexusEndpointRequest; response: Empty };
  listNexusEndpoints: { request: ListNexusEndpointsRequest; response: ListNexusEndpointsResponse };
  /** For operators, and of nodes of a cluster only, like the five that follow. */
  clusterStatus: { request: Empty; response: ClusterStatus };
  clusterShards: { request: ClusterShardsRequest; response: ClusterShardsResponse };
  clusterHealth: { request: Empty; response: ClusterHealthResponse };
  drainNode: { request: DrainNodeRequest; response: Empty };
  rebalanceCluster: { request: Empty; response: RebalanceClusterResponse };
  replaceNode: { request: ReplaceNodeRequest; response: Empty };
  pauseActivity: { request: PauseActivityRequest; response: Empty };
  unpauseActivity: { request: UnpauseActivityRequest; response: Empty };
  resetActivity: { request: ResetActivityRequest; response: Empty };
  updateActivityOptions: { request: UpdateActivityOptionsRequest; response: UpdateActivityOptionsResponse };
  updateWorkflowExecutionOptions: {
    request: UpdateWorkflowExecutionOptionsRequest;
    response: UpdateWorkflowExecutionOptionsResponse;
  };
  /** ALREADY_EXISTS when there is one of this id. */
  /** Keys of flow control: what nobody has used for a while is not known any more. */
  listFlowKeys: { request: ListFlowKeysRequest; response: ListFlowKeysResponse };
  describeFlowKey: { request: DescribeFlowKeyRequest; response: DescribeFlowKeyResponse };
  /** Holds from now on instead of what starts ask for. Repeating it is harmless. */
  setFlowLimits: { request: SetFlowLimitsRequest; response: DescribeFlowKeyResponse };
  createSchedule: { request: CreateScheduleRequest; response: CreateScheduleResponse };
  describeSchedule: { request: ScheduleTarget; response: DescribeScheduleResponse };
  updateSchedule: { request: UpdateScheduleRequest; response: Empty };
  patchSchedule: { request: PatchScheduleRequest; response: Empty };
  /** What it started goes on. */
  deleteSchedule: { request: DeleteScheduleRequest; response: Empty };
  listScheduleMatchingTimes: {
    request: ListScheduleMatchingTimesRequest;
    response: ListScheduleMatchingTimesResponse;
  };
  listSchedules: { request: ListSchedulesRequest; response: ListSchedulesResponse };
  /** Ends the run when it is open. NOT_FOUND for one that is gone: a repeat has no other answer. */
  deleteWorkflowExecution: { request: DeleteWorkflowExecutionRequest; response: Empty };
  /** FAILED_PRECONDITION for one that is paused already. */
  pauseWorkflowExecution: { request: PauseWorkflowExecutionRequest; response: Empty };
  /** FAILED_PRECONDITION for one that is not paused. */
  unpauseWorkflowExecution: { request: PauseWorkflowExecutionRequest; response: Empty };
  countSchedules: { request: { namespace: string; query?: string | undefined }; response: CountSchedulesResponse };
  /** Activities without a workflow. ALREADY_EXISTS by the policies of the id. */
  startActivityExecution: { request: StartActivityExecutionRequest; response: StartActivityExecutionResponse };
  describeActivityExecution: { request: DescribeActivityExecutionRequest; response: DescribeActivityExecutionResponse };
  /** Waits for the outcome; without one when the time is over first. */
  pollActivityExecution: { request: ActivityExecutionTarget; response: PollActivityExecutionResponse };
  listActivityExecutions: { request: ListActivityExecutionsRequest; response: ListActivityExecutionsResponse };
  countActivityExecutions: {
    request: { namespace: string; query?: string | undefined };
    response: CountWorkflowExecutionsResponse;
  };
  /** FAILED_PRECONDITION for one that is over, as the next. */
  requestCancelActivityExecution: { request: EndActivityExecutionRequest; response: Empty };
  terminateActivityExecution: { request: EndActivityExecutionRequest; response: Empty };
  /** One that runs is terminated first. */
  deleteActivityExecution: { request: ActivityExecutionTarget & { identity: string }; response: Empty };
  /** As the methods without `Execution`; with an empty workflow id the activity that has none is meant. */
  pauseActivityExecution: { request: PauseActivityRequest; response: Empty };
  unpauseActivityExecution: { request: UnpauseActivityRequest; response: Empty };
  resetActivityExecution: { request: ResetActivityRequest; response: Empty };
  updateActivityExecutionOptions: { request: UpdateActivityOptionsRequest; response: UpdateActivityOptionsResponse };
}
export type Method = keyof Methods;
/** Those whose answer comes in parts, each of the response's type, and last the response. */
export type MethodInParts = 'watchWorkflowState';

/** Every push of the native door. */
export interface Pushes {
  workflowTask: WorkflowTask;
  activityTask: ActivityTask;
  cancelActivity: CancelActivityPush;
  durable: DurablePush;
  clusterMap: ClusterMap;
}
export type PushTopic = keyof Pushes;
