// Updates of a run: admitted in memory, sent with a workflow task, accepted and completed as events, rejected without a trace (rule 13). Who waits
// for one is answered as it comes that far. Called by the messages of clients, by the start and the end of workflow tasks, and when a run closes.

import type { Link, UpdateOutcome, UpdateRequest } from '../../wire/common.ts';
import { EventType, UpdateWorkflowExecutionLifecycleStage as Stage } from '../../wire/enums.ts';
import type { Status } from '../../wire/status.ts';
import type { UpdateWorkflowExecutionResponse } from '../../wire/update.ts';
import { callBackOfUpdate, callbacksOfUpdate, pendingCallbacks } from './callbacks.ts';
import type { UpdateAsk } from './message.ts';
import type { Effect, Rejection } from './outcome.ts';
import { isPaused } from './paused.ts';
import { cutStartDelay } from './permits.ts';
import {
  alreadyCompleted,
  busyClosing,
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
import { CUT_OFF, UNPROCESSED } from './update-outcomes.ts';
import type { PendingUpdate, UpdateAttachment, UpdateGoal } from './volatile.ts';
import { isClosingAgain, scheduleForUpdates } from './workflow-task.ts';

/** From this attempt on a failing workflow task fails updates at once, as it does queries. */
const FAIL_FAST_ATTEMPT = 3;

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
    const refusal = row.completedEventId === undefined && run.isOpen ? attachToAccepted(run, ask) : undefined;
    if (refusal !== undefined) return refusal;
    if (answer === undefined) return joinUpdate(turn, turn.updates.get(updateId) ?? { runId, row }, ask);
    answerCall(turn, callId, answer);
    return undefined;
  }
  if (!run.isOpen) return alreadyCompleted();
  if (isPaused(run)) return failedPrecondition('Workflow is paused. Cannot update the workflow.');
  const pending = turn.updates.get(updateId);
  if (pending !== undefined)
    return attachToPending(run, pending, ask) ?? joinUpdate(turn, turn.updates.get(updateId) ?? pending, ask);
  if (isClosingAgain(run.row)) return busyClosing();
  const tooMany = tooManyCallbacks(run, ask);
  if (tooMany !== undefined) return tooMany;
  const request = requestOf(ask);
  const update: PendingUpdate = { updateId, runId, stage: 'admitted', request, bytes: sizeOf(request), calls: [] };
  const refusal = refusedUpdate(run, update) ?? joinUpdate(turn, update, ask);
  if (refusal !== undefined) return refusal;
  cutStartDelay(run);
  scheduleForUpdates(run);
  return undefined;
}

function requestOf({ updateId, updateName, args, header, identity, ...more }: UpdateAsk): UpdateRequest {
  const request: UpdateRequest = { meta: { updateId, identity }, input: { header, name: updateName, args } };
  const { requestId, completionCallbacks, links } = more;
  if (requestId) request.requestId = requestId;
  if (completionCallbacks?.length) request.completionCallbacks = [...completionCallbacks];
  if (links?.length) request.links = [...links];
  return request;
}

function tooManyCallbacks(run: RunDraft, { completionCallbacks = [] }: UpdateAsk): Rejection | undefined {
  if (completionCallbacks.length === 0) return undefined;
  const { turn, runId } = run;
  let attached = pendingCallbacks(turn, runId).length;
  for (const { stage, request, attached: later = [] } of turn.updatesOf(runId)) {
    if (stage === 'accepted') continue;
    attached += request.completionCallbacks?.length ?? 0;
    for (const { attachedCompletionCallbacks = [] } of later) attached += attachedCompletionCallbacks.length;
  }
  const limit = turn.limits.callbacksPerRun;
  if (attached + completionCallbacks.length <= limit) return undefined;
  return failedPrecondition(
    `cannot attach more than ${limit} callbacks to a workflow (${attached} callbacks already attached to workflow ${turn.state.workflowId})`,
  );
}

const attachment = ({ updateId, requestId, completionCallbacks = [] }: UpdateAsk): UpdateAttachment => ({
  updateId,
  attachedRequestId: requestId,
  attachedCompletionCallbacks: [...completionCallbacks],
});

/** Another request for an update that is in the history: its callbacks wait beside the first one's, once for each request. */
function attachToAccepted(run: RunDraft, ask: UpdateAsk): Rejection | undefined {
  const { updateId, requestId, completionCallbacks = [], links } = ask;
  if (completionCallbacks.length === 0) return undefined;
  const waiting = callbacksOfUpdate(run.turn, run.runId, updateId);
  if (waiting.some(({ update }) => update?.requestId === requestId)) return undefined;
  const refusal = tooManyCallbacks(run, ask);
  if (refusal === undefined) recordAttached(run, [attachment(ask)], links);
  return refusal;
}

/** The same for one that no worker has accepted yet: an event says so when one has. */
function attachToPending(run: RunDraft, pending: PendingUpdate, ask: UpdateAsk): Rejection | undefined {
  const { requestId, completionCallbacks = [] } = ask;
  const { request, attached = [] } = pending;
  const isKnown = requestId === request.requestId || attached.some((one) => one.attachedRequestId === requestId);
  if (completionCallbacks.length === 0 || isKnown) return undefined;
  const refusal = tooManyCallbacks(run, ask);
  if (refusal === undefined)
    run.turn.updates.set(pending.updateId, { ...pending, attached: [...attached, attachment(ask)] });
  return refusal;
}

function recordAttached(
  run: RunDraft,
  workflowUpdateOptions: readonly UpdateAttachment[],
  links?: readonly Link[],
): void {
  const attributes = { workflowUpdateOptions: [...workflowUpdateOptions] };
  run.record(EventType.WORKFLOW_EXECUTION_OPTIONS_UPDATED, attributes, run.now, links);
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

/** Those who wait for it are answered at the end of the worker's answer: it may have more to say. */
export function updateAccepted(run: RunDraft, updateId: string): void {
  const { turn } = run;
  const update = turn.updates.get(updateId);
  if (update === undefined) return;
  const { attached, kept: _inRows, ...rest } = update;
  if (attached !== undefined) recordAttached(run, attached);
  turn.updates.set(updateId, { ...rest, stage: 'accepted' });
}

/**
 * The worker's answer is read to its end, and the run goes on: who waited for an acceptance in it is answered, the others go on waiting. Where the same
 * answer has completed the update, or closed the workflow over it, they have heard that.
 */
export function answerAccepted({ turn, runId }: RunDraft): void {
  for (const update of turn.updatesOf(runId)) {
    const { updateId, stage, calls } = update;
    if (stage !== 'accepted') continue;
    const waiting = calls.filter(({ until }) => until === 'completed');
    if (waiting.length === calls.length && calls.length > 0) continue;
    const response = { runId, updateId, stage: Stage.ACCEPTED };
    for (const { callId, until } of calls) if (until === 'accepted') answerCall(turn, callId, { response });
    turn.updates.set(updateId, waiting.length === 0 ? undefined : { ...update, calls: waiting });
  }
}

/** Completed by the event just written, or rejected. */
export function updateCompleted(run: RunDraft, updateId: string, outcome: UpdateOutcome): void {
  const { turn, runId } = run;
  // One that was rejected has left no trace: its caller hears of it at once.
  if (run.updateByName(updateId)?.completedEventId !== undefined) callBackOfUpdate(run, updateId);
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
    // A kept one comes to a worker again, whoever waits for it.
    answerAll(turn, update, { rejection: unavailable(why, update.kept === true ? 'maybe' : 'no') });
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
