// How a refusal leaves through this door: a gRPC status, and google.rpc.Status with the details Temporal's clients read. One status is the same at
// both doors, so nothing is decided here.

import type { Status, StatusDetail } from '../../wire/status.ts';
import { anyOf, codecNamed } from './proto/codec.ts';
import { encodeMessage } from './proto/message.ts';

const ERRORS = 'temporal.api.errordetails.v1';

type Detail = { type: string; value: object } | undefined;

/** ResourceExhaustedCause of the API. */
const CAUSES: Readonly<Record<string, number>> = {
  RPS_LIMIT: 1,
  CONCURRENT_LIMIT: 2,
  SYSTEM_OVERLOADED: 3,
  PERSISTENCE_LIMIT: 4,
  BUSY_WORKFLOW: 5,
  REQUEST_IDS: 5,
};

function detailOf(detail: StatusDetail): Detail {
  switch (detail.kind) {
    case 'WorkflowExecutionAlreadyStarted': {
      const { runId, startRequestId, firstExecutionRunId } = detail;
      return {
        type: 'WorkflowExecutionAlreadyStartedFailure',
        value: { runId, startRequestId, firstExecutionRunId },
      };
    }
    case 'ActivityExecutionAlreadyStarted': {
      const { runId, startRequestId } = detail;
      return { type: 'ActivityExecutionAlreadyStartedFailure', value: { runId, startRequestId } };
    }
    case 'NotFound':
      return { type: 'NotFoundFailure', value: {} };
    case 'NamespaceNotFound':
      return { type: 'NamespaceNotFoundFailure', value: { namespace: detail.namespace } };
    case 'NamespaceAlreadyExists':
      return { type: 'NamespaceAlreadyExistsFailure', value: {} };
    case 'NamespaceInvalidState': {
      const { namespace, state, allowedStates } = detail;
      return { type: 'NamespaceInvalidStateFailure', value: { namespace, state, allowedStates } };
    }
    case 'QueryFailed':
      return { type: 'QueryFailedFailure', value: { failure: detail.failure } };
    case 'WorkflowNotReady':
      return { type: 'WorkflowNotReadyFailure', value: {} };
    case 'ResourceExhausted':
      return { type: 'ResourceExhaustedFailure', value: { cause: CAUSES[detail.cause] ?? 0 } };
    case 'PermissionDenied':
      return { type: 'PermissionDeniedFailure', value: { reason: detail.reason } };
    case 'ServerVersionNotSupported': {
      const { serverVersion, wanted: clientSupportedServerVersions } = detail;
      return { type: 'ServerVersionNotSupportedFailure', value: { serverVersion, clientSupportedServerVersions } };
    }
    case 'ClientVersionNotSupported': {
      const { clientVersion, clientName, supportedVersions } = detail;
      return { type: 'ClientVersionNotSupportedFailure', value: { clientVersion, clientName, supportedVersions } };
    }
    case 'Unavailable':
    case 'RequestIdExpired':
    case 'IncompatibleVersion':
      // Ours alone: a Temporal client knows the code and the text.
      return undefined;
  }
}

/** The bytes of a google.rpc.Status with one detail. */
function statusBytes(code: number, message: string, details: readonly unknown[]): Buffer {
  return encodeMessage(codecNamed('google.rpc.Status'), { code, message, details });
}

export class RpcError extends Error {
  override readonly name = 'RpcError';
  readonly code: number;
  /** Each an Any of temporal.api.errordetails.v1. */
  readonly anys: readonly unknown[];
  /** The engine's own. */
  readonly detail: StatusDetail | undefined;

  constructor(code: number, message: string, anys: readonly unknown[] = [], detail?: StatusDetail) {
    super(message);
    this.detail = detail;
    this.code = code;
    this.anys = anys;
  }

  /** A google.rpc.Status. */
  get bytes(): Buffer {
    return statusBytes(this.code, this.message, this.anys);
  }
}

export function rpcError({ code, message, detail }: Status): RpcError {
  const known = detail && detailOf(detail);
  return new RpcError(
    code,
    message,
    known === undefined ? [] : [anyOf(`${ERRORS}.${known.type}`, known.value)],
    detail,
  );
}
