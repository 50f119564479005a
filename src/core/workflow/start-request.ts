// By which request a run began: a client's, or one that the server calls by a name of its own. Used by describe.ts, and where a start meets a run.

import { ownRequestId } from '../../wire/run-id.ts';
import type { ChainRow } from './rows.ts';
import type { RunState } from './state.ts';

/** That of its own start, or of the start of what it was reset from; runs that a chain goes on with, and children, nobody has asked for by a request. */
export function startRequest({ start: { runId: first, requestId } }: ChainRow, { runId, start }: RunState): string {
  const isFirst = first === runId || start.former?.some((one) => one.runId === first) === true;
  return isFirst && requestId !== '' ? requestId : ownRequestId(runId);
}
