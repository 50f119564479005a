// Queries never write: they wait in the volatile part of the state, ride on a workflow task, or go to a worker by themselves (rule 12).

import type { QueryResult } from '../../wire/workflow-task.ts';
import { versionedQueue } from '../deployment/versioned-queue.ts';
import { isPaused } from './paused.ts';
import { notReady, queryFailed } from './rejections.ts';
import type { RunRow, StartRow } from './rows.ts';
import type { RunDraft } from './run-draft.ts';
import type { WaitingQuery } from './state.ts';
import type { Turn } from './turn.ts';
import { routeOfQuery } from './versioning.ts';

/** Hands a query to a worker by itself. */
export function dispatch(
  turn: Turn,
  run: { runId: string; start: StartRow; row: RunRow },
  query: Omit<WaitingQuery, 'mode'>,
): void {
  turn.setQuery({ ...query, mode: 'direct' });
  const { version, fitsSticky } = routeOfQuery(turn.context, turn.state, run);
  turn.effects.push({
    type: 'dispatchQuery',
    queryId: query.queryId,
    runId: run.runId,
    taskQueue: versionedQueue(run.start.attributes.taskQueue.name, version),
    stickyQueue: fitsSticky ? run.row.sticky?.queue : undefined,
    query: query.query,
  });
}

export function answer(turn: Turn, queryId: string, result: QueryResult): void {
  turn.removeQuery(queryId);
  const failed = result.failure !== undefined || result.errorMessage !== undefined;
  turn.effects.push({
    type: 'answerQuery',
    queryId,
    answer: failed
      ? { rejection: queryFailed(result.errorMessage ?? result.failure?.message ?? 'the query failed', result.failure) }
      : { response: { queryResult: result.answer } },
  });
}

/** The results a completed workflow task brought for the queries that rode on it. */
export function answerRiding(run: RunDraft, results: Record<string, QueryResult> | undefined): void {
  for (const query of run.turn.queriesOf(run.runId)) {
    if (query.mode !== 'riding') continue;
    const result = results?.[query.queryId];
    if (result === undefined) run.turn.setQuery({ ...query, mode: 'waiting' });
    else answer(run.turn, query.queryId, result);
  }
}

/** After a turn that ended a workflow task without another one coming: those who wait to ride go by themselves. */
export function settleQueries(run: RunDraft): void {
  const { turn } = run;
  for (const query of turn.queriesOf(run.runId)) {
    if (query.mode === 'direct') continue;
    const { task } = run.row;
    if (run.isOpen && task !== undefined && (task.startId !== undefined || !isPaused(run))) {
      if (query.mode === 'riding') turn.setQuery({ ...query, mode: 'waiting' });
    } else if (run.facts.previousStartedEventId === 0) {
      if (run.isOpen) continue;
      turn.removeQuery(query.queryId);
      const rejection = notReady('workflow must handle at least one workflow task before it can be queried').status;
      turn.effects.push({ type: 'answerQuery', queryId: query.queryId, answer: { rejection } });
    } else {
      dispatch(turn, run, query);
    }
  }
}
