// What an activity can know about itself.

import type { Priority } from '../common/priority.ts';
import type { RetryPolicy } from '../common/retry-policy.ts';

/** Times are epoch milliseconds, timeouts milliseconds. */
export interface Info {
  /** For asynchronous completion: `client.activity.complete(taskToken, result)`. */
  readonly taskToken: Uint8Array;
  /** {@link taskToken} in base64. */
  readonly base64TaskToken: string;
  readonly activityId: string;
  /** The name the activity function is registered under. */
  readonly activityType: string;
  /** @deprecated Use {@link namespace}. */
  readonly activityNamespace: string;
  /** 1 for the first attempt. */
  readonly attempt: number;
  /** Whether it runs as a local activity. */
  readonly isLocal: boolean;
  /** The workflow that scheduled it. */
  readonly workflowExecution?: { readonly workflowId: string; readonly runId: string } | undefined;
  /** @deprecated Use {@link namespace}. */
  readonly workflowNamespace?: string | undefined;
  readonly workflowType?: string | undefined;
  /** When the first attempt was scheduled. */
  readonly scheduledTimestampMs: number;
  /** 0: unlimited. */
  readonly scheduleToCloseTimeoutMs: number;
  /** 0: unlimited. */
  readonly startToCloseTimeoutMs: number;
  /** When this attempt was scheduled. */
  readonly currentAttemptScheduledTimestampMs: number;
  /** When set, the activity must heartbeat more often than this. */
  readonly heartbeatTimeoutMs?: number | undefined;
  /** What the last attempt's last heartbeat carried: the point to resume from. */
  readonly heartbeatDetails: unknown;
  readonly taskQueue: string;
  readonly priority?: Priority | undefined;
  readonly retryPolicy?: RetryPolicy | undefined;
  readonly namespace: string;
  /** Only for activities started without a workflow. */
  readonly activityRunId?: string | undefined;
  /** Whether a workflow started it. */
  readonly inWorkflow: boolean;
}
