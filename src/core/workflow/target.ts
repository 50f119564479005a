// Which run of the chain a caller means, and whether its request was seen before.

import type { RunTarget } from './message.ts';
import type { Rejection } from './outcome.ts';
import { exhausted, runNotFound, workflowNotFound } from './rejections.ts';
import type { RequestRow } from './rows.ts';
import { type ActorState, findRun, type RunState } from './state.ts';
import type { Turn } from './turn.ts';

export type Resolved = { run: RunState } | { rejection: Rejection };

export function resolve(state: ActorState, target: RunTarget): Resolved {
  const run = findRun(state, target.runId);
  if (run === undefined) {
    const rejection = target.runId ? runNotFound(state.workflowId, target.runId) : workflowNotFound(state.workflowId);
    return { rejection };
  }
  const { firstExecutionRunId } = target;
  if (firstExecutionRunId && firstExecutionRunId !== run.start.attributes.firstExecutionRunId) {
    return { rejection: runNotFound(state.workflowId, firstExecutionRunId) };
  }
  return { run };
}

/** The run that this request id was applied to, and what else of its first answer is not always the same. */
export function seenBefore(
  state: ActorState,
  requestId: string,
): Pick<RequestRow, 'runId' | 'started' | 'status'> | undefined {
  if (requestId === '') return undefined;
  const start = state.requests.get(requestId);
  if (start !== undefined) return start;
  const runId = state.applied.runOf(requestId);
  return runId === undefined ? undefined : { runId };
}

/** Undefined when the request id can be remembered, else the refusal: nothing is applied that could be applied twice. */
export function refusedForRequestIds(turn: Turn, requestId: string): Rejection | undefined {
  if (requestId === '' || turn.canRemember()) return undefined;
  const { workflowId, requests, applied } = turn.state;
  return exhausted(
    'RequestIds',
    `workflow ${workflowId} has applied ${requests.size + applied.size} requests within ${turn.limits.requestIdTtl / 60_000} minutes, as many as are remembered: retry later`,
  );
}
