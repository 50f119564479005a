// Retention of a closed run is over: its rows go. With the last run the workflow id is as if it had never been.

import { leaveCallbacks } from '../callbacks.ts';
import type { DeleteRunMessage } from '../message.ts';
import type { Decision, TurnContext } from '../outcome.ts';
import { failedPrecondition, runNotFound } from '../rejections.ts';
import { chunkRowId, REQUEST_ROW_PREFIX, START_ROW_ID } from '../rows.ts';
import { type ActorState, findRun, isOpen } from '../state.ts';
import { Turn } from '../turn.ts';

export function deleteRun(state: ActorState, { runId }: DeleteRunMessage, context: TurnContext): Decision {
  const { run } = state;
  if (run?.runId === runId && isOpen(run)) {
    return failedPrecondition(`run ${runId} of workflow ${state.workflowId} is open: only closed runs are deleted`);
  }
  const turn = new Turn(state, context);
  // A closed run has no pending rows (closing.ts), but those of its updates; the shard deletes the rows of runs that are not in memory by their range.
  for (const id of findRun(state, runId)?.updates?.keys() ?? [])
    turn.deleteRow({ table: 'update', runId, id: String(id) });
  for (const id of findRun(state, runId)?.callbacks?.keys() ?? [])
    turn.deleteRow({ table: 'callback', runId, id: String(id) });
  leaveCallbacks(turn, runId);
  turn.deleteRow({ table: 'run', runId, id: START_ROW_ID });
  turn.deleteRow({ table: 'run', runId, id: '' });
  if (state.chain?.currentRunId === runId) {
    turn.deleteRow({ table: 'chain', runId: '', id: '' });
    for (const id of state.requests.keys()) turn.deleteRow({ table: 'chain', runId: '', id: REQUEST_ROW_PREFIX + id });
    for (const [number] of state.applied.entries())
      turn.deleteRow({ table: 'chain', runId: '', id: chunkRowId(number) });
  }
  for (const { queryId } of turn.queriesOf(runId)) {
    turn.removeQuery(queryId);
    const rejection = runNotFound(state.workflowId, runId).status;
    turn.effects.push({ type: 'answerQuery', queryId, answer: { rejection } });
  }
  return turn.outcome({ type: 'accepted' });
}
