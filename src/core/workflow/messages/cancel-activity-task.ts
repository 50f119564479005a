// A worker confirms a cancellation that was asked for.

import { activityOf, cancelActivity, failActivity } from '../activity-task.ts';
import type { CancelActivityTaskMessage } from '../message.ts';
import type { Decision, TurnContext } from '../outcome.ts';
import { invalidArgument } from '../rejections.ts';
import { sizeOf } from '../size.ts';
import type { ActorState } from '../state.ts';
import { activityTurn, missingActivity } from './activity-turn.ts';
import { overLimit } from './complete-activity-task.ts';

export function cancelActivityTask(
  state: ActorState,
  message: CancelActivityTaskMessage,
  context: TurnContext,
): Decision {
  const found = activityTurn(state, message.activity, context);
  if (found === undefined) return missingActivity(state, message.activity);
  const { turn, run } = found;
  const activity = activityOf(run, message.activity);
  if (activity?.startId === undefined) return missingActivity(state, message.activity);
  if (activity.facts.cancelRequestedEventId === 0) {
    return invalidArgument('unable to mark activity as canceled without activity being request canceled first');
  }
  if (message.details !== undefined && sizeOf(message.details) > context.limits.blobBytes) {
    failActivity(run, activity, overLimit('Cancel details exceed size limit.'), message.identity);
  } else {
    cancelActivity(run, activity, message.details, message.identity);
  }
  return turn.outcome({ type: 'accepted' });
}
