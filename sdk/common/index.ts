/**
 * What client, worker, workflow and activity code share: failures and errors, payload and failure converters, durations, retry
 * policies, priorities, search attributes, enums. Names and shapes are those of `@temporalio/common`. Uses no Node API.
 *
 * @module
 */
export * from './activity-options.ts';
export * from './codec.ts';
export * from './data-converter.ts';
export * from './enums.ts';
export * from './errors.ts';
export * from './external-storage.ts';
export * from './failure.ts';
export * from './failure-converter.ts';
export type { ActivityFlowControl, ExecutionFlowControl, FlowControl } from './flow-control.ts';
export { historyFromJSON, historyToJSON } from './history-json.ts';
export * from './interceptors.ts';
export * from './interfaces.ts';
export * from './logger.ts';
export {
  type Metric,
  type MetricCounter,
  type MetricGauge,
  type MetricHistogram,
  type MetricKind,
  type MetricMeter,
  type MetricTags,
  type MetricUpDownCounter,
  type NumericMetricValueType,
  noopMetricMeter,
} from './metrics.ts';
export * from './payload-converter.ts';
export * from './priority.ts';
export * from './reserved.ts';
export * from './retry-policy.ts';
export * from './search-attributes.ts';
export type { Duration, StringValue } from './time.ts';
export { durationOption, msOptionalToNumber, msToNumber } from './time.ts';
export {
  assertNever,
  errorCode,
  errorMessage,
  isAbortError,
  isError,
  isRecord,
  isUint8Array,
} from './type-helpers.ts';
export * from './user-metadata.ts';
export { decodeUtf8 as str, decodeUtf8, encodeUtf8 as u8, encodeUtf8 } from './utf8.ts';
export {
  type AutoUpgradeVersioningOverride,
  convertDeploymentVersion,
  decodeInitialVersioningBehavior,
  decodeVersioningBehavior,
  encodeInitialVersioningBehavior,
  encodeVersioningBehavior,
  InitialVersioningBehavior,
  type PinnedVersioningOverride,
  toCanonicalString,
  VersioningBehavior,
  type VersioningIntent,
  type VersioningOverride,
  type WorkerDeploymentOptions,
  type WorkerDeploymentVersion,
} from './worker-deployments.ts';
export * from './workflow-handle.ts';
export * from './workflow-options.ts';
