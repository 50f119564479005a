// Requests of the workflow service about the life of one execution, in the shapes of the API.

import type { ResetReapplyExcludeType, ResetReapplyType } from '../../src/wire/enums.ts';
import type { PostResetOperation } from '../../src/wire/post-reset.ts';

export { ResetReapplyExcludeType, ResetReapplyType } from '../../src/wire/enums.ts';

/** A workflow, or one run of it. */
export interface NamedExecution {
  workflowId: string;
  /** Default: the current run. */
  runId?: string | undefined;
}

/** Also of an unpause. */
export interface PauseWorkflowExecutionRequest {
  namespace: string;
  workflowId: string;
  /** Default: the current run. */
  runId?: string | undefined;
  /** Kept in the history; at most 1,000 bytes. */
  reason?: string | undefined;
  /** A repeat with the same id is the same request. Default: a fresh one. */
  requestId?: string | undefined;
  identity?: string | undefined;
}

export interface DeleteWorkflowExecutionRequest {
  namespace: string;
  /** Open or closed. */
  workflowExecution: NamedExecution;
}

export interface ResetWorkflowExecutionRequest {
  namespace: string;
  /** Open or closed. */
  workflowExecution: NamedExecution;
  /** Kept in both histories. */
  reason?: string | undefined;
  /** The event that ends the workflow task to do again: completed, failed or timed out; or its Started event. 1-based. */
  workflowTaskFinishEventId: number | { toNumber(): number };
  /** A repeat with the same id returns the first answer. Default: a fresh one. */
  requestId?: string | undefined;
  /** Default: what came from outside after the point is applied again. */
  resetReapplyType?: ResetReapplyType | undefined;
  /** Kinds that are not applied again. */
  resetReapplyExcludeTypes?: ResetReapplyExcludeType[] | undefined;
  /**
   * Done to the new run before its first task, one after the other: it is signalled, or pinned to a version of its workers, or let upgrade again. 100 at
   * most. One that pins is refused (FAILED_PRECONDITION) where that version has no workers on the workflow's task queue.
   */
  postResetOperations?: PostResetOperation[] | undefined;
  identity?: string | undefined;
}
