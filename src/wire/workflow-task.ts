// Workflow tasks, as they are pushed and answered. Times are epoch milliseconds, durations milliseconds.

import type { Command } from './command.ts';
import type {
  Empty,
  Header,
  MeteringMetadata,
  Payloads,
  WorkerDeploymentVersion,
  WorkerVersionStamp,
  WorkflowTaskCompletedMetadata,
} from './common.ts';
import type { VersioningBehavior, WorkflowTaskFailedCause } from './enums.ts';
import type { Failure } from './failure.ts';
import type { EventBatches } from './history.ts';
import type { ProtocolMessage, RequestMessage } from './protocol-message.ts';

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

export interface WorkflowQuery {
  queryType: string;
  queryArgs?: Payloads | undefined;
  header?: Header | undefined;
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

/** Push topic `durable`: the entries under these ahead tasks are on disk. */
export interface DurablePush {
  workerId: string;
  tokens: Uint8Array[];
  /** Workflow tasks the worker said it holds, and that are over: an answer would be refused. */
  over?: Uint8Array[] | undefined;
}

export interface WorkflowTaskMethods {
  respondWorkflowTaskCompleted: {
    request: RespondWorkflowTaskCompletedRequest;
    response: RespondWorkflowTaskCompletedResponse;
  };
  respondWorkflowTaskFailed: { request: RespondWorkflowTaskFailedRequest; response: Empty };
  respondQueryTaskCompleted: { request: RespondQueryTaskCompletedRequest; response: Empty };
}
