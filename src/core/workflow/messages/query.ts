// Queries: asked, answered by a worker, lost with one, given up by the caller. Only the volatile part of the state changes.

import { isOpenStatus, QueryRejectCondition, WorkflowExecutionStatus } from '../../../wire/enums.ts';
import type { QueryAbandonedMessage, QueryAnsweredMessage, QueryLostMessage, QueryMessage } from '../message.ts';
import type { Decision, TurnContext } from '../outcome.ts';
import { isPaused } from '../paused.ts';
import { answer, dispatch } from '../queries.ts';
import { exhausted, notFound, notReady } from '../rejections.ts';
import { type ActorState, findRun, isOpen, taskOf } from '../state.ts';
import { resolve } from '../target.ts';
import { Turn } from '../turn.ts';

/** From this attempt on a failing workflow task fails queries at once. */
const FAIL_FAST_ATTEMPT = 3;

export function askQuery(state: ActorState, message: QueryMessage, context: TurnContext): Decision {
  const resolved = resolve(state, message.target);
  if ('rejection' in resolved) return resolved.rejection;
  const { run } = resolved;
  const { facts } = run.row;
  const task = taskOf(run);
  const turn = new Turn(state, context);
  const { queryId } = message;
  if (isRejected(message.rejectCondition, facts.status)) {
    turn.effects.push({
      type: 'answerQuery',
      queryId,
      answer: { response: { queryRejected: { status: facts.status } } },
    });
    return turn.outcome({ type: 'accepted' });
  }
  if (state.queries.size >= context.limits.bufferedQueries) {
    return exhausted(
      'BufferedQueries',
      `workflow ${state.workflowId} has ${state.queries.size} queries waiting, as many as are kept: retry later`,
    );
  }
  const { queryType, queryArgs, header } = message;
  const waiting = { queryId, runId: run.runId, query: { queryType, queryArgs, header } };
  if (!isOpen(run)) {
    if (facts.previousStartedEventId === 0) {
      return notReady(`workflow ${state.workflowId} closed before it handled a workflow task: it cannot be queried`);
    }
    dispatch(turn, run, waiting);
    return turn.outcome({ type: 'accepted' });
  }
  const attempt = task?.attempt ?? run.row.nextAttempt;
  if (attempt >= FAIL_FAST_ATTEMPT) {
    return notReady(
      `workflow ${state.workflowId} cannot be queried: its workflow task has failed ${attempt - 1} times in a row; see the failure in its history`,
    );
  }
  // The task of a paused workflow comes who knows when.
  const comes = task !== undefined && (task.startId !== undefined || !isPaused(run));
  if (!comes && facts.previousStartedEventId !== 0) dispatch(turn, run, waiting);
  else turn.setQuery({ ...waiting, mode: 'waiting' });
  return turn.outcome({ type: 'accepted' });
}

function isRejected(condition: QueryMessage['rejectCondition'], status: WorkflowExecutionStatus): boolean {
  if (isOpenStatus(status)) return false;
  if (condition === QueryRejectCondition.NOT_OPEN) return true;
  return condition === QueryRejectCondition.NOT_COMPLETED_CLEANLY && status !== WorkflowExecutionStatus.COMPLETED;
}

export function queryAnswered(state: ActorState, message: QueryAnsweredMessage, context: TurnContext): Decision {
  const waiting = state.queries.get(message.queryId);
  if (waiting === undefined) return notFound(`no query waits under the id ${message.queryId}`);
  const turn = new Turn(state, context);
  answer(turn, message.queryId, message.result);
  return turn.outcome({ type: 'accepted' });
}

export function queryLost(state: ActorState, message: QueryLostMessage, context: TurnContext): Decision {
  const waiting = state.queries.get(message.queryId);
  if (waiting === undefined) return notFound(`no query waits under the id ${message.queryId}`);
  const turn = new Turn(state, context);
  const run = findRun(state, waiting.runId);
  if (run !== undefined && waiting.mode === 'direct') dispatch(turn, run, waiting);
  return turn.outcome({ type: 'accepted' });
}

export function abandonQuery(state: ActorState, message: QueryAbandonedMessage, context: TurnContext): Decision {
  const turn = new Turn(state, context);
  if (state.queries.has(message.queryId)) turn.removeQuery(message.queryId);
  return turn.outcome({ type: 'accepted' });
}
