// The failures that the engine itself hands to workflow code, with the texts of Temporal's SDKs.

import type { Payloads } from '../../../src/wire/common.ts';
import {
  CancelExternalWorkflowExecutionFailedCause,
  RetryState,
  SignalExternalWorkflowExecutionFailedCause,
  TimeoutType,
} from '../../../src/wire/enums.ts';
import type {
  ActivityTaskCanceledEventAttributes,
  ActivityTaskFailedEventAttributes,
  ActivityTaskTimedOutEventAttributes,
} from '../../../src/wire/event-attributes.ts';
import type { ActivityFailureInfo, ChildWorkflowExecutionFailureInfo, Failure } from '../../../src/wire/failure.ts';

/** What is known of an activity whichever way it ended. */
export interface ActivityIdentity {
  activityId: string;
  activityType: string;
  scheduledEventId: number | undefined;
}

function activityInfo(activity: ActivityIdentity, more: ActivityFailureInfo): ActivityFailureInfo {
  return {
    activityId: activity.activityId,
    activityType: { name: activity.activityType },
    scheduledEventId: activity.scheduledEventId,
    ...more,
  };
}

/** `event` is absent for an activity that never ran or was not waited for. */
export function activityCancelled(
  activity: ActivityIdentity,
  event: ActivityTaskCanceledEventAttributes | undefined,
): Failure {
  return {
    message: 'Activity cancelled',
    cause: { canceledFailureInfo: { details: event?.details } },
    activityFailureInfo: activityInfo(activity, {
      startedEventId: event?.startedEventId,
      identity: event?.identity,
      retryState: RetryState.CANCEL_REQUESTED,
    }),
  };
}

export function activityFailed(activity: ActivityIdentity, event: ActivityTaskFailedEventAttributes): Failure {
  return {
    message: 'Activity task failed',
    cause: event.failure,
    activityFailureInfo: activityInfo(activity, {
      startedEventId: event.startedEventId,
      identity: event.identity,
      retryState: event.retryState,
    }),
  };
}

export function activityTimedOut(activity: ActivityIdentity, event: ActivityTaskTimedOutEventAttributes): Failure {
  return {
    message: 'Activity task timed out',
    cause: event.failure,
    activityFailureInfo: activityInfo(activity, {
      startedEventId: event.startedEventId,
      retryState: event.retryState,
    }),
  };
}

/** How a child ended other than well, in the words of Temporal's SDKs: a parent that rethrows it writes them into its history. */
export type ChildEnd = 'failed' | 'cancelled' | 'timed out' | 'terminated';

export function childFailed(how: ChildEnd, cause: Failure, info: ChildWorkflowExecutionFailureInfo): Failure {
  return { message: `Child Workflow execution ${how}`, cause, childWorkflowExecutionFailureInfo: info };
}

/** The child was never asked for: its scope was cancelled in the very task that made it. */
export function childCancelledBeforeStart(info: ChildWorkflowExecutionFailureInfo): Failure {
  const message = 'Child Workflow Execution cancelled before scheduled: ';
  return { message, cause: cancelledCause(), childWorkflowExecutionFailureInfo: info };
}

export const childTimedOut: Failure = {
  message: 'Timed out',
  timeoutFailureInfo: { timeoutType: TimeoutType.START_TO_CLOSE },
};

export const childTerminated: Failure = { message: 'Terminated', terminatedFailureInfo: {} };

export function cancelledCause(details?: Payloads): Failure {
  return { canceledFailureInfo: { details } };
}

function externalFailed(message: string, namespaceUnknown: boolean): Failure {
  const type = namespaceUnknown ? 'ExternalNamespaceNotFound' : 'ExternalWorkflowExecutionNotFound';
  return { message, applicationFailureInfo: { type, nonRetryable: false } };
}

export function signalFailed(cause: SignalExternalWorkflowExecutionFailedCause | undefined): Failure {
  return externalFailed(
    'Unable to signal external workflow because it was not found',
    cause === SignalExternalWorkflowExecutionFailedCause.NAMESPACE_NOT_FOUND,
  );
}

export function cancelFailed(cause: CancelExternalWorkflowExecutionFailedCause | undefined): Failure {
  return externalFailed(
    'Unable to cancel external workflow because not found',
    cause === CancelExternalWorkflowExecutionFailedCause.NAMESPACE_NOT_FOUND,
  );
}
