// What the answers about activities share: the turn over the run the answer names.

import { isActivityAddress } from '../../../wire/activity-address.ts';
import type { ActivityRef } from '../message.ts';
import type { Rejection, TurnContext } from '../outcome.ts';
import { activityTaskNotFound, noPendingActivity, runNotFound, workflowNotFound } from '../rejections.ts';
import type { RunDraft } from '../run-draft.ts';
import { type ActorState, isOpen } from '../state.ts';
import { Turn } from '../turn.ts';

/** Undefined when that run is closed or gone: nobody waits for the answer. */
export function activityTurn(
  state: ActorState,
  ref: ActivityRef,
  context: TurnContext,
): { turn: Turn; run: RunDraft } | undefined {
  const { run } = state;
  const runId = 'task' in ref ? ref.task.runId : ref.runId;
  if (run === undefined || !isOpen(run)) return undefined;
  if (runId !== undefined && runId !== '' && runId !== run.runId) return undefined;
  const turn = new Turn(state, context);
  return { turn, run: turn.open(run) };
}

/** There is nobody to answer: who named it by its ids is told which of them leads nowhere. */
export function missingActivity({ workflowId, run, earlier }: ActorState, ref: ActivityRef): Rejection {
  if ('task' in ref || isActivityAddress(workflowId)) return activityTaskNotFound();
  const { runId, activityId } = ref;
  if (runId && runId !== run?.runId && !earlier.has(runId)) return runNotFound(workflowId, runId);
  return run === undefined ? workflowNotFound(workflowId) : noPendingActivity(activityId);
}
