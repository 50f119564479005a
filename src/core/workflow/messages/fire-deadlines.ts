// Everything due at `now` happens: timers in order of their time, timeouts, ends of back-off. Nothing due: nothing changes (I7).

import { EventType } from '../../../wire/enums.ts';
import { endBackoff, timeOutActivity } from '../activity-task.ts';
import { fireCallbacks } from '../callbacks.ts';
import { timeOutRun } from '../closing.ts';
import { fireOperations } from '../operation-deadlines.ts';
import type { Decision, TurnContext } from '../outcome.ts';
import { endDelay } from '../permits.ts';
import { settleQueries } from '../queries.ts';
import type { RunDraft } from '../run-draft.ts';
import { type ActorState, isOpen, nextDeadline, type RunState, volatileDeadline } from '../state.ts';
import { activityDeadline, taskDeadline } from '../timeouts.ts';
import { nothing, Turn } from '../turn.ts';
import { offerTask, timeOutTask, timeOutWaiting, wakeWorkflow } from '../workflow-task.ts';

export function fireDeadlines(state: ActorState, context: TurnContext): Decision {
  const { run } = state;
  const due = Math.min(
    nextDeadline(state) ?? Number.POSITIVE_INFINITY,
    volatileDeadline(state) ?? Number.POSITIVE_INFINITY,
  );
  if (due > context.now) return nothing({ type: 'accepted' });
  const turn = new Turn(state, context);
  fireCallbacks(turn);
  if (run !== undefined && isOpen(run)) fireAll(turn.open(run), run);
  return turn.outcome({ type: 'accepted' });
}

function fireAll(run: RunDraft, before: RunState): void {
  const { now } = run;
  const { row } = run;
  const runDue = Math.min(
    row.runExpiration ?? Number.POSITIVE_INFINITY,
    row.executionExpiration ?? Number.POSITIVE_INFINITY,
  );
  if (runDue <= now) {
    timeOutRun(run);
    return;
  }
  if (row.firstTaskAt !== undefined && row.firstTaskAt <= now) {
    endDelay(run);
  }
  fireTask(run);
  // nextDeadline has computed both.
  if ((before.timerDue ?? 0) <= now) fireTimers(run);
  if ((before.activityDue ?? 0) <= now) fireActivities(run);
  if (before.operations.size > 0) fireOperations(run);
}

function fireTask(run: RunDraft): void {
  const { task } = run.row;
  if (task === undefined || taskDeadline(run.row) > run.now) return;
  if (task.startId !== undefined) timeOutTask(run, task);
  else if (task.notBefore !== undefined) {
    const { notBefore: _done, ...waiting } = task;
    run.setTask(waiting);
    offerTask(run, waiting);
  } else timeOutWaiting(run, task);
  settleQueries(run);
}

function fireTimers(run: RunDraft): void {
  const due = [];
  for (const timer of run.timers()) if (timer.fireTime <= run.now) due.push(timer);
  if (due.length === 0) return;
  due.sort((a, b) => a.fireTime - b.fireTime || a.startedEventId - b.startedEventId);
  for (const { timerId, startedEventId } of due) {
    run.record(EventType.TIMER_FIRED, { timerId, startedEventId });
  }
  wakeWorkflow(run);
}

function fireActivities(run: RunDraft): void {
  const due = [];
  for (const activity of run.activities()) {
    const deadline = activityDeadline(activity);
    if (deadline.at <= run.now) due.push({ activity, deadline });
  }
  due.sort((a, b) => a.deadline.at - b.deadline.at);
  for (const { activity, deadline } of due) {
    if (deadline.type === 'retry') endBackoff(run, activity);
    else timeOutActivity(run, activity, deadline.type);
  }
}
