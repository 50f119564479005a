// The client of activities: starts them without a workflow, and completes any from outside (async-completion-client.ts).

import { type ActivityCalls, activityCalls } from './activity-calls.ts';
import { type ActivityHandle, activityHandle } from './activity-handle.ts';
import type { ActivityClientInterceptor } from './activity-interceptors.ts';
import type { TypedActivityClient } from './activity-typed.ts';
import type {
  ActivityExecutionInfo,
  ActivityOptions,
  CountActivityExecutions,
  GetActivityHandleOptions,
} from './activity-types.ts';
import { AsyncCompletionClient } from './async-completion-client.ts';
import type { BaseClientOptions } from './base-client.ts';

export interface ActivityClientOptions extends BaseClientOptions {
  /** Around every call of the client and of its handles, the first outermost. */
  interceptors?: ActivityClientInterceptor[] | undefined;
}

export class ActivityClient extends AsyncCompletionClient {
  readonly #calls: ActivityCalls;

  constructor(options: ActivityClientOptions = {}) {
    super(options);
    this.#calls = activityCalls(this.connection, this.base, options.interceptors ?? []);
  }

  /**
   * Starts an activity without a workflow; resolves once that is durable.
   *
   * @param activity The name it is registered under at its workers.
   * @throws ActivityExecutionAlreadyStartedError by the policies of its id, TypeError for options that cannot be meant,
   *   NamespaceNotFoundError, ServiceError (see its `cause`).
   */
  // biome-ignore lint/suspicious/noExplicitAny: as in the official client, a result nobody named a type for may be used as any.
  async start<R = any>(activity: string, options: ActivityOptions): Promise<ActivityHandle<R>> {
    for (const name of ['id', 'taskQueue'] as const) {
      if (typeof options[name] !== 'string' || options[name] === '')
        throw new TypeError(`Option ${name} is required to start an activity, got ${JSON.stringify(options[name])}`);
    }
    // What it returns, its caller says.
    return (await this.#calls.start({ activityType: activity, options, headers: {} })) as ActivityHandle<R>;
  }

  /** This client, with names, arguments and results checked against these activities. */
  typed<T>(): TypedActivityClient<T> {
    // The same calls: only their types are narrower.
    return this as unknown as TypedActivityClient<T>;
  }

  /** Starts an activity, and waits for its result. @throws ActivityExecutionFailedError, and what {@link start} throws. */
  // biome-ignore lint/suspicious/noExplicitAny: see `start`.
  async execute<R = any>(activity: string, options: ActivityOptions): Promise<R> {
    const handle = await this.start<R>(activity, options);
    return handle.result();
  }

  /** A handle to an activity, without `runId` to the latest of its id; nothing is checked, nothing is sent. @throws TypeError without an id. */
  // biome-ignore lint/suspicious/noExplicitAny: see `start`.
  getHandle<R = any>(activityId: string, runId?: string): ActivityHandle<R> {
    if (!activityId) throw new TypeError('activityId is required: that of an activity without a workflow');
    return activityHandle<R>(this.#calls, activityId, runId);
  }

  /** As {@link getHandle}. */
  // biome-ignore lint/suspicious/noExplicitAny: see `start`.
  getHandleWithOptions<R = any>(activityId: string, { runId }: GetActivityHandleOptions = {}): ActivityHandle<R> {
    return this.getHandle<R>(activityId, runId);
  }

  /** Activities that match a filter, newest first, fetched page by page as they are iterated. @throws ServiceError while iterating. */
  list(query = ''): AsyncIterable<ActivityExecutionInfo> {
    return this.#calls.list({ query, headers: {} });
  }

  /** How many match a filter, by groups with `GROUP BY`. @throws ServiceError */
  async count(query = ''): Promise<CountActivityExecutions> {
    return this.#calls.count({ query, headers: {} });
  }
}
