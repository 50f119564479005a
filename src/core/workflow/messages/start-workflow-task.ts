// Matching found a worker for the waiting workflow task: it starts, and what happens from now on is buffered.

import type { StartWorkflowTaskMessage } from '../message.ts';
import type { Decision, TurnContext } from '../outcome.ts';
import { isPaused } from '../paused.ts';
import { workflowTaskNotFound } from '../rejections.ts';
import type { WorkflowTaskRow } from '../rows.ts';
import { startedWorkflowTask } from '../started.ts';
import { type ActorState, isOpen, taskOf } from '../state.ts';
import { Turn } from '../turn.ts';
import { sendUpdates } from '../update-delivery.ts';
import { suggestions, withdrawTask, writeStarted } from '../workflow-task.ts';

export function startWorkflowTask(
  state: ActorState,
  message: StartWorkflowTaskMessage,
  context: TurnContext,
): Decision {
  const { run } = state;
  if (run === undefined || run.runId !== message.runId || !isOpen(run) || isPaused(run)) return workflowTaskNotFound();
  const waiting = taskOf(run);
  if (waiting === undefined || waiting.startId !== undefined || waiting.notBefore !== undefined) {
    return workflowTaskNotFound();
  }
  if (waiting.scheduledEventId !== message.scheduledEventId || waiting.attempt !== message.attempt) {
    return workflowTaskNotFound();
  }
  // It was offered to this worker's version, and has been moved to another since.
  if (message.taker.version !== waiting.version) return workflowTaskNotFound();
  const turn = new Turn(state, context);
  const draft = turn.open(run);
  withdrawTask(draft, waiting);
  const { taker } = message;
  // Written out: a spread of this many optional fields costs more than the rest of the turn.
  let task: WorkflowTaskRow = {
    scheduledEventId: waiting.scheduledEventId,
    startedEventId: waiting.startedEventId,
    attempt: waiting.attempt,
    scheduledTime: waiting.scheduledTime,
    originalScheduledTime: waiting.originalScheduledTime,
    timeout: waiting.timeout,
    stickyQueue: waiting.stickyQueue,
    stickyUntil: waiting.stickyUntil,
    startId: taker.startId,
    startedTime: context.now,
    session: taker.session,
    identity: taker.identity,
    requestId: taker.requestId,
    workerVersion: taker.workerVersion,
    takerStickyQueue: taker.stickyQueue,
    takerStickyTimeout: taker.stickyScheduleToStartTimeout,
    speculative: waiting.speculative,
    warm: message.sticky || undefined,
    historySizeBytes: waiting.historySizeBytes,
    suggestContinueAsNewReasons: waiting.suggestContinueAsNewReasons,
    version: waiting.version,
  };
  if (waiting.startedEventId === 0) {
    const isEager = run.start.attributes.eagerExecutionAccepted === true && draft.facts.previousStartedEventId === 0;
    // Begun by the start itself, before there was a history: as the reference server says it.
    task.historySizeBytes = isEager ? 0 : draft.facts.historyBytes;
    task.suggestContinueAsNewReasons = suggestions(draft);
    task = writeStarted(draft, task);
  }
  draft.setTask(task);
  const riding = turn.queriesOf(run.runId).filter((query) => query.mode === 'waiting');
  for (const query of riding) turn.setQuery({ ...query, mode: 'riding' });
  const carried = { queries: riding, updates: sendUpdates(draft, message.sticky === true) };
  return turn.outcome(startedWorkflowTask(run.runId, run.start, draft.row, task, taker.startId, carried));
}
