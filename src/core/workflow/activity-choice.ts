// What the calls that steer pending activities from outside share: which of a run's activities are meant, and when each goes on.
// Used by messages/pause-activity, unpause-activity, reset-activity and update-activity-options.

import { isActivityAddress } from '../../wire/activity-address.ts';
import { offerActivity, releaseTask } from './activity-task.ts';
import type { ActivityChoice, Jitter, RunTarget } from './message.ts';
import type { Rejection, TurnContext } from './outcome.ts';
import { withoutPermit } from './permits.ts';
import { alreadyCompleted, notFound, standaloneCompleted } from './rejections.ts';
import type { ActivityRow } from './rows.ts';
import type { RunDraft } from './run-draft.ts';
import { beginsAt } from './standalone-start.ts';
import { type ActorState, isOpen } from './state.ts';
import { resolve } from './target.ts';
import { isOffered } from './timeouts.ts';
import { Turn } from './turn.ts';

export interface ChosenActivities {
  turn: Turn;
  run: RunDraft;
  /** At least one. */
  chosen: ActivityRow[];
}

/** The turn over the run that is meant, and its activities that are. */
export function chooseActivities(
  state: ActorState,
  { target, activities }: { target: RunTarget; activities: ActivityChoice },
  context: TurnContext,
): ChosenActivities | Rejection {
  const resolved = resolve(state, target);
  if ('rejection' in resolved) return resolved.rejection;
  if (!isOpen(resolved.run)) {
    return isActivityAddress(state.workflowId) ? standaloneCompleted() : alreadyCompleted();
  }
  const turn = new Turn(state, context);
  const run = turn.open(resolved.run);
  const chosen = [...run.activities()].filter((row) => isChosen(row, activities));
  if (chosen.length === 0) return notFound(`workflow ${state.workflowId} has no pending activity ${text(activities)}`);
  return { turn, run, chosen };
}

function isChosen({ facts }: ActivityRow, choice: ActivityChoice): boolean {
  if ('all' in choice) return true;
  return 'id' in choice ? facts.activityId === choice.id : facts.activityType === choice.type;
}

function text(choice: ActivityChoice): string {
  if ('all' in choice) return 'at all';
  return 'id' in choice ? `with id ${choice.id}` : `of type ${choice.type}`;
}

/** ms this activity waits before it goes on: evenly spread below the jitter, the same whenever it is computed from the same seed. */
export function jitterOf({ jitter, jitterSeed }: Jitter, { facts }: ActivityRow): number {
  if (jitter <= 0) return 0;
  // Two rounds of a 32-bit mixer (the finalizer of MurmurHash3): neighbouring event ids must not get neighbouring delays.
  let hash = (jitterSeed ^ Math.imul(facts.scheduledEventId, 0x9e3779b1)) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35) >>> 0;
  return Math.floor((((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32) * jitter);
}

/** The activity as it is now, in the place of what it was: its task goes from one queue to another, or begins or stops to wait. */
export function replaceActivity(run: RunDraft, before: ActivityRow, after: ActivityRow): void {
  if (before.startId === undefined) releaseTask(run, before);
  const next = before.startId === undefined ? withoutPermit(after) : after;
  run.putActivity(next);
  if (isOffered(next)) offerActivity(run, next);
}

/** One that no worker runs, put on its queue after so many ms, and not before its start's delay is over. What it failed of last is history then, as in Temporal. */
export function rescheduled(run: RunDraft, activity: ActivityRow, delayMs: number): ActivityRow {
  const { lastFailure: _f, retryInterval: _i, ...rest } = activity;
  const scheduledTime = Math.max(run.now + delayMs, beginsAt(run));
  const row: ActivityRow = { ...rest, scheduledTime, inBackoff: scheduledTime > run.now };
  if (delayMs > 0) row.retryInterval = delayMs;
  return row;
}

/** Without what its heartbeats told. */
export function withoutHeartbeats(activity: ActivityRow): ActivityRow {
  const { heartbeatDetails: _d, lastHeartbeatTime: _t, ...rest } = activity;
  return rest;
}
