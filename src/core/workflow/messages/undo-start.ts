// The frame of a started task was never written: the same attempt waits again. A Started event already in history stays, and the
// next taker gets the same startedEventId; what arrives meanwhile keeps being buffered.

import { undoActivityStart } from '../activity-task.ts';
import type { UndoStartMessage } from '../message.ts';
import { operationTask } from '../operation-rows.ts';
import { offerOperation, releaseOperationTask } from '../operations.ts';
import type { Decision, TurnContext } from '../outcome.ts';
import { activityTaskNotFound, workflowTaskNotFound } from '../rejections.ts';
import type { WorkflowTaskRow } from '../rows.ts';
import { isTransient } from '../started.ts';
import { type ActorState, isOpen, type RunState, taskOf } from '../state.ts';
import { Turn } from '../turn.ts';
import { unsendUpdates } from '../update-delivery.ts';
import { offerTask } from '../workflow-task.ts';

export function undoStart(state: ActorState, message: UndoStartMessage, context: TurnContext): Decision {
  const { run } = state;
  const { kind, runId, scheduledEventId, startId } = message;
  const lost = kind === 'workflow' ? workflowTaskNotFound() : activityTaskNotFound();
  if (run === undefined || run.runId !== runId || !isOpen(run)) return lost;
  const turn = new Turn(state, context);
  if (kind === 'activity') {
    const operation = operationTask(run.operations.values(), scheduledEventId);
    if (operation !== undefined) {
      const { row, kind: of, task } = operation;
      if (task.startId?.term !== startId.term || task.startId.seq !== startId.seq) return lost;
      const draft = turn.open(run);
      releaseOperationTask(draft, row, of);
      offerOperation(draft, row, of);
      return turn.outcome({ type: 'accepted' });
    }
    const activity = run.activities.get(scheduledEventId);
    if (activity?.startId?.term !== startId.term || activity.startId.seq !== startId.seq) return lost;
    undoActivityStart(turn.open(run), activity);
    return turn.outcome({ type: 'accepted' });
  }
  const task = taskOf(run);
  if (task?.scheduledEventId !== scheduledEventId) return lost;
  if (task.startId?.term !== startId.term || task.startId.seq !== startId.seq) return lost;
  return undoWorkflowTask(turn, run, task);
}

function undoWorkflowTask(turn: Turn, run: RunState, task: WorkflowTaskRow): Decision {
  const draft = turn.open(run);
  if (task.session !== undefined && task.speculative !== true) {
    const { scheduledEventId } = task;
    turn.effects.push({
      type: 'taskSettled',
      session: task.session,
      kind: 'workflow',
      runId: run.runId,
      scheduledEventId,
    });
  }
  const { startId: _i, startedTime: _t, session: _s, takerStickyQueue: _q, takerStickyTimeout: _o, ...rest } = task;
  // A transient attempt has no Started event to stay, nor has a speculative one, which waits like any other from now on.
  const waiting: WorkflowTaskRow = isTransient(task) ? { ...rest, startedEventId: 0 } : rest;
  draft.setTask(waiting);
  if (task.attempt > 1) draft.flushBuffered();
  const kept = draft.keepTask() ?? waiting;
  unsendUpdates(draft);
  for (const query of turn.queriesOf(run.runId)) {
    if (query.mode === 'riding') turn.setQuery({ ...query, mode: 'waiting' });
  }
  offerTask(draft, kept);
  return turn.outcome({ type: 'accepted' });
}
