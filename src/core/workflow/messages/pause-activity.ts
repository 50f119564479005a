// A client holds activities back: nothing of them begins until they are unpaused. An attempt that runs may end, and is told with its next
// heartbeat; if it fails, the next one waits. No event is written.

import { chooseActivities, replaceActivity } from '../activity-choice.ts';
import type { PauseActivityMessage } from '../message.ts';
import type { Decision, TurnContext } from '../outcome.ts';
import { failedPrecondition } from '../rejections.ts';
import type { ActorState } from '../state.ts';
import { nothing } from '../turn.ts';

export function pauseActivity(state: ActorState, message: PauseActivityMessage, context: TurnContext): Decision {
  const found = chooseActivities(state, message, context);
  if ('ok' in found) return found;
  const { turn, run, chosen } = found;
  const { identity, reason, requestId } = message;
  const running = chosen.filter(({ pause }) => pause === undefined);
  if (running.length === 0) {
    const other = chosen.find(({ pause }) => pause?.requestId !== requestId);
    if (other === undefined || !('id' in message.activities)) return nothing({ type: 'accepted' });
    return failedPrecondition(
      `activity ${other.facts.activityId} of workflow ${state.workflowId} is paused already, by ${other.pause?.identity}: unpause it first to give another reason`,
    );
  }
  for (const activity of running) {
    replaceActivity(run, activity, { ...activity, pause: { at: context.now, identity, reason, requestId } });
  }
  return turn.outcome({ type: 'accepted' });
}
