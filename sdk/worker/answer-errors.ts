// What a failed request means for an answer: refused for good, worth repeating, or never sent at all.

import { StatusCode } from '../../src/wire/status.ts';
import { RpcError } from '../connection/rpc-error.ts';

/** The gRPC status number of a refusal; undefined for a failure of another kind. */
export function statusCodeOf(error: unknown): StatusCode | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  const { code } = error;
  return typeof code === 'number' && code >= StatusCode.OK && code <= StatusCode.UNAUTHENTICATED
    ? (code as StatusCode)
    : undefined;
}

/** Whether sending the same again may succeed. */
export function isTransient(error: unknown): boolean {
  switch (statusCodeOf(error)) {
    case undefined:
    case StatusCode.CANCELLED:
    case StatusCode.UNAVAILABLE:
    case StatusCode.DEADLINE_EXCEEDED:
    case StatusCode.RESOURCE_EXHAUSTED:
    case StatusCode.ABORTED:
    case StatusCode.INTERNAL:
    case StatusCode.UNKNOWN:
      return true;
    default:
      return false;
  }
}

/** Repeating it is worth a few tries only. */
export function isFault(error: unknown): boolean {
  const code = statusCodeOf(error);
  return code === undefined || code === StatusCode.INTERNAL || code === StatusCode.UNKNOWN;
}

/** Refused by the connection itself, never sent: too large, or too much is open. */
export function isUnsent(error: unknown): boolean {
  return (
    error instanceof RpcError &&
    error.code === StatusCode.RESOURCE_EXHAUSTED &&
    error.detail?.kind === 'ResourceExhausted' &&
    error.detail.cause === 'client'
  );
}
