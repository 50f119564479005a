// What an activity client asks the server: one function per call that interceptors can stand around, composed with them. Made by ActivityClient,
// called by it and by its handles.

import type { ActivityExecutionOutcome, StartActivityExecutionRequest } from '../../src/wire/activity.ts';
import { decodeMessage, encodeMessage } from '../common/codec.ts';
import { compileFlowControl } from '../common/flow-control.ts';
import { composeInterceptors, type Next } from '../common/interceptors.ts';
import { fromPayloadsAtIndex, toPayloadsMessage } from '../common/payload-converter.ts';
import { compilePriority } from '../common/priority.ts';
import { compileRetryPolicy } from '../common/retry-policy.ts';
import { encodeUnifiedSearchAttributes } from '../common/search-attributes.ts';
import { durationOption, msToNumber } from '../common/time.ts';
import { userMetadataToPayload } from '../common/user-metadata.ts';
import type { Connection } from '../connection/connection.ts';
import { ActivityExecutionFailedError, rethrowExecutionError } from './activity-errors.ts';
import { type ActivityHandle, activityHandle } from './activity-handle.ts';
import { descriptionFromRaw, infoFromRaw } from './activity-info.ts';
import type { ActivityClientInterceptor, ActivityGetResultInput, ActivityStartInput } from './activity-interceptors.ts';
import { optionsFromRaw, optionsToRaw } from './activity-options.ts';
import {
  type ActivityExecutionInfo,
  type ActivityOptionsUpdateResult,
  encodeActivityIdConflictPolicy,
  encodeActivityIdReusePolicy,
} from './activity-types.ts';
import type { LoadedBaseClientOptions } from './base-client.ts';
import { ServiceError } from './errors.ts';
import { countFromRaw } from './workflow-info.ts';
import { newRequestId } from './workflow-requests.ts';

/** ms of one question for an outcome; it is asked again. */
const POLL_MS = 20_000;
const PAGE = 100;

/** Each call, with all interceptors around it. */
export type ActivityCalls = { readonly [M in keyof ActivityClientInterceptor]-?: Next<ActivityClientInterceptor, M> };

export function activityCalls(
  connection: Connection,
  base: LoadedBaseClientOptions,
  interceptors: readonly ActivityClientInterceptor[],
): ActivityCalls {
  const around = <M extends keyof ActivityClientInterceptor>(
    method: M,
    innermost: Next<ActivityClientInterceptor, M>,
  ): Next<ActivityClientInterceptor, M> => composeInterceptors(interceptors, method, innermost);
  const asked = new AskedActivities(connection, base, () => calls);
  const calls: ActivityCalls = {
    start: around('start', (input) => asked.start(input)),
    getResult: around('getResult', (input) => asked.result(input)),
    describe: around('describe', async ({ options, ...input }) => {
      const raw = await connection
        .request('describeActivityExecution', { ...asked.target(input), ...options })
        .catch(asked.failed('describe', input));
      if (raw.info === undefined)
        throw new ServiceError(`Failed to describe activity '${input.activityId}'`, { cause: new Error('no answer') });
      return descriptionFromRaw(raw, base.loadedDataConverter);
    }),
    cancel: around('cancel', async (input) => {
      await connection
        .request('requestCancelActivityExecution', asked.ending(input))
        .catch(asked.failed('cancel', input));
    }),
    terminate: around('terminate', async (input) => {
      await connection
        .request('terminateActivityExecution', asked.ending(input))
        .catch(asked.failed('terminate', input));
    }),
    list: around('list', ({ query }) => asked.list(query)),
    count: around('count', async ({ query }) => {
      const raw = await connection
        .request('countActivityExecutions', { namespace: base.namespace, query })
        .catch((err) => rethrowExecutionError(err, 'Failed to count activities'));
      return countFromRaw(raw);
    }),
    pause: around('pause', async ({ options: { reason }, ...input }) => {
      await connection
        .request('pauseActivityExecution', { ...asked.control(input), reason, requestId: newRequestId() })
        .catch(asked.failed('pause', input));
    }),
    unpause: around('unpause', async ({ options: { jitter }, ...input }) => {
      await connection
        .request('unpauseActivityExecution', { ...asked.control(input), jitter: durationOption('jitter', jitter) })
        .catch(asked.failed('unpause', input));
    }),
    updateOptions: around('updateOptions', ({ options, ...input }) => asked.change(input, optionsToRaw(options))),
    restoreOriginalOptions: around('restoreOriginalOptions', (input) => asked.change(input, { restoreOriginal: true })),
  };
  return calls;
}

type Which = Pick<ActivityGetResultInput, 'activityId' | 'activityRunId'>;

class AskedActivities {
  readonly #connection: Connection;
  readonly #base: LoadedBaseClientOptions;
  /** For the handles of what is started: their calls go around the same interceptors. */
  readonly #calls: () => ActivityCalls;

  constructor(connection: Connection, base: LoadedBaseClientOptions, calls: () => ActivityCalls) {
    this.#connection = connection;
    this.#base = base;
    this.#calls = calls;
  }

  target({ activityId, activityRunId }: Which) {
    return { namespace: this.#base.namespace, activityId, runId: activityRunId || undefined };
  }

  control(which: Which) {
    return { ...this.target(which), workflowId: '', identity: this.#base.identity };
  }

  ending({ reason, ...which }: Which & { readonly reason?: string | undefined }) {
    return { ...this.target(which), identity: this.#base.identity, reason, requestId: newRequestId() };
  }

  failed(what: string, { activityId }: Which): (err: unknown) => never {
    return (err) => rethrowExecutionError(err, `Failed to ${what} activity '${activityId}'`, activityId);
  }

  async change(which: Which, body: object): Promise<ActivityOptionsUpdateResult> {
    const answer = await this.#connection
      .request('updateActivityExecutionOptions', { ...this.control(which), ...body })
      .catch(this.failed('update', which));
    return optionsFromRaw(answer.activityOptions);
  }

  async *list(query: string): AsyncGenerator<ActivityExecutionInfo, void, undefined> {
    const { namespace } = this.#base;
    let nextPageToken: Uint8Array | undefined;
    do {
      const page = await this.#connection
        .request('listActivityExecutions', { namespace, query, pageSize: PAGE, nextPageToken })
        .catch((err) => rethrowExecutionError(err, 'Failed to list activities'));
      for (const raw of page.executions) yield infoFromRaw(raw);
      nextPageToken = page.nextPageToken;
    } while (nextPageToken !== undefined && nextPageToken.length > 0);
  }

  async start({ activityType, options, headers }: ActivityStartInput): Promise<ActivityHandle> {
    const { namespace, identity, loadedDataConverter } = this.#base;
    const { payloadConverter, payloadCodecs } = loadedDataConverter;
    const { id, retry, priority, typedSearchAttributes } = options;
    requireActivity(activityType, options);
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
      userMetadata: userMetadataToPayload(payloadConverter, options.summary, options.staticDetails),
      priority: priority === undefined ? undefined : compilePriority(priority),
      flowControl: compileFlowControl(options.flowControl),
    });
    const { runId } = await this.#connection
      .request('startActivityExecution', request)
      .catch((err) => rethrowExecutionError(err, `Failed to start activity '${id}'`, id));
    return activityHandle(this.#calls(), id, runId);
  }

  async result({ activityId, activityRunId }: Which): Promise<unknown> {
    const { namespace } = this.#base;
    let runId = activityRunId || undefined;
    for (;;) {
      const answer = await this.#connection
        .request('pollActivityExecution', { namespace, activityId, runId }, { timeoutMs: POLL_MS })
        .catch((err) => rethrowExecutionError(err, `Failed to await activity '${activityId}'`, activityId));
      // The one that was found first, should another follow it.
      runId ??= answer.runId;
      if (answer.outcome !== undefined) return this.#read(answer.outcome, activityId, answer.runId);
    }
  }

  async #read(outcome: ActivityExecutionOutcome, activityId: string, runId: string | undefined): Promise<unknown> {
    const { payloadConverter, payloadCodecs, failureConverter } = this.#base.loadedDataConverter;
    const { result, failure } = await decodeMessage(payloadCodecs, outcome);
    if (failure === undefined) return fromPayloadsAtIndex(payloadConverter, 0, result?.payloads);
    const cause = failureConverter.failureToError(failure, payloadConverter);
    throw new ActivityExecutionFailedError('Activity execution failed', cause, activityId, runId);
  }
}

/** @throws TypeError naming what a start lacks. */
function requireActivity(activityType: string, options: ActivityStartInput['options']): void {
  const { startToCloseTimeout, scheduleToCloseTimeout, startDelay } = options;
  if (!activityType) throw new TypeError('activityType is required');
  if (!startToCloseTimeout && !scheduleToCloseTimeout) {
    throw new TypeError('Either scheduleToCloseTimeout or startToCloseTimeout is required');
  }
  if (startDelay !== undefined && msToNumber(startDelay) < 0) throw new TypeError('startDelay must be non-negative');
}
