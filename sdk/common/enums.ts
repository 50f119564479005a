// The API's enums as the SDK shows them: string constants, `undefined` for unspecified. On the wire they are the numbers of
// src/wire/enums.ts; each enum comes with `encode…` (accepts the name, the name with the API's prefix, or the number) and `decode…`.

import * as wire from '../../src/wire/enums.ts';
import { ValueError } from './errors.ts';

type EnumEncoder<Name extends string, Num extends number> = (input: Name | Num | null | undefined) => Num | undefined;
type EnumDecoder<Name extends string, Num extends number> = (input: Num | null | undefined) => Name | undefined;

/** `names` are those the SDK shows; `prefix` is the API's, accepted and ignored. */
export function enumConverters<const Name extends string, Numbers extends { readonly [K in Name]: number }>(
  names: readonly Name[],
  numbers: Numbers,
  prefix: string,
): [
  encode: EnumEncoder<Name, Numbers[keyof Numbers] & number>,
  decode: EnumDecoder<Name, Numbers[keyof Numbers] & number>,
] {
  type Num = Numbers[keyof Numbers] & number;
  const byName = new Map<string, Num>();
  const byNumber = new Map<number, Name>();
  for (const name of names) {
    const number: Num = numbers[name];
    byName.set(name, number);
    byName.set(prefix + name, number);
    byNumber.set(number, name);
  }
  return [
    (input) => {
      if (input === undefined || input === null) return undefined;
      if (typeof input === 'number') return input;
      const number = byName.get(input);
      if (number === undefined) throw new ValueError(`Invalid enum value: '${input}'; expected ${names.join(', ')}`);
      return number;
    },
    // A number this SDK does not know yet reads as unspecified.
    (input) => (input === undefined || input === null ? undefined : byNumber.get(input)),
  ];
}

/** Which of an activity's or workflow's timeouts fired. */
export const TimeoutType = {
  START_TO_CLOSE: 'START_TO_CLOSE',
  SCHEDULE_TO_START: 'SCHEDULE_TO_START',
  SCHEDULE_TO_CLOSE: 'SCHEDULE_TO_CLOSE',
  HEARTBEAT: 'HEARTBEAT',
  /** @deprecated Use `undefined`. */
  TIMEOUT_TYPE_UNSPECIFIED: undefined,
  /** @deprecated Use {@link TimeoutType.START_TO_CLOSE}. */
  TIMEOUT_TYPE_START_TO_CLOSE: 'START_TO_CLOSE',
  /** @deprecated Use {@link TimeoutType.SCHEDULE_TO_START}. */
  TIMEOUT_TYPE_SCHEDULE_TO_START: 'SCHEDULE_TO_START',
  /** @deprecated Use {@link TimeoutType.SCHEDULE_TO_CLOSE}. */
  TIMEOUT_TYPE_SCHEDULE_TO_CLOSE: 'SCHEDULE_TO_CLOSE',
  /** @deprecated Use {@link TimeoutType.HEARTBEAT}. */
  TIMEOUT_TYPE_HEARTBEAT: 'HEARTBEAT',
} as const;
export type TimeoutType = (typeof TimeoutType)[keyof typeof TimeoutType];
export const [encodeTimeoutType, decodeTimeoutType] = enumConverters(
  ['START_TO_CLOSE', 'SCHEDULE_TO_START', 'SCHEDULE_TO_CLOSE', 'HEARTBEAT'],
  wire.TimeoutType,
  'TIMEOUT_TYPE_',
);

/** Why there was no further retry. */
export const RetryState = {
  IN_PROGRESS: 'IN_PROGRESS',
  NON_RETRYABLE_FAILURE: 'NON_RETRYABLE_FAILURE',
  TIMEOUT: 'TIMEOUT',
  MAXIMUM_ATTEMPTS_REACHED: 'MAXIMUM_ATTEMPTS_REACHED',
  RETRY_POLICY_NOT_SET: 'RETRY_POLICY_NOT_SET',
  INTERNAL_SERVER_ERROR: 'INTERNAL_SERVER_ERROR',
  CANCEL_REQUESTED: 'CANCEL_REQUESTED',
  /** @deprecated Use `undefined`. */
  RETRY_STATE_UNSPECIFIED: undefined,
  /** @deprecated Use {@link RetryState.IN_PROGRESS}. */
  RETRY_STATE_IN_PROGRESS: 'IN_PROGRESS',
  /** @deprecated Use {@link RetryState.NON_RETRYABLE_FAILURE}. */
  RETRY_STATE_NON_RETRYABLE_FAILURE: 'NON_RETRYABLE_FAILURE',
  /** @deprecated Use {@link RetryState.TIMEOUT}. */
  RETRY_STATE_TIMEOUT: 'TIMEOUT',
  /** @deprecated Use {@link RetryState.MAXIMUM_ATTEMPTS_REACHED}. */
  RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED: 'MAXIMUM_ATTEMPTS_REACHED',
  /** @deprecated Use {@link RetryState.RETRY_POLICY_NOT_SET}. */
  RETRY_STATE_RETRY_POLICY_NOT_SET: 'RETRY_POLICY_NOT_SET',
  /** @deprecated Use {@link RetryState.INTERNAL_SERVER_ERROR}. */
  RETRY_STATE_INTERNAL_SERVER_ERROR: 'INTERNAL_SERVER_ERROR',
  /** @deprecated Use {@link RetryState.CANCEL_REQUESTED}. */
  RETRY_STATE_CANCEL_REQUESTED: 'CANCEL_REQUESTED',
} as const;
export type RetryState = (typeof RetryState)[keyof typeof RetryState];
export const [encodeRetryState, decodeRetryState] = enumConverters(
  [
    'IN_PROGRESS',
    'NON_RETRYABLE_FAILURE',
    'TIMEOUT',
    'MAXIMUM_ATTEMPTS_REACHED',
    'RETRY_POLICY_NOT_SET',
    'INTERNAL_SERVER_ERROR',
    'CANCEL_REQUESTED',
  ],
  wire.RetryState,
  'RETRY_STATE_',
);

/** How much noise a failure deserves: an activity that fails with a BENIGN one logs at debug level. */
export const ApplicationFailureCategory = { BENIGN: 'BENIGN' } as const;
export type ApplicationFailureCategory = (typeof ApplicationFailureCategory)[keyof typeof ApplicationFailureCategory];
export const [encodeApplicationFailureCategory, decodeApplicationFailureCategory] = enumConverters(
  ['BENIGN'],
  wire.ApplicationErrorCategory,
  'APPLICATION_ERROR_CATEGORY_',
);

/**
 * Whether a workflow id may be used again after an execution with it has *closed*. (An open one is a matter of
 * {@link WorkflowIdConflictPolicy}.) Default: ALLOW_DUPLICATE.
 */
export const WorkflowIdReusePolicy = {
  /** Always. */
  ALLOW_DUPLICATE: 'ALLOW_DUPLICATE',
  /** Only when the last execution failed, was cancelled, terminated or timed out. */
  ALLOW_DUPLICATE_FAILED_ONLY: 'ALLOW_DUPLICATE_FAILED_ONLY',
  /** Never, within the namespace's retention. */
  REJECT_DUPLICATE: 'REJECT_DUPLICATE',
  /** @deprecated Use ALLOW_DUPLICATE with conflict policy TERMINATE_EXISTING. */
  TERMINATE_IF_RUNNING: 'TERMINATE_IF_RUNNING',
  /** @deprecated Use `undefined`. */
  WORKFLOW_ID_REUSE_POLICY_UNSPECIFIED: undefined,
  /** @deprecated Use {@link WorkflowIdReusePolicy.ALLOW_DUPLICATE}. */
  WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE: 'ALLOW_DUPLICATE',
  /** @deprecated Use {@link WorkflowIdReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY}. */
  WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY: 'ALLOW_DUPLICATE_FAILED_ONLY',
  /** @deprecated Use {@link WorkflowIdReusePolicy.REJECT_DUPLICATE}. */
  WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE: 'REJECT_DUPLICATE',
  /** @deprecated Use {@link WorkflowIdReusePolicy.TERMINATE_IF_RUNNING}. */
  WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING: 'TERMINATE_IF_RUNNING',
} as const;
export type WorkflowIdReusePolicy = (typeof WorkflowIdReusePolicy)[keyof typeof WorkflowIdReusePolicy];
export const [encodeWorkflowIdReusePolicy, decodeWorkflowIdReusePolicy] = enumConverters(
  ['ALLOW_DUPLICATE', 'ALLOW_DUPLICATE_FAILED_ONLY', 'REJECT_DUPLICATE', 'TERMINATE_IF_RUNNING'],
  wire.WorkflowIdReusePolicy,
  'WORKFLOW_ID_REUSE_POLICY_',
);

/** What a start does when an execution with the same id is *open*. Default: FAIL. */
export const WorkflowIdConflictPolicy = {
  /** Refuse with WorkflowExecutionAlreadyStartedError. */
  FAIL: 'FAIL',
  /** Return a handle to the running execution. */
  USE_EXISTING: 'USE_EXISTING',
  /** Terminate the running execution, then start. */
  TERMINATE_EXISTING: 'TERMINATE_EXISTING',
} as const;
export type WorkflowIdConflictPolicy = (typeof WorkflowIdConflictPolicy)[keyof typeof WorkflowIdConflictPolicy];
export const [encodeWorkflowIdConflictPolicy, decodeWorkflowIdConflictPolicy] = enumConverters(
  ['FAIL', 'USE_EXISTING', 'TERMINATE_EXISTING'],
  wire.WorkflowIdConflictPolicy,
  'WORKFLOW_ID_CONFLICT_POLICY_',
);

/** What happens to a child when its parent closes. Default: TERMINATE. */
export const ParentClosePolicy = {
  TERMINATE: 'TERMINATE',
  ABANDON: 'ABANDON',
  REQUEST_CANCEL: 'REQUEST_CANCEL',
  /** @deprecated Use {@link ParentClosePolicy.TERMINATE}. */
  PARENT_CLOSE_POLICY_TERMINATE: 'TERMINATE',
  /** @deprecated Use {@link ParentClosePolicy.ABANDON}. */
  PARENT_CLOSE_POLICY_ABANDON: 'ABANDON',
  /** @deprecated Use {@link ParentClosePolicy.REQUEST_CANCEL}. */
  PARENT_CLOSE_POLICY_REQUEST_CANCEL: 'REQUEST_CANCEL',
  /** @deprecated Use `undefined`. */
  PARENT_CLOSE_POLICY_UNSPECIFIED: undefined,
} as const;
export type ParentClosePolicy = (typeof ParentClosePolicy)[keyof typeof ParentClosePolicy];
export const [encodeParentClosePolicy, decodeParentClosePolicy] = enumConverters(
  ['TERMINATE', 'ABANDON', 'REQUEST_CANCEL'],
  wire.ParentClosePolicy,
  'PARENT_CLOSE_POLICY_',
);

/** Which executions refuse a query. Default: none do. */
export const QueryRejectCondition = {
  NONE: 'NONE',
  /** Refuse when the workflow has closed. */
  NOT_OPEN: 'NOT_OPEN',
  /** Refuse when the workflow has closed in any way but completed. */
  NOT_COMPLETED_CLEANLY: 'NOT_COMPLETED_CLEANLY',
  /** @deprecated Use `undefined`. */
  QUERY_REJECT_CONDITION_UNSPECIFIED: undefined,
  /** @deprecated Use {@link QueryRejectCondition.NONE}. */
  QUERY_REJECT_CONDITION_NONE: 'NONE',
  /** @deprecated Use {@link QueryRejectCondition.NOT_OPEN}. */
  QUERY_REJECT_CONDITION_NOT_OPEN: 'NOT_OPEN',
  /** @deprecated Use {@link QueryRejectCondition.NOT_COMPLETED_CLEANLY}. */
  QUERY_REJECT_CONDITION_NOT_COMPLETED_CLEANLY: 'NOT_COMPLETED_CLEANLY',
} as const;
export type QueryRejectCondition = (typeof QueryRejectCondition)[keyof typeof QueryRejectCondition];
export const [encodeQueryRejectCondition, decodeQueryRejectCondition] = enumConverters(
  ['NONE', 'NOT_OPEN', 'NOT_COMPLETED_CLEANLY'],
  wire.QueryRejectCondition,
  'QUERY_REJECT_CONDITION_',
);

/** Why the server suggests to continue as new. */
export const SuggestContinueAsNewReason = {
  HISTORY_SIZE_TOO_LARGE: 'HISTORY_SIZE_TOO_LARGE',
  TOO_MANY_HISTORY_EVENTS: 'TOO_MANY_HISTORY_EVENTS',
  TOO_MANY_UPDATES: 'TOO_MANY_UPDATES',
} as const;
export type SuggestContinueAsNewReason = (typeof SuggestContinueAsNewReason)[keyof typeof SuggestContinueAsNewReason];
export const [encodeSuggestContinueAsNewReason, decodeSuggestContinueAsNewReason] = enumConverters(
  ['HISTORY_SIZE_TOO_LARGE', 'TOO_MANY_HISTORY_EVENTS', 'TOO_MANY_UPDATES'],
  wire.SuggestContinueAsNewReason,
  'SUGGEST_CONTINUE_AS_NEW_REASON_',
);

/** Where an execution is in its life, under the API's names (note CANCELED with one L). */
export const WorkflowExecutionStatus = {
  RUNNING: 'RUNNING',
  COMPLETED: 'COMPLETED',
  FAILED: 'FAILED',
  CANCELED: 'CANCELED',
  TERMINATED: 'TERMINATED',
  CONTINUED_AS_NEW: 'CONTINUED_AS_NEW',
  TIMED_OUT: 'TIMED_OUT',
  PAUSED: 'PAUSED',
} as const;
export type WorkflowExecutionStatus = (typeof WorkflowExecutionStatus)[keyof typeof WorkflowExecutionStatus];
export const [encodeWorkflowExecutionStatus, decodeWorkflowExecutionStatus] = enumConverters(
  ['RUNNING', 'COMPLETED', 'FAILED', 'CANCELED', 'TERMINATED', 'CONTINUED_AS_NEW', 'TIMED_OUT', 'PAUSED'],
  wire.WorkflowExecutionStatus,
  'WORKFLOW_EXECUTION_STATUS_',
);

/** Whether cancellation of a scope reaches its activities, and when the workflow hears of it. Default: WAIT_CANCELLATION_COMPLETED. */
export const ActivityCancellationType = {
  /** Request cancellation and report it to the workflow at once. */
  TRY_CANCEL: 'TRY_CANCEL',
  /** Request cancellation and wait for the activity's answer (it must heartbeat, or run on a native worker, to hear of it). */
  WAIT_CANCELLATION_COMPLETED: 'WAIT_CANCELLATION_COMPLETED',
  /** Do not request cancellation; report it to the workflow at once. */
  ABANDON: 'ABANDON',
} as const;
export type ActivityCancellationType = (typeof ActivityCancellationType)[keyof typeof ActivityCancellationType];
