// The client of activities: starts them without a workflow, and completes any from outside (async-completion-client.ts).

import type { ActivityExecutionOutcome, StartActivityExecutionRequest } from '../../src/wire/activity.ts';
import { decodeMessage, encodeMessage } from '../common/codec.ts';
import { compileFlowControl } from '../common/flow-control.ts';
import { composeInterceptors } from '../common/interceptors.ts';
import { fromPayloadsAtIndex, toPayloadsMessage } from '../common/payload-converter.ts';
import { compilePriority } from '../common/priority.ts';
import { compileRetryPolicy } from '../common/retry-policy.ts';
import { encodeUnifiedSearchAttributes } from '../common/search-attributes.ts';
import { durationOption } from '../common/time.ts';
import { userMetadataToPayload } from '../common/user-metadata.ts';
import { ActivityExecutionFailedError, rethrowExecutionError } from './activity-errors.ts';
import { type ActivityHandle, activityHandle } from './activity-handle.ts';
import { infoFromRaw } from './activity-info.ts';
import type { TypedActivityClient } from './activity-typed.ts';
import {
  type ActivityExecutionInfo,
  type ActivityOptions,
  type CountActivityExecutions,
  encodeActivityIdConflictPolicy,
  encodeActivityIdReusePolicy,
} from './activity-types.ts';
import { AsyncCompletionClient } from './async-completion-client.ts';
import type { BaseClientOptions } from './base-client.ts';
import type { ActivityClientInterceptor, ActivityStartInput } from './interceptors.ts';
import { countFromRaw } from './workflow-info.ts';
import { newRequestId } from './workflow-requests.ts';

/** ms of one question for an outcome; it is asked again. */
const POLL_MS = 20_000;
const PAGE = 100;

export interface ActivityClientOptions extends BaseClientOptions {
  /** Around `start`, the first outermost. */
  interceptors?: ActivityClientInterceptor[] | undefined;
}

export class ActivityClient extends AsyncCompletionClient {
  readonly #start: (input: ActivityStartInput) => Promise<ActivityHandle>;

  constructor(options: ActivityClientOptions = {}) {
    super(options);
    this.#start = composeInterceptors(options.interceptors ?? [], 'start', (input) => this.#started(input));
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
    return (await this.#start({ activityType: activity, options, headers: {} })) as ActivityHandle<R>;
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

  /** A handle to an activity, without `runId` to the latest of its id; nothing is checked, nothing is sent. */
  // biome-ignore lint/suspicious/noExplicitAny: see `start`.
  getHandle<R = any>(activityId: string, runId?: string): ActivityHandle<R> {
    const { connection, base } = this;
    const result = (): Promise<R> => this.#result(activityId, runId);
    return activityHandle<R>({ connection, base, activityId, runId, result });
  }

  /** Activities that match a filter, newest first, fetched page by page as they are iterated. @throws ServiceError while iterating. */
  async *list(query = ''): AsyncGenerator<ActivityExecutionInfo, void, undefined> {
    const { namespace } = this.base;
    let nextPageToken: Uint8Array | undefined;
    do {
      const page = await this.connection
        .request('listActivityExecutions', { namespace, query, pageSize: PAGE, nextPageToken })
        .catch((err) => rethrowExecutionError(err, 'Failed to list activities'));
      for (const raw of page.executions) yield infoFromRaw(raw);
      nextPageToken = page.nextPageToken;
    } while (nextPageToken !== undefined && nextPageToken.length > 0);
  }

  /** How many match a filter, by groups with `GROUP BY`. @throws ServiceError */
  async count(query = ''): Promise<CountActivityExecutions> {
    const { namespace } = this.base;
    const raw = await this.connection
      .request('countActivityExecutions', { namespace, query })
      .catch((err) => rethrowExecutionError(err, 'Failed to count activities'));
    return countFromRaw(raw);
  }

  async #started({ activityType, options, headers }: ActivityStartInput): Promise<ActivityHandle> {
    const { namespace, identity, loadedDataConverter } = this.base;
    const { payloadConverter, payloadCodecs } = loadedDataConverter;
    const { id, retry, priority, typedSearchAttributes } = options;
    const request = await encodeMessage<StartActivityExecutionRequest>(payloadCodecs, {
      ...{ namespace, identity, requestId: newRequestId() },
      ...{ activityId: id, activityType, taskQueue: options.taskQueue },
      input: toPayloadsMessage(payloadConverter, options.args ?? []),
      header: Object.keys(headers).length === 0 ? undefined : { fields: headers },
      scheduleToCloseTimeout: durationOption('scheduleToCloseTimeout', options.scheduleToCloseTimeout),
      scheduleToStartTimeout: durationOption('scheduleToStartTimeout', options.scheduleToStartTimeout),
      startToCloseTimeout: durationOption('startToCloseTimeout', options.startToCloseTimeout),
      heartbeatTimeout: durationOption('heartbeatTimeout', options.heartbeatTimeout),
      startDelay: durationOption('startDelay', options.startDelay),
      retryPolicy: retry === undefined ? undefined : compileRetryPolicy(retry),
      idReusePolicy: encodeActivityIdReusePolicy(options.idReusePolicy),
      idConflictPolicy: encodeActivityIdConflictPolicy(options.idConflictPolicy),
      searchAttributes:
        typedSearchAttributes === undefined
          ? undefined
          : { indexedFields: encodeUnifiedSearchAttributes(undefined, typedSearchAttributes) },
      userMetadata: userMetadataToPayload(payloadConverter, options.summary, undefined),
      priority: priority === undefined ? undefined : compilePriority(priority),
      flowControl: compileFlowControl(options.flowControl),
    });
    const { runId } = await this.connection
      .request('startActivityExecution', request)
      .catch((err) => rethrowExecutionError(err, `Failed to start activity '${id}'`, id));
    return this.getHandle(id, runId);
  }

  async #result<R>(activityId: string, run: string | undefined): Promise<R> {
    const { namespace } = this.base;
    let runId = run;
    for (;;) {
      const answer = await this.connection
        .request('pollActivityExecution', { namespace, activityId, runId }, { timeoutMs: POLL_MS })
        .catch((err) => rethrowExecutionError(err, `Failed to await activity '${activityId}'`, activityId));
      // The one that was found first, should another follow it.
      runId ??= answer.runId;
      if (answer.outcome !== undefined) return this.#read(answer.outcome, activityId, answer.runId);
    }
  }

  async #read<R>(outcome: ActivityExecutionOutcome, activityId: string, runId: string | undefined): Promise<R> {
    const { payloadConverter, payloadCodecs, failureConverter } = this.base.loadedDataConverter;
    const { result, failure } = await decodeMessage(payloadCodecs, outcome);
    if (failure === undefined) return fromPayloadsAtIndex<R>(payloadConverter, 0, result?.payloads);
    const cause = failureConverter.failureToError(failure, payloadConverter);
    throw new ActivityExecutionFailedError('Activity execution failed', cause, activityId, runId);
  }
}
