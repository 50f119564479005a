/**
 * Runs workflows and activities.
 *
 * ```ts
 * import { NativeConnection, Worker } from 'tenuto/worker';
 * import * as activities from './activities.js';
 *
 * const connection = await NativeConnection.connect({ address: '127.0.0.1:7280' });
 * try {
 *   const worker = await Worker.create({
 *     connection,
 *     taskQueue: 'orders',
 *     workflowsPath: fileURLToPath(new URL('./workflows.js', import.meta.url)),
 *     activities,
 *   });
 *   await worker.run(); // until SIGINT, SIGTERM or worker.shutdown()
 * } finally {
 *   await connection.close();
 * }
 * ```
 *
 * Names and behaviour are those of `@temporalio/worker`. Workflow code runs in threads of its own: a loop in it stops neither the
 * connection nor heartbeats nor activities, which run on the main thread.
 *
 * @module
 */

export type { DataConverter, LoadedDataConverter, PayloadCodec } from '../common/data-converter.ts';
export { IllegalStateError } from '../common/errors.ts';
export type { Headers, Next } from '../common/interceptors.ts';
export type { HistoryAndWorkflowId } from '../common/interfaces.ts';
export type { Logger, LogLevel, LogMetadata } from '../common/logger.ts';
export { defaultPayloadConverter } from '../common/payload-converter.ts';
export type {
  VersioningBehavior,
  WorkerDeploymentOptions,
  WorkerDeploymentVersion,
} from '../common/worker-deployments.ts';
export {
  type ConnectionOptions as NativeConnectionOptions,
  NativeConnection,
  type PayloadLimitsConfig,
  type TLSConfig,
} from '../connection/index.ts';
export { DeterminismViolationError } from '../workflow/errors.ts';
export type { KeptRun } from './dev/check.ts';
export { type DevEvent, DevWorker, type DevWorkerOptions } from './dev/dev-worker.ts';
export {
  CombinedWorkerRunError,
  type CombinedWorkerRunErrorCause,
  GracefulShutdownPeriodExpiredError,
  PromiseCompletionTimeoutError,
  ReplayError,
  UnexpectedError,
} from './errors.ts';
export type {
  ActivityExecuteInput,
  ActivityInboundCallsInterceptor,
  ActivityInboundCallsInterceptorFactory,
  ActivityInterceptors,
  ActivityInterceptorsFactory,
  ActivityOutboundCallsInterceptor,
  GetLogAttributesInput,
  NexusCancelOperationInput,
  NexusInboundCallsInterceptor,
  NexusInterceptors,
  NexusInterceptorsFactory,
  NexusOutboundCallsInterceptor,
  NexusStartOperationInput,
  NexusStartOperationOutput,
  WorkerInterceptors,
} from './interceptors.ts';
export { DefaultLogger, type LogEntry, type LogFunction } from './logger.ts';
export { type BufferedMetricUpdate, MetricsBuffer, type MetricsBufferOptions } from './metrics/buffer.ts';
export type { BufferedMetricsExporter, MetricsExporterConfig } from './metrics/index.ts';
export type { OtelCollectorExporter } from './metrics/otel.ts';
export type { PrometheusMetricsExporter } from './metrics/prometheus.ts';
export type {
  BundlerOptions,
  CompiledWorkerOptions,
  ReplayWorkerOptions,
  WorkerOptions,
  WorkflowBundleOption,
} from './options.ts';
export type { PatchActivationCallback, PatchActivationInput } from './patch-activation.ts';
export type { WorkerPlugin } from './plugins.ts';
export { Runtime, type RuntimeOptions, type TelemetryOptions } from './process-runtime.ts';
export type { ReplayResult } from './replay.ts';
export {
  type BundlerPlugin,
  bundleWorkflowCode,
  type WorkflowBundle,
  WorkflowBundleError,
  type WorkflowBundleOptions as BundleOptions,
} from './runtime/bundle.ts';
export type { AnySinks, InjectedSink, InjectedSinkFunction, InjectedSinks } from './sinks.ts';
export type {
  PollerBehavior,
  PollerBehaviorAutoscaling,
  PollerBehaviorSimpleMaximum,
} from './slots/poller-behavior.ts';
export { ResourceBasedController, type ResourceBasedTunerOptions } from './slots/resource-controller.ts';
export type {
  ActivitySlotInfo,
  CustomSlotSupplier,
  FixedSizeSlotSupplier,
  LocalActivitySlotInfo,
  NexusSlotInfo,
  ResourceBasedSlotOptions,
  ResourceBasedSlotsForType,
  ResourceBasedTuner,
  ResourceBasedTunerWithController,
  SlotInfo,
  SlotMarkUsedContext,
  SlotPermit,
  SlotReleaseContext,
  SlotReserveContext,
  SlotSupplier,
  TunerHolder,
  WorkerTuner,
  WorkflowSlotInfo,
} from './slots/tuner.ts';
export { type PollerState, type RunUntilOptions, type State, Worker, type WorkerStatus } from './worker.ts';
