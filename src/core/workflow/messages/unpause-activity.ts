// A client lets paused activities go on: at once, also those that waited out a retry interval, or spread over the jitter. Those that are not
// paused stay as they are; one without a workflow has to be.

import { chooseActivities, jitterOf, replaceActivity, rescheduled, withoutHeartbeats } from '../activity-choice.ts';
import type { UnpauseActivityMessage } from '../message.ts';
import type { Decision, TurnContext } from '../outcome.ts';
import { failedPrecondition } from '../rejections.ts';
import type { ActivityRow } from '../rows.ts';
import { stateOf } from '../standalone-start.ts';
import type { ActorState } from '../state.ts';

export function unpauseActivity(state: ActorState, message: UnpauseActivityMessage, context: TurnContext): Decision {
  const found = chooseActivities(state, message, context);
  if ('ok' in found) return found;
  const { turn, run, chosen } = found;
  // One without a workflow is the only one.
  const inState = chosen[0] && stateOf(run, chosen[0]);
  if (inState !== undefined && inState !== 'Paused' && inState !== 'PauseRequested')
    return failedPrecondition(`activity is in non-unpausable state ${inState}`);
  for (const activity of chosen) {
    if (activity.pause === undefined) continue;
    const { pause: _pause, ...unpaused } = activity;
    let next: ActivityRow = unpaused;
    if (message.resetHeartbeats) next = withoutHeartbeats(next);
    if (activity.startId === undefined) {
      next = rescheduled(run, next, jitterOf(message, activity));
      if (message.resetAttempts) next.attempt = 1;
    } else if (message.resetAttempts) {
      // Its token has the number it began with.
      next.reset ??= 'attempts';
    }
    replaceActivity(run, activity, next);
  }
  return turn.outcome({ type: 'accepted' });
}
