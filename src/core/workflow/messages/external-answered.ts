// A signal or cancel request of this run has reached the other workflow, or was refused there.

import {
  CancelExternalWorkflowExecutionFailedCause,
  EventType,
  SignalExternalWorkflowExecutionFailedCause,
} from '../../../wire/enums.ts';
import type { ExternalAnsweredMessage, ExternalRefusal } from '../message.ts';
import type { Decision, TurnContext } from '../outcome.ts';
import { askingRun } from '../relations.ts';
import type { ExternalRow } from '../rows.ts';
import type { RunDraft } from '../run-draft.ts';
import type { ActorState } from '../state.ts';
import { nothing, Turn } from '../turn.ts';
import { wakeWorkflow } from '../workflow-task.ts';

export function externalAnswered(state: ActorState, message: ExternalAnsweredMessage, context: TurnContext): Decision {
  const { origin, refusal } = message;
  const run = askingRun(state, origin);
  const pending = run?.externals.get(origin.initiatedEventId);
  if (run === undefined || pending === undefined) return nothing({ type: 'accepted' });
  const turn = new Turn(state, context);
  const draft = turn.open(run);
  if (pending.kind === 'signal') recordSignalAnswer(draft, pending, refusal);
  else recordCancelAnswer(draft, pending, refusal);
  wakeWorkflow(draft);
  return turn.outcome({ type: 'accepted' });
}

const common = (run: RunDraft, { namespace, namespaceId, workflowId, runId, initiatedEventId }: ExternalRow) => ({
  namespace: namespace || run.turn.state.namespace,
  namespaceId,
  workflowExecution: { workflowId, runId },
  initiatedEventId,
});

const SIGNAL_CAUSES: Record<ExternalRefusal, SignalExternalWorkflowExecutionFailedCause> = {
  workflowNotFound: SignalExternalWorkflowExecutionFailedCause.EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND,
  namespaceNotFound: SignalExternalWorkflowExecutionFailedCause.NAMESPACE_NOT_FOUND,
  tooManySignals: SignalExternalWorkflowExecutionFailedCause.SIGNAL_COUNT_LIMIT_EXCEEDED,
};

function recordSignalAnswer(run: RunDraft, row: ExternalRow, refusal: ExternalRefusal | undefined): void {
  const { control } = row;
  if (refusal === undefined) {
    run.record(EventType.EXTERNAL_WORKFLOW_EXECUTION_SIGNALED, { ...common(run, row), control });
    return;
  }
  const cause = SIGNAL_CAUSES[refusal];
  run.record(EventType.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED, {
    cause,
    ...common(run, row),
    control,
    workflowTaskCompletedEventId: 0,
  });
}

function recordCancelAnswer(run: RunDraft, row: ExternalRow, refusal: ExternalRefusal | undefined): void {
  if (refusal === undefined) {
    run.record(EventType.EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED, common(run, row));
    return;
  }
  const cause =
    refusal === 'namespaceNotFound'
      ? CancelExternalWorkflowExecutionFailedCause.NAMESPACE_NOT_FOUND
      : CancelExternalWorkflowExecutionFailedCause.EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND;
  run.record(EventType.REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED, {
    cause,
    ...common(run, row),
    workflowTaskCompletedEventId: 0,
  });
}
