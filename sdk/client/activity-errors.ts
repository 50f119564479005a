// What calls about activities without a workflow reject with; one that is not there: ActivityNotFoundError (errors.ts).

import { NamespaceNotFoundError } from '../common/errors.ts';
import { markErrorClass } from '../common/type-helpers.ts';
import { RpcError, StatusCode } from '../connection/rpc-error.ts';
import { ActivityNotFoundError, ServiceError } from './errors.ts';

/** The activity did not complete. `cause` says how it ended: ApplicationFailure, CancelledFailure, TerminatedFailure, TimeoutFailure… */
export class ActivityExecutionFailedError extends Error {
  override readonly cause: Error | undefined;
  readonly activityId: string;
  readonly runId?: string | undefined;

  constructor(message: string, cause: Error | undefined, activityId: string, runId?: string) {
    super(message);
    this.cause = cause;
    this.activityId = activityId;
    this.runId = runId;
  }

  static {
    markErrorClass(ActivityExecutionFailedError, 'ActivityExecutionFailedError');
  }
}

/** There is an activity of this id, and the policies of the start do not allow another. */
export class ActivityExecutionAlreadyStartedError extends Error {
  readonly activityId: string;
  /** Of the one that is there. */
  readonly runId: string;

  constructor(message: string, activityId: string, runId: string) {
    super(message);
    this.activityId = activityId;
    this.runId = runId;
  }

  static {
    markErrorClass(ActivityExecutionAlreadyStartedError, 'ActivityExecutionAlreadyStartedError');
  }
}

/**
 * Throws what a failed request about an activity without a workflow means to its caller.
 *
 * @param what What was tried, e.g. `Failed to start activity`.
 */
export function rethrowExecutionError(err: unknown, what: string, activityId?: string): never {
  if (!(err instanceof RpcError)) throw err;
  const { detail } = err;
  if (detail?.kind === 'NamespaceNotFound') throw new NamespaceNotFoundError(detail.namespace);
  if (activityId !== undefined) {
    if (detail?.kind === 'ActivityExecutionAlreadyStarted')
      throw new ActivityExecutionAlreadyStartedError('Activity execution already started', activityId, detail.runId);
    if (err.code === StatusCode.NOT_FOUND)
      throw new ActivityNotFoundError(err.details || 'Activity not found', { cause: err });
  }
  throw new ServiceError(`${what}: ${err.details}`, { cause: err });
}
