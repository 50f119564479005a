// Calls that `@temporalio/client` leaves to its raw `workflowService`, in the shape of the API's requests: steering pending activities.
// Durations are the API's `{ seconds, nanos }`, or milliseconds as a number.

import type { ActivitiesTarget, ActivityOptions, Methods, UpdateActivityOptionsResponse } from '../../src/wire/api.ts';
import type { Priority, RetryPolicy } from '../../src/wire/common.ts';

/** ms; all of these are answered at once. */
const TIMEOUT_MS = 10_000;

type Request = <M extends keyof Methods>(
  method: M,
  body: Methods[M]['request'],
  options: { timeoutMs: number },
) => Promise<Methods[M]['response']>;

/** As protobuf has it, or milliseconds. */
export type ProtoDuration =
  | number
  | { seconds?: number | { toNumber(): number } | undefined; nanos?: number | undefined };

interface ActivitiesRequest {
  namespace: string;
  execution: { workflowId: string; runId?: string | undefined };
  identity?: string | undefined;
  /** Exactly one chooses: `id`, `type`, or all of the run. */
  id?: string | undefined;
  type?: string | undefined;
}

export interface PauseActivityRequest extends ActivitiesRequest {
  reason?: string | undefined;
  /** A repeat with the same id is the same pause. */
  requestId?: string | undefined;
}

export interface UnpauseActivityRequest extends ActivitiesRequest {
  unpauseAll?: boolean | undefined;
  resetAttempts?: boolean | undefined;
  resetHeartbeat?: boolean | undefined;
  /** Each activity goes on after a random part of it. */
  jitter?: ProtoDuration | undefined;
}

export interface ResetActivityRequest extends ActivitiesRequest {
  matchAll?: boolean | undefined;
  resetHeartbeat?: boolean | undefined;
  keepPaused?: boolean | undefined;
  restoreOriginalOptions?: boolean | undefined;
  jitter?: ProtoDuration | undefined;
}

export interface ProtoActivityOptions {
  taskQueue?: { name?: string | undefined } | undefined;
  scheduleToCloseTimeout?: ProtoDuration | undefined;
  scheduleToStartTimeout?: ProtoDuration | undefined;
  startToCloseTimeout?: ProtoDuration | undefined;
  heartbeatTimeout?: ProtoDuration | undefined;
  retryPolicy?:
    | (Omit<RetryPolicy, 'initialInterval' | 'maximumInterval'> & {
        initialInterval?: ProtoDuration | undefined;
        maximumInterval?: ProtoDuration | undefined;
      })
    | undefined;
  priority?: Priority | undefined;
}

export interface UpdateActivityOptionsRequest extends ActivitiesRequest {
  matchAll?: boolean | undefined;
  activityOptions?: ProtoActivityOptions | undefined;
  /** Names in snake or camel case: `start_to_close_timeout`, `retryPolicy.maximumAttempts`. */
  updateMask?: { paths: string[] } | undefined;
  restoreOriginal?: boolean | undefined;
}

/**
 * Every method throws RpcError: INVALID_ARGUMENT for a request that cannot be meant, NOT_FOUND when the workflow does not run or no such activity
 * is pending, FAILED_PRECONDITION for a pause of what another request paused.
 */
export class WorkflowService {
  readonly #request: Request;

  constructor(request: Request) {
    this.#request = request;
  }

  /** No attempt of these activities begins until they are unpaused. One that runs is told with its next heartbeat. */
  async pauseActivity(request: PauseActivityRequest): Promise<void> {
    const { reason, requestId } = request;
    await this.#request('pauseActivity', { ...target(request), reason, requestId }, { timeoutMs: TIMEOUT_MS });
  }

  /** They go on at once, also those that waited out a retry interval. */
  async unpauseActivity(request: UnpauseActivityRequest): Promise<void> {
    const { resetAttempts, resetHeartbeat, unpauseAll } = request;
    const body = { ...target(request, unpauseAll), resetAttempts, resetHeartbeat, jitter: optionalMs(request.jitter) };
    await this.#request('unpauseActivity', body, { timeoutMs: TIMEOUT_MS });
  }

  /** They begin anew with attempt 1: at once, or when the attempt that runs has ended. */
  async resetActivity(request: ResetActivityRequest): Promise<void> {
    const { resetHeartbeat, keepPaused, restoreOriginalOptions, matchAll } = request;
    const body = {
      ...target(request, matchAll),
      resetHeartbeat,
      keepPaused,
      restoreOriginalOptions,
      jitter: optionalMs(request.jitter),
    };
    await this.#request('resetActivity', body, { timeoutMs: TIMEOUT_MS });
  }

  /** Sets what the mask names, for attempts that begin from now on. @returns The options as they are then, of the first activity. */
  async updateActivityOptions(request: UpdateActivityOptionsRequest): Promise<UpdateActivityOptionsResponse> {
    const { activityOptions, updateMask, restoreOriginal, matchAll } = request;
    const body = {
      ...target(request, matchAll),
      activityOptions: activityOptions && options(activityOptions),
      updateMask: updateMask?.paths,
      restoreOriginal,
    };
    return await this.#request('updateActivityOptions', body, { timeoutMs: TIMEOUT_MS });
  }
}

const target = (
  { namespace, execution, identity = '', id, type }: ActivitiesRequest,
  all = false,
): ActivitiesTarget => ({
  namespace,
  workflowId: execution.workflowId,
  runId: execution.runId,
  identity,
  activityId: id,
  activityType: type,
  matchAll: all || undefined,
});

/** Part of a millisecond is dropped: the server counts in them. */
function ms(duration: ProtoDuration): number {
  if (typeof duration === 'number') return Math.trunc(duration);
  const { seconds = 0, nanos = 0 } = duration;
  return (typeof seconds === 'number' ? seconds : seconds.toNumber()) * 1_000 + Math.trunc(nanos / 1_000_000);
}

const optionalMs = (duration: ProtoDuration | undefined): number | undefined =>
  duration === undefined ? undefined : ms(duration);

function options(given: ProtoActivityOptions): ActivityOptions {
  const { retryPolicy } = given;
  return {
    taskQueue: given.taskQueue?.name,
    scheduleToCloseTimeout: optionalMs(given.scheduleToCloseTimeout),
    scheduleToStartTimeout: optionalMs(given.scheduleToStartTimeout),
    startToCloseTimeout: optionalMs(given.startToCloseTimeout),
    heartbeatTimeout: optionalMs(given.heartbeatTimeout),
    retryPolicy: retryPolicy && {
      ...retryPolicy,
      initialInterval: optionalMs(retryPolicy.initialInterval),
      maximumInterval: optionalMs(retryPolicy.maximumInterval),
    },
    priority: given.priority,
  };
}
