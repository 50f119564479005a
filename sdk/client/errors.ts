// What a client's calls reject with. Refusals of the server keep its status as `cause` (RpcError), failures of workflows their whole
// cause chain.

import type { WorkflowExecutionStatus as WireStatus } from '../../src/wire/enums.ts';
import type { RetryState } from '../common/enums.ts';
import { NamespaceNotFoundError, WorkflowNotFoundError } from '../common/errors.ts';
import { markErrorClass } from '../common/type-helpers.ts';
import { RpcError, StatusCode } from '../connection/rpc-error.ts';

/** Which execution an error is about; absent where it is about none. */
export interface ErrorExecution {
  workflowId: string;
  runId?: string | undefined;
}

/** Errors that say which execution they are about. */
class ExecutionError extends Error {
  /** Absent when the call named no workflow (`list`, an activity by its token). */
  declare readonly workflowId?: string;
  /** As the caller named it, or as the server said it. */
  declare readonly runId?: string;

  constructor(
    message: string,
    execution: { [K in keyof ErrorExecution]?: ErrorExecution[K] | undefined } | undefined,
    options?: ErrorOptions,
  ) {
    super(message, options);
    // Own properties only when known, so that a log that prints them all prints no empty ones.
    const { workflowId, runId } = execution ?? {};
    if (workflowId !== undefined) Object.assign(this, runId ? { workflowId, runId } : { workflowId });
  }
}

/** The server refused or failed a call for a reason without a class of its own; `cause` is the RpcError. */
export class ServiceError extends ExecutionError {
  override readonly cause?: Error | undefined;

  constructor(message: string, opts?: { cause: Error; execution?: ErrorExecution | undefined }) {
    super(message, opts?.execution);
    this.cause = opts?.cause;
  }

  static {
    markErrorClass(ServiceError, 'ServiceError');
  }
}

export type FailedStatus = 'FAILED' | 'CANCELLED' | 'TERMINATED' | 'TIMED_OUT';

/** The workflow did not complete. `cause` says how it ended: ApplicationFailure, CancelledFailure, TerminatedFailure, TimeoutFailure… */
export class WorkflowFailedError extends ExecutionError {
  override readonly cause: Error | undefined;
  readonly retryState: RetryState | undefined;
  /** How the execution closed, by the name `describe` gives it. */
  declare readonly status?: FailedStatus;

  constructor(
    message: string,
    cause: Error | undefined,
    retryState: RetryState | undefined,
    closed?: ErrorExecution & { status: FailedStatus },
  ) {
    super(message, closed);
    this.cause = cause;
    this.retryState = retryState;
    if (closed !== undefined) Object.assign(this, { status: closed.status });
  }

  static {
    markErrorClass(WorkflowFailedError, 'WorkflowFailedError');
  }
}

/** The run ended by continuing as new, and the caller asked not to follow (`followRuns: false`). */
export class WorkflowContinuedAsNewError extends ExecutionError {
  readonly newExecutionRunId: string;

  constructor(message: string, newExecutionRunId: string, execution?: ErrorExecution) {
    super(message, execution);
    this.newExecutionRunId = newExecutionRunId;
  }

  static {
    markErrorClass(WorkflowContinuedAsNewError, 'WorkflowExecutionContinuedAsNewError');
  }
}

/** The query was refused because of the workflow's status, as `queryRejectCondition` asks. */
export class QueryRejectedError extends ExecutionError {
  /** The wire's number. */
  readonly status: WireStatus;

  constructor(status: WireStatus, execution?: ErrorExecution) {
    super('Query rejected', execution);
    this.status = status;
  }

  static {
    markErrorClass(QueryRejectedError, 'QueryRejectedError');
  }
}

/** The workflow has no handler for this query, or its handler threw: the message says which, `cause` is what it threw. */
export class QueryNotRegisteredError extends ExecutionError {
  override readonly cause?: Error | undefined;
  readonly code: StatusCode;

  constructor(message: string, code: StatusCode, cause?: Error, execution?: ErrorExecution) {
    super(message, execution);
    this.code = code;
    this.cause = cause;
  }

  static {
    markErrorClass(QueryNotRegisteredError, 'QueryNotRegisteredError');
  }
}

/** The update was rejected, or failed: see its `cause`. */
export class WorkflowUpdateFailedError extends ExecutionError {
  override readonly cause: Error | undefined;

  constructor(message: string, cause: Error | undefined, execution?: ErrorExecution) {
    super(message, execution);
    this.cause = cause;
  }

  static {
    markErrorClass(WorkflowUpdateFailedError, 'WorkflowUpdateFailedError');
  }
}

/** The call's time was over, or it was given up, before the update had come as far as was asked for: it may come further. */
export class WorkflowUpdateRPCTimeoutOrCancelledError extends ExecutionError {
  override readonly cause?: Error | undefined;

  constructor(message: string, opts?: { cause?: Error; execution?: ErrorExecution | undefined }) {
    super(message, opts?.execution);
    this.cause = opts?.cause;
  }

  static {
    markErrorClass(WorkflowUpdateRPCTimeoutOrCancelledError, 'WorkflowUpdateRPCTimeoutOrCancelledError');
  }
}

/** No such activity is open: it was completed, timed out, or its workflow has closed. */
export class ActivityNotFoundError extends ExecutionError {
  /** Absent when it was named by its task token. */
  declare readonly activityId?: string;

  constructor(message: string, opts?: { cause?: Error; execution?: ActivityExecution | undefined }) {
    super(message, opts?.execution, opts?.cause === undefined ? undefined : { cause: opts.cause });
    nameActivity(this, opts?.execution);
  }

  static {
    markErrorClass(ActivityNotFoundError, 'ActivityNotFoundError');
  }
}

/** An activity could not be completed or heartbeat for another reason than being unknown; `cause` is the RpcError. */
export class ActivityCompletionError extends ExecutionError {
  /** Absent when it was named by its task token. */
  declare readonly activityId?: string;

  constructor(message: string, opts?: { cause?: Error; execution?: ActivityExecution | undefined }) {
    super(message, opts?.execution, opts?.cause === undefined ? undefined : { cause: opts.cause });
    nameActivity(this, opts?.execution);
  }

  static {
    markErrorClass(ActivityCompletionError, 'ActivityCompletionError');
  }
}

/** Without a workflow id: one that has no workflow. */
interface ActivityExecution {
  workflowId?: string | undefined;
  runId?: string | undefined;
  activityId: string;
}

function nameActivity(error: Error, execution: ActivityExecution | undefined): void {
  if (execution !== undefined) Object.assign(error, { activityId: execution.activityId });
}

/** Thrown by `heartbeat` when cancellation of the activity was requested. */
export class ActivityCancelledError extends Error {
  static {
    markErrorClass(ActivityCancelledError, 'ActivityCancelledError');
  }
}

/** Thrown by `heartbeat` when the activity was reset: it begins anew once this attempt has ended. */
export class ActivityResetError extends Error {
  static {
    markErrorClass(ActivityResetError, 'ActivityResetError');
  }
}

/** Thrown by `heartbeat` when the activity was paused: no further attempt begins before it is unpaused. */
export class ActivityPausedError extends Error {
  static {
    markErrorClass(ActivityPausedError, 'ActivityPausedError');
  }
}

/**
 * Throws what a failed request about a workflow means to its caller.
 *
 * @param what What was tried, e.g. `Failed to start Workflow`.
 */
export function rethrowWorkflowError(err: unknown, what: string, execution?: ErrorExecution): never {
  if (!(err instanceof RpcError)) throw err;
  throwIfNamespaceNotFound(err);
  if (err.code === StatusCode.NOT_FOUND && execution !== undefined) {
    throw new WorkflowNotFoundError(err.details || 'Workflow not found', execution.workflowId, execution.runId);
  }
  throw new ServiceError(`${what}: ${err.details}`, { cause: err, execution });
}

/** Throws what a failed request about an activity means to its caller. */
export function rethrowActivityError(err: unknown, execution?: ActivityExecution): never {
  if (!(err instanceof RpcError)) throw err;
  throwIfNamespaceNotFound(err);
  const opts = { cause: err, execution };
  if (err.code === StatusCode.NOT_FOUND) throw new ActivityNotFoundError(err.details || 'Not found', opts);
  throw new ActivityCompletionError(err.details, opts);
}

function throwIfNamespaceNotFound(err: RpcError): void {
  if (err.detail?.kind === 'NamespaceNotFound') throw new NamespaceNotFoundError(err.detail.namespace);
}
