// The API's requests that steer pending activities, and how they become those of the native door. Used by WorkflowService.
// Durations are the API's `{ seconds, nanos }`, or milliseconds as a number.

import type { ActivitiesTarget, ActivityOptions } from '../../src/wire/api.ts';
import type { Priority, RetryPolicy } from '../../src/wire/common.ts';

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

export const activitiesTarget = (
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

export const optionalMs = (duration: ProtoDuration | undefined): number | undefined =>
  duration === undefined ? undefined : ms(duration);

export function activityOptions(given: ProtoActivityOptions): ActivityOptions {
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
