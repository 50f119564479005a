// A pending Nexus operation as describe shows it.

import { NexusOperationCancellationState, PendingNexusOperationState } from '../../wire/enums.ts';
import type { NexusOperationCancellationInfo, PendingNexusOperationInfo } from '../../wire/execution-info.ts';
import { BLOCKED_REASON } from '../nexus/breakers.ts';
import type { OperationRow, OperationTask } from './operation-rows.ts';

const attempts = (task: OperationTask | undefined) => ({
  attempt: task?.attempt ?? 0,
  lastAttemptCompleteTime: task?.lastAttemptAt,
  lastAttemptFailure: task?.lastFailure,
  nextAttemptScheduleTime: task?.inBackoff === true ? task.scheduledTime : undefined,
  blockedReason: task?.blocked === true ? BLOCKED_REASON : undefined,
});

function stateOf({ facts, start }: OperationRow): PendingNexusOperationState {
  if (facts.startedTime !== undefined) return PendingNexusOperationState.STARTED;
  if (start?.blocked === true) return PendingNexusOperationState.BLOCKED;
  return start?.inBackoff === true ? PendingNexusOperationState.BACKING_OFF : PendingNexusOperationState.SCHEDULED;
}

/** Undefined until there is something to send. */
function cancellation({ facts, cancel }: OperationRow): NexusOperationCancellationInfo | undefined {
  if (facts.cancelRequestedEventId === 0) return undefined;
  const { SUCCEEDED, BACKING_OFF, SCHEDULED, BLOCKED } = NexusOperationCancellationState;
  const waiting = cancel?.blocked === true ? BLOCKED : cancel?.inBackoff === true ? BACKING_OFF : SCHEDULED;
  const state = facts.cancelAnswered === true ? SUCCEEDED : waiting;
  return { state, ...attempts(cancel) };
}

export function operationInfo(row: OperationRow): PendingNexusOperationInfo {
  const { facts } = row;
  const { endpoint, service, operation, operationToken, scheduledEventId, scheduledTime } = facts;
  const { scheduleToCloseTimeout, scheduleToStartTimeout, startToCloseTimeout } = facts;
  return {
    ...{ endpoint, service, operation, operationToken, scheduledEventId, scheduledTime },
    state: stateOf(row),
    ...attempts(row.start),
    ...{ scheduleToCloseTimeout, scheduleToStartTimeout, startToCloseTimeout },
    cancellationInfo: cancellation(row),
  };
}
