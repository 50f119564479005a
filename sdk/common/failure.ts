// Failures: the errors that cross workflow and activity boundaries and are kept in histories (as src/wire/failure.ts).
// Only ApplicationFailure is meant to be thrown by users' code; the others are made by the SDK from what the server reports.

import type { WorkflowExecution } from '../../src/wire/common.ts';
import type { Failure as WireFailure } from '../../src/wire/failure.ts';
import type { ApplicationFailureCategory, RetryState, TimeoutType } from './enums.ts';
import type { Duration } from './time.ts';
import { errorMessage, isError, isRecord, markErrorClass } from './type-helpers.ts';

/** The `source` of failures made by TypeScript code; recorded histories of Temporal's SDK show the same. */
export const FAILURE_SOURCE = 'TypeScriptSDK';

/** A failure as the wire and histories carry it. */
export type ProtoFailure = WireFailure;

/** Any failure that can cross workflow and activity boundaries. Never extend it, and throw only {@link ApplicationFailure}. */
export class TemporalFailure extends Error {
  override readonly cause?: Error | undefined;
  /** The wire failure this error was made from; present only when it came from outside. */
  declare failure?: ProtoFailure | undefined;

  constructor(message?: string | undefined | null, cause?: Error | undefined) {
    super(message ?? undefined);
    this.cause = cause;
  }

  static {
    markErrorClass(TemporalFailure, 'TemporalFailure');
  }
}

/** A failure that originated in the server. */
export class ServerFailure extends TemporalFailure {
  readonly nonRetryable: boolean;

  constructor(message: string | undefined, nonRetryable: boolean, cause?: Error) {
    super(message, cause);
    this.nonRetryable = nonRetryable;
  }

  static {
    markErrorClass(ServerFailure, 'ServerFailure');
  }
}

export interface ApplicationFailureOptions {
  message?: string | undefined;
  /** Matched against {@link RetryPolicy.nonRetryableErrorTypes}. */
  type?: string | undefined;
  /** Whether to give up retrying. Default: false. */
  nonRetryable?: boolean | undefined;
  /** Values for the caller, converted by the worker's payload converter. */
  details?: unknown[] | undefined;
  /** Delay before the next attempt, instead of the retry policy's; its limits on attempts and total time still hold. */
  nextRetryDelay?: Duration | undefined;
  cause?: Error | undefined;
  category?: ApplicationFailureCategory | undefined;
}

/**
 * An application's own failure.
 *
 * Thrown from a workflow it fails the execution (any other error fails the workflow *task*, which is tried again). From an activity
 * every error becomes one: `type` is the error's class name, `message`, stack and `cause` are kept, and it is retryable.
 */
export class ApplicationFailure extends TemporalFailure {
  readonly type?: string | undefined | null;
  readonly nonRetryable?: boolean | undefined | null;
  readonly details?: unknown[] | undefined | null;
  readonly nextRetryDelay?: Duration | undefined | null;
  readonly category?: ApplicationFailureCategory | undefined | null;

  /** Prefer {@link create}, {@link retryable}, {@link nonRetryable} or {@link fromError}. */
  constructor(
    message?: string | undefined | null,
    type?: string | undefined | null,
    nonRetryable?: boolean | undefined | null,
    details?: unknown[] | undefined | null,
    cause?: Error,
    nextRetryDelay?: Duration | undefined | null,
    category?: ApplicationFailureCategory | undefined | null,
  ) {
    super(message, cause);
    this.type = type;
    this.nonRetryable = nonRetryable;
    this.details = details;
    this.nextRetryDelay = nextRetryDelay;
    this.category = category;
  }

  /** {@link ensureApplicationFailure}, with `overrides` replacing what they name. */
  static fromError(error: unknown, overrides?: ApplicationFailureOptions): ApplicationFailure {
    const failure = ensureApplicationFailure(error);
    Object.assign(failure, overrides);
    return failure;
  }

  /** A new failure; retryable unless said otherwise, or unless its type is in the policy's `nonRetryableErrorTypes`. */
  static create(options: ApplicationFailureOptions): ApplicationFailure {
    const { message, type, nonRetryable = false, details, nextRetryDelay, cause, category } = options;
    return new this(message, type, nonRetryable, details, cause, nextRetryDelay, category);
  }

  /** A failure that is retried, as far as the retry policy allows. `type` defaults to 'Error'. */
  static retryable(message?: string | null, type?: string | null, ...details: unknown[]): ApplicationFailure {
    return new this(message, type ?? 'Error', false, details);
  }

  /** A failure that is never retried. `type` defaults to 'Error'. */
  static nonRetryable(message?: string | null, type?: string | null, ...details: unknown[]): ApplicationFailure {
    return new this(message, type ?? 'Error', true, details);
  }

  static {
    markErrorClass(ApplicationFailure, 'ApplicationFailure');
  }
}

/**
 * Cancellation was requested. Let it propagate to be cancelled, or catch it to clean up or go on: it is delivered once.
 * The `cause` of the failure of what was cancelled.
 */
export class CancelledFailure extends TemporalFailure {
  readonly details: unknown[];

  constructor(message: string | undefined, details: unknown[] = [], cause?: Error) {
    super(message, cause);
    this.details = details;
  }

  static {
    markErrorClass(CancelledFailure, 'CancelledFailure');
  }
}

/** The `cause` when a workflow was terminated. */
export class TerminatedFailure extends TemporalFailure {
  constructor(message: string | undefined, cause?: Error) {
    super(message, cause);
  }

  static {
    markErrorClass(TerminatedFailure, 'TerminatedFailure');
  }
}

/** A timeout of an activity or workflow. */
export class TimeoutFailure extends TemporalFailure {
  /** First detail of the last heartbeat, when one of a heartbeating activity's timeouts fired. */
  readonly lastHeartbeatDetails: unknown;
  readonly timeoutType: TimeoutType | undefined;

  constructor(message: string | undefined, lastHeartbeatDetails: unknown, timeoutType: TimeoutType | undefined) {
    super(message);
    this.lastHeartbeatDetails = lastHeartbeatDetails;
    this.timeoutType = timeoutType;
  }

  static {
    markErrorClass(TimeoutFailure, 'TimeoutFailure');
  }
}

/** What a workflow sees when an activity failed for good; `cause` says why (ApplicationFailure, TimeoutFailure, CancelledFailure…). */
export class ActivityFailure extends TemporalFailure {
  readonly activityType: string;
  readonly activityId: string | undefined;
  readonly retryState: RetryState | undefined;
  readonly identity: string | undefined;

  constructor(
    message: string | undefined,
    activityType: string,
    activityId: string | undefined,
    retryState: RetryState | undefined,
    identity: string | undefined,
    cause?: Error,
  ) {
    super(message, cause);
    this.activityType = activityType;
    this.activityId = activityId;
    this.retryState = retryState;
    this.identity = identity;
  }

  static {
    markErrorClass(ActivityFailure, 'ActivityFailure');
  }
}

/** What a parent sees when a child workflow did not complete; `cause` says why. */
export class ChildWorkflowFailure extends TemporalFailure {
  readonly namespace: string | undefined;
  readonly execution: WorkflowExecution;
  readonly workflowType: string;
  readonly retryState: RetryState | undefined;

  constructor(
    namespace: string | undefined,
    execution: WorkflowExecution,
    workflowType: string,
    retryState: RetryState | undefined,
    cause?: Error,
  ) {
    super('Child Workflow execution failed', cause);
    this.namespace = namespace;
    this.execution = execution;
    this.workflowType = workflowType;
    this.retryState = retryState;
  }

  static {
    markErrorClass(ChildWorkflowFailure, 'ChildWorkflowFailure');
  }
}

/** What a workflow sees when a Nexus operation failed. */
export class NexusOperationFailure extends TemporalFailure {
  readonly scheduledEventId: number | undefined;
  readonly endpoint: string;
  readonly service: string;
  readonly operation: string;
  readonly operationToken: string | undefined;

  constructor(
    message: string | undefined,
    scheduledEventId: number | undefined,
    endpoint: string,
    service: string,
    operation: string,
    operationToken: string | undefined,
    cause?: Error,
  ) {
    super(message, cause);
    this.scheduledEventId = scheduledEventId;
    this.endpoint = endpoint;
    this.service = service;
    this.operation = operation;
    this.operationToken = operationToken;
  }

  static {
    markErrorClass(NexusOperationFailure, 'NexusOperationFailure');
  }
}

/**
 * A workflow with this id is open (under conflict policy FAIL), or a closed one exists and the reuse policy forbids another.
 * Thrown by clients' starts and by `startChild`.
 */
export class WorkflowExecutionAlreadyStartedError extends TemporalFailure {
  readonly workflowId: string;
  readonly workflowType: string;
  /** The run that has the id, where the server said it. */
  declare readonly runId?: string;

  constructor(message: string, workflowId: string, workflowType: string, runId?: string) {
    super(message);
    this.workflowId = workflowId;
    this.workflowType = workflowType;
    if (runId) Object.assign(this, { runId });
  }

  static {
    markErrorClass(WorkflowExecutionAlreadyStartedError, 'WorkflowExecutionAlreadyStartedError');
  }
}

/**
 * A non-retryable failure for a payload that a converter or codec understood and refused. `details`, unless nullish, becomes
 * its single detail.
 */
export function createPayloadValidationError(details: unknown): ApplicationFailure {
  return ApplicationFailure.create({
    message: 'Payload validation failed',
    type: 'PayloadValidationError',
    nonRetryable: true,
    details: details === undefined || details === null ? [] : [details],
  });
}

/** `error` itself when it is an ApplicationFailure, else one with its message, class name as `type`, stack, and `cause`. */
export function ensureApplicationFailure(error: unknown): ApplicationFailure {
  if (error instanceof ApplicationFailure) return error;
  const record = isRecord(error) ? error : undefined;
  const className = record?.constructor?.name ?? record?.name;
  const failure = ApplicationFailure.create({
    message: (record?.message ? String(record.message) : '') || String(error),
    type: typeof className === 'string' && className !== '' ? className : undefined,
    nonRetryable: false,
    cause: isError(record?.cause) ? record.cause : undefined,
  });
  failure.stack = record?.stack ? String(record.stack) : '';
  return failure;
}

/** `error` itself when it is any failure, else {@link ensureApplicationFailure} of it. */
export function ensureTemporalFailure(error: unknown): TemporalFailure {
  return error instanceof TemporalFailure ? error : ensureApplicationFailure(error);
}

/** The message at the end of a failure's cause chain; the error's own message for anything else. */
export function rootCause(error: unknown): string | undefined {
  if (error instanceof TemporalFailure) return error.cause ? rootCause(error.cause) : error.message;
  return errorMessage(error);
}

/** Whether `error` is a cancellation, or the failure of an activity, child workflow or Nexus operation caused by one. */
export function isCancellation(error: unknown): boolean {
  if (error instanceof CancelledFailure) return true;
  return (
    (error instanceof ActivityFailure ||
      error instanceof ChildWorkflowFailure ||
      error instanceof NexusOperationFailure) &&
    isCancellation(error.cause)
  );
}
