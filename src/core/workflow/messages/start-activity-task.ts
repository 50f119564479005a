// Matching found a worker for a waiting activity: this attempt is started, durably, before the worker sees it.

import { withdrawActivity } from '../activity-task.ts';
import type { StartActivityTaskMessage } from '../message.ts';
import { isWaiting, type OperationTask, operationTask } from '../operation-rows.ts';
import { releaseOperationTask, startedOperationTask } from '../operations.ts';
import type { Decision, TurnContext } from '../outcome.ts';
import { isPaused } from '../paused.ts';
import { activityTaskNotFound } from '../rejections.ts';
import type { ActivityRow } from '../rows.ts';
import { startedActivityTask } from '../started.ts';
import { type ActorState, isOpen, type RunState } from '../state.ts';
import { isOffered } from '../timeouts.ts';
import { Turn } from '../turn.ts';

export function startActivityTask(
  state: ActorState,
  message: StartActivityTaskMessage,
  context: TurnContext,
): Decision {
  const { run } = state;
  if (run === undefined || run.runId !== message.runId || !isOpen(run) || isPaused(run)) return activityTaskNotFound();
  const operation = operationTask(run.operations.values(), message.scheduledEventId);
  if (operation !== undefined) return startOperationTask(state, run, operation, message, context);
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
  return turn.outcome(startedActivityTask(run.runId, run.start, run.row, started, taker.startId));
}

/** A Nexus task: the same, of an operation. */
function startOperationTask(
  state: ActorState,
  run: RunState,
  { row, kind, task }: NonNullable<ReturnType<typeof operationTask>>,
  { attempt, taker }: StartActivityTaskMessage,
  context: TurnContext,
): Decision {
  if (!isWaiting(task) || task.attempt !== attempt) return activityTaskNotFound();
  const turn = new Turn(state, context);
  const draft = turn.open(run);
  releaseOperationTask(draft, row, kind);
  const started: OperationTask = {
    ...task,
    startId: taker.startId,
    startedTime: context.now,
    lostAt: context.now + turn.limits.nexusRequestTimeout,
    session: taker.session,
  };
  const next = { ...row, [kind]: started };
  draft.putOperation(next);
  const reply = startedOperationTask(state, run.runId, run.start, next, kind, started);
  return reply === undefined ? activityTaskNotFound() : turn.outcome(reply);
}
