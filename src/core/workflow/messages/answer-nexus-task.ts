// A handler has answered a Nexus task: the start of an operation, or the request to cancel one. Late and repeated answers are refused (I6), and those of
// another namespace than the task was given to.

import { fromNexusLinks } from '../../../wire/nexus-links.ts';
import type { AnswerNexusTaskMessage } from '../message.ts';
import { operationTask } from '../operation-rows.ts';
import {
  cancelTaken,
  completeOperation,
  failOperation,
  handlerFailed,
  isFinal,
  noteDestination,
  startOperation,
} from '../operations.ts';
import type { Decision, TurnContext } from '../outcome.ts';
import { nexusTaskNotFound } from '../rejections.ts';
import { sizeOf } from '../size.ts';
import { type ActorState, findRun, isOpen } from '../state.ts';
import { Turn } from '../turn.ts';
import { wakeWorkflow } from '../workflow-task.ts';

export function answerNexusTask(state: ActorState, message: AnswerNexusTaskMessage, context: TurnContext): Decision {
  const { task: ref, answer } = message;
  const run = findRun(state, ref.runId);
  if (run === undefined || run !== state.run || !isOpen(run)) return nexusTaskNotFound();
  const found = operationTask(run.operations.values(), ref.scheduledEventId);
  if (found === undefined) return nexusTaskNotFound();
  const { row, kind, task } = found;
  const isIts = task.startId?.term === ref.startId.term && task.startId.seq === ref.startId.seq;
  if (!isIts || task.attempt !== ref.attempt || task.namespace !== message.namespace) return nexusTaskNotFound();
  const turn = new Turn(state, context);
  const draft = turn.open(run);
  if (answer.type !== 'failed' || isFinal(answer.failure)) noteDestination(draft, row, 'reached');
  if (answer.type === 'failed') handlerFailed(draft, row, kind, answer.failure);
  else if (kind === 'cancel') {
    if (answer.type === 'cancelTaken') cancelTaken(draft, row);
    else handlerFailed(draft, row, kind, mismatch('a request to cancel was answered like a start'));
  } else {
    switch (answer.type) {
      case 'completed':
        if (answer.result !== undefined && sizeOf(answer.result) > context.limits.blobBytes) {
          failOperation(draft, row, {
            message: 'Nexus operation result exceeds size limit.',
            serverFailureInfo: { nonRetryable: true },
          });
        } else completeOperation(draft, row, answer.result, fromNexusLinks(answer.links));
        break;
      case 'started':
        if (answer.operationToken === '')
          handlerFailed(draft, row, kind, mismatch('an operation was started without a token'));
        else {
          startOperation(draft, row, answer.operationToken, fromNexusLinks(answer.links));
          wakeWorkflow(draft);
        }
        break;
      case 'ended':
        failOperation(draft, row, answer.failure);
        break;
      case 'cancelTaken':
        handlerFailed(draft, row, kind, mismatch('a start was answered like a request to cancel'));
        break;
      default:
        answer satisfies never;
    }
  }
  return turn.outcome({ type: 'accepted' });
}

const mismatch = (message: string) => ({ message, nexusHandlerFailureInfo: { type: 'BAD_REQUEST' } });
