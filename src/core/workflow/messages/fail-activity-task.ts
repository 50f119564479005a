// An activity's failure: retried by its policy, or closed.

import { activityOf, failActivity } from '../activity-task.ts';
import type { FailActivityTaskMessage } from '../message.ts';
import type { Decision, TurnContext } from '../outcome.ts';
import { activityTaskNotFound, invalidArgument } from '../rejections.ts';
import { sizeOf } from '../size.ts';
import type { ActorState } from '../state.ts';
import { activityTurn } from './activity-turn.ts';
import { overLimit } from './complete-activity-task.ts';

export function failActivityTask(state: ActorState, message: FailActivityTaskMessage, context: TurnContext): Decision {
  const { failure } = message;
  if (failure.timeoutFailureInfo !== undefined || failure.canceledFailureInfo !== undefined) {
    return invalidArgument('Request must have ApplicationFailureInfo.');
  }
  const found = activityTurn(state, message.activity, context);
  if (found === undefined) return activityTaskNotFound();
  const { turn, run } = found;
  const pending = activityOf(run, message.activity);
  if (pending?.startId === undefined) return activityTaskNotFound();
  const { blobBytes } = context.limits;
  const details = message.lastHeartbeatDetails;
  let activity = pending;
  if (details !== undefined) {
    if (sizeOf(details) > blobBytes) {
      failActivity(run, activity, overLimit('Failure heartbeat details'), message.identity);
      return turn.outcome({ type: 'accepted' });
    }
    activity = { ...pending, heartbeatDetails: details, lastHeartbeatTime: context.now };
  }
  const tooBig = sizeOf(failure) > blobBytes;
  failActivity(run, activity, tooBig ? overLimit('Failure') : failure, message.identity);
  return turn.outcome({ type: 'accepted' });
}
