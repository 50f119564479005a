/**
 * What workflow code imports. Workflow functions are ordinary async functions whose progress survives crashes: everything they wait
 * for goes through this module, and is replayed from history when they move to another worker. Names and shapes are those of
 * `@temporalio/workflow`. Uses no Node API.
 *
 * @module
 */
export {
  ActivityCancellationType,
  ParentClosePolicy,
  WorkflowIdConflictPolicy,
  WorkflowIdReusePolicy,
} from '../common/enums.ts';
export { IllegalStateError, PayloadConverterError, ValueError } from '../common/errors.ts';
export {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  ChildWorkflowFailure,
  isCancellation,
  NexusOperationFailure,
  rootCause,
  ServerFailure,
  TemporalFailure,
  TerminatedFailure,
  TimeoutFailure,
  WorkflowExecutionAlreadyStartedError,
} from '../common/failure.ts';
export type {
  ActivityFunction,
  Payload,
  QueryDefinition,
  SignalDefinition,
  UntypedActivities,
  UpdateDefinition,
  Workflow,
  WorkflowQueryType,
  WorkflowResultType,
  WorkflowReturnType,
  WorkflowSignalType,
  WorkflowUpdateType,
  WorkflowUpdateValidatorType,
} from '../common/interfaces.ts';
export { HandlerUnfinishedPolicy } from '../common/interfaces.ts';
export {
  defaultPayloadConverter,
  type PayloadConverter,
} from '../common/payload-converter.ts';
export type { RetryPolicy } from '../common/retry-policy.ts';
export type {
  SearchAttributePair,
  SearchAttributes,
  SearchAttributeUpdatePair,
  SearchAttributeValue,
} from '../common/search-attributes.ts';
export {
  defineSearchAttributeKey,
  SearchAttributeType,
  TypedSearchAttributes,
} from '../common/search-attributes.ts';
export type { Duration } from '../common/time.ts';
export type { BaseWorkflowHandle } from '../common/workflow-handle.ts';
export {
  type ActivityFunctionWithOptions,
  type ActivityInterfaceFor,
  type LocalActivityFunctionWithOptions,
  type LocalActivityInterfaceFor,
  proxyActivities,
  proxyLocalActivities,
  scheduleActivity,
  scheduleLocalActivity,
} from './activities.ts';
export type { ActivityOptions, LocalActivityOptions } from './activity-options.ts';
export {
  enhancedStackTraceQuery,
  stackTraceQuery,
  type WorkflowMetadata,
  workflowMetadataQuery,
} from './built-in-queries.ts';
export { CancellationScope, type CancellationScopeOptions } from './cancellation-scope.ts';
export {
  type ChildWorkflowHandle,
  type ExternalWorkflowHandle,
  executeChild,
  getExternalWorkflowHandle,
  startChild,
} from './children.ts';
export { inWorkflowContext } from './context.ts';
export { ContinueAsNew, continueAsNew, makeContinueAsNewFunc } from './continue-as-new.ts';
export {
  defineWorkflowOptions,
  setWorkflowOptions,
  type WorkflowDefinitionConfig,
  type WorkflowDefinitionOptions,
  type WorkflowDefinitionOptionsOrGetter,
} from './definition-options.ts';
export {
  allHandlersFinished,
  currentUpdateInfo,
  defineQuery,
  defineSignal,
  defineUpdate,
  setDefaultQueryHandler,
  setDefaultSignalHandler,
  setDefaultUpdateHandler,
  setHandler,
} from './definitions.ts';
export { DeterminismViolationError, WorkflowError } from './errors.ts';
export { createEventGroup, type EventGroupMarker } from './event-groups.ts';
export type * from './interceptors.ts';
export {
  ChildWorkflowCancellationType,
  type ChildWorkflowOptions,
  type ContinueAsNewOptions,
  type DefaultQueryHandler,
  type DefaultSignalHandler,
  type DefaultUpdateHandler,
  type ParentWorkflowInfo,
  type QueryHandlerOptions,
  type RootWorkflowInfo,
  type SignalHandlerOptions,
  type SleepOptions,
  type UnsafeRandomSource,
  type UnsafeWorkflowInfo,
  type UpdateHandlerOptions,
  type UpdateInfo,
  type WorkflowInfo,
} from './interfaces.ts';
export { metricMeter } from './metrics.ts';
export {
  createNexusClient,
  createNexusServiceClient,
  NexusOperationCancellationType,
  type NexusOperationHandle,
  type NexusServiceClient,
  type NexusServiceClientOptions,
} from './nexus.ts';
export { getState, setState } from './published-state.ts';
export { getRandomStream, type WorkflowRandomStream, workflowRandom } from './random-streams.ts';
export { upsertSearchAttributes } from './search-attributes.ts';
export { log, proxySinks, type Sink, type SinkFunction, type Sinks } from './sinks.ts';
export type {
  EnhancedStackTrace,
  StackTrace,
  StackTraceFileLocation,
  StackTraceFileSlice,
  StackTraceSDKInfo,
} from './stack-trace.ts';
export { condition, sleep } from './timers.ts';
export { Trigger } from './trigger.ts';
export {
  deprecatePatch,
  getCurrentDetails,
  patched,
  setCurrentDetails,
  upsertMemo,
  uuid4,
  workflowInfo,
} from './workflow.ts';
