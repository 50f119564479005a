// A workflow is paused: tasks that wait for a worker are taken back, those that a worker has may end. Signals, timers and results of activities are
// recorded, and wake nobody. Timeouts go on. Queries go to a worker by themselves; updates are refused.

import { EventType } from '../../../wire/enums.ts';
import { withdrawActivity } from '../activity-task.ts';
import type { PauseWorkflowMessage } from '../message.ts';
import { withholdOperations } from '../operations.ts';
import type { Decision, TurnContext } from '../outcome.ts';
import { isPaused } from '../paused.ts';
import { settleQueries } from '../queries.ts';
import { alreadyCompleted, failedPrecondition } from '../rejections.ts';
import { type ActorState, isOpen } from '../state.ts';
import { refusedForRequestIds, resolve, seenBefore } from '../target.ts';
import { isOffered } from '../timeouts.ts';
import { nothing, Turn } from '../turn.ts';
import { withdrawTask } from '../workflow-task.ts';

export function pauseWorkflow(state: ActorState, message: PauseWorkflowMessage, context: TurnContext): Decision {
  const { requestId, identity, reason, target } = message;
  if (seenBefore(state, requestId) !== undefined) return nothing({ type: 'accepted' });
  const resolved = resolve(state, target);
  if ('rejection' in resolved) return resolved.rejection;
  const { run } = resolved;
  if (!isOpen(run)) return alreadyCompleted();
  if (isPaused(run)) {
    return failedPrecondition(
      `workflow ${state.workflowId} is paused already, by ${run.row.facts.pause?.identity}: unpause it first to give another reason`,
    );
  }
  const turn = new Turn(state, context);
  const refused = refusedForRequestIds(turn, requestId, 'control');
  if (refused !== undefined) return refused;
  turn.remember(requestId, run.runId);
  const draft = turn.open(run);
  const task = draft.keepTask();
  if (task !== undefined && task.startId === undefined) withdrawTask(draft, task);
  for (const activity of draft.activities()) if (isOffered(activity)) withdrawActivity(draft, activity);
  withholdOperations(draft, 'withdrawTask');
  draft.record(EventType.WORKFLOW_EXECUTION_PAUSED, { identity, reason, requestId });
  draft.visible = true;
  settleQueries(draft);
  return turn.outcome({ type: 'accepted' });
}
