// Batch jobs on the wire: one operation on many executions. Named as in the Temporal API's batch.v1 and its StartBatchOperationRequest.

import type { Header, Payloads } from './common.ts';
import type { BatchOperationState, BatchOperationType } from './enums.ts';

export interface BatchTarget {
  workflowId: string;
  /** Absent or empty: the current run. */
  runId?: string | undefined;
}

/** What is done to each execution: exactly one of these is set. */
export interface BatchOperations {
  terminationOperation?: { details?: Payloads | undefined; identity?: string | undefined } | undefined;
  /** Those that are open are terminated first. */
  deletionOperation?: { identity?: string | undefined } | undefined;
  cancellationOperation?: { identity?: string | undefined } | undefined;
  signalOperation?:
    | { signal: string; input?: Payloads | undefined; header?: Header | undefined; identity?: string | undefined }
    | undefined;
}

export interface StartBatchOperationRequest extends BatchOperations {
  namespace: string;
  /** Names the job in its namespace while it is kept. */
  jobId: string;
  /** Why, for people; also of terminations and cancel requests. */
  reason: string;
  /** A list filter without ORDER BY. Either this or `executions`. */
  visibilityQuery?: string | undefined;
  /** 1,000 at most. */
  executions?: BatchTarget[] | undefined;
  /** Default 50. */
  maxOperationsPerSecond?: number | undefined;
}

/** A job: what it is to do, and how far it has come. */
export interface BatchOperationInfo {
  operationType: BatchOperationType;
  jobId: string;
  state: BatchOperationState;
  /** Epoch ms. */
  startTime: number;
  closeTime?: number | undefined;
  /** Executions it is about; once it has completed, exactly those it came to. */
  totalOperationCount: number;
  completeOperationCount: number;
  failureOperationCount: number;
  identity: string;
  reason: string;
  /** Why it ended before it was through: who stopped it and why, or what went wrong. */
  closeReason?: string | undefined;
}

export interface ListBatchOperationsRequest {
  namespace: string;
  /** Default 100, at most 1,000. */
  pageSize?: number | undefined;
  nextPageToken?: Uint8Array | undefined;
}

export interface ListBatchOperationsResponse {
  /** Newest first. */
  operationInfo: BatchOperationInfo[];
  nextPageToken?: Uint8Array | undefined;
}

export interface StopBatchOperationRequest {
  namespace: string;
  jobId: string;
  reason: string;
  identity?: string | undefined;
}
