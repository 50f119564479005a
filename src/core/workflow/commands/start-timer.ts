// Start a timer. Without a timeout it fires at once.

import type { StartTimerCommandAttributes } from '../../../wire/command.ts';
import type { Annotations } from '../../../wire/common.ts';
import { EventType, WorkflowTaskFailedCause } from '../../../wire/enums.ts';
import { cut } from '../durations.ts';
import { bad, type CommandContext, type CommandProblem, idProblem } from './problem.ts';

const CAUSE = WorkflowTaskFailedCause.BAD_START_TIMER_ATTRIBUTES;

export function startTimer(
  context: CommandContext,
  attributes: StartTimerCommandAttributes,
  annotations: Annotations,
): CommandProblem | undefined {
  const { timerId, startToFireTimeout } = attributes;
  const problem = idProblem(context, CAUSE, 'TimerId', timerId);
  if (problem !== undefined) return problem;
  if (startToFireTimeout !== undefined && !(startToFireTimeout >= 0)) {
    return bad(CAUSE, `Invalid StartToFireTimeout of timer ${timerId}: ${startToFireTimeout} ms.`);
  }
  const { run } = context;
  if (run.timerByName(timerId) !== undefined) {
    return bad(WorkflowTaskFailedCause.START_TIMER_DUPLICATE_ID, `Timer ${timerId} is already running.`);
  }
  const { pendingTimers } = run.turn.limits;
  if (run.timerCount >= pendingTimers) {
    return bad(
      CAUSE,
      `the number of pending timers, ${run.timerCount}, has reached the per-workflow limit of ${pendingTimers}`,
    );
  }
  run.add(
    EventType.TIMER_STARTED,
    {
      timerId,
      startToFireTimeout: startToFireTimeout === undefined ? undefined : cut(startToFireTimeout),
      workflowTaskCompletedEventId: context.workflowTaskCompletedEventId,
    },
    annotations,
  );
  return undefined;
}
