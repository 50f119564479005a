// What a caller can see of an error, as JSON: class name, message, the SDK's fields, status and its typed detail, causes.
import { RpcError } from '../../../sdk/connection/index.ts';
import { StatusCode, type StatusDetail } from '../../../src/wire/status.ts';
import type { Plain } from './plain.ts';

const FIELDS = [
  'type',
  'nonRetryable',
  'category',
  'nextRetryDelay',
  'details',
  'retryState',
  'timeoutType',
  'lastHeartbeatDetails',
  'activityType',
  'activityId',
  'workflowType',
  'workflowId',
  'status',
  'newExecutionRunId',
] as const;

const CODE_NAMES = new Map(Object.entries(StatusCode).map(([name, code]) => [code as number, name]));

/** The typed details of the API that stand behind our kinds; the others carry none there. */
const DETAIL_TYPES: Partial<Record<StatusDetail['kind'], string>> = {
  NotFound: 'temporal.api.errordetails.v1.NotFoundFailure',
  NamespaceNotFound: 'temporal.api.errordetails.v1.NamespaceNotFoundFailure',
  QueryFailed: 'temporal.api.errordetails.v1.QueryFailedFailure',
};

/** Fields of ours that the official errors of the same name lack. */
const OURS: Readonly<Record<string, readonly string[]>> = {
  WorkflowFailedError: ['workflowId', 'status'],
  WorkflowExecutionContinuedAsNewError: ['workflowId'],
  QueryRejectedError: ['workflowId'],
  QueryNotRegisteredError: ['workflowId'],
  ServiceError: ['workflowId'],
  WorkflowUpdateFailedError: ['workflowId'],
  WorkflowUpdateRPCTimeoutOrCancelledError: ['workflowId'],
  ActivityNotFoundError: ['workflowId', 'activityId'],
  ActivityCompletionError: ['workflowId', 'activityId'],
};

export function describeError(error: unknown): Plain {
  if (!(error instanceof Error)) return { thrown: jsonable(error) };
  const fields = error as Error & Record<string, unknown>;
  if (error instanceof RpcError) return describeStatus(fields);
  const out: { [key: string]: Plain } = { name: error.name, message: error.message };
  for (const field of FIELDS)
    if (OURS[error.name]?.includes(field) !== true && fields[field] !== undefined && fields[field] !== null)
      out[field] = jsonable(fields[field]);
  if (error.cause !== undefined) out.cause = describeError(error.cause);
  return out;
}

/** Our status errors, under the name the recordings give to gRPC's. */
function describeStatus(error: Error & Record<string, unknown>): Plain {
  const out: { [key: string]: Plain } = {
    name: 'GrpcServiceError',
    code: CODE_NAMES.get(Number(error.code)) ?? String(error.code),
    message: typeof error.details === 'string' ? error.details : error.message,
  };
  const type = DETAIL_TYPES[(error.detail as StatusDetail | undefined)?.kind ?? 'WorkflowNotReady'];
  if (type) out.statusDetails = [{ '@type': type }];
  return out;
}

/** JSON keeps neither `undefined` nor bytes: both get a visible stand-in. */
export function jsonable(value: unknown): Plain {
  if (value === undefined) return '<undefined>';
  if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString('base64') };
  if (value instanceof Error) return describeError(value);
  if (typeof value === 'bigint') return String(value);
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(jsonable);
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, jsonable(item)]));
  }
  return value as Plain;
}
