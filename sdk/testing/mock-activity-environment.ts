// Runs an activity function by itself, with a context under the test's control.

import { EventEmitter } from 'node:events';
import { ActivityCancellation, type CancelReason } from '../activity/cancellation.ts';
import { asyncLocalStorage, type Context } from '../activity/context.ts';
import type { Info } from '../activity/info.ts';
import type { Client } from '../client/client.ts';
import { ActivityCancellationDetails } from '../common/activity-options.ts';
import { encodeBase64 } from '../common/base64.ts';
import { composeInterceptors } from '../common/interceptors.ts';
import { type Logger, makeLogger } from '../common/logger.ts';
import { type MetricMeter, noopMetricMeter } from '../common/metrics.ts';
import { encodeUtf8 } from '../common/utf8.ts';
import { activityContext } from '../worker/activity-context.ts';
import type { ActivityInboundCallsInterceptor, ActivityInterceptorsFactory } from '../worker/interceptors.ts';

export interface MockActivityEnvironmentOptions {
  /** Run first to last around each activity; the factories are called once, with the environment's context. */
  interceptors?: ActivityInterceptorsFactory[] | undefined;
  /** Receives what the activity logs. Default: nothing is logged. */
  logger?: Logger | undefined;
  /** Where the activity's metrics go. Default: nowhere. */
  metricMeter?: MetricMeter | undefined;
  /** What `getClient()` returns in the activity. */
  client?: Client | undefined;
}

const TOKEN = encodeUtf8('test');

/** What activities see of themselves unless the test says otherwise. */
export const defaultActivityInfo: Info = {
  attempt: 1,
  taskQueue: 'test',
  isLocal: false,
  taskToken: TOKEN,
  base64TaskToken: encodeBase64(TOKEN),
  activityId: 'test',
  activityType: 'unknown',
  workflowType: 'test',
  heartbeatTimeoutMs: undefined,
  heartbeatDetails: undefined,
  activityNamespace: 'default',
  workflowNamespace: 'default',
  workflowExecution: { workflowId: 'test', runId: '00000000-0000-0000-0000-000000000000' },
  scheduledTimestampMs: 1,
  startToCloseTimeoutMs: 1000,
  scheduleToCloseTimeoutMs: 1000,
  currentAttemptScheduledTimestampMs: 1,
  priority: undefined,
  retryPolicy: undefined,
  namespace: 'default',
  activityRunId: undefined,
  inWorkflow: true,
};

/**
 * Emits `heartbeat` with the details of each heartbeat. All activities run in one environment share its context: once cancelled, they
 * all are.
 *
 * ```ts
 * const env = new MockActivityEnvironment({ attempt: 2 });
 * env.on('heartbeat', (details) => seen.push(details));
 * await env.run(importRows, 'rows.csv');
 * ```
 */
export class MockActivityEnvironment extends EventEmitter {
  readonly context: Context;
  readonly #cancellation = new ActivityCancellation();
  readonly #inbound: readonly ActivityInboundCallsInterceptor[];

  constructor(info: Partial<Info> = {}, options: MockActivityEnvironmentOptions = {}) {
    super();
    const { context, inbound } = activityContext({
      info: { ...defaultActivityInfo, ...info },
      cancellation: this.#cancellation,
      heartbeat: (details) => this.emit('heartbeat', details),
      client: options.client,
      logger: options.logger ?? makeLogger(() => {}),
      meter: options.metricMeter ?? noopMetricMeter,
      interceptors: options.interceptors ?? [],
    });
    this.context = context;
    this.#inbound = inbound;
  }

  /** Runs `fn` in the environment's context; resolves and rejects as it does. */
  run<P extends unknown[], R>(fn: (...args: P) => Promise<R>, ...args: P): Promise<R> {
    const execute = composeInterceptors(this.#inbound, 'execute', (input) => fn(...(input.args as P)));
    // As `fn` says, unless an interceptor gives something else.
    return asyncLocalStorage.run(this.context, () => execute({ args, headers: {} })) as Promise<R>;
  }

  /** Cancels the context, as if the workflow had requested it unless told otherwise. */
  cancel(
    reason: CancelReason = 'CANCELLED',
    details: ActivityCancellationDetails = new ActivityCancellationDetails({ cancelRequested: true }),
  ): void {
    this.#cancellation.cancel(reason, details);
  }
}
