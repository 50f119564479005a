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

/** The same of a start: the one that began this chain is known by the chain itself. */
export function startSeenBefore(state: ActorState, requestId: string): ReturnType<typeof seenBefore> {
  const start = state.chain?.start;
  return requestId !== '' && start?.requestId === requestId ? start : seenBefore(state, requestId);
}

/**
 * Of what may come at once: who means to hold a workflow that is signalled without end comes before its signals, and who means to end it, which is once a run,
 * before those.
 */
const SHARE = { message: 1, control: 1.05, end: 1.1 };

/** Undefined when the request id can be remembered, else the refusal for now: nothing is applied that could be applied twice. */
export function refusedForRequestIds(turn: Turn, requestId: string, kind: keyof typeof SHARE): Rejection | undefined {
  if (requestId === '' || turn.canRemember(SHARE[kind])) return undefined;
  const { workflowId, requests, applied } = turn.state;
  const minutes = turn.limits.requestIdTtl / 60_000;
  return exhausted(
    'REQUEST_IDS',
    `workflow ${workflowId} remembers ${requests.size + applied.size} requests of about ${minutes} minutes, so that none is applied twice: for now it takes fewer a second; send this one again`,
  );
}
