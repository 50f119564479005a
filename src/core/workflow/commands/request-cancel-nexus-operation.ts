// Ask a Nexus operation's handler to cancel it: at once where it has started, else as soon as it has.

import type { RequestCancelNexusOperationCommandAttributes } from '../../../wire/command.ts';
import type { Annotations } from '../../../wire/common.ts';
import { EventType, WorkflowTaskFailedCause } from '../../../wire/enums.ts';
import { offerOperation } from '../operations.ts';
import { bad, type CommandContext, type CommandProblem } from './problem.ts';

const CAUSE = WorkflowTaskFailedCause.BAD_REQUEST_CANCEL_NEXUS_OPERATION_ATTRIBUTES;

export function requestCancelNexusOperation(
  context: CommandContext,
  attributes: RequestCancelNexusOperationCommandAttributes,
  annotations: Annotations,
): CommandProblem | undefined {
  const scheduledEventId = attributes.scheduledEventId;
  if (!scheduledEventId) return bad(CAUSE, 'ScheduledEventId is not set on command.');
  const { run } = context;
  const row = run.operations.get(scheduledEventId);
  if (row === undefined) {
    // It may have ended while this task ran: then its closing event waits in the buffer, and there is nothing to cancel.
    const closing = run.hasBuffered(
      ({ attributes: a }) => 'scheduledEventId' in a && a.scheduledEventId === scheduledEventId,
    );
    if (!closing) return bad(CAUSE, `No Nexus operation is pending under scheduledEventId ${scheduledEventId}.`);
  } else if (row.facts.cancelRequestedEventId !== 0) {
    return bad(CAUSE, `Cancellation of the Nexus operation of event ${scheduledEventId} was requested before.`);
  }
  const { workflowTaskCompletedEventId } = context;
  run.add(EventType.NEXUS_OPERATION_CANCEL_REQUESTED, { scheduledEventId, workflowTaskCompletedEventId }, annotations);
  const asked = run.operations.get(scheduledEventId);
  if (asked?.facts.startedTime !== undefined) offerOperation(run, asked, 'cancel');
  return undefined;
}
