// A paused workflow goes on: what waited for a worker is offered again, and a workflow task shows it what came meanwhile.

import { EventType } from '../../../wire/enums.ts';
import { offerActivity } from '../activity-task.ts';
import type { UnpauseWorkflowMessage } from '../message.ts';
import { withholdOperations } from '../operations.ts';
import type { Decision, TurnContext } from '../outcome.ts';
import { isPaused } from '../paused.ts';
import { alreadyCompleted, failedPrecondition } from '../rejections.ts';
import { type ActorState, isOpen } from '../state.ts';
import { refusedForRequestIds, resolve, seenBefore } from '../target.ts';
import { isOffered } from '../timeouts.ts';
import { nothing, Turn } from '../turn.ts';
import { offerTask, scheduleTask } from '../workflow-task.ts';

export function unpauseWorkflow(state: ActorState, message: UnpauseWorkflowMessage, context: TurnContext): Decision {
  const { requestId, identity, reason, target } = message;
  if (seenBefore(state, requestId) !== undefined) return nothing({ type: 'accepted' });
  const resolved = resolve(state, target);
  if ('rejection' in resolved) return resolved.rejection;
  const { run } = resolved;
  if (!isOpen(run)) return alreadyCompleted();
  if (!isPaused(run)) return failedPrecondition(`workflow ${state.workflowId} is not paused`);
  const turn = new Turn(state, context);
  const refused = refusedForRequestIds(turn, requestId, 'control');
  if (refused !== undefined) return refused;
  turn.remember(requestId, run.runId);
  const draft = turn.open(run);
  draft.record(EventType.WORKFLOW_EXECUTION_UNPAUSED, { identity, reason, requestId });
  draft.visible = true;
  for (const activity of draft.activities()) if (isOffered(activity)) offerActivity(draft, activity);
  withholdOperations(draft, 'offerTask');
  const { task } = draft.row;
  if (task === undefined) scheduleTask(draft);
  // One that waits out its back-off is offered when that is over.
  else if (task.startId === undefined && task.notBefore === undefined) offerTask(draft, task);
  return turn.outcome({ type: 'accepted' });
}
