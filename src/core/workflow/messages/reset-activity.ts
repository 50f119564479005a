// A client lets activities begin anew, as if they were first scheduled now: attempt 1, at once. While an attempt runs, it is told with its next
// heartbeat, and may still complete; if it ends otherwise, the first attempt follows.

import { chooseActivities, jitterOf, replaceActivity, rescheduled, withoutHeartbeats } from '../activity-choice.ts';
import type { ResetActivityMessage } from '../message.ts';
import type { Decision, TurnContext } from '../outcome.ts';
import { failedPrecondition } from '../rejections.ts';
import type { ActivityRow } from '../rows.ts';
import type { RunDraft } from '../run-draft.ts';
import { beginsAt, isStandalone, toldAlready } from '../standalone-start.ts';
import type { ActorState } from '../state.ts';

export function resetActivity(state: ActorState, message: ResetActivityMessage, context: TurnContext): Decision {
  const found = chooseActivities(state, message, context);
  if ('ok' in found) return found;
  const { turn, run, chosen } = found;
  const told = chosen.map((activity) => toldAlready(run, activity)).find((what) => what !== undefined);
  if (told !== undefined) return failedPrecondition(`cannot reset an activity with a pending ${told}`);
  for (const activity of chosen) replaceActivity(run, activity, resetOne(run, activity, message));
  return turn.outcome({ type: 'accepted' });
}

function resetOne(run: RunDraft, activity: ActivityRow, message: ResetActivityMessage): ActivityRow {
  const { options: changed, pause, ...rest } = activity;
  let next: ActivityRow = { ...rest, countsFrom: beginsAt(run) };
  if (changed !== undefined && !message.restoreOriginalOptions) next.options = changed;
  if (pause !== undefined && message.keepPaused) next.pause = pause;
  if (activity.startId !== undefined) {
    next.reset = message.resetHeartbeats || activity.reset === 'heartbeats' ? 'heartbeats' : 'attempts';
    return next;
  }
  if (message.resetHeartbeats) next = withoutHeartbeats(next);
  next.attempt = 1;
  const anew = rescheduled(run, next, next.pause === undefined ? jitterOf(message, activity) : 0);
  const { lastFailure } = activity;
  return isStandalone(run) && lastFailure !== undefined ? { ...anew, lastFailure } : anew;
}
