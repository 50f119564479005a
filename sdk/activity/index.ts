/**
 * For code of activities: the context of the running attempt, heartbeats, cancellation, asynchronous completion.
 *
 * Any async function is an activity once a worker registers it. It may run more than once (an attempt can time out after it did its
 * work), so make its effects idempotent, e.g. with `activityInfo()`'s workflow and activity ids as the key.
 *
 * ```ts
 * import { activityInfo, heartbeat, sleep } from 'tenuto/activity';
 *
 * export async function importRows(file: string): Promise<number> {
 *   let row = Number(activityInfo().heartbeatDetails ?? 0);
 *   for (; row < 1000; row++) {
 *     await importRow(file, row);
 *     heartbeat(row); // the next attempt resumes here; a cancelled activity learns of it
 *     await sleep(10); // throws CancelledFailure when the activity is cancelled
 *   }
 *   return row;
 * }
 * ```
 *
 * Names and behaviour are those of `@temporalio/activity`.
 *
 * @module
 */
import type { Client } from '../client/client.ts';
import type { ActivityCancellationDetails } from '../common/activity-options.ts';
import { type Logger, makeLogger } from '../common/logger.ts';
import type { MetricMeter } from '../common/metrics.ts';
import type { Duration } from '../common/time.ts';
import { Context } from './context.ts';
import type { Info } from './info.ts';

export { ActivityCancellationDetails } from '../common/activity-options.ts';
export { CompleteAsyncError } from '../common/errors.ts';
export { ApplicationFailure, CancelledFailure } from '../common/failure.ts';
export type { ActivityFunction, UntypedActivities } from '../common/interfaces.ts';
export { ActivityCancellation, type CancelReason } from './cancellation.ts';
export { asyncLocalStorage, Context } from './context.ts';
export type { Info } from './info.ts';

/** What the running activity can know about itself. @throws Error outside of an activity. */
export function activityInfo(): Info {
  return Context.current().info;
}

/** Makes metrics of the activity that is running: see {@link Context.metricMeter}. */
export const metricMeter: MetricMeter = {
  createCounter: (...args) => Context.current().metricMeter.createCounter(...args),
  createHistogram: (...args) => Context.current().metricMeter.createHistogram(...args),
  createGauge: (...args) => Context.current().metricMeter.createGauge(...args),
  createUpDownCounter: (...args) => Context.current().metricMeter.createUpDownCounter(...args),
  withTags: (tags) => Context.current().metricMeter.withTags(tags),
};

/** The running activity's logger. Its methods throw outside of an activity. */
export const log: Logger = makeLogger((level, message, meta) => Context.current().log.log(level, message, meta));

/** Resolves after `ms`; rejects with a CancelledFailure as soon as the running activity is cancelled. */
export function sleep(ms: Duration): Promise<void> {
  return Context.current().sleep(ms);
}

/** Tells the server that the running attempt is alive, and where to resume; see {@link Context.heartbeat}. */
export function heartbeat(details?: unknown): void {
  Context.current().heartbeat(details);
}

/** Rejects with a CancelledFailure when the running activity is cancelled. Never resolves. */
export function cancelled(): Promise<never> {
  return Context.current().cancelled;
}

/** Why the running activity was cancelled; undefined while it is not. */
export function cancellationDetails(): ActivityCancellationDetails | undefined {
  return Context.current().cancellationDetails;
}

/** Aborts when the running activity is cancelled. */
export function cancellationSignal(): AbortSignal {
  return Context.current().cancellationSignal;
}

/** A client of the worker's namespace. @throws IllegalStateError in a mock environment made without one. */
export function getClient(): Client {
  return Context.current().client;
}
