// A sign of life from a started activity; the answer carries a cancel request, and whether it was paused or reset meanwhile.

import { activityOf, failActivity } from '../activity-task.ts';
import type { HeartbeatActivityTaskMessage } from '../message.ts';
import type { Decision, TurnContext } from '../outcome.ts';
import { sizeOf } from '../size.ts';
import { countHeartbeat, toldAlready } from '../standalone-start.ts';
import type { ActorState } from '../state.ts';
import { activityTurn, missingActivity } from './activity-turn.ts';
import { overLimit } from './complete-activity-task.ts';

export function heartbeatActivityTask(
  state: ActorState,
  message: HeartbeatActivityTaskMessage,
  context: TurnContext,
): Decision {
  const found = activityTurn(state, message.activity, context);
  if (found === undefined) return missingActivity(state, message.activity);
  const { turn, run } = found;
  const activity = activityOf(run, message.activity);
  if (activity?.startId === undefined) return missingActivity(state, message.activity);
  if (message.details !== undefined && sizeOf(message.details) > context.limits.blobBytes) {
    failActivity(run, activity, overLimit('Heartbeat details exceed size limit.'), message.identity);
    return turn.outcome({ type: 'heartbeat', cancelRequested: true, activityPaused: false, activityReset: false });
  }
  countHeartbeat(run);
  // A heartbeat without details clears those of an earlier one, as the API has it.
  run.putActivity({ ...activity, lastHeartbeatTime: context.now, heartbeatDetails: message.details });
  const told = toldAlready(run, activity);
  return turn.outcome({
    type: 'heartbeat',
    cancelRequested: activity.facts.cancelRequestedEventId !== 0,
    // Of an activity without a workflow what goes furthest is told, alone: its worker is to do one thing.
    activityPaused: activity.pause !== undefined && told === undefined,
    activityReset: activity.reset !== undefined && told !== 'cancellation',
  });
}
