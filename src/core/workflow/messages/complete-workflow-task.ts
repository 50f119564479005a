// A worker completed a workflow task: its commands become events, what waited is flushed, the next task is scheduled.
// A command that cannot be applied fails the whole task: the draft is thrown away and the failure recorded instead.

import { WorkflowTaskFailedCause } from '../../../wire/enums.ts';
import { StatusCode } from '../../../wire/status.ts';
import { SERVER_IDENTITY, terminateRun } from '../closing.ts';
import { applyCommand, isClosing, sequenceProblem } from '../commands/apply.ts';
import { bad, type CommandContext, type CommandProblem, describeProblem } from '../commands/problem.ts';
import { inboxOf, takeMessages } from '../commands/protocol-message.ts';
import type { CompleteWorkflowTaskMessage } from '../message.ts';
import type { Decision, TurnContext } from '../outcome.ts';
import { answerRiding, settleQueries } from '../queries.ts';
import { invalidArgument, status, workflowTaskNotFound } from '../rejections.ts';
import type { WorkflowTaskRow } from '../rows.ts';
import type { RunDraft } from '../run-draft.ts';
import type { ActorState, RunState } from '../state.ts';
import { Turn } from '../turn.ts';
import { hasUnsentUpdates } from '../update-delivery.ts';
import { areAllRejections, messagesProblem } from '../update-messages.ts';
import { answerAccepted, refuseSent, rejectUnprocessed } from '../updates.ts';
import {
  dropTask,
  failTask,
  scheduleForUpdates,
  scheduleTask,
  startedTaskOf,
  taskBackoff,
  writeCompleted,
} from '../workflow-task.ts';

export function completeWorkflowTask(
  state: ActorState,
  message: CompleteWorkflowTaskMessage,
  context: TurnContext,
): Decision {
  const { run } = state;
  if (run === undefined || run.runId !== message.task.runId) return workflowTaskNotFound();
  const turn = new Turn(state, context);
  const draft = turn.open(run);
  const task = startedTaskOf(draft, message.task);
  if (task === undefined) return workflowTaskNotFound();
  const refused = sequenceProblem(message.commands) ?? messagesProblem(message.messages);
  if (refused !== undefined) return task.speculative === true ? forget(draft, refused) : invalidArgument(refused);
  if (isDroppable(draft, task, message)) return drop(draft, message);
  const problem = applyAll(draft, task, message);
  if (problem !== undefined) return refuse(state, run, task, message, context, problem);
  return turn.outcome({ type: 'accepted' });
}

/** Applies the whole answer to the draft; a problem means that the draft is worthless. */
function applyAll(
  run: RunDraft,
  task: WorkflowTaskRow,
  message: CompleteWorkflowTaskMessage,
): CommandProblem | undefined {
  const { commands, identity } = message;
  const last = commands[commands.length - 1];
  // The workflow has not seen what waits: it may not close over it (rule 4).
  if (last !== undefined && isClosing(last.commandType) && (run.bufferedCount > 0 || hasUnsentUpdates(run))) {
    return { cause: WorkflowTaskFailedCause.UNHANDLED_COMMAND, message: '' };
  }
  const workflowTaskCompletedEventId = writeCompleted(run, task, {
    identity,
    binaryChecksum: message.binaryChecksum,
    workerVersion: message.workerVersion ?? task.workerVersion,
    sdkMetadata: message.sdkMetadata,
    meteringMetadata: message.meteringMetadata,
    ...versionAnswered(message),
  });
  if (message.deploymentVersion !== undefined) run.visible = true;
  run.row.sticky = stickyAfter(task, message);
  answerRiding(run, message.queryResults);
  run.holding = true;
  const inbox = message.messages === undefined ? undefined : inboxOf(message.messages);
  const session = message.eagerFor ?? task.session;
  const { saysAll } = message;
  const context: CommandContext = { run, workflowTaskCompletedEventId, identity, inbox, session, saysAll };
  for (const [i, command] of commands.entries()) {
    const attributes = message.attributeProblems?.find(({ command: of }) => of === i);
    if (attributes !== undefined)
      return bad(attributes.cause ?? WorkflowTaskFailedCause.BAD_SEARCH_ATTRIBUTES, attributes.problem);
    const problem =
      (isClosing(command.commandType) ? takeMessages(context) : undefined) ?? applyCommand(context, command);
    if (problem !== undefined) return problem;
  }
  const problem = takeMessages(context);
  if (problem !== undefined) return problem;
  run.holding = false;
  if (!run.isOpen) return undefined;
  answerAccepted(run);
  // One that merely says it is at work may answer later.
  if (!message.forceCreateNewWorkflowTask) rejectUnprocessed(run);
  run.eagerFor = message.eagerFor;
  const unseen = run.flushBuffered();
  if (unseen || message.forceCreateNewWorkflowTask) scheduleTask(run);
  scheduleForUpdates(run);
  settleQueries(run);
  return undefined;
}

/** What the event says of its worker's version, for newer clients and for older ones. */
function versionAnswered({ deploymentVersion, versioningBehavior }: CompleteWorkflowTaskMessage) {
  if (deploymentVersion === undefined) return undefined;
  const { deploymentName = '', buildId = '' } = deploymentVersion;
  return {
    versioningBehavior,
    deploymentVersion,
    workerDeploymentName: deploymentName,
    workerDeploymentVersion: `${deploymentName}.${buildId}`,
  };
}

function stickyAfter(
  task: WorkflowTaskRow,
  { sticky, stickyQueue }: CompleteWorkflowTaskMessage,
): RunDraft['row']['sticky'] {
  const queue = stickyQueue?.queue ?? task.takerStickyQueue;
  if (!sticky || queue === undefined) return undefined;
  const timeout = stickyQueue?.scheduleToStartTimeout || task.takerStickyTimeout;
  return { queue, scheduleToStartTimeout: timeout ?? DEFAULT_STICKY_TIMEOUT };
}

/** A worker that is sent back sees at most this many events again, as on the reference server. */
const MAX_EVENTS_SEEN_AGAIN = 10;

/** Whether the answer to a speculative task leaves the workflow as it was. */
function isDroppable(run: RunDraft, task: WorkflowTaskRow, message: CompleteWorkflowTaskMessage): boolean {
  if (task.speculative !== true || message.commands.length > 0 || message.forceCreateNewWorkflowTask) return false;
  const seen = task.scheduledEventId - 1 - run.facts.previousStartedEventId;
  return seen <= MAX_EVENTS_SEEN_AGAIN && areAllRejections(message.messages ?? []);
}

function drop(run: RunDraft, message: CompleteWorkflowTaskMessage): Decision {
  const { task } = run.row;
  const resetHistoryEventId = dropTask(run);
  const sticky = task && stickyAfter(task, message);
  // The same value again would be a row again.
  if (sticky?.queue !== run.row.sticky?.queue) run.row.sticky = sticky;
  answerRiding(run, message.queryResults);
  const problem = takeMessages({
    run,
    workflowTaskCompletedEventId: 0,
    identity: message.identity,
    inbox: inboxOf(message.messages),
  });
  if (problem !== undefined) return invalidArgument(describeProblem(problem));
  rejectUnprocessed(run);
  scheduleForUpdates(run);
  settleQueries(run);
  return run.turn.outcome({ type: 'accepted', resetHistoryEventId });
}

/**
 * What is wrong with the answer as a whole leaves a task started. One that is only in memory is forgotten, and its updates are sent again by their
 * callers, as on the reference server: else they would wait for its time-out.
 */
function forget(run: RunDraft, why: string): Decision {
  dropTask(run);
  refuseSent(run);
  scheduleForUpdates(run);
  settleQueries(run);
  return run.turn.outcome({ type: 'accepted' }, status(StatusCode.INVALID_ARGUMENT, why));
}

/** ms a task waits for its sticky worker when the worker did not say. */
const DEFAULT_STICKY_TIMEOUT = 5_000;

function refuse(
  state: ActorState,
  run: RunState,
  task: WorkflowTaskRow,
  message: CompleteWorkflowTaskMessage,
  context: TurnContext,
  problem: CommandProblem,
): Decision {
  const turn = new Turn(state, context);
  const draft = turn.open(run);
  const text = describeProblem(problem);
  const failure = { message: text, serverFailureInfo: {} };
  failTask(draft, task, problem.cause, failure, message.identity);
  if (problem.terminates === true) terminateRun(draft, text, undefined, SERVER_IDENTITY);
  // An answer that came too early is given again at once; one that is wrong will be wrong again, so it waits like a failed task.
  else if (problem.cause === WorkflowTaskFailedCause.UNHANDLED_COMMAND) scheduleTask(draft);
  else scheduleTask(draft, taskBackoff(draft.row.nextAttempt));
  return turn.outcome({ type: 'accepted' }, status(StatusCode.INVALID_ARGUMENT, text));
}
