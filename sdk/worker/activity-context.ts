// What an activity's function finds around it: its context, and the interceptors that the worker's factories made for this attempt.

import type { ActivityCancellation } from '../activity/cancellation.ts';
import { Context } from '../activity/context.ts';
import type { Info } from '../activity/info.ts';
import type { Client } from '../client/client.ts';
import { composeInterceptors } from '../common/interceptors.ts';
import { type Logger, type LogMetadata, SdkComponent, withMetadata } from '../common/logger.ts';
import { type MetricMeter, type MetricTags, makeMetricMeter } from '../common/metrics.ts';
import type {
  ActivityInboundCallsInterceptor,
  ActivityInterceptorsFactory,
  ActivityOutboundCallsInterceptor,
} from './interceptors.ts';
import { recordOn } from './metrics/index.ts';

export interface ActivityContextParts {
  info: Info;
  cancellation: ActivityCancellation;
  heartbeat: (details?: unknown) => void;
  client: Client | undefined;
  logger: Logger;
  meter: MetricMeter;
  interceptors: readonly ActivityInterceptorsFactory[];
  /** Default: a plain one. */
  make?: (...given: ConstructorParameters<typeof Context>) => Context;
}

/** `inbound` first to last. */
export function activityContext(parts: ActivityContextParts): {
  context: Context;
  inbound: readonly ActivityInboundCallsInterceptor[];
} {
  const { info, cancellation, heartbeat, client, meter } = parts;
  const inbound: ActivityInboundCallsInterceptor[] = [];
  const outbound: ActivityOutboundCallsInterceptor[] = [];
  const attributes = (): LogMetadata => ({
    ...logAttributes(info),
    ...composeInterceptors(outbound, 'getLogAttributes', (given) => given)({}),
    sdkComponent: SdkComponent.activity,
  });
  const tags = (): MetricTags => ({
    namespace: info.activityNamespace,
    taskQueue: info.taskQueue,
    activityType: info.activityType,
    ...composeInterceptors(outbound, 'getMetricTags', (given) => given)({}),
  });
  const log = withMetadata(parts.logger, attributes);
  const metricMeter = makeMetricMeter((metric, value, given) => recordOn(meter, metric, value, given), tags);
  const { make = (...given) => new Context(...given) } = parts;
  const context = make(info, cancellation, heartbeat, client, log, metricMeter);
  for (const factory of parts.interceptors) {
    const made = factory(context);
    if (made.inbound !== undefined) inbound.push(made.inbound);
    if (made.outbound !== undefined) outbound.push(made.outbound);
  }
  return { context, inbound };
}

/** Ids only. */
export function logAttributes(info: Info): LogMetadata {
  return {
    isLocal: info.isLocal,
    attempt: info.attempt,
    namespace: info.namespace,
    activityId: info.activityId,
    activityType: info.activityType,
    taskQueue: info.taskQueue,
    workflowId: info.workflowExecution?.workflowId,
    workflowRunId: info.workflowExecution?.runId,
    workflowType: info.workflowType,
  };
}
