// What goes with a run that is deleted: its rows, those of its workflow id when it is the current one, and the queries that wait for it. Its events
// and what visibility shows of it are the shard's. Called by messages/delete-run.ts and delete-execution.ts.

import { dropCallbacks } from './callbacks.ts';
import { keepStart } from './earlier-start.ts';
import { runNotFound } from './rejections.ts';
import { chunkRowId, REQUEST_ROW_PREFIX, START_ROW_ID } from './rows.ts';
import { findRun, type RunState } from './state.ts';
import type { Turn } from './turn.ts';

export function dropRun(turn: Turn, runId: string): void {
  const { state } = turn;
  // A closed run has no pending rows (closing.ts), but those of its updates and callbacks; the shard deletes the rows of runs that are not in memory by their range.
  const { updates, callbacks } = findRun(state, runId) ?? {};
  // Each kind in an order of its own: an actor that was rebuilt has them in another (I4).
  for (const id of sorted(updates?.keys())) turn.deleteRow({ table: 'update', runId, id: String(id) });
  for (const id of sorted(callbacks?.keys())) turn.deleteRow({ table: 'callback', runId, id: String(id) });
  dropCallbacks(turn, runId);
  turn.deleteRow({ table: 'run', runId, id: START_ROW_ID });
  turn.deleteRow({ table: 'run', runId, id: '' });
}

/** The current run's retention is over: what the workflow id is remembered by goes with it. */
export function freeId(turn: Turn): void {
  const { chain, requests, applied } = turn.state;
  if (chain === undefined) return;
  if (turn.hasCallbacks) turn.setChain({ ...chain, currentRunId: '' });
  else turn.deleteRow({ table: 'chain', runId: '', id: '' });
  for (const id of sorted(requests.keys())) turn.deleteRow({ table: 'chain', runId: '', id: REQUEST_ROW_PREFIX + id });
  for (const number of sorted(Array.from(applied.entries(), ([n]) => n)))
    turn.deleteRow({ table: 'chain', runId: '', id: chunkRowId(number) });
}

/**
 * The current run goes at a caller's wish: the id is free, but a request that was applied to it and comes again is not applied to the next run (I5).
 *
 * @returns when what is remembered may go, epoch ms; undefined: it has gone already.
 */
export function freeIdRemembering(turn: Turn, run: RunState): number | undefined {
  const { chain } = turn.state;
  if (chain === undefined) return undefined;
  if (!keepStart(turn, run) && !turn.remembers) {
    freeId(turn);
    return undefined;
  }
  turn.setChain({ ...chain, currentRunId: '' });
  return turn.now + turn.limits.requestIdTtl;
}

const sorted = <T extends string | number>(ids: Iterable<T> | undefined): T[] => [...(ids ?? [])].sort();

export function refuseQueries(turn: Turn, runId: string): void {
  for (const { queryId } of turn.queriesOf(runId)) {
    turn.removeQuery(queryId);
    const rejection = runNotFound(turn.state.workflowId, runId).status;
    turn.effects.push({ type: 'answerQuery', queryId, answer: { rejection } });
  }
}
