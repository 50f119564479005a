// The native connection, shared by client and worker.

export type * from './activity-requests.ts';
export { DEFAULT_ADDRESS } from './address.ts';
export type { WebSocketFactory, WebSocketLike } from './browser-transport.ts';
export { Connection, Connection as NativeConnection } from './connection.ts';
export { defaultIdentity, environmentVariable } from './host.ts';
export {
  type DeleteWorkflowExecutionRequest,
  type NamedExecution,
  type PauseWorkflowExecutionRequest,
  ResetReapplyExcludeType,
  ResetReapplyType,
  type ResetWorkflowExecutionRequest,
} from './lifetime-requests.ts';
export { OperatorService } from './operator-service.ts';
export type {
  CompiledConnectionOptions,
  ConnectionOptions,
  ConnectionOptions as NativeConnectionOptions,
  RequestOptions,
} from './options.ts';
export {
  isCancelledError,
  isDeadlineError,
  isServerError,
  isUnavailableError,
  RpcError,
  StatusCode,
  type StatusDetail,
  statusName,
} from './rpc-error.ts';
export { type Cancelable, hostScheduler, type Scheduler } from './scheduler.ts';
export type { Transport, TransportFactory } from './transport.ts';
export { WorkflowService } from './workflow-service.ts';
export type { TLSConfig } from './ws-transport.ts';
