// Completes activities from outside of their worker: by task token, or by the ids of workflow and activity.

import type { ActivityTarget } from '../../src/wire/activity-task.ts';
import { encodeMessage } from '../common/codec.ts';
import { ensureTemporalFailure } from '../common/failure.ts';
import { toPayloadsMessage } from '../common/payload-converter.ts';
import { isUint8Array } from '../common/type-helpers.ts';
import { BaseClient, type LoadedBaseClientOptions } from './base-client.ts';
import { ActivityCancelledError, ActivityPausedError, ActivityResetError, rethrowActivityError } from './errors.ts';

/** An activity by its ids; without `runId`, in the workflow's current run. Without `workflowId`, one that has no workflow. */
export interface FullActivityId {
  workflowId?: string | undefined;
  runId?: string | undefined;
  activityId: string;
}

/**
 * For activities that threw `CompleteAsyncError`: they stay open until one of these calls, or a timeout.
 *
 * Every method takes the task token (`activityInfo().taskToken`) or a {@link FullActivityId}, and throws ActivityNotFoundError when no such
 * activity is open, ActivityCompletionError for other refusals, ValueError when a value cannot be converted.
 */
export class AsyncCompletionClient extends BaseClient {
  get options(): LoadedBaseClientOptions {
    return this.base;
  }

  /** The activity returns `result`. */
  async complete(activity: Uint8Array | FullActivityId, result: unknown): Promise<void> {
    await this.#respond('respondActivityTaskCompleted', { ...this.#common(activity), result: this.#payloads(result) });
  }

  /** This attempt fails with `err`; it is retried as its policy says. */
  async fail(activity: Uint8Array | FullActivityId, err: unknown): Promise<void> {
    const { failureConverter, payloadConverter } = this.dataConverter;
    const failure = failureConverter.errorToFailure(ensureTemporalFailure(err), payloadConverter);
    await this.#respond('respondActivityTaskFailed', { ...this.#common(activity), failure });
  }

  /** The activity confirms a requested cancellation. Refused when none was requested. */
  async reportCancellation(activity: Uint8Array | FullActivityId, details?: unknown): Promise<void> {
    await this.#respond('respondActivityTaskCanceled', { ...this.#common(activity), details: this.#payloads(details) });
  }

  /**
   * The activity is alive, and the next attempt may resume from `details`.
   *
   * @throws ActivityCancelledError when cancellation was requested: clean up, then {@link reportCancellation}. ActivityResetError,
   * ActivityPausedError when the activity was reset or paused: stop, and {@link fail} this attempt; or go on, and complete it all the same.
   */
  async heartbeat(activity: Uint8Array | FullActivityId, details?: unknown): Promise<void> {
    const { target, identity } = this.#common(activity);
    const request = { target, identity, details: this.#payloads(details) };
    const encoded = await encodeMessage(this.dataConverter.payloadCodecs, request);
    const response = await this.connection
      .request('recordActivityTaskHeartbeat', encoded)
      .catch((err) => rethrowActivityError(err, idsOf(target)));
    if (response.cancelRequested) throw new ActivityCancelledError('cancelled');
    if (response.activityReset) throw new ActivityResetError('reset');
    if (response.activityPaused) throw new ActivityPausedError('paused');
  }

  #common(activity: Uint8Array | FullActivityId): { target: ActivityTarget; identity: string; credit: number } {
    const { namespace, identity } = this.base;
    const target = isUint8Array(activity)
      ? { token: activity }
      : { namespace, ...activity, workflowId: activity.workflowId ?? '' };
    // A client is no worker: it has no credit to give back.
    return { target, identity, credit: 0 };
  }

  #payloads(value: unknown) {
    return toPayloadsMessage(this.dataConverter.payloadConverter, [value]);
  }

  async #respond<
    M extends 'respondActivityTaskCompleted' | 'respondActivityTaskFailed' | 'respondActivityTaskCanceled',
  >(method: M, request: Parameters<typeof this.connection.request<M>>[1]): Promise<void> {
    const encoded = await encodeMessage(this.dataConverter.payloadCodecs, request);
    await this.connection.request(method, encoded).catch((err) => rethrowActivityError(err, idsOf(request.target)));
  }
}

/** What errors say of it: nothing of a token, which is opaque. */
const idsOf = (target: ActivityTarget): FullActivityId | undefined => ('token' in target ? undefined : target);
