// The context of the activity that is running: found through AsyncLocalStorage, so that any function it calls or awaits sees it.
// The worker makes one per attempt and runs the activity function inside `asyncLocalStorage.run(context, …)`.

import { AsyncLocalStorage } from 'node:async_hooks';
import type { Client } from '../client/client.ts';
import type { ActivityCancellationDetails } from '../common/activity-options.ts';
import { IllegalStateError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { MetricMeter } from '../common/metrics.ts';
import { type Duration, msToNumber } from '../common/time.ts';
import type { ActivityCancellation } from './cancellation.ts';
import type { Info } from './info.ts';

/** The part of Node's AsyncLocalStorage that is used here, so that the package's types need no types of Node. */
export interface ContextStorage {
  run<T, Args extends unknown[]>(context: Context, fn: (...args: Args) => T, ...args: Args): T;
  getStore(): Context | undefined;
}

export const asyncLocalStorage: ContextStorage = new AsyncLocalStorage<Context>();

export class Context {
  readonly info: Info;
  /** The logger of this activity; its attributes are added to every message. */
  log: Logger;
  /** Makes metrics of this activity, which the worker's `Runtime` exports: with its namespace, task queue and activity type as tags. */
  readonly metricMeter: MetricMeter;
  readonly #cancellation: ActivityCancellation;
  readonly #heartbeat: (details?: unknown) => void;
  readonly #client: Client | undefined;

  /**
   * The context of the activity that is running.
   *
   * @throws Error when called outside of an activity.
   */
  static current(): Context {
    const context = asyncLocalStorage.getStore();
    if (context === undefined) throw new Error('Activity context not initialized');
    return context;
  }

  /** For the worker; activity code calls {@link Context.current}. */
  constructor(
    info: Info,
    cancellation: ActivityCancellation,
    heartbeat: (details?: unknown) => void,
    client: Client | undefined,
    log: Logger,
    metricMeter: MetricMeter,
  ) {
    this.info = info;
    this.#cancellation = cancellation;
    this.#heartbeat = heartbeat;
    this.#client = client;
    this.log = log;
    this.metricMeter = metricMeter;
  }

  /** Rejects with a CancelledFailure when cancellation is requested, the attempt timed out, or its workflow closed. Never resolves. */
  get cancelled(): Promise<never> {
    return this.#cancellation.cancelled;
  }

  /** Aborts together with {@link cancelled}: hand it to `fetch`, child processes, timers. */
  get cancellationSignal(): AbortSignal {
    return this.#cancellation.signal;
  }

  /** Why the activity was cancelled; undefined while it is not. */
  get cancellationDetails(): ActivityCancellationDetails | undefined {
    return this.#cancellation.details;
  }

  /**
   * A client of the worker's namespace over the worker's connection.
   *
   * @throws IllegalStateError in a MockActivityEnvironment made without a client.
   */
  get client(): Client {
    if (this.#client === undefined) {
      throw new IllegalStateError(
        'No Client available. This may be a MockActivityEnvironment that was created without a Client.',
      );
    }
    return this.#client;
  }

  /**
   * Tells the server that this attempt is alive, and where to resume: the next attempt finds `details` in
   * {@link Info.heartbeatDetails}. Sent at most once per 80 % of the heartbeat timeout; the latest details win. No effect in a
   * local activity.
   */
  readonly heartbeat = (details?: unknown): void => {
    this.#heartbeat(details);
  };

  /** Resolves after `ms`; rejects with a CancelledFailure as soon as the activity is cancelled. */
  readonly sleep = (ms: Duration): Promise<void> => {
    const delay = msToNumber(ms);
    const signal = this.cancellationSignal;
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      const onAbort = (): void => {
        clearTimeout(timer);
        reject(signal.reason);
      };
      const timer = setTimeout(() => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      }, delay);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  };
}
