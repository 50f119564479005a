// The parent of this workflow has closed: its close policy ends the child, or asks it to end. Whatever run of the child's chain is open
// is meant; a later workflow of the same id is not touched.

import { EventType, ParentClosePolicy } from '../../../wire/enums.ts';
import { SERVER_IDENTITY, terminateRun } from '../closing.ts';
import type { ParentClosedMessage } from '../message.ts';
import type { Decision, TurnContext } from '../outcome.ts';
import { heedCancel } from '../queued-run.ts';
import { type ActorState, isOpen } from '../state.ts';
import { nothing, Turn } from '../turn.ts';

export function parentClosed(state: ActorState, message: ParentClosedMessage, context: TurnContext): Decision {
  const { run } = state;
  if (run === undefined || !isOpen(run) || run.start.attributes.firstExecutionRunId !== message.firstRunId) {
    return nothing({ type: 'accepted' });
  }
  const turn = new Turn(state, context);
  const draft = turn.open(run);
  if (message.policy === ParentClosePolicy.TERMINATE) {
    draft.orphaned = true;
    terminateRun(draft, 'by parent close policy', undefined, SERVER_IDENTITY);
    return turn.outcome({ type: 'accepted' });
  }
  if (run.row.facts.cancelRequested) return nothing({ type: 'accepted' });
  draft.record(EventType.WORKFLOW_EXECUTION_CANCEL_REQUESTED, {
    externalWorkflowExecution: message.parent,
    identity: SERVER_IDENTITY,
  });
  heedCancel(draft);
  return turn.outcome({ type: 'accepted' });
}
