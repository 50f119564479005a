// What a failed request rejects with: the server's status, or one made here for deadlines, cancellation, bounds and lost connections.

import { type Status, StatusCode, type StatusDetail } from '../../src/wire/status.ts';
import { isError, markErrorClass } from '../common/type-helpers.ts';

export { StatusCode, type StatusDetail } from '../../src/wire/status.ts';

/** Of a call of `workflowService` and its like: `get('grpc-status-details-bin')` is a google.rpc.Status; of others there is nothing. */
export class ErrorMetadata {
  readonly #rpcStatus: Uint8Array | undefined;

  constructor(rpcStatus?: Uint8Array) {
    this.#rpcStatus = rpcStatus;
  }

  get(name: string): Uint8Array[] {
    return name.toLowerCase() === 'grpc-status-details-bin' && this.#rpcStatus !== undefined ? [this.#rpcStatus] : [];
  }

  getMap(): Record<string, Uint8Array> {
    return this.#rpcStatus === undefined ? {} : { 'grpc-status-details-bin': this.#rpcStatus };
  }
}

/** `code` is a gRPC status number; `detail`, when present, says more to programs. */
export class RpcError extends Error {
  readonly code: StatusCode;
  /** The message without the status' name. */
  readonly details: string;
  readonly detail: StatusDetail | undefined;
  /** Whether the server said so, or this side of the connection. */
  readonly origin: 'server' | 'client';
  /** As errors of gRPC have it. */
  readonly metadata: ErrorMetadata;

  constructor(
    code: StatusCode,
    details: string,
    detail?: StatusDetail,
    options?: ErrorOptions & { origin?: 'server' | undefined; rpcStatus?: Uint8Array | undefined },
  ) {
    super(`${code} ${statusName(code)}: ${details}`, options);
    this.code = code;
    this.details = details;
    this.detail = detail;
    this.origin = options?.origin ?? 'client';
    this.metadata = new ErrorMetadata(options?.rpcStatus);
  }

  static fromStatus({ code, message, detail, rpcStatus }: Status): RpcError {
    return new RpcError(code, message, detail, { origin: 'server', rpcStatus });
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
