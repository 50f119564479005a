// Another workflow signals this one. Taken or refused, it is told.

import { EventType } from '../../../wire/enums.ts';
import { SERVER_IDENTITY } from '../closing.ts';
import type { ExternalRefusal, SignalExternalMessage } from '../message.ts';
import type { Decision, TurnContext } from '../outcome.ts';
import { isChildOf, isSelf, originRef, send } from '../relations.ts';
import { refusesExternal } from '../signals.ts';
import { type ActorState, isOpen, type RunState } from '../state.ts';
import { Turn } from '../turn.ts';
import { wakeWorkflow } from '../workflow-task.ts';

export function signalExternal(state: ActorState, message: SignalExternalMessage, context: TurnContext): Decision {
  const { origin, signalName, input, header } = message;
  const turn = new Turn(state, context);
  const target = targetOf(state, message, context);
  if (typeof target === 'string') {
    send(turn, origin, { type: 'externalAnswered', origin: originRef(origin), refusal: target });
    return turn.outcome({ type: 'accepted' });
  }
  const draft = turn.open(target);
  draft.record(EventType.WORKFLOW_EXECUTION_SIGNALED, {
    signalName,
    input,
    identity: SERVER_IDENTITY,
    header,
    externalWorkflowExecution: { workflowId: origin.workflowId, runId: origin.runId },
  });
  wakeWorkflow(draft);
  send(turn, origin, { type: 'externalAnswered', origin: originRef(origin) });
  return turn.outcome({ type: 'accepted' });
}

function targetOf(
  state: ActorState,
  { origin, runId, childWorkflowOnly }: SignalExternalMessage,
  { namespaces, limits }: TurnContext,
): RunState | ExternalRefusal {
  if (!namespaces.has(state.namespace)) return 'namespaceNotFound';
  const { run } = state;
  // Only the current run can be open.
  if (run === undefined || !isOpen(run) || (runId && runId !== run.runId)) return 'workflowNotFound';
  if (isSelf(state, origin) || (childWorkflowOnly && !isChildOf(run, origin))) return 'workflowNotFound';
  return refusesExternal(run, limits) ? 'tooManySignals' : run;
}
