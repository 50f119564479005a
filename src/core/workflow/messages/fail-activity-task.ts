// An activity's failure: retried by its policy, or closed.

import type { Failure } from '../../../wire/failure.ts';
import { activityOf, failActivity } from '../activity-task.ts';
import type { FailActivityTaskMessage } from '../message.ts';
import type { Decision, TurnContext } from '../outcome.ts';
import { invalidArgument } from '../rejections.ts';
import { sizeOf } from '../size.ts';
import { countHeartbeat } from '../standalone-start.ts';
import type { ActorState } from '../state.ts';
import { activityTurn, missingActivity } from './activity-turn.ts';
import { overLimit } from './complete-activity-task.ts';

export function failActivityTask(state: ActorState, message: FailActivityTaskMessage, context: TurnContext): Decision {
  const { failure } = message;
  // An empty failure is allowed, another kind of failure is not an attempt's own to report. Who fails it by its ids may have any.
  const isOwn = 'task' in message.activity;
  if (isOwn && failure.applicationFailureInfo === undefined && Object.keys(failure).length > 0) {
    return invalidArgument('Request must have ApplicationFailureInfo.');
  }
  const found = activityTurn(state, message.activity, context);
  if (found === undefined) return missingActivity(state, message.activity);
  const { turn, run } = found;
  const pending = activityOf(run, message.activity);
  if (pending?.startId === undefined) return missingActivity(state, message.activity);
  const { blobBytes } = context.limits;
  const details = message.lastHeartbeatDetails;
  let activity = pending;
  if (details !== undefined) {
    if (sizeOf(details) > blobBytes) {
      failActivity(run, activity, overLimit('Heartbeat details exceed size limit.'), message.identity);
      return turn.outcome({ type: 'accepted' });
    }
    countHeartbeat(run);
    activity = { ...pending, heartbeatDetails: details, lastHeartbeatTime: context.now };
  }
  failActivity(run, activity, withinLimit(failure, blobBytes) ?? failure, message.identity);
  return turn.outcome({ type: 'accepted' });
}

/** What is kept instead of a failure over the limit; undefined for one that is kept as it is. */
export const withinLimit = (failure: Failure, blobBytes: number): Failure | undefined =>
  sizeOf(failure) > blobBytes ? truncated(failure, blobBytes) : undefined;

/** Of a long message in protobuf, beside what the estimate counts for a short one. */
const LENGTH_BYTES = 2;

/** Says that the failure was too big; with as much of its message that all of it takes a quarter of the limit. */
function truncated(failure: Failure, blobBytes: number): Failure {
  const cause: Failure = {
    message: '',
    source: failure.source,
    applicationFailureInfo: { type: failure.applicationFailureInfo?.type },
  };
  cause.message = (failure.message ?? '').slice(0, Math.max(0, blobBytes / 4 - sizeOf(cause) - LENGTH_BYTES));
  return { ...overLimit('Failure exceeds size limit.'), cause };
}
