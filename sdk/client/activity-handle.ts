// A handle to one activity without a workflow. Made by ActivityClient; its calls go around the client's interceptors.

import type { ActivityCalls } from './activity-calls.ts';
import type {
  ActivityDescribeOptions,
  ActivityExecutionDescription,
  ActivityOptionsUpdate,
  ActivityOptionsUpdateResult,
  ActivityPauseOptions,
  ActivityUnpauseOptions,
} from './activity-types.ts';

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
  pause(options?: ActivityPauseOptions): Promise<void>;
  /** It goes on at once, or after a random part of the jitter. */
  unpause(options?: ActivityUnpauseOptions): Promise<void>;
  /** For attempts that begin from now on. Returns the options as they are then. */
  updateOptions(options: ActivityOptionsUpdate): Promise<ActivityOptionsUpdateResult>;
  /** As it was started with. */
  restoreOriginalOptions(): Promise<ActivityOptionsUpdateResult>;
}

// biome-ignore lint/suspicious/noExplicitAny: see ActivityHandle.
export function activityHandle<R = any>(calls: ActivityCalls, activityId: string, runId?: string): ActivityHandle<R> {
  const which = { activityId, activityRunId: runId ?? '', headers: {} };
  return {
    activityId,
    ...(runId !== undefined && { runId }),
    // What it returns, its caller says.
    result: async () => (await calls.getResult(which)) as R,
    describe: (options = {}) =>
      calls.describe({
        ...which,
        options: {
          includeInput: options.includeInput ?? false,
          includeOutcome: options.includeOutcome ?? false,
          includeHeartbeatDetails: options.includeHeartbeatDetails ?? false,
          includeLastFailure: options.includeLastFailure ?? false,
        },
      }),
    cancel: (reason) => calls.cancel({ ...which, reason }),
    terminate: (reason) => calls.terminate({ ...which, reason }),
    pause: (options = {}) => calls.pause({ ...which, options }),
    unpause: (options = {}) => calls.unpause({ ...which, options }),
    updateOptions: (options) => calls.updateOptions({ ...which, options }),
    restoreOriginalOptions: () => calls.restoreOriginalOptions(which),
  };
}
