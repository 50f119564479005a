// The native connection, shared by client and worker.

export { ResetReapplyExcludeType, ResetReapplyType } from '../../src/wire/enums.ts';
export { DEFAULT_ADDRESS } from './address.ts';
export type { ApiSend, HealthService, OperatorService, TestService, WorkflowService } from './api-service.ts';
export type { WebSocketFactory, WebSocketLike } from './browser-transport.ts';
export type { CallContext, CallContextStorage, Metadata } from './call-context.ts';
export { Connection, Connection as NativeConnection } from './connection.ts';
export { defaultIdentity, environmentVariable } from './host.ts';
export type {
  CompiledConnectionOptions,
  ConnectionOptions,
  ConnectionOptions as NativeConnectionOptions,
  ConnectionPlugin,
  PayloadLimitsConfig,
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
export type { TLSConfig } from './ws-transport.ts';
