// Lists and counts of executions, and the search attributes they go by.

import type { Empty } from './common.ts';
import type { IndexedValueType } from './enums.ts';
import type { WorkflowExecutionInfo } from './execution-info.ts';

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

export interface VisibilityMethods {
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
}
