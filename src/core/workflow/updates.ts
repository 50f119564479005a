// Updates of a run: admitted in memory, sent with a workflow task, accepted and completed as events, rejected without a trace (rule 13). Who waits
// for one is answered as it comes that far. Called by the messages of clients, by the start and the end of workflow tasks, and when a run closes.

import type { UpdateWorkflowExecutionResponse } from '../../wire/api.ts';
import type { UpdateOutcome, UpdateRequest } from '../../wire/common.ts';
import { UpdateWorkflowExecutionLifecycleStage as Stage } from '../../wire/enums.ts';
import type { Failure } from '../../wire/failure.ts';
import type { Status } from '../../wire/status.ts';
import type { UpdateAsk } from './message.ts';
import type { Effect, Rejection } from './outcome.ts';
import { isPaused } from './paused.ts';
import { cutStartDelay } from './permits.ts';
import {
  alreadyCompleted,
  exhausted,
  failedPrecondition,
  invalidArgument,
  notReady,
  unavailable,
  updateCutOff,
} from './rejections.ts';
import type { UpdateRow } from './rows.ts';
import type { RunDraft } from './run-draft.ts';
import { sizeOf } from './size.ts';
import type { Turn } from './turn.ts';
import type { PendingUpdate, UpdateGoal } from './volatile.ts';
import { scheduleForUpdates } from './workflow-task.ts';

/** From this attempt on a failing workflow task fails updates at once, as it does queries. */
const FAIL_FAST_ATTEMPT = 3;

const serverFailure = (type: string, message: string): Failure => ({
  message,
  source: 'Server',
  applicationFailureInfo: { type, nonRetryable: true },
});

/** The outcome of an update whose workflow ended before it did. */
export const CUT_OFF: UpdateOutcome = {
  failure: serverFailure(
    'AcceptedUpdateCompletedWorkflow',
    'Workflow Update failed because the Workflow completed before the Update completed.',
  ),
};

const UNPROCESSED: UpdateOutcome = {
  failure: serverFailure(
    'UnprocessedUpdate',
    "Workflow Update is rejected because it wasn't processed by worker. Probably, Workflow Update is not supported by the worker.",
  ),
};

// ---------------------------------------------------------------- answers

type Answer = Extract<Effect, { type: 'answerUpdate' }>['answer'];

export function answerCall(turn: Turn, callId: string, answer: Answer): void {
  turn.effects.push({ type: 'answerUpdate', callId, answer });
}

const completed = (runId: string, updateId: string, outcome: UpdateOutcome): UpdateWorkflowExecutionResponse => ({
  runId,
  updateId,
  stage: Stage.COMPLETED,
  outcome,
});

function answerAll(turn: Turn, { calls }: PendingUpdate, answer: Answer): void {
  for (const { callId } of calls) answerCall(turn, callId, answer);
}

/** Answers those who waited for the acceptance; the others go on waiting. */
function answerAccepted(turn: Turn, update: PendingUpdate): void {
  const { runId, updateId } = update;
  const response = { runId, updateId, stage: Stage.ACCEPTED };
  const waiting = update.calls.filter(({ until }) => until === 'completed');
  for (const { callId, until } of update.calls) if (until === 'accepted') answerCall(turn, callId, { response });
  const { kept: _inRows, ...rest } = update;
  turn.updates.set(updateId, waiting.length === 0 ? undefined : { ...rest, stage: 'accepted', calls: waiting });
}

/** What is known of an accepted update now; undefined: not as much as is asked for. */
export function knownAnswer(run: RunDraft, row: UpdateRow, until: UpdateGoal | 'now'): Answer | undefined {
  const { runId } = run;
  const { updateId, completedEventId } = row;
  if (completedEventId !== undefined) return { outcomeAt: completedEventId, runId, updateId };
  if (!run.isOpen) return { response: completed(runId, updateId, CUT_OFF) };
  return until === 'completed' ? undefined : { response: { runId, updateId, stage: Stage.ACCEPTED } };
}

// ---------------------------------------------------------------- admission

const NO_REQUEST: UpdateRequest = {};

/** A caller waits for an update that is known already. */
export function joinUpdate(
  turn: Turn,
  known: PendingUpdate | { runId: string; row: UpdateRow },
  call: { callId: string; until: UpdateGoal },
): Rejection | undefined {
  let calls = 0;
  for (const update of turn.updates.values()) calls += update.calls.length;
  if (calls >= turn.limits.updateCalls) {
    return exhausted(
      'UpdateCalls',
      `${calls} callers wait for updates of workflow ${turn.state.workflowId}, as many as may: retry later`,
    );
  }
  const { callId, until } = call;
  const waits: PendingUpdate =
    'row' in known
      ? {
          updateId: known.row.updateId,
          runId: known.runId,
          stage: 'accepted',
          request: NO_REQUEST,
          bytes: 0,
          calls: [],
        }
      : known;
  turn.updates.set(waits.updateId, { ...waits, calls: [...waits.calls, { callId, until }] });
  return undefined;
}

/** Takes an update to its run, or the caller to an update that it has already. Returns a refusal: then nothing has changed. */
export function admitUpdate(run: RunDraft, ask: UpdateAsk): Rejection | undefined {
  const { turn, runId } = run;
  const { updateId, callId, until } = ask;
  const row = run.updateByName(updateId);
  if (row !== undefined) {
    const answer = knownAnswer(run, row, until);
    if (answer === undefined) return joinUpdate(turn, turn.updates.get(updateId) ?? { runId, row }, ask);
    answerCall(turn, callId, answer);
    return undefined;
  }
  if (!run.isOpen) return alreadyCompleted();
  if (isPaused(run)) return failedPrecondition('Workflow is paused. Cannot update the workflow.');
  const pending = turn.updates.get(updateId);
  if (pending !== undefined) return joinUpdate(turn, pending, ask);
  const { updateName, args, header, identity } = ask;
  const request: UpdateRequest = { meta: { updateId, identity }, input: { header, name: updateName, args } };
  const update: PendingUpdate = { updateId, runId, stage: 'admitted', request, bytes: sizeOf(request), calls: [] };
  const refusal = refusedUpdate(run, update) ?? joinUpdate(turn, update, ask);
  if (refusal !== undefined) return refusal;
  cutStartDelay(run);
  scheduleForUpdates(run);
  return undefined;
}

function refusedUpdate(run: RunDraft, update: PendingUpdate): Rejection | undefined {
  const { turn, runId } = run;
  const { limits } = turn;
  const { workflowId } = turn.state;
  if (update.bytes > limits.updateRequestBytes) return invalidArgument('Blob data size exceeds limit.');
  const attempt = run.row.task?.attempt ?? run.row.nextAttempt;
  if (attempt >= FAIL_FAST_ATTEMPT) {
    return notReady(
      `workflow ${workflowId} cannot take an update: its workflow task has failed ${attempt - 1} times in a row; see the failure in its history`,
    );
  }
  let unaccepted = 0;
  let bytes = update.bytes;
  for (const other of turn.updatesOf(runId)) {
    if (other.stage === 'accepted') continue;
    unaccepted += 1;
    bytes += other.bytes;
  }
  if (unaccepted + incompleteUpdates(run) >= limits.updatesInFlight) {
    return exhausted(
      'UpdatesInFlight',
      `workflow ${workflowId} has ${limits.updatesInFlight} updates in flight, as many as may be: retry when one has completed`,
    );
  }
  if (bytes > limits.updatesInFlightBytes) {
    return exhausted(
      'UpdatesInFlight',
      `the updates that workflow ${workflowId} has not accepted yet would take ${bytes} bytes, ${limits.updatesInFlightBytes} is the limit: retry later`,
    );
  }
  if (unaccepted + (run.row.counts.update ?? 0) >= limits.updatesPerRun) {
    return failedPrecondition(
      `run ${runId} of workflow ${workflowId} has taken ${limits.updatesPerRun} updates, as many as a run may: give repeats of an update the same id, and continue as new`,
    );
  }
  return undefined;
}

function incompleteUpdates(run: RunDraft): number {
  if ((run.row.counts.update ?? 0) === 0) return 0;
  let incomplete = 0;
  for (const { completedEventId } of run.updates.values()) if (completedEventId === undefined) incomplete += 1;
  return incomplete;
}

/** The caller has gone. An update that no worker has seen goes with its last one: it holds memory, and nobody was promised anything. */
export function leaveUpdate(turn: Turn, callId: string): void {
  for (const update of turn.updates.values()) {
    const calls = update.calls.filter((call) => call.callId !== callId);
    if (calls.length === update.calls.length) continue;
    const keep = calls.length > 0 || update.stage === 'sent' || update.kept === true;
    turn.updates.set(update.updateId, keep ? { ...update, calls } : undefined);
    return;
  }
}

// ---------------------------------------------------------------- what the worker says

/** @param completes whether the worker's same answer has what it came to: then who waits for less hears that, too */
export function updateAccepted(run: RunDraft, updateId: string, completes: boolean): void {
  const { turn } = run;
  const update = turn.updates.get(updateId);
  if (update === undefined) return;
  if (!completes) answerAccepted(turn, update);
  else turn.updates.set(updateId, { ...update, stage: 'accepted' });
}

export function updateCompleted(run: RunDraft, updateId: string, outcome: UpdateOutcome): void {
  const { turn, runId } = run;
  run.dropAdmitted(updateId);
  const update = turn.updates.get(updateId);
  if (update === undefined) return;
  turn.updates.set(updateId, undefined);
  answerAll(turn, update, { response: completed(runId, updateId, outcome) });
}

/** The worker has answered its task and said nothing of these: it does not know updates. */
export function rejectUnprocessed(run: RunDraft): void {
  for (const { updateId, stage } of run.turn.updatesOf(run.runId)) {
    if (stage === 'sent') updateCompleted(run, updateId, UNPROCESSED);
  }
}

/** The task that carried these is forgotten: who waits for them sends them again. */
export function refuseSent(run: RunDraft): void {
  const { turn, runId } = run;
  for (const update of turn.updatesOf(runId)) {
    if (update.stage !== 'sent') continue;
    const why = `the worker's answer to update ${update.updateId} of workflow ${turn.state.workflowId} could not be read: send the update again`;
    answerAll(turn, update, { rejection: unavailable(why) });
    turn.updates.set(update.updateId, update.kept === true ? { ...update, stage: 'admitted', calls: [] } : undefined);
  }
}

/** The run has closed. `nextRunId`: another goes on, to which an update that was not accepted can be sent again. */
export function closeUpdates(run: RunDraft, nextRunId: string | undefined): void {
  const { turn, runId } = run;
  const refusal: Status = nextRunId
    ? unavailable(
        `run ${runId} of workflow ${turn.state.workflowId} has closed and another goes on: send the update again`,
      )
    : updateCutOff().status;
  for (const update of turn.updatesOf(runId)) {
    const { updateId, stage } = update;
    turn.updates.set(updateId, undefined);
    if (stage === 'accepted') answerAll(turn, update, { response: completed(runId, updateId, CUT_OFF) });
    else answerAll(turn, update, { rejection: refusal });
  }
}
