// A client holds activities back: nothing of them begins until they are unpaused. An attempt that runs may end, and is told with its next
// heartbeat; if it fails, the next one waits. No event is written.

import { chooseActivities, replaceActivity } from '../activity-choice.ts';
import type { PauseActivityMessage } from '../message.ts';
import type { Decision, TurnContext } from '../outcome.ts';
import { failedPrecondition } from '../rejections.ts';
import { stateOf } from '../standalone-start.ts';
import type { ActorState } from '../state.ts';
import { refusedForRequestIds, seenBefore } from '../target.ts';
import { nothing } from '../turn.ts';

export function pauseActivity(state: ActorState, message: PauseActivityMessage, context: TurnContext): Decision {
  const found = chooseActivities(state, message, context);
  if ('ok' in found) return found;
  const { turn, run, chosen } = found;
  const { identity, reason, requestId } = message;
  // One without a workflow is the only one; a repeat of what paused it, however late, pauses it no second time.
  const inState = chosen[0] && stateOf(run, chosen[0]);
  if (inState !== undefined) {
    if (seenBefore(state, requestId) !== undefined) return nothing({ type: 'accepted' });
    if (inState !== 'Scheduled' && inState !== 'Started')
      return failedPrecondition(`activity is in non-pausable state ${inState}`);
    const refused = refusedForRequestIds(turn, requestId, 'control');
    if (refused !== undefined) return refused;
    turn.remember(requestId, run.runId);
  }
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
