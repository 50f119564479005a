// A request to cancel: one event however often it is asked for; of a closed run it is answered and forgotten.

import { isActivityAddress } from '../../../wire/activity-address.ts';
import { EventType } from '../../../wire/enums.ts';
import type { RequestCancelMessage } from '../message.ts';
import type { Decision, TurnContext } from '../outcome.ts';
import { heedCancel } from '../queued-run.ts';
import { failedPrecondition, standaloneCompleted } from '../rejections.ts';
import { cancelStandalone } from '../standalone.ts';
import { type ActorState, isOpen } from '../state.ts';
import { refusedForRequestIds, resolve, seenBefore } from '../target.ts';
import { nothing, Turn } from '../turn.ts';

export function requestCancel(state: ActorState, message: RequestCancelMessage, context: TurnContext): Decision {
  if (seenBefore(state, message.requestId) !== undefined) return nothing({ type: 'accepted' });
  const resolved = resolve(state, message.target);
  if ('rejection' in resolved) return resolved.rejection;
  const { run } = resolved;
  const alone = isActivityAddress(state.workflowId);
  if (alone && !isOpen(run)) return standaloneCompleted();
  const { cancelRequest = message.requestId } = run.row.standalone ?? {};
  if (message.once === true && cancelRequest !== message.requestId) {
    return failedPrecondition(`cancellation already requested with request ID ${cancelRequest}`);
  }
  if (!isOpen(run) || run.row.facts.cancelRequested) return nothing({ type: 'accepted' });
  const turn = new Turn(state, context);
  const refused = refusedForRequestIds(turn, message.requestId, 'end');
  if (refused !== undefined) return refused;
  turn.remember(message.requestId, run.runId);
  const draft = turn.open(run);
  const { reason: cause, identity, links } = message;
  draft.record(EventType.WORKFLOW_EXECUTION_CANCEL_REQUESTED, { cause, identity }, draft.now, links);
  if (alone) cancelStandalone(draft, message);
  else heedCancel(draft);
  return turn.outcome({ type: 'accepted' });
}
