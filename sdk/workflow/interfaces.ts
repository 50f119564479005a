// What workflow code reads about its execution, and the options and definitions of the workflow API.

import type { WorkflowExecution } from '../../src/wire/common.ts';
import type { ParentClosePolicy, SuggestContinueAsNewReason } from '../common/enums.ts';
import type { FlowControl } from '../common/flow-control.ts';
import type { HandlerUnfinishedPolicy } from '../common/interfaces.ts';
import type { Priority } from '../common/priority.ts';
import type { RetryPolicy } from '../common/retry-policy.ts';
import type { SearchAttributePair, SearchAttributes, TypedSearchAttributes } from '../common/search-attributes.ts';
import type { Duration } from '../common/time.ts';
import type {
  InitialVersioningBehavior,
  VersioningIntent,
  WorkerDeploymentVersion,
} from '../common/worker-deployments.ts';
import type { CommonWorkflowOptions } from '../common/workflow-options.ts';
import type { Grouped } from './activity-options.ts';

export interface ParentWorkflowInfo {
  workflowId: string;
  runId: string;
  namespace: string;
}

export interface RootWorkflowInfo {
  workflowId: string;
  runId: string;
}

/** About the running execution. Changes from one workflow task to the next: ask again rather than keep it. */
export interface WorkflowInfo {
  workflowId: string;
  runId: string;
  /** Exported name of the workflow function. */
  workflowType: string;
  /** @deprecated Use {@link typedSearchAttributes}. */
  searchAttributes: SearchAttributes;
  typedSearchAttributes: TypedSearchAttributes;
  memo?: Record<string, unknown> | undefined;
  /** Set for child workflows. */
  parent?: ParentWorkflowInfo | undefined;
  /** Top of the tree of parents; absent when the workflow is the top itself. */
  root?: RootWorkflowInfo | undefined;
  /** Result of the previous run, for cron schedules. */
  lastResult?: unknown;
  /** Failure of the previous run, when that failed. */
  lastFailure?: Error | undefined;
  /** Events up to the start of this workflow task. */
  historyLength: number;
  /** Bytes up to this workflow task; 0 when the server does not say. */
  historySize: number;
  /** The history has become long: time to continue as new. */
  continueAsNewSuggested: boolean;
  /** Why, as far as the server says. */
  suggestedContinueAsNewReasons?: SuggestContinueAsNewReason[] | undefined;
  /** The version that new workflows begin on is not the one that this workflow is pinned to: continue as new with `initialVersioningBehavior` to move. */
  targetWorkerDeploymentVersionChanged: boolean;
  taskQueue: string;
  namespace: string;
  /** First run of the chain of continuations, retries and cron runs. */
  firstExecutionRunId: string;
  /** As in the run's first event: a reset makes another run id, and keeps this one. */
  originalExecutionRunId: string;
  continuedFromExecutionRunId?: string | undefined;
  /** When the first run of the execution started. */
  startTime: Date;
  /** When this run started. */
  runStartTime: Date;
  executionTimeoutMs?: number | undefined;
  executionExpirationTime?: Date | undefined;
  runTimeoutMs?: number | undefined;
  taskTimeoutMs: number;
  retryPolicy?: RetryPolicy | undefined;
  /** 1-based; grows with the workflow's retry policy. */
  attempt: number;
  cronSchedule?: string | undefined;
  cronScheduleToScheduleInterval?: number | undefined;
  /** @deprecated Use {@link currentDeploymentVersion}. */
  currentBuildId?: string | undefined;
  /**
   * Of the worker that completed the current workflow task; of this worker, while the task is worked on for the first time. It is in the history, so code
   * may branch on it. Undefined for workers that are not chosen by version.
   */
  currentDeploymentVersion?: WorkerDeploymentVersion | undefined;
  priority?: Priority | undefined;
  unsafe: UnsafeWorkflowInfo;
}

/** Not deterministic: using these to decide what a workflow does breaks its replay. */
export interface UnsafeWorkflowInfo {
  /** The machine's clock, epoch ms. */
  now(): number;
  isReplaying: boolean;
  /** As `isReplaying`, but false in query handlers and update validators: those run when they are asked, whatever is replayed around them. */
  isReplayingHistoryEvents: boolean;
  /** The machine's own chance, new at every draw: for query handlers and update validators. */
  random: UnsafeRandomSource;
}

export interface UnsafeRandomSource {
  /** In [0, 1). */
  random(): number;
  uuid4(): string;
  /** Fills `bytes` and returns it. */
  fillRandom(bytes: Uint8Array): Uint8Array;
}

/** Options of continue-as-new; what is left out stays as it is. */
export interface ContinueAsNewOptions extends Grouped {
  /** Exported name of the next run's workflow function. */
  workflowType?: string | undefined;
  taskQueue?: string | undefined;
  workflowRunTimeout?: Duration | undefined;
  workflowTaskTimeout?: Duration | undefined;
  /** How long the next run waits before its first workflow task. Default: not at all. */
  backoffStartInterval?: Duration | undefined;
  memo?: Record<string, unknown> | undefined;
  /** @deprecated Use {@link typedSearchAttributes}. */
  searchAttributes?: SearchAttributes | undefined;
  typedSearchAttributes?: SearchAttributePair[] | TypedSearchAttributes | undefined;
  /** Where the next run of a pinned workflow begins, if not on this one's version. */
  initialVersioningBehavior?: InitialVersioningBehavior | undefined;
  /** @deprecated As with Temporal; says nothing here: see {@link VersioningIntent}. */
  versioningIntent?: VersioningIntent | undefined;
}

/** When the promise of a cancelled child rejects. Default: WAIT_CANCELLATION_COMPLETED. */
export const ChildWorkflowCancellationType = {
  /** Do not request cancellation; reject at once. */
  ABANDON: 'ABANDON',
  /** Request cancellation; reject at once. */
  TRY_CANCEL: 'TRY_CANCEL',
  /** Request cancellation and wait until the child has closed. */
  WAIT_CANCELLATION_COMPLETED: 'WAIT_CANCELLATION_COMPLETED',
  /**
   * Request cancellation and wait until the request has reached the child. As in Temporal's own SDK, the child's promise still settles
   * only with its end; the request alone settles nothing the workflow can see.
   */
  WAIT_CANCELLATION_REQUESTED: 'WAIT_CANCELLATION_REQUESTED',
} as const;
export type ChildWorkflowCancellationType =
  (typeof ChildWorkflowCancellationType)[keyof typeof ChildWorkflowCancellationType];

export interface ChildWorkflowOptions extends Omit<CommonWorkflowOptions, 'workflowIdConflictPolicy'>, Grouped {
  /** Default: a random UUID. */
  workflowId?: string | undefined;
  /** Default: the parent's. */
  taskQueue?: string | undefined;
  /** Default: WAIT_CANCELLATION_COMPLETED. */
  cancellationType?: ChildWorkflowCancellationType | undefined;
  /** What happens to the child when its parent closes, in whatever way: also when it continues as new or is retried. Default: TERMINATE. */
  parentClosePolicy?: ParentClosePolicy | undefined;
  /** @deprecated As with Temporal; says nothing here: see {@link VersioningIntent}. */
  versioningIntent?: VersioningIntent | undefined;
  /** The child begins once it has a permit of this key, and keeps it until its chain of runs has closed. Without `useExisting`. */
  flowControl?: FlowControl | undefined;
}

export interface SleepOptions extends Grouped {
  /** One line for people, shown beside the timer. */
  summary?: string | undefined;
}

export interface QueryHandlerOptions {
  description?: string | undefined;
}

export interface SignalHandlerOptions {
  description?: string | undefined;
  /** What becomes of a handler that still runs when the workflow ends. Default: WARN_AND_ABANDON. */
  unfinishedPolicy?: HandlerUnfinishedPolicy | undefined;
}

export interface UpdateHandlerOptions<Args extends unknown[]> {
  description?: string | undefined;
  unfinishedPolicy?: HandlerUnfinishedPolicy | undefined;
  /** Throws to reject the update before anything of it is recorded. Must not wait or change the workflow's state. */
  validator?: ((...args: Args) => void) | undefined;
}

/** The update that the running handler is for. */
export interface UpdateInfo {
  /** As the client chose it, or had it made. */
  readonly id: string;
  readonly name: string;
}

export type DefaultSignalHandler = (signalName: string, ...args: unknown[]) => void | Promise<void>;
export type DefaultUpdateHandler = (updateName: string, ...args: unknown[]) => unknown;
export type DefaultQueryHandler = (queryName: string, ...args: unknown[]) => unknown;

export type { WorkflowExecution };
