// Another workflow requests cancellation of this one. A closed run has nothing left to cancel, which is as good as done.

import { EventType } from '../../../wire/enums.ts';
import { SERVER_IDENTITY } from '../closing.ts';
import type { CancelExternalMessage, ExternalRefusal } from '../message.ts';
import type { Decision, TurnContext } from '../outcome.ts';
import { heedCancel } from '../queued-run.ts';
import { isChildOf, isSelf, originRef, send } from '../relations.ts';
import { type ActorState, findRun, isOpen, type RunState } from '../state.ts';
import { Turn } from '../turn.ts';

export function cancelExternal(state: ActorState, message: CancelExternalMessage, context: TurnContext): Decision {
  const { origin, reason } = message;
  const turn = new Turn(state, context);
  const target = targetOf(state, message, context);
  if (typeof target === 'string') {
    send(turn, origin, { type: 'externalAnswered', origin: originRef(origin), refusal: target });
    return turn.outcome({ type: 'accepted' });
  }
  if (isOpen(target) && !target.row.facts.cancelRequested) {
    const draft = turn.open(target);
    draft.record(EventType.WORKFLOW_EXECUTION_CANCEL_REQUESTED, {
      cause: reason,
      externalInitiatedEventId: origin.initiatedEventId,
      externalWorkflowExecution: { workflowId: origin.workflowId, runId: origin.runId },
      identity: SERVER_IDENTITY,
    });
    heedCancel(draft);
  }
  send(turn, origin, { type: 'externalAnswered', origin: originRef(origin) });
  return turn.outcome({ type: 'accepted' });
}

function targetOf(
  state: ActorState,
  { origin, runId, childWorkflowOnly }: CancelExternalMessage,
  { namespaces }: TurnContext,
): RunState | ExternalRefusal {
  if (!namespaces.has(state.namespace)) return 'namespaceNotFound';
  // An earlier run is among the state's when its rows are still there (src/shard/inbound.ts).
  const run = findRun(state, runId);
  if (run === undefined || isSelf(state, origin)) return 'workflowNotFound';
  return isOpen(run) && childWorkflowOnly && !isChildOf(run, origin) ? 'workflowNotFound' : run;
}
