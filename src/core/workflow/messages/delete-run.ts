// Retention of a closed run is over: its rows go. With the last run the workflow id is as if it had never been.

import type { DeleteRunMessage } from '../message.ts';
import type { Decision, TurnContext } from '../outcome.ts';
import { failedPrecondition } from '../rejections.ts';
import { dropRun, freeId, refuseQueries } from '../run-removal.ts';
import { type ActorState, isOpen } from '../state.ts';
import { Turn } from '../turn.ts';

export function deleteRun(state: ActorState, { runId }: DeleteRunMessage, context: TurnContext): Decision {
  const { run } = state;
  if (run?.runId === runId && isOpen(run)) {
    return failedPrecondition(`run ${runId} of workflow ${state.workflowId} is open: only closed runs are deleted`);
  }
  const turn = new Turn(state, context);
  dropRun(turn, runId);
  if (state.chain?.currentRunId === runId) freeId(turn);
  else if (state.chain === undefined) turn.forgetOver();
  refuseQueries(turn, runId);
  return turn.outcome({ type: 'accepted' });
}
