// How a run ends that waits for its permit of flow control: no worker has seen it, so the server closes it by itself.

import { EventType, RetryState } from '../../wire/enums.ts';
import { closeRun } from './closing.ts';
import { cutStartDelay, refusal } from './permits.ts';
import type { RunDraft } from './run-draft.ts';
import { wakeWorkflow } from './workflow-task.ts';

/** A request to cancel is in history: nobody waits out a delay for it. A run that waits for its permit has run no code that could clean up: it ends at once. */
export function heedCancel(run: RunDraft): void {
  if (run.row.permit === undefined) {
    cutStartDelay(run);
    wakeWorkflow(run);
    return;
  }
  run.add(EventType.WORKFLOW_EXECUTION_CANCELED, { workflowTaskCompletedEventId: 0 });
  closeRun(run);
}

/** It does not get the permit. */
export function refuseRun(run: RunDraft, message: string): void {
  run.add(EventType.WORKFLOW_EXECUTION_FAILED, {
    failure: refusal(message, true),
    retryState: RetryState.NON_RETRYABLE_FAILURE,
    workflowTaskCompletedEventId: 0,
  });
  closeRun(run);
}
