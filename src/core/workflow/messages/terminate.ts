// Termination: the run closes at once, whatever its worker is doing.

import { isActivityAddress } from '../../../wire/activity-address.ts';
import { terminateRun } from '../closing.ts';
import type { TerminateMessage } from '../message.ts';
import type { Decision, TurnContext } from '../outcome.ts';
import { alreadyCompleted, invalidArgument, standaloneCompleted } from '../rejections.ts';
import { sizeOf } from '../size.ts';
import { noteLastAttempt } from '../standalone.ts';
import { type ActorState, isOpen } from '../state.ts';
import { refusedForRequestIds, resolve, seenBefore } from '../target.ts';
import { nothing, Turn } from '../turn.ts';

/** What the history says when the caller gave no reason. */
const NO_REASON = 'terminated by user via frontend';

export function terminate(state: ActorState, message: TerminateMessage, context: TurnContext): Decision {
  if (seenBefore(state, message.requestId) !== undefined) return nothing({ type: 'accepted' });
  const resolved = resolve(state, message.target);
  if ('rejection' in resolved) return resolved.rejection;
  const { run } = resolved;
  const alone = isActivityAddress(state.workflowId);
  if (!isOpen(run)) return alone ? standaloneCompleted() : alreadyCompleted();
  if (message.details !== undefined && sizeOf(message.details) > context.limits.blobBytes) {
    return invalidArgument('Blob data size exceeds limit.');
  }
  const turn = new Turn(state, context);
  const refused = refusedForRequestIds(turn, message.requestId, 'end');
  if (refused !== undefined) return refused;
  turn.remember(message.requestId, run.runId);
  const draft = turn.open(run);
  if (alone) noteLastAttempt(draft);
  terminateRun(draft, message.reason || NO_REASON, message.details, message.identity, message.links);
  return turn.outcome({ type: 'accepted' });
}
