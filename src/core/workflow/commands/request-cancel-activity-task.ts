// Ask an activity to stop. One that no worker runs (not started, or in back-off) is cancelled at once.

import type { RequestCancelActivityTaskCommandAttributes } from '../../../wire/command.ts';
import type { Annotations } from '../../../wire/common.ts';
import { EventType, WorkflowTaskFailedCause } from '../../../wire/enums.ts';
import { cancelActivity, notifyWorker } from '../activity-task.ts';
import { isActivityClosing } from '../buffering.ts';
import { jsonPayloads } from '../fields.ts';
import { bad, type CommandContext, type CommandProblem } from './problem.ts';

const CAUSE = WorkflowTaskFailedCause.BAD_REQUEST_CANCEL_ACTIVITY_ATTRIBUTES;

export function requestCancelActivityTask(
  context: CommandContext,
  attributes: RequestCancelActivityTaskCommandAttributes,
  annotations: Annotations,
): CommandProblem | undefined {
  const scheduledEventId = attributes.scheduledEventId;
  if (!scheduledEventId) return bad(CAUSE, 'ScheduledEventId is not set on command.');
  const { run } = context;
  const pending = run.activity(scheduledEventId);
  if (pending === undefined) {
    // It may have closed while this task ran: then its closing event waits in the buffer.
    const closing = run.hasBuffered(
      (event) =>
        isActivityClosing(event) &&
        'scheduledEventId' in event.attributes &&
        event.attributes.scheduledEventId === scheduledEventId,
    );
    if (!closing) return bad(CAUSE, `No activity is pending under scheduledEventId ${scheduledEventId}.`);
  } else if (pending.facts.cancelRequestedEventId !== 0) {
    return bad(CAUSE, `Cancellation of activity ${pending.facts.activityId} was requested before.`);
  }
  run.add(
    EventType.ACTIVITY_TASK_CANCEL_REQUESTED,
    { scheduledEventId, workflowTaskCompletedEventId: context.workflowTaskCompletedEventId },
    annotations,
  );
  const activity = run.activity(scheduledEventId);
  if (activity === undefined) return undefined;
  if (activity.startId === undefined) {
    cancelActivity(run, activity, jsonPayloads('ACTIVITY_ID_NOT_STARTED'), context.identity);
  } else {
    notifyWorker(run, activity, 'cancelRequested');
  }
  return undefined;
}
