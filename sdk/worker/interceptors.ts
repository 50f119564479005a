// Types of the worker's interceptors, named as in @temporalio/worker.

import type {
  CancelOperationContext,
  HandlerStartOperationResult,
  OperationContext,
  StartOperationContext,
} from 'nexus-rpc';
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

export interface NexusStartOperationInput {
  readonly ctx: StartOperationContext;
  readonly input: unknown;
}

export interface NexusStartOperationOutput {
  readonly result: HandlerStartOperationResult<unknown>;
}

export interface NexusCancelOperationInput {
  readonly ctx: CancelOperationContext;
  readonly token: string;
}

/** Around the calls of a Nexus operation's handler. Implement any of these. */
export interface NexusInboundCallsInterceptor {
  startOperation?(
    input: NexusStartOperationInput,
    next: Next<NexusInboundCallsInterceptor, 'startOperation'>,
  ): Promise<NexusStartOperationOutput>;
  cancelOperation?(
    input: NexusCancelOperationInput,
    next: Next<NexusInboundCallsInterceptor, 'cancelOperation'>,
  ): Promise<void>;
}

/** Around what a handler asks of its context. */
export interface NexusOutboundCallsInterceptor {
  /** Adds to the metadata of the handler's log messages. */
  getLogAttributes?(input: LogMetadata, next: Next<NexusOutboundCallsInterceptor, 'getLogAttributes'>): LogMetadata;
  /** Adds to the tags of the handler's metrics: called for each value. */
  getMetricTags?(input: MetricTags, next: Next<NexusOutboundCallsInterceptor, 'getMetricTags'>): MetricTags;
}

export interface NexusInterceptors {
  inbound?: NexusInboundCallsInterceptor;
  outbound?: NexusOutboundCallsInterceptor;
}

/** Called once per Nexus task. */
export type NexusInterceptorsFactory = (ctx: OperationContext) => NexusInterceptors;

export interface WorkerInterceptors {
  /** Of the client that activities get from `getClient()`. */
  client?: ClientInterceptors;
  /** Run first to last around each activity. */
  activity?: ActivityInterceptorsFactory[];
  /** As `activity`, inbound only; run after those. */
  activityInbound?: ActivityInboundCallsInterceptorFactory[];
  /** Run first to last around each call of a Nexus handler. */
  nexus?: NexusInterceptorsFactory[];
  /**
   * Modules that export `interceptors`, a WorkflowInterceptorsFactory: paths, `file:` URLs, or names of packages. Bundled with the workflows;
   * a worker given a `workflowBundle` has those the bundle was made with (`bundleWorkflowCode({ workflowInterceptorModules })`).
   */
  workflowModules?: (string | URL)[];
}
