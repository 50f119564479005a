// What becomes of an execution, told to clients and workers: its events, its published state, its result.

import type { WorkflowExecutionStatus } from './enums.ts';
import type { ExecutionTarget } from './execution.ts';

/** Events as the server keeps them: each element is a MessagePack array of `HistoryEvent`, in order, never re-encoded on its way. */
export type EventBatches = Uint8Array[];

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

export interface HistoryMethods {
  getWorkflowExecutionHistory: {
    request: GetWorkflowExecutionHistoryRequest;
    response: GetWorkflowExecutionHistoryResponse;
  };
  /** Answered in parts. */
  watchWorkflowState: { request: WatchWorkflowStateRequest; response: WatchWorkflowStateResponse };
  awaitWorkflowResult: { request: AwaitWorkflowResultRequest; response: AwaitWorkflowResultResponse };
  getWorkflowTaskHistory: { request: GetWorkflowTaskHistoryRequest; response: GetWorkflowTaskHistoryResponse };
}
