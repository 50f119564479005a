// What describe, list and count tell of executions.

import type { WorkflowExecutionStatus as WireStatus } from '../../src/wire/enums.ts';
import type { HistoryEvent } from '../../src/wire/event.ts';
import type {
  DescribeWorkflowExecutionResponse,
  WorkflowExecutionInfo as RawWorkflowExecutionInfo,
} from '../../src/wire/execution-info.ts';
import type { ExecutionFlowControl } from '../common/flow-control.ts';
import type { Priority } from '../common/priority.ts';
import type { SearchAttributeValue, TypedSearchAttributes } from '../common/search-attributes.ts';

export type { DescribeWorkflowExecutionResponse, RawWorkflowExecutionInfo };

/** Which workflow; without `runId`, its current run. */
export interface WorkflowExecution {
  workflowId: string;
  runId?: string | undefined;
}

/** Note CANCELLED with two Ls, as in the official client; the API's own name is CANCELED. */
export type WorkflowExecutionStatusName =
  | 'UNSPECIFIED'
  | 'RUNNING'
  | 'COMPLETED'
  | 'FAILED'
  | 'CANCELLED'
  | 'TERMINATED'
  | 'CONTINUED_AS_NEW'
  | 'TIMED_OUT'
  | 'PAUSED'
  | 'UNKNOWN';

export interface WorkflowExecutionInfo {
  type: string;
  workflowId: string;
  runId: string;
  taskQueue: string;
  status: { code: WireStatus; name: WorkflowExecutionStatusName };
  /** Events written so far. */
  historyLength: number;
  /** Bytes. */
  historySize?: number | undefined;
  startTime: Date;
  /** When the first workflow task could run: after a start delay or back-off. */
  executionTime?: Date | undefined;
  closeTime?: Date | undefined;
  memo?: Record<string, unknown> | undefined;
  /** @deprecated Use {@link typedSearchAttributes}. */
  searchAttributes: Record<string, SearchAttributeValue>;
  typedSearchAttributes: TypedSearchAttributes;
  parentExecution?: { workflowId: string; runId: string } | undefined;
  rootExecution?: { workflowId: string; runId: string } | undefined;
  /** Its fields are undefined where its start said nothing. */
  priority?: Priority | undefined;
  /** As the server sent it. */
  raw: RawWorkflowExecutionInfo;
}

export type WorkflowExecutionDescription = Omit<WorkflowExecutionInfo, 'raw'> & {
  /** Details for people, given at the start. */
  staticDetails: () => Promise<string | undefined>;
  /** Summary for people, given at the start. */
  staticSummary: () => Promise<string | undefined>;
  /** Absent: its start named no flow-control key. */
  flowControl?: ExecutionFlowControl | undefined;
  /** As the server sent it, with pending activities, timers and the pending workflow task. */
  raw: DescribeWorkflowExecutionResponse;
};

export interface CountWorkflowExecution {
  count: number;
  /** One for each value of a `GROUP BY`. */
  groups: { count: number; groupValues: SearchAttributeValue[] }[];
}

/** A run's history; see `historyToJSON` for Temporal's exchange format. Payloads are as stored, no codec applied. */
export interface History {
  events: HistoryEvent[];
}
