// What a handler began for a Nexus operation of this workflow has ended, and its callback says how. Its token must be the operation's. The news may be
// quicker than the handler's own answer: then the operation has started and ended.

import type { NexusOperationEndedMessage } from '../message.ts';
import { completeOperation, failOperation, startOperation } from '../operations.ts';
import type { Decision, TurnContext } from '../outcome.ts';
import { askingRun } from '../relations.ts';
import { type ActorState, isOpen } from '../state.ts';
import { nothing, Turn } from '../turn.ts';

export function nexusOperationEnded(
  state: ActorState,
  message: NexusOperationEndedMessage,
  context: TurnContext,
): Decision {
  const { origin, requestId, operationToken, completion, link } = message;
  const run = askingRun(state, origin);
  const pending = run?.operations.get(origin.initiatedEventId);
  if (run === undefined || !isOpen(run) || pending === undefined || pending.facts.requestId !== requestId) {
    return nothing({ type: 'accepted' });
  }
  const turn = new Turn(state, context);
  const draft = turn.open(run);
  if (pending.facts.startedTime === undefined) startOperation(draft, pending, operationToken, [link]);
  const row = draft.operations.get(origin.initiatedEventId) ?? pending;
  if (completion.state === 'succeeded') completeOperation(draft, row, completion.result, [link]);
  else {
    const { failure } = completion;
    const isCanceled = completion.state === 'canceled' && failure.canceledFailureInfo === undefined;
    failOperation(draft, row, isCanceled ? { ...failure, canceledFailureInfo: {} } : failure, [link]);
  }
  return turn.outcome({ type: 'accepted' });
}
