// Runs of a workflow with a cron schedule: each next one is due at a time of its own, later than the last, and its first task comes no sooner.

import { EventType } from '../../../src/wire/enums.ts';
import type { HistoryEvent } from '../../../src/wire/event.ts';
import { Violation } from '../kernel.ts';
import type { TrueRun } from '../truth.ts';

export class CronWatch {
  /** By first run: when the latest run of its chain is due. */
  readonly #due = new Map<string, number>();
  readonly seen = new Set<string>();

  event(run: TrueRun, event: HistoryEvent): void {
    const [started] = run.events;
    if (started?.eventType !== EventType.WORKFLOW_EXECUTION_STARTED || !started.attributes.cronSchedule) return;
    const { firstWorkflowTaskBackoff = 0, firstExecutionRunId, attempt = 1 } = started.attributes;
    const dueAt = started.eventTime + firstWorkflowTaskBackoff;
    const where = `workflow ${run.workflowId}, run ${run.runId},`;
    if (event.eventType === EventType.WORKFLOW_EXECUTION_STARTED) {
      const chain = firstExecutionRunId ?? run.runId;
      const before = this.#due.get(chain);
      if (before !== undefined && attempt === 1 && dueAt <= before)
        throw new Violation('I7', `${where} is due at ${dueAt}, the one before it was at ${before}`);
      if (before !== undefined) this.seen.add('a cron workflow ran again');
      this.#due.set(chain, dueAt);
      return;
    }
    if (event.eventType === EventType.WORKFLOW_TASK_SCHEDULED && event.eventTime < dueAt)
      throw new Violation('I7', `${where} is due at ${dueAt}, and its task comes at ${event.eventTime}`);
  }
}
