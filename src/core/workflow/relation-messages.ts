// What one workflow's actor sends another's, through the outbox (DESIGN §5): once, whatever crashes, and in no promised order (decision 0012).
// Handlers never refuse such a message: they answer through their own outbox.

import type { Header, Payloads, WorkerDeploymentVersion, WorkflowExecution } from '../../wire/common.ts';
import type { ParentClosePolicy, RetryState, StartChildWorkflowExecutionFailedCause } from '../../wire/enums.ts';
import type { Failure } from '../../wire/failure.ts';
import type { StartInput } from './message.ts';
import type { FormerRun } from './rows.ts';

/** The run that asks something of another workflow, and the Initiated event of its history that says so: the answer names both. */
export interface Origin {
  namespace: string;
  workflowId: string;
  runId: string;
  initiatedEventId: number;
  /** The runs it was reset from, with the last event it has of each: what they began until then is its own. */
  former?: readonly FormerRun[] | undefined;
}

/** What an answer names of its origin; the rest is its address. */
export type OriginRef = Pick<Origin, 'runId' | 'initiatedEventId'>;

/** A workflow starts this one as its child. Answered by `childStarted` or `childStartFailed`. */
export interface StartChildMessage extends StartInput {
  type: 'startChild';
  cronSchedule?: string | undefined;
  /** Of a pinned parent. */
  inheritedPinnedVersion?: WorkerDeploymentVersion | undefined;
  origin: Origin;
  /** The top of the tree of parents. */
  root: WorkflowExecution;
  /** Told back with the answer: a parent that closed meanwhile acts on it. */
  parentClosePolicy: ParentClosePolicy;
}

/** Another workflow signals this one. Answered by `externalAnswered`. */
export interface SignalExternalMessage {
  type: 'signalExternal';
  origin: Origin;
  /** Absent or empty: the current run. */
  runId?: string | undefined;
  childWorkflowOnly: boolean;
  signalName: string;
  input?: Payloads | undefined;
  header?: Header | undefined;
}

/** Another workflow requests cancellation of this one. Answered by `externalAnswered`. */
export interface CancelExternalMessage {
  type: 'cancelExternal';
  origin: Origin;
  /** Absent or empty: the current run. */
  runId?: string | undefined;
  childWorkflowOnly: boolean;
  reason?: string | undefined;
}

/** The parent of this workflow closed: what its close policy asks for (never ABANDON). Not answered. */
export interface ParentClosedMessage {
  type: 'parentClosed';
  policy: typeof ParentClosePolicy.TERMINATE | typeof ParentClosePolicy.REQUEST_CANCEL;
  parent: { workflowId: string; runId: string };
  /** First run of the child's chain: whatever run of it is open is meant, and nothing else that has the id by now. */
  firstRunId: string;
}

/** A child of this workflow has started. */
export interface ChildStartedMessage {
  type: 'childStarted';
  origin: OriginRef;
  child: { namespace: string; workflowId: string; runId: string };
  parentClosePolicy: ParentClosePolicy;
}

export interface ChildStartFailedMessage {
  type: 'childStartFailed';
  origin: OriginRef;
  cause: StartChildWorkflowExecutionFailedCause;
}

/** How the last run of a child's chain ended. */
export type ChildClosure =
  | { how: 'completed'; result?: Payloads | undefined }
  | { how: 'failed'; failure?: Failure | undefined; retryState?: RetryState | undefined }
  | { how: 'canceled'; details?: Payloads | undefined }
  | { how: 'timedOut'; retryState?: RetryState | undefined }
  | { how: 'terminated' };

/** A child of this workflow has closed, and nothing continues it. */
export interface ChildClosedMessage {
  type: 'childClosed';
  origin: OriginRef;
  /** The run that closed. */
  child: { workflowId: string; runId: string };
  firstRunId: string;
  closure: ChildClosure;
}

/** Why a signal or cancel request did not reach the other workflow. */
export type ExternalRefusal = 'workflowNotFound' | 'namespaceNotFound' | 'tooManySignals';

/** The other workflow has this run's signal or cancel request, or refused it. */
export interface ExternalAnsweredMessage {
  type: 'externalAnswered';
  origin: OriginRef;
  refusal?: ExternalRefusal | undefined;
}
