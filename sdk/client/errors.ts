// What a client's calls reject with. Refusals of the server keep its status as `cause` (RpcError), failures of workflows their whole
// cause chain.

import type { WorkflowExecutionStatus as WireStatus } from '../../src/wire/enums.ts';
import type { RetryState } from '../common/enums.ts';
import { NamespaceNotFoundError, WorkflowNotFoundError } from '../common/errors.ts';
import { markErrorClass } from '../common/type-helpers.ts';
import { RpcError, StatusCode } from '../connection/rpc-error.ts';

/** The server refused or failed a call for a reason without a class of its own; `cause` is the RpcError. */
export class ServiceError extends Error {
  override readonly cause?: Error | undefined;

  constructor(message: string, opts?: { cause: Error }) {
    super(message);
    this.cause = opts?.cause;
  }

  static {
    markErrorClass(ServiceError, 'ServiceError');
  }
}

/** The workflow did not complete. `cause` says how it ended: ApplicationFailure, CancelledFailure, TerminatedFailure, TimeoutFailure… */
export class WorkflowFailedError extends Error {
  override readonly cause: Error | undefined;
  readonly retryState: RetryState | undefined;

  constructor(message: string, cause: Error | undefined, retryState: RetryState | undefined) {
    super(message);
    this.cause = cause;
    this.retryState = retryState;
  }

  static {
    markErrorClass(WorkflowFailedError, 'WorkflowFailedError');
  }
}

/** The run ended by continuing as new, and the caller asked not to follow (`followRuns: false`). */
export class WorkflowContinuedAsNewError extends Error {
  readonly newExecutionRunId: string;

  constructor(message: string, newExecutionRunId: string) {
    super(message);
    this.newExecutionRunId = newExecutionRunId;
  }

  static {
    markErrorClass(WorkflowContinuedAsNewError, 'WorkflowExecutionContinuedAsNewError');
  }
}

/** The query was refused because of the workflow's status, as `queryRejectCondition` asks. */
export class QueryRejectedError extends Error {
  /** The wire's number. */
  readonly status: WireStatus;

  constructor(status: WireStatus) {
    super('Query rejected');
    this.status = status;
  }

  static {
    markErrorClass(QueryRejectedError, 'QueryRejectedError');
  }
}

/** The workflow has no handler for this query, or its handler threw: the message says which, `cause` is what it threw. */
export class QueryNotRegisteredError extends Error {
  override readonly cause?: Error | undefined;
  readonly code: StatusCode;

  constructor(message: string, code: StatusCode, cause?: Error) {
    super(message);
    this.code = code;
    this.cause = cause;
  }

  static {
    markErrorClass(QueryNotRegisteredError, 'QueryNotRegisteredError');
  }
}

/** No such activity is open: it was completed, timed out, or its workflow has closed. */
export class ActivityNotFoundError extends Error {
  static {
    markErrorClass(ActivityNotFoundError, 'ActivityNotFoundError');
  }
}

/** An activity could not be completed or heartbeat for another reason than being unknown; `cause` is the RpcError. */
export class ActivityCompletionError extends Error {
  static {
    markErrorClass(ActivityCompletionError, 'ActivityCompletionError');
  }
}

/** Thrown by `heartbeat` when cancellation of the activity was requested. */
export class ActivityCancelledError extends Error {
  static {
    markErrorClass(ActivityCancelledError, 'ActivityCancelledError');
  }
}

/**
 * Throws what a failed request about a workflow means to its caller.
 *
 * @param what What was tried, e.g. `Failed to start Workflow`.
 */
export function rethrowWorkflowError(
  err: unknown,
  what: string,
  execution?: { workflowId: string; runId?: string | undefined },
): never {
  if (!(err instanceof RpcError)) throw err;
  throwIfNamespaceNotFound(err);
  if (err.code === StatusCode.NOT_FOUND && execution !== undefined) {
    throw new WorkflowNotFoundError(err.details || 'Workflow not found', execution.workflowId, execution.runId);
  }
  throw new ServiceError(`${what}: ${err.details}`, { cause: err });
}

/** Throws what a failed request about an activity means to its caller. */
export function rethrowActivityError(err: unknown): never {
  if (!(err instanceof RpcError)) throw err;
  throwIfNamespaceNotFound(err);
  if (err.code === StatusCode.NOT_FOUND) throw new ActivityNotFoundError(err.details || 'Not found', { cause: err });
  throw new ActivityCompletionError(err.details, { cause: err });
}

function throwIfNamespaceNotFound(err: RpcError): void {
  if (err.detail?.kind === 'NamespaceNotFound') throw new NamespaceNotFoundError(err.detail.namespace);
}
