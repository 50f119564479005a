// A worker says that it cannot do a workflow task. Only a first attempt leaves an event; later ones are tried again with back-off.

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
  const tooBig = message.failure !== undefined && sizeOf(message.failure) > context.limits.blobBytes;
  const failure = tooBig ? { message: 'Failure exceeds size limit.', serverFailureInfo: {} } : message.failure;
  failTask(draft, task, message.cause, failure, message.identity);
  scheduleTask(draft, taskBackoff(draft.row.nextAttempt));
  return turn.outcome({ type: 'accepted' });
}
