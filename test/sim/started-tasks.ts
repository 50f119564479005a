// Whether a task that a worker is told of is as durable as it is said to be (I1).

import type { TaskToken } from '../../src/core/workflow/token.ts';
import { Violation } from './kernel.ts';
import { taskRow } from './nexus-watch.ts';
import type { TrueRun, Truth } from './truth.ts';

/** The start that this token names is durable, or something after it is. */
export function mustBeDurable(truth: Truth, run: TrueRun, token: TaskToken, what: string): void {
  if (run.closed !== undefined || run.closings.has(token.scheduledEventId)) return;
  const { workflowId, runId } = run;
  const row =
    token.kind === 'activity'
      ? taskRow(truth, run, token.scheduledEventId)
      : (truth.row(workflowId, runId, 'r', '') as { task?: unknown } | undefined)?.task;
  // An activity's row may be gone because its closing waits for an id; a workflow task's because its transient attempt failed.
  if (row === undefined) {
    if (token.kind === 'workflow') return;
    const ended = truth
      .buffered(workflowId, runId)
      .some((event) => (event.attributes as { scheduledEventId?: number }).scheduledEventId === token.scheduledEventId);
    if (ended) return;
    throw new Violation(
      'I1',
      `${what} of run ${runId}, event ${token.scheduledEventId}, was pushed and is not durable`,
    );
  }
  const { startId, attempt, scheduledEventId } = row as {
    startId?: { term: number; seq: number };
    attempt: number;
    scheduledEventId?: number;
  };
  if (attempt > token.attempt || (scheduledEventId ?? 0) > token.scheduledEventId) return;
  if (startId?.term !== token.startId.term || startId.seq < token.startId.seq) {
    throw new Violation(
      'I1',
      `${what} of run ${runId}, event ${token.scheduledEventId}, shows start ${token.startId.term}.${token.startId.seq}; durable is ${startId?.term}.${startId?.seq}`,
    );
  }
}
