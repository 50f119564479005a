// A worker says that it cannot do a workflow task. Only a first attempt leaves an event; later ones are tried again with back-off.
// A worker whose answer is too large to send says so, and its workflow is terminated.

import { WorkflowTaskFailedCause } from '../../../wire/enums.ts';
import { SERVER_IDENTITY, terminateRun } from '../closing.ts';
import type { FailWorkflowTaskMessage } from '../message.ts';
import type { Decision, TurnContext } from '../outcome.ts';
import { workflowTaskNotFound } from '../rejections.ts';
import { sizeOf } from '../size.ts';
import type { ActorState } from '../state.ts';
import { Turn } from '../turn.ts';
import { failTask, scheduleTask, startedTaskOf, taskBackoff } from '../workflow-task.ts';

export function failWorkflowTask(state: ActorState, message: FailWorkflowTaskMessage, context: TurnContext): Decision {
  const { run } = state;
  if (run === undefined || run.runId !== message.task.runId) return workflowTaskNotFound();
  const turn = new Turn(state, context);
  const draft = turn.open(run);
  const task = startedTaskOf(draft, message.task);
  if (task === undefined) return workflowTaskNotFound();
  // What it would answer never comes through, however often it is tried.
  if (message.cause === WorkflowTaskFailedCause.GRPC_MESSAGE_TOO_LARGE) {
    terminateRun(draft, 'GrpcMessageTooLarge', undefined, SERVER_IDENTITY);
    return turn.outcome({ type: 'accepted' });
  }
  const tooBig = message.failure !== undefined && sizeOf(message.failure) > context.limits.blobBytes;
  const failure = tooBig ? { message: 'Failure exceeds size limit.', serverFailureInfo: {} } : message.failure;
  failTask(draft, task, message.cause, failure, message.identity);
  scheduleTask(draft, taskBackoff(draft.row.nextAttempt));
  return turn.outcome({ type: 'accepted' });
}
