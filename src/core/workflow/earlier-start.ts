// The request that began a chain of runs, once the chain's row names it no more: it is remembered in a row of its own, and answered as before (I5).

import { WorkflowExecutionStatus } from '../../wire/enums.ts';
import { isOpen, type RunState } from './state.ts';
import type { Turn } from './turn.ts';

/** @returns whether it is remembered: there was one, and its time is not over. */
export function keepStart(turn: Turn, run: RunState): boolean {
  const { chain } = turn.state;
  if (chain === undefined) return false;
  const { requestId, ...row } = chain.start;
  if (requestId === '' || row.at + turn.limits.requestIdTtl <= turn.now) return false;
  const status = row.runId === run.runId && !isOpen(run) ? run.row.facts.status : row.status;
  // From now on, so that the rows stay in the order of their time.
  turn.rememberStart(requestId, { ...row, at: turn.now, status: status ?? WorkflowExecutionStatus.TERMINATED });
  return true;
}
