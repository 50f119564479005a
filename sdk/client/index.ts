/**
 * Starts workflows, talks to them, awaits their results; completes activities from outside. Names and shapes are those of
 * `@temporalio/client`; runs in Node and in browsers.
 *
 * ```ts
 * import { Client, Connection } from 'tenuto/client';
 *
 * const client = new Client({ connection: await Connection.connect() });
 * const handle = await client.workflow.start('orderWorkflow', { workflowId: 'order-1', taskQueue: 'orders', args: [42] });
 * await handle.signal('approve', 'alice');
 * console.log(await handle.result());
 * ```
 *
 * @module
 */
export type { DataConverter, LoadedDataConverter, PayloadCodec } from '../common/data-converter.ts';
export {
  QueryRejectCondition,
  WorkflowExecutionStatus,
  WorkflowIdConflictPolicy,
  WorkflowIdReusePolicy,
} from '../common/enums.ts';
export { IllegalStateError, NamespaceNotFoundError, ValueError, WorkflowNotFoundError } from '../common/errors.ts';
export {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  ChildWorkflowFailure,
  ServerFailure,
  TemporalFailure,
  TerminatedFailure,
  TimeoutFailure,
  WorkflowExecutionAlreadyStartedError,
} from '../common/failure.ts';
export { historyFromJSON, historyToJSON } from '../common/history-json.ts';
export { HandlerUnfinishedPolicy } from '../common/interfaces.ts';
export { defaultPayloadConverter } from '../common/payload-converter.ts';
export type { RetryPolicy } from '../common/retry-policy.ts';
export * from '../connection/index.ts';
export {
  isCancelledError as isGrpcCancelledError,
  isDeadlineError as isGrpcDeadlineError,
  isServerError as isGrpcServiceError,
  isServerError as isServerErrorResponse,
} from '../connection/rpc-error.ts';
export { ActivityClient, type ActivityClientOptions } from './activity-client.ts';
export { ActivityExecutionAlreadyStartedError, ActivityExecutionFailedError } from './activity-errors.ts';
export type { ActivityHandle } from './activity-handle.ts';
export type * from './activity-interceptors.ts';
export type * from './activity-typed.ts';
export * from './activity-types.ts';
export { AsyncCompletionClient, type FullActivityId } from './async-completion-client.ts';
export { BaseClient, type BaseClientOptions, type LoadedBaseClientOptions } from './base-client.ts';
export { Client, type ClientOptions, type ClientPlugin, type LoadedClientOptions } from './client.ts';
export {
  ActivityCancelledError,
  ActivityCompletionError,
  ActivityNotFoundError,
  ActivityPausedError,
  ActivityResetError,
  QueryNotRegisteredError,
  QueryRejectedError,
  ServiceError,
  WorkflowContinuedAsNewError,
  WorkflowFailedError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from './errors.ts';
export { decodeEventBatches } from './history.ts';
export type * from './interceptors.ts';
export type { IntoHistoriesOptions } from './into-histories.ts';
export {
  type ListScheduleOptions,
  type LoadedScheduleClientOptions,
  ScheduleClient,
  type ScheduleClientOptions,
  type ScheduleHandle,
} from './schedule-client.ts';
export { ScheduleAlreadyRunning, ScheduleNotFoundError } from './schedule-errors.ts';
export * from './schedule-spec.ts';
export * from './schedule-types.ts';
export type * from './types.ts';
export { WorkflowUpdateStage } from './update-stage.ts';
export { WithStartWorkflowOperation, type WithStartWorkflowOptions } from './with-start.ts';
export {
  type AsyncWorkflowListIterable,
  type GetWorkflowHandleOptions,
  type ListOptions,
  type LoadedWorkflowClientOptions,
  WorkflowClient,
  type WorkflowClientOptions,
  type WorkflowResultOptions,
} from './workflow-client.ts';
export type { WorkflowOptionsUpdate, WorkflowOptionsUpdateResult } from './workflow-execution-options.ts';
export type {
  WorkflowHandle,
  WorkflowHandleWithFirstExecutionRunId,
  WorkflowHandleWithSignaledRunId,
  WorkflowHandleWithStartDetails,
} from './workflow-handle.ts';
export type {
  CompiledWorkflowOptions,
  CompletionCallback,
  OnConflictOptions,
  WorkflowOptions,
  WorkflowSignalWithStartOptions,
  WorkflowStartOptions,
} from './workflow-options.ts';
export type { StateChange, WatchStateOptions } from './workflow-state.ts';
export type {
  GetWorkflowUpdateHandleOptions,
  WithUpdateArgs,
  WorkflowUpdateHandle,
  WorkflowUpdateOptions,
} from './workflow-update.ts';
