// Workflow executions at the native door: started, signalled, queried, ended, described. Named as in the Temporal API. Times are epoch milliseconds, durations
// milliseconds.

import type {
  Callback,
  Empty,
  Header,
  Link,
  Memo,
  Payloads,
  Priority,
  RetryPolicy,
  SearchAttributes,
  UserMetadata,
  VersioningOverride,
} from './common.ts';
import type {
  QueryRejectCondition,
  ResetReapplyExcludeType,
  ResetReapplyType,
  WorkflowExecutionStatus,
  WorkflowIdConflictPolicy,
  WorkflowIdReusePolicy,
} from './enums.ts';
import type { DescribeWorkflowExecutionResponse } from './execution-info.ts';
import type { Failure } from './failure.ts';
import type { FlowControl } from './flow-control.ts';
import type { PostResetOperation } from './post-reset.ts';

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
  /** What an earlier run came to, for the workflow to read, as a schedule's and cron's runs have it. */
  lastCompletionResult?: Payloads | undefined;
  continuedFailure?: Failure | undefined;
  /** What the start is about: kept on its event. */
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

export interface SignalWorkflowExecutionResponse {
  /** Which run has it, as the gRPC door asks; absent for clients of the native one. */
  runId?: string | undefined;
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

export interface ExecutionTarget {
  namespace: string;
  workflowId: string;
  runId?: string | undefined;
}

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

export interface ExecutionMethods {
  startWorkflowExecution: { request: StartWorkflowExecutionRequest; response: StartWorkflowExecutionResponse };
  signalWorkflowExecution: { request: SignalWorkflowExecutionRequest; response: SignalWorkflowExecutionResponse };
  signalWithStartWorkflowExecution: {
    request: SignalWithStartWorkflowExecutionRequest;
    response: StartWorkflowExecutionResponse;
  };
  requestCancelWorkflowExecution: { request: RequestCancelWorkflowExecutionRequest; response: Empty };
  terminateWorkflowExecution: { request: TerminateWorkflowExecutionRequest; response: Empty };
  /** Ends the run when it is open; a repeat with the same request id returns the first answer. */
  resetWorkflowExecution: { request: ResetWorkflowExecutionRequest; response: ResetWorkflowExecutionResponse };
  queryWorkflow: { request: QueryWorkflowRequest; response: QueryWorkflowResponse };
  describeWorkflowExecution: { request: ExecutionTarget; response: DescribeWorkflowExecutionResponse };
  updateWorkflowExecutionOptions: {
    request: UpdateWorkflowExecutionOptionsRequest;
    response: UpdateWorkflowExecutionOptionsResponse;
  };
  /** Ends the run when it is open. NOT_FOUND for one that is gone: a repeat has no other answer. */
  deleteWorkflowExecution: { request: DeleteWorkflowExecutionRequest; response: Empty };
  /** FAILED_PRECONDITION for one that is paused already. */
  pauseWorkflowExecution: { request: PauseWorkflowExecutionRequest; response: Empty };
  /** FAILED_PRECONDITION for one that is not paused. */
  unpauseWorkflowExecution: { request: PauseWorkflowExecutionRequest; response: Empty };
}
