// A client deletes an execution: what runs is terminated, and the rows go as if retention were over (src/shard/retention.ts).

import { isActivityAddress } from '../../../wire/activity-address.ts';
import { SERVER_IDENTITY, terminateRun } from '../closing.ts';
import type { DeleteExecutionMessage } from '../message.ts';
import type { Decision, TurnContext } from '../outcome.ts';
import { noteLastAttempt } from '../standalone.ts';
import { type ActorState, isOpen } from '../state.ts';
import { resolve } from '../target.ts';
import { nothing, Turn } from '../turn.ts';
import { executionInfo } from '../visibility.ts';

export function deleteExecution(state: ActorState, message: DeleteExecutionMessage, context: TurnContext): Decision {
  const resolved = resolve(state, message.target);
  if ('rejection' in resolved) return resolved.rejection;
  const { run } = resolved;
  if (!isOpen(run)) {
    return { ...nothing({ type: 'accepted' }), deleted: executionInfo(state, run.runId, run.start, run.row) };
  }
  const turn = new Turn(state, context);
  const draft = turn.open(run);
  if (isActivityAddress(state.workflowId)) noteLastAttempt(draft);
  terminateRun(draft, 'deleted', undefined, message.identity || SERVER_IDENTITY);
  const outcome = turn.outcome({ type: 'accepted' });
  return { ...outcome, deleted: executionInfo(state, run.runId, draft.start, draft.row) };
}
