// A handle to one activity without a workflow. Made by ActivityClient.

import type { ActivityOptions as WireOptions } from '../../src/wire/api.ts';
import { compilePriority, decodePriority } from '../common/priority.ts';
import { compileRetryPolicy, decompileRetryPolicy } from '../common/retry-policy.ts';
import { type Duration, durationOption } from '../common/time.ts';
import type { Connection } from '../connection/connection.ts';
import { rethrowExecutionError } from './activity-errors.ts';
import { descriptionFromRaw } from './activity-info.ts';
import type {
  ActivityDescribeOptions,
  ActivityExecutionDescription,
  ActivityOptionsUpdate,
  ActivityOptionsUpdateResult,
} from './activity-types.ts';
import type { LoadedBaseClientOptions } from './base-client.ts';
import { ServiceError } from './errors.ts';
import { newRequestId } from './workflow-requests.ts';

/** Its calls throw ActivityNotFoundError when there is none, ServiceError (see its `cause`) for other reasons. */
// biome-ignore lint/suspicious/noExplicitAny: as in the official client, a result nobody named a type for may be used as any.
export interface ActivityHandle<R = any> {
  readonly activityId: string;
  /** Absent: the latest of its id is meant. */
  readonly runId?: string | undefined;
  /** Waits for the end. @throws ActivityExecutionFailedError when that is no result. */
  result(): Promise<R>;
  describe(options?: ActivityDescribeOptions): Promise<ActivityExecutionDescription>;
  /** Its worker is told with the next heartbeat; one that no worker runs is cancelled at once. */
  cancel(reason?: string): Promise<void>;
  /** Ends it at once, whatever its worker does. */
  terminate(reason?: string): Promise<void>;
  /** No attempt begins until it is unpaused; one that runs is told with its next heartbeat. */
  pause(options?: { reason?: string | undefined }): Promise<void>;
  /** It goes on at once, or after a random part of the jitter. */
  unpause(options?: { reason?: string | undefined; jitter?: Duration | undefined }): Promise<void>;
  /** For attempts that begin from now on. Returns the options as they are then. */
  updateOptions(options: ActivityOptionsUpdate): Promise<ActivityOptionsUpdateResult>;
  /** As it was started with. */
  restoreOriginalOptions(): Promise<ActivityOptionsUpdateResult>;
}

export interface HandleParts<R> {
  readonly connection: Connection;
  readonly base: LoadedBaseClientOptions;
  readonly activityId: string;
  readonly runId: string | undefined;
  result(): Promise<R>;
}

export function activityHandle<R>({ connection, base, activityId, runId, result }: HandleParts<R>): ActivityHandle<R> {
  const { namespace, identity, loadedDataConverter } = base;
  const target = { namespace, activityId, runId };
  const control = { ...target, workflowId: '', identity };
  const failed = (what: string) => (err: unknown) =>
    rethrowExecutionError(err, `Failed to ${what} activity '${activityId}'`, activityId);
  const change = async (body: object): Promise<ActivityOptionsUpdateResult> => {
    const answer = await connection
      .request('updateActivityExecutionOptions', { ...control, ...body })
      .catch(failed('update'));
    return optionsFromRaw(answer.activityOptions);
  };
  return {
    activityId,
    ...(runId !== undefined && { runId }),
    result,
    describe: async (options = {}) => {
      const raw = await connection
        .request('describeActivityExecution', { ...target, ...options })
        .catch(failed('describe'));
      if (raw.info === undefined)
        throw new ServiceError(`Failed to describe activity '${activityId}'`, { cause: new Error('no answer') });
      return descriptionFromRaw(raw, loadedDataConverter);
    },
    cancel: async (reason) => {
      await connection
        .request('requestCancelActivityExecution', { ...target, identity, reason, requestId: newRequestId() })
        .catch(failed('cancel'));
    },
    terminate: async (reason) => {
      await connection
        .request('terminateActivityExecution', { ...target, identity, reason, requestId: newRequestId() })
        .catch(failed('terminate'));
    },
    pause: async ({ reason } = {}) => {
      await connection
        .request('pauseActivityExecution', { ...control, reason, requestId: newRequestId() })
        .catch(failed('pause'));
    },
    unpause: async ({ jitter } = {}) => {
      await connection
        .request('unpauseActivityExecution', { ...control, jitter: durationOption('jitter', jitter) })
        .catch(failed('unpause'));
    },
    updateOptions: (options) => change(optionsToRaw(options)),
    restoreOriginalOptions: () => change({ restoreOriginal: true }),
  };
}

const TIMEOUTS = [
  'scheduleToCloseTimeout',
  'scheduleToStartTimeout',
  'startToCloseTimeout',
  'heartbeatTimeout',
] as const;

function optionsToRaw(options: ActivityOptionsUpdate): { activityOptions: WireOptions; updateMask: string[] } {
  const activityOptions: WireOptions = {};
  const updateMask: string[] = [];
  if (options.taskQueue !== undefined) {
    activityOptions.taskQueue = options.taskQueue;
    updateMask.push('taskQueue.name');
  }
  for (const name of TIMEOUTS) {
    const given = options[name];
    if (given === undefined) continue;
    activityOptions[name] = given === null ? 0 : (durationOption(name, given) ?? 0);
    updateMask.push(name);
  }
  if (options.retry !== undefined) {
    activityOptions.retryPolicy = options.retry === null ? {} : compileRetryPolicy(options.retry);
    updateMask.push('retryPolicy');
  }
  if (options.priority !== undefined) {
    activityOptions.priority = options.priority === null ? {} : compilePriority(options.priority);
    updateMask.push('priority');
  }
  return { activityOptions, updateMask };
}

function optionsFromRaw(raw: WireOptions): ActivityOptionsUpdateResult {
  const { taskQueue, retryPolicy, priority } = raw;
  return {
    taskQueue,
    scheduleToCloseTimeout: raw.scheduleToCloseTimeout || undefined,
    scheduleToStartTimeout: raw.scheduleToStartTimeout || undefined,
    startToCloseTimeout: raw.startToCloseTimeout || undefined,
    heartbeatTimeout: raw.heartbeatTimeout || undefined,
    retry: decompileRetryPolicy(retryPolicy),
    priority: priority === undefined ? undefined : decodePriority(priority),
  };
}
