// An activity's result, by token or by id (asynchronous completion; then even of an attempt no worker has taken).

import type { Failure } from '../../../wire/failure.ts';
import { activityOf, completeActivity, failActivity } from '../activity-task.ts';
import type { CompleteActivityTaskMessage } from '../message.ts';
import type { Decision, TurnContext } from '../outcome.ts';
import { sizeOf } from '../size.ts';
import type { ActorState } from '../state.ts';
import { activityTurn, missingActivity } from './activity-turn.ts';

/** Over the blob limit an activity fails for good instead, with a failure that says what was too big. */
export const overLimit = (message: string): Failure => ({ message, serverFailureInfo: { nonRetryable: true } });

export function completeActivityTask(
  state: ActorState,
  message: CompleteActivityTaskMessage,
  context: TurnContext,
): Decision {
  const found = activityTurn(state, message.activity, context);
  if (found === undefined) return missingActivity(state, message.activity);
  const { turn, run } = found;
  const pending = activityOf(run, message.activity);
  if (pending === undefined) return missingActivity(state, message.activity);
  // Completed by id before any worker took it: Started then names who completed it.
  const activity =
    pending.startId === undefined ? { ...pending, identity: message.identity, requestId: context.spareRunId } : pending;
  if (message.result !== undefined && sizeOf(message.result) > context.limits.blobBytes) {
    failActivity(run, activity, overLimit('Complete result exceeds size limit.'), message.identity);
  } else {
    completeActivity(run, activity, message.result, message.identity);
  }
  return turn.outcome({ type: 'accepted' });
}
