// Reset: the workflow is done again from the end of one of its workflow tasks on, as a new run with the history before it. The current run, if it
// is open, ends. Works on closed runs too, and on earlier ones of the chain.

import { EventType } from '../../../wire/enums.ts';
import type { HistoryEvent } from '../../../wire/event.ts';
import { RESETTER_IDENTITY, terminateRun } from '../closing.ts';
import type { ResetHistory, ResetMessage } from '../message.ts';
import type { Decision, Rejection, TurnContext } from '../outcome.ts';
import { giveBack } from '../permits.ts';
import { invalidArgument, unavailable, workflowNotFound } from '../rejections.ts';
import { type After, forkRun } from '../reset.ts';
import { tooManySignals } from '../signals.ts';
import { type ActorState, isOpen } from '../state.ts';
import { refusedForRequestIds, resolve, seenBefore } from '../target.ts';
import { nothing, Turn } from '../turn.ts';

export function reset(state: ActorState, message: ResetMessage, context: TurnContext): Decision {
  const first = seenBefore(state, message.requestId);
  if (first !== undefined) return nothing({ type: 'reset', runId: first.runId });
  const resolved = resolve(state, message.target);
  if ('rejection' in resolved) return resolved.rejection;
  const { run: current } = state;
  const { history, reason, requestId, point } = message;
  if (current === undefined) return workflowNotFound(state.workflowId);
  if (history === undefined || !isWhole(history, current.runId, resolved.run.runId, current.row.facts.nextEventId)) {
    return moved(state.workflowId);
  }
  const finishEventId = point === undefined ? message.workflowTaskFinishEventId : endOfTask(history.base, point);
  const problem = badPoint(history.base, finishEventId);
  if (problem !== undefined) return problem;
  const turn = new Turn(state, context);
  const refused = refusedForRequestIds(turn, requestId, 'control');
  if (refused !== undefined) return refused;
  const runId = message.runId || context.spareRunId;
  turn.remember(requestId, runId);
  const after: After = {
    base: history.base.slice(finishEventId - 1),
    later: history.later.flatMap(({ events }) => events),
  };
  let held: string | undefined;
  if (isOpen(current)) {
    const ending = turn.open(current);
    const { permit } = current.start.attributes.flowControl ?? {};
    // A run of an earlier chain had another one, which has gone back.
    const isKept = resolved.run.start.attributes.flowControl?.permit === permit;
    if (isKept && current.row.permit === undefined) held = permit;
    else if (current.row.permit !== 'delayed') giveBack(turn, current.start, current.runId);
    ending.resetTo = runId;
    terminateRun(ending, reason, undefined, RESETTER_IDENTITY);
    // What waited for a task's end has got its place with it.
    if (current.runId === resolved.run.runId) after.base.push(...ending.events);
    else if (history.later.some((run) => run.runId === current.runId)) after.later.push(...ending.events);
  }
  const before = history.base.slice(0, finishEventId - 1);
  const begun = forkRun(turn, resolved.run, { ...message, runId }, before, after, held);
  const signals = (message.afterwards ?? []).filter(({ type }) => type === 'signal').length;
  // What the old run had received is the new one's in any case.
  if (signals > 0 && begun.facts.signalCount > context.limits.signalsPerRun) return tooManySignals(turn, runId);
  return turn.outcome({ type: 'reset', runId });
}

/** Events of the current run that were decided after the history was read would be lost. */
function isWhole(history: ResetHistory, currentRunId: string, baseRunId: string, nextEventId: number): boolean {
  const read =
    currentRunId === baseRunId ? history.base : history.later.find((run) => run.runId === currentRunId)?.events;
  return read === undefined || read.length === nextEventId - 1;
}

const moved = (workflowId: string): Rejection => ({
  ok: false,
  status: unavailable(`workflow ${workflowId} went on while its history was read for a reset: try again`),
});

/** The id of the event that ends that task, or would; 0 where no task has begun. */
function endOfTask(base: readonly HistoryEvent[], point: NonNullable<ResetMessage['point']>): number {
  const isEnd = ({ eventType }: HistoryEvent): boolean => eventType === EventType.WORKFLOW_TASK_COMPLETED;
  const end = point === 'firstWorkflowTask' ? base.find(isEnd) : base.findLast(isEnd);
  if (end !== undefined) return end.eventId;
  const scheduled = base.find(({ eventType }) => eventType === EventType.WORKFLOW_TASK_SCHEDULED);
  return scheduled === undefined ? 0 : scheduled.eventId + 1;
}

/** The events before the point must end with a workflow task that waits or runs: its end is what is done again. */
function badPoint(base: readonly HistoryEvent[], finishEventId: number): Rejection | undefined {
  if (!Number.isSafeInteger(finishEventId) || finishEventId <= 1 || finishEventId > base.length) {
    return invalidArgument('Workflow task finish ID must be > 1 && <= workflow last event ID.');
  }
  for (let at = finishEventId - 2; at >= 0; at -= 1) {
    switch (base[at]?.eventType) {
      case EventType.WORKFLOW_TASK_SCHEDULED:
      case EventType.WORKFLOW_TASK_STARTED:
        return undefined;
      case EventType.WORKFLOW_TASK_COMPLETED:
      case EventType.WORKFLOW_TASK_FAILED:
      case EventType.WORKFLOW_TASK_TIMED_OUT:
        at = 0;
        break;
      default:
    }
  }
  return invalidArgument(
    `Can't reset workflow to event ID ${finishEventId}: no workflow task is under way before it; name the event that ends one.`,
  );
}
