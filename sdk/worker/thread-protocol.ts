// What the worker's main thread and a workflow thread say to each other.
//
// The main thread owns the connection, credit, heartbeats and activities; a workflow thread owns the deterministic realm and the warm
// executions (a run stays on one thread while it is warm). A thread that is over its deadline is ended and only its executions replay.
// Messages are structured-cloned; byte arrays may be transferred. Several messages of a tick travel as one array.

import type { Header, Payloads, RetryPolicy, WorkerDeploymentVersion } from '../../src/wire/common.ts';
import type { Failure } from '../../src/wire/failure.ts';
import type { EventBatches } from '../../src/wire/history.ts';
import type {
  QueryResult,
  RespondWorkflowTaskCompletedRequest,
  RespondWorkflowTaskFailedRequest,
  WorkflowTask,
} from '../../src/wire/workflow-task.ts';

export type ToWorkflowThread =
  /** A pushed workflow task or direct query. Tasks of one run come one at a time. */
  | { type: 'task'; task: WorkflowTask }
  /** The answer to `needHistory`. `nextEventId` absent: that was the last page. */
  | { type: 'history'; token: Uint8Array; events: EventBatches; firstEventId: number; nextEventId: number | undefined }
  | { type: 'historyFailed'; token: Uint8Array; message: string }
  | { type: 'localActivityResolved'; runId: string; seq: number; result: LocalActivityResult }
  /** The workflow task timeout comes near while local activities run: answer what is there and ask for another task. */
  | { type: 'heartbeatDue'; token: Uint8Array }
  /** Forget the warm execution: its token was refused, or its ahead task was lost. */
  | { type: 'evict'; runId: string; reason: string }
  | { type: 'close' };

export type LocalActivityResult =
  /** `attempt`, `originalScheduledTime` and `completedTime` (epoch ms) go into the marker. */
  | {
      kind: 'completed';
      result: Payloads | undefined;
      attempt: number;
      originalScheduledTime: number;
      completedTime: number;
    }
  | { kind: 'failed'; failure: Failure; attempt: number; originalScheduledTime: number; completedTime: number }
  | { kind: 'cancelled'; failure: Failure; attempt: number; originalScheduledTime: number; completedTime: number }
  /**
   * The next retry is too far away (localRetryThreshold): the workflow waits with a timer, then schedules it again.
   * `attempt` is the one that failed (the next is one more); with `failure` and `completedTime` it goes into the marker.
   */
  | {
      kind: 'backoff';
      attempt: number;
      backoffMs: number;
      originalScheduledTime: number;
      failure?: Failure | undefined;
      completedTime?: number | undefined;
    };

export interface LocalActivityTask {
  runId: string;
  workflowId: string;
  workflowType: string;
  namespace: string;
  /** Numbered within the run, over all tasks. */
  seq: number;
  activityId: string;
  activityType: string;
  args: Payloads;
  header: Header | undefined;
  /** First attempt to run, 1-based: above 1 after a back-off by timer. */
  attempt: number;
  originalScheduledTime: number | undefined;
  scheduleToCloseTimeout: number | undefined;
  scheduleToStartTimeout: number | undefined;
  startToCloseTimeout: number | undefined;
  retryPolicy: RetryPolicy | undefined;
  localRetryThreshold: number;
}

export interface SinkCall {
  iface: string;
  fn: string;
  args: unknown[];
  /** Made while replaying: delivered only to sinks that ask for it. */
  replaying: boolean;
  /** `workflowInfo()` at the call, cloneable; absent: the main thread makes one of what it knows of the task. */
  info?: unknown;
}

export type FromWorkflowThread =
  | { type: 'ready' }
  /** `request` lacks what the main thread adds: identity, workerVersion, credit. */
  | {
      type: 'completed';
      runId: string;
      /** Of the tree of parents, for a child. */
      rootWorkflowId?: string | undefined;
      request: Omit<RespondWorkflowTaskCompletedRequest, 'identity' | 'credit'>;
      sinkCalls: SinkCall[];
    }
  | {
      type: 'failed';
      runId: string;
      request: Omit<RespondWorkflowTaskFailedRequest, 'identity' | 'credit'>;
      sinkCalls: SinkCall[];
    }
  /** `sinkCalls`: of a thread that only replays. */
  | { type: 'queryAnswered'; token: Uint8Array; result: QueryResult; sinkCalls?: SinkCall[] | undefined }
  | { type: 'needHistory'; token: Uint8Array; fromEventId: number }
  | { type: 'startLocalActivities'; token: Uint8Array; tasks: LocalActivityTask[] }
  | { type: 'cancelLocalActivity'; runId: string; seq: number }
  /** LRU or after a failure: the server need not send this run's tasks to the sticky queue any longer. `problem`: an interceptor failed to let go of it. */
  | { type: 'evicted'; runId: string; problem?: string | undefined }
  /** Synchronous work on `runId` begins / has ended: what the deadlock watch looks at. A thread says it in shared memory (busy-mark.ts). */
  | { type: 'busy'; runId: string; workflowId: string; values?: 'large' | undefined }
  | { type: 'idle' };

/** `workerData` of a workflow thread that is started before it is known what it will run: its first message is its options. */
export interface SpareThread {
  spare: true;
}

/** `workerData` of a workflow thread. */
export interface WorkflowThreadOptions {
  /** Where it marks which run's code runs now: see busy-mark.ts. */
  busyMark: SharedArrayBuffer;
  /** Where it finds whether a patch is to be activated: see patch-activation.ts. Undefined: every patch is. */
  patchAnswer?: SharedArrayBuffer | undefined;
  /** The bundle: code of one script (see sdk/worker/bundle) and its source map. */
  bundle: { code: string; sourceMap: string };
  namespace: string;
  taskQueue: string;
  identity: string;
  /** Executions this thread keeps warm. */
  maxCachedWorkflows: number;
  /** Module paths of payload converter / failure converter, bundled into the realm. */
  /** Version of this package, written into histories. */
  sdkVersion?: string | undefined;
  /** Of this worker: what its answers say, too. */
  buildId?: string | undefined;
  /** Of the activities the worker has functions for: others cannot run locally. Undefined: not known here. */
  activityTypes?: readonly string[] | undefined;
  /** Only of a worker that is chosen by it. */
  version?: WorkerDeploymentVersion | undefined;
  failureErrorTypes?: FailureErrorTypes | undefined;
  /** It only replays: what its code calls sinks with comes with the answers to queries. */
  replaysOnly?: true | undefined;
}

/** By workflow type, and `*` for all: names of classes of errors that end a workflow rather than fail its task. */
export type FailureErrorTypes = Readonly<Record<string, readonly string[]>>;
