// Matching found a worker for a waiting activity: this attempt is started, durably, before the worker sees it.

import { withdrawActivity } from '../activity-task.ts';
import type { StartActivityTaskMessage } from '../message.ts';
import type { Decision, TurnContext } from '../outcome.ts';
import { isPaused } from '../paused.ts';
import { activityTaskNotFound } from '../rejections.ts';
import type { ActivityRow } from '../rows.ts';
import { startedActivityTask } from '../started.ts';
import { type ActorState, isOpen } from '../state.ts';
import { isOffered } from '../timeouts.ts';
import { Turn } from '../turn.ts';

export function startActivityTask(
  state: ActorState,
  message: StartActivityTaskMessage,
  context: TurnContext,
): Decision {
  const { run } = state;
  if (run === undefined || run.runId !== message.runId || !isOpen(run) || isPaused(run)) return activityTaskNotFound();
  const waiting = run.activities.get(message.scheduledEventId);
  if (waiting === undefined || !isOffered(waiting)) return activityTaskNotFound();
  if (waiting.attempt !== message.attempt) return activityTaskNotFound();
  if (message.taker.version !== waiting.version) return activityTaskNotFound();
  const turn = new Turn(state, context);
  const draft = turn.open(run);
  withdrawActivity(draft, waiting);
  const { taker } = message;
  const started: ActivityRow = {
    facts: waiting.facts,
    attempt: waiting.attempt,
    scheduledTime: waiting.scheduledTime,
    inBackoff: false,
    lastHeartbeatTime: waiting.lastHeartbeatTime,
    heartbeatDetails: waiting.heartbeatDetails,
    lastFailure: waiting.lastFailure,
    lastAttemptCompleteTime: waiting.lastAttemptCompleteTime,
    retryInterval: waiting.retryInterval,
    startId: taker.startId,
    startedTime: context.now,
    session: taker.session,
    identity: taker.identity,
    requestId: taker.requestId,
    workerVersion: taker.workerVersion,
  };
  if (waiting.apart === true) started.apart = true;
  if (waiting.countsFrom !== undefined) started.countsFrom = waiting.countsFrom;
  if (waiting.options !== undefined) started.options = waiting.options;
  if (waiting.permit !== undefined) started.permit = waiting.permit;
  draft.putActivity(started);
  return turn.outcome(startedActivityTask(run.runId, run.start, started, taker.startId));
}
