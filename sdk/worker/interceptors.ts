// Types of the worker's interceptors, named as in @temporalio/worker.

import type { Context } from '../activity/context.ts';
import type { ClientInterceptors } from '../client/interceptors.ts';
import type { Headers, Next } from '../common/interceptors.ts';
import type { LogMetadata } from '../common/logger.ts';
import type { MetricTags } from '../common/metrics.ts';

export interface ActivityExecuteInput {
  readonly args: unknown[];
  /** Payloads, as the workflow's outbound interceptors set them. */
  readonly headers: Headers;
}

/** Around the execution of an activity. */
export interface ActivityInboundCallsInterceptor {
  execute?(input: ActivityExecuteInput, next: Next<ActivityInboundCallsInterceptor, 'execute'>): Promise<unknown>;
}

export type GetLogAttributesInput = LogMetadata;

/** Around what an activity asks of its context. */
export interface ActivityOutboundCallsInterceptor {
  /** Adds to the metadata of the activity's log messages. */
  getLogAttributes?(input: LogMetadata, next: Next<ActivityOutboundCallsInterceptor, 'getLogAttributes'>): LogMetadata;
  /** Adds to the tags of the activity's metrics: called for each value. */
  getMetricTags?(input: MetricTags, next: Next<ActivityOutboundCallsInterceptor, 'getMetricTags'>): MetricTags;
}

export interface ActivityInterceptors {
  inbound?: ActivityInboundCallsInterceptor;
  outbound?: ActivityOutboundCallsInterceptor;
}

/** Called once per activity attempt. */
export type ActivityInterceptorsFactory = (context: Context) => ActivityInterceptors;
/** Called once per activity attempt. */
export type ActivityInboundCallsInterceptorFactory = (context: Context) => ActivityInboundCallsInterceptor;

export interface WorkerInterceptors {
  /** Of the client that activities get from `getClient()`. */
  client?: ClientInterceptors;
  /** Run first to last around each activity. */
  activity?: ActivityInterceptorsFactory[];
  /** As `activity`, inbound only; run after those. */
  activityInbound?: ActivityInboundCallsInterceptorFactory[];
  /**
   * Modules that export `interceptors`, a WorkflowInterceptorsFactory: paths, `file:` URLs, or names of packages. Bundled with the workflows;
   * a worker given a `workflowBundle` has those the bundle was made with (`bundleWorkflowCode({ workflowInterceptorModules })`).
   */
  workflowModules?: (string | URL)[];
}
