// Runs an activity function by itself, with a context under the test's control.

import { EventEmitter } from 'node:events';
import { ActivityCancellation, type CancelReason } from '../activity/cancellation.ts';
import { asyncLocalStorage, Context } from '../activity/context.ts';
import type { Info } from '../activity/info.ts';
import type { Client } from '../client/client.ts';
import { ActivityCancellationDetails } from '../common/activity-options.ts';
import { encodeBase64 } from '../common/base64.ts';
import { type Logger, makeLogger } from '../common/logger.ts';
import { type MetricMeter, noopMetricMeter } from '../common/metrics.ts';
import { encodeUtf8 } from '../common/utf8.ts';

export interface MockActivityEnvironmentOptions {
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

  constructor(info: Partial<Info> = {}, options: MockActivityEnvironmentOptions = {}) {
    super();
    this.context = new Context(
      { ...defaultActivityInfo, ...info },
      this.#cancellation,
      (details) => this.emit('heartbeat', details),
      options.client,
      options.logger ?? makeLogger(() => {}),
      options.metricMeter ?? noopMetricMeter,
    );
  }

  /** Runs `fn` in the environment's context; resolves and rejects as it does. */
  run<P extends unknown[], R>(fn: (...args: P) => Promise<R>, ...args: P): Promise<R> {
    return asyncLocalStorage.run(this.context, fn, ...args);
  }

  /** Cancels the context, as if the workflow had requested it unless told otherwise. */
  cancel(
    reason: CancelReason = 'CANCELLED',
    details: ActivityCancellationDetails = new ActivityCancellationDetails({ cancelRequested: true }),
  ): void {
    this.#cancellation.cancel(reason, details);
  }
}
