// A client changes options of pending activities, or takes its changes back. They hold for attempts that begin from now on, and a retry that is
// waited for comes when the new policy says. No event is written: history keeps what the workflow asked for.

import { chooseActivities, replaceActivity, rescheduled } from '../activity-choice.ts';
import { settledTimeouts } from '../activity-timeouts.ts';
import type { ActivityOptionsChange, UpdateActivityOptionsMessage } from '../message.ts';
import type { Decision, TurnContext } from '../outcome.ts';
import { failedPrecondition, invalidArgument } from '../rejections.ts';
import { completePolicy, policyProblem, retryInterval } from '../retry.ts';
import type { ActivityOptions, ActivityRow } from '../rows.ts';
import type { RunDraft } from '../run-draft.ts';
import { isStandalone, startDelayOf, toldAlready } from '../standalone-start.ts';
import type { ActorState } from '../state.ts';
import { optionsOf } from '../timeouts.ts';

export function updateActivityOptions(
  state: ActorState,
  message: UpdateActivityOptionsMessage,
  context: TurnContext,
): Decision {
  const found = chooseActivities(state, message, context);
  if ('ok' in found) return found;
  const { turn, run, chosen } = found;
  let first: ActivityOptions | undefined;
  for (const activity of chosen) {
    const told = toldAlready(run, activity);
    if (told !== undefined) {
      return failedPrecondition(
        `Cannot update options for activity in state ${told === 'reset' ? 'Reset' : 'Cancel'}Requested`,
      );
    }
    const options = message.change === 'restoreOriginal' ? undefined : changed(run, activity, message.change);
    if (typeof options === 'string') {
      return invalidArgument(`${options} ActivityId=${activity.facts.activityId}`);
    }
    const { options: _before, ...rest } = activity;
    const next = options === undefined ? rest : { ...rest, options };
    const delay = message.change === 'restoreOriginal' ? undefined : message.change.startDelay;
    if (delay === undefined || !isStandalone(run)) replaceActivity(run, activity, retimed(run, next));
    else if (activity.attempt === 1 && activity.inBackoff) replaceActivity(run, activity, delayed(run, next, delay));
    else return failedPrecondition('cannot update start_delay: the first activity attempt has already been dispatched');
    first ??= settable(optionsOf(next));
  }
  if (first === undefined) throw new Error(`workflow ${state.workflowId}: no activity was chosen, nor refused`);
  return turn.outcome({ type: 'activityOptions', options: { ...first, startDelay: startDelayOf(run) } });
}

/** Without what else a row's facts hold. */
const settable = (from: ActivityOptions): ActivityOptions => ({
  taskQueue: from.taskQueue,
  scheduleToCloseTimeout: from.scheduleToCloseTimeout,
  scheduleToStartTimeout: from.scheduleToStartTimeout,
  startToCloseTimeout: from.startToCloseTimeout,
  heartbeatTimeout: from.heartbeatTimeout,
  retryPolicy: from.retryPolicy,
  priority: from.priority,
});

/** A string says what cannot be. */
function changed(run: RunDraft, activity: ActivityRow, change: ActivityOptionsChange): ActivityOptions | string {
  const now = optionsOf(activity);
  const { retryPolicy, priority, startDelay: _delay, ...timeoutsAndQueue } = change;
  const merged = settable(now);
  for (const [name, value] of Object.entries(timeoutsAndQueue)) {
    if (value !== undefined) Object.assign(merged, { [name]: value });
  }
  if (retryPolicy !== undefined) merged.retryPolicy = completePolicy({ ...now.retryPolicy, ...retryPolicy });
  if (priority !== undefined) merged.priority = { ...now.priority, ...priority };
  const problem = policyProblem(merged.retryPolicy);
  if (problem !== undefined) return problem;
  // 0 means none here, and what a command leaves out there.
  const timeouts = settledTimeouts(
    {
      scheduleToCloseTimeout: merged.scheduleToCloseTimeout,
      scheduleToStartTimeout: merged.scheduleToStartTimeout,
      startToCloseTimeout: merged.startToCloseTimeout,
      heartbeatTimeout: merged.heartbeatTimeout,
    },
    run.start.attributes.workflowRunTimeout ?? 0,
  );
  if (typeof timeouts === 'string') return timeouts;
  merged.scheduleToCloseTimeout = timeouts.scheduleToClose;
  merged.scheduleToStartTimeout = timeouts.scheduleToStart;
  merged.startToCloseTimeout = timeouts.startToClose;
  merged.heartbeatTimeout = timeouts.heartbeat;
  return merged;
}

/** It waits for its first offer until so long after its start, which may be over by now. */
function delayed(run: RunDraft, activity: ActivityRow, startDelay: number): ActivityRow {
  run.row.standalone = { ...run.row.standalone, startDelay };
  run.visible = true;
  const scheduledTime = Math.max(run.now, run.start.startTime + startDelay);
  return { ...activity, scheduledTime, countsFrom: scheduledTime, inBackoff: scheduledTime > run.now };
}

/** A retry that is waited for comes when the policy says as it is now, which may have been long ago. */
function retimed(run: RunDraft, activity: ActivityRow): ActivityRow {
  if (!activity.inBackoff || activity.pause !== undefined) return activity;
  const { retryPolicy } = optionsOf(activity);
  if (retryPolicy === undefined || activity.attempt < 2) return activity;
  const since = activity.lastAttemptCompleteTime ?? run.now;
  const dueAt = since + retryInterval(retryPolicy, activity.attempt - 1);
  return rescheduled(run, activity, Math.max(0, dueAt - run.now));
}
