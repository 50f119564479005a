// What calls about schedules reject with.

import { NamespaceNotFoundError } from '../common/errors.ts';
import { markErrorClass } from '../common/type-helpers.ts';
import { RpcError, StatusCode } from '../connection/rpc-error.ts';
import { ServiceError } from './errors.ts';

/** There is a schedule of this id. */
export class ScheduleAlreadyRunning extends Error {
  readonly scheduleId: string;

  constructor(message: string, scheduleId: string) {
    super(message);
    this.scheduleId = scheduleId;
  }

  static {
    markErrorClass(ScheduleAlreadyRunning, 'ScheduleAlreadyRunning');
  }
}

/** There is no schedule of this id, or not any more. */
export class ScheduleNotFoundError extends Error {
  readonly scheduleId: string;

  constructor(message: string, scheduleId: string) {
    super(message);
    this.scheduleId = scheduleId;
  }

  static {
    markErrorClass(ScheduleNotFoundError, 'ScheduleNotFoundError');
  }
}

const BAD_SPEC = 'Invalid schedule spec: ';

/**
 * Throws what a failed request about a schedule means to its caller.
 *
 * @param what What was tried, e.g. `Failed to create schedule`.
 */
export function rethrowScheduleError(err: unknown, what: string, scheduleId?: string): never {
  if (!(err instanceof RpcError)) throw err;
  if (err.detail?.kind === 'NamespaceNotFound') throw new NamespaceNotFoundError(err.detail.namespace);
  if (err.code === StatusCode.NOT_FOUND && scheduleId !== undefined)
    throw new ScheduleNotFoundError(err.details || 'Schedule not found', scheduleId);
  if (err.code === StatusCode.INVALID_ARGUMENT && err.details.startsWith(BAD_SPEC))
    throw new TypeError(err.details.slice(BAD_SPEC.length));
  throw new ServiceError(`${what}: ${err.details}`, { cause: err });
}
