// What a failed request rejects with: the server's status, or one made here for deadlines, cancellation, bounds and lost connections.

import { type Status, StatusCode, type StatusDetail } from '../../src/wire/status.ts';
import { isError, markErrorClass } from '../common/type-helpers.ts';

export { StatusCode, type StatusDetail } from '../../src/wire/status.ts';

/** `code` is a gRPC status number; `detail`, when present, says more to programs. */
export class RpcError extends Error {
  readonly code: StatusCode;
  /** The message without the status' name. */
  readonly details: string;
  readonly detail: StatusDetail | undefined;
  /** Whether the server said so, or this side of the connection. */
  readonly origin: 'server' | 'client';

  constructor(
    code: StatusCode,
    details: string,
    detail?: StatusDetail,
    options?: ErrorOptions & { origin?: 'server' | undefined },
  ) {
    super(`${code} ${statusName(code)}: ${details}`, options);
    this.code = code;
    this.details = details;
    this.detail = detail;
    this.origin = options?.origin ?? 'client';
  }

  static fromStatus({ code, message, detail }: Status): RpcError {
    return new RpcError(code, message, detail, { origin: 'server' });
  }

  static {
    markErrorClass(RpcError, 'RpcError');
  }
}

/** The field's name of a status: `NOT_FOUND`. */
export function statusName(code: number): string {
  for (const [name, value] of Object.entries(StatusCode)) if (value === code) return name;
  return 'UNKNOWN';
}

/** Whether the server (or the connection on its behalf) refused or failed a request. */
export function isServerError(err: unknown): err is RpcError {
  return err instanceof RpcError;
}

function hasCode(err: unknown, code: StatusCode): err is Error {
  for (let e: unknown = err, depth = 0; isError(e) && depth < 10; e = e.cause, depth++) {
    if (e instanceof RpcError && e.code === code) return true;
  }
  return false;
}

/** Whether `err`, or an error it was caused by, is an expired deadline. */
export function isDeadlineError(err: unknown): err is Error {
  return hasCode(err, StatusCode.DEADLINE_EXCEEDED);
}

/** Whether `err`, or an error it was caused by, is a request given up by its caller's AbortSignal. */
export function isCancelledError(err: unknown): err is Error {
  return hasCode(err, StatusCode.CANCELLED);
}

/** Whether trying again later may help. */
export function isUnavailableError(err: unknown): err is Error {
  return hasCode(err, StatusCode.UNAVAILABLE);
}
