// Cancel a timer. One that fired while this task ran is cancelled all the same: its firing leaves the buffer.

import type { CancelTimerCommandAttributes } from '../../../wire/command.ts';
import type { Annotations } from '../../../wire/common.ts';
import { EventType, WorkflowTaskFailedCause } from '../../../wire/enums.ts';
import { bad, type CommandContext, type CommandProblem, idProblem } from './problem.ts';

const CAUSE = WorkflowTaskFailedCause.BAD_CANCEL_TIMER_ATTRIBUTES;

export function cancelTimer(
  context: CommandContext,
  attributes: CancelTimerCommandAttributes,
  annotations: Annotations,
): CommandProblem | undefined {
  const { timerId } = attributes;
  const problem = idProblem(context, CAUSE, 'TimerId', timerId);
  if (problem !== undefined) return problem;
  const { run } = context;
  let startedEventId = run.timerByName(timerId)?.startedEventId;
  if (startedEventId === undefined && run.bufferedCount > 0) {
    const fired = run.takeBuffered(
      (event) => event.eventType === EventType.TIMER_FIRED && event.attributes.timerId === timerId,
    );
    if (fired?.eventType === EventType.TIMER_FIRED) startedEventId = fired.attributes.startedEventId;
  }
  if (startedEventId === undefined) return bad(CAUSE, `No timer ${timerId} is running.`);
  const { workflowTaskCompletedEventId, identity } = context;
  run.add(EventType.TIMER_CANCELED, { timerId, startedEventId, workflowTaskCompletedEventId, identity }, annotations);
  return undefined;
}
