// The bounds a turn may not leave a run beyond (I9): buffered events fail the task they wait for, a history too long or too big
// terminates the run. Checked when a turn ends.

import { WorkflowTaskFailedCause } from '../../wire/enums.ts';
import { SERVER_IDENTITY, terminateRun } from './closing.ts';
import type { RunDraft } from './run-draft.ts';
import { failTask, scheduleTask, withdrawTask } from './workflow-task.ts';

export function enforceBounds(run: RunDraft): void {
  if (!run.isOpen) return;
  const { limits } = run.turn;
  const { task } = run.row;
  const tooMuchBuffered = run.bufferedCount > limits.bufferedEvents || run.row.bufferedBytes > limits.bufferedBytes;
  if (tooMuchBuffered && task !== undefined) {
    if (task.startId === undefined) withdrawTask(run, task);
    failTask(run, task, WorkflowTaskFailedCause.FORCE_CLOSE_COMMAND, undefined, SERVER_IDENTITY);
    scheduleTask(run);
  }
  if (run.facts.nextEventId - 1 > limits.historyEvents) {
    terminateRun(run, 'Workflow history count exceeds limit.', undefined, SERVER_IDENTITY);
  } else if (run.facts.historyBytes > limits.historyBytes) {
    terminateRun(run, 'Workflow history size exceeds limit.', undefined, SERVER_IDENTITY);
  }
}
