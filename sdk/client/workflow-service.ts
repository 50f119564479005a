// Calls of the server that have no method of their own, in the shape of the API's requests, as `client.workflowService` of the official client has them.

import type { ResetReapplyExcludeType, ResetReapplyType } from '../../src/wire/enums.ts';
import type { Connection } from '../connection/connection.ts';
import { newRequestId } from './workflow-requests.ts';

export { ResetReapplyExcludeType, ResetReapplyType } from '../../src/wire/enums.ts';

interface Execution {
  workflowId: string;
  /** Default: the current run. */
  runId?: string | undefined;
}

export interface ResetWorkflowExecutionRequest {
  namespace: string;
  /** Open or closed. */
  workflowExecution: Execution;
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
  identity?: string | undefined;
}

/** The server's own methods, by the names and shapes of the API. They throw `RpcError` as they come. */
export class WorkflowService {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /**
   * Does a workflow again from one of its workflow tasks on: a new run begins with the history before it, the run that is open ends as terminated.
   *
   * @returns The id of the new run.
   * @throws RpcError INVALID_ARGUMENT when the event ends no workflow task, NOT_FOUND when there is no such run, RESOURCE_EXHAUSTED when its history
   *   is larger than can be reset.
   */
  async resetWorkflowExecution(request: ResetWorkflowExecutionRequest): Promise<{ runId: string }> {
    const { workflowExecution, workflowTaskFinishEventId: finish, reason = '', ...rest } = request;
    return await this.#connection.request('resetWorkflowExecution', {
      ...rest,
      ...workflowExecution,
      reason,
      workflowTaskFinishEventId: typeof finish === 'number' ? finish : finish.toNumber(),
      identity: request.identity ?? this.#connection.identity,
      requestId: request.requestId ?? newRequestId(),
    });
  }
}
