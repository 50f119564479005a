// A caller deletes a run: terminated if it is open, and gone in the same turn. Its parent, its children and its schedule hear of the end as of any
// other. Other runs of the workflow id stay; without its current run the id is free, though what was asked of it is
// remembered as long as ever: a repeat that comes late means the run that is gone.

import { terminateRun } from '../closing.ts';
import type { DeleteExecutionMessage } from '../message.ts';
import type { Decision, TurnContext } from '../outcome.ts';
import { workflowNotFound } from '../rejections.ts';
import { dropRun, freeIdRemembering, refuseQueries } from '../run-removal.ts';
import { type ActorState, isOpen } from '../state.ts';
import { resolve } from '../target.ts';
import { Turn } from '../turn.ts';

/** What the parent's history says of why its child ended. */
const REASON = 'Delete workflow execution';

export function deleteExecution(state: ActorState, message: DeleteExecutionMessage, context: TurnContext): Decision {
  const resolved = resolve(state, message.target);
  if ('rejection' in resolved) return resolved.rejection;
  const { run } = resolved;
  if (run.start.startTime > (message.beganBy ?? Number.POSITIVE_INFINITY)) return workflowNotFound(state.workflowId);
  const turn = new Turn(state, context);
  // First: the end of a run sends those that wait to a worker.
  refuseQueries(turn, run.runId);
  const draft = turn.open(run);
  if (isOpen(run)) terminateRun(draft, REASON, undefined, message.identity);
  turn.remove(draft);
  dropRun(turn, run.runId);
  if (state.chain?.currentRunId === run.runId) turn.forgetAt = freeIdRemembering(turn, run);
  return turn.outcome({ type: 'accepted' });
}
