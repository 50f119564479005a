// How a refusal crosses the wire: one gRPC status number, a message for people, and a typed detail for programs.
// A rejection is a value inside the engine; only the doors turn it into one of these.

/** The numbers of gRPC, so that both doors say the same. */
export const StatusCode = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;
export type StatusCode = (typeof StatusCode)[keyof typeof StatusCode];

/** Named as in temporal.api.errordetails.v1. */
export type StatusDetail =
  /** `firstExecutionRunId`: of the chain that the run goes on with; absent: the run is its first. */
  | {
      kind: 'WorkflowExecutionAlreadyStarted';
      runId: string;
      startRequestId?: string | undefined;
      firstExecutionRunId?: string | undefined;
    }
  | { kind: 'ActivityExecutionAlreadyStarted'; runId: string; startRequestId?: string | undefined }
  | { kind: 'NotFound' }
  | { kind: 'NamespaceNotFound'; namespace: string }
  | { kind: 'NamespaceAlreadyExists' }
  | { kind: 'NamespaceInvalidState'; namespace: string; state: number; allowedStates: number[] }
  | { kind: 'QueryFailed'; failure?: import('./failure.ts').Failure | undefined }
  | { kind: 'WorkflowNotReady' }
  | { kind: 'ResourceExhausted'; cause: string }
  /** `applied`: whether the request may have taken effect (`no` lets a caller repeat it without a request id). */
  | { kind: 'Unavailable'; applied: 'no' | 'maybe' }
  | { kind: 'PermissionDenied'; reason: string }
  | { kind: 'ServerVersionNotSupported'; serverVersion: string; wanted: string }
  | { kind: 'ClientVersionNotSupported'; clientVersion: string; clientName: string; supportedVersions: string }
  | { kind: 'RequestIdExpired' }
  | { kind: 'IncompatibleVersion'; supported: [min: number, max: number] };

export interface Status {
  code: StatusCode;
  message: string;
  detail?: StatusDetail | undefined;
  /** Of `callService`: a google.rpc.Status in protobuf, with the API's own details. */
  rpcStatus?: Uint8Array | undefined;
}
