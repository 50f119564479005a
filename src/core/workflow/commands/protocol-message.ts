// Answers to updates, as messages of a completed workflow task: accepted and completed become events, rejected leaves nothing. A command gives a
// message its place among the others; one without is taken before the workflow closes, or at the end.

import type { ProtocolMessageCommandAttributes } from '../../../wire/command.ts';
import type { UpdateAcceptance, UpdateOutcome, UpdateResponse } from '../../../wire/common.ts';
import { EventType, WorkflowTaskFailedCause } from '../../../wire/enums.ts';
import type { Failure } from '../../../wire/failure.ts';
import { MessageType, type ProtocolMessage } from '../../../wire/protocol-message.ts';
import { sizeOf } from '../size.ts';
import { subjectOf } from '../update-messages.ts';
import { updateAccepted, updateCompleted } from '../updates.ts';
import { bad, blobProblem, type CommandContext, type CommandProblem, fatal } from './problem.ts';

const CAUSE = WorkflowTaskFailedCause.BAD_UPDATE_WORKFLOW_EXECUTION_MESSAGE;

const OVERSIZED: Failure = { message: 'Failure exceeds size limit.', serverFailureInfo: {} };

/** The messages of an answer that were not taken yet, by id. */
export type Inbox = Map<string, ProtocolMessage>;

export function inboxOf(messages: readonly ProtocolMessage[] | undefined): Inbox {
  const inbox: Inbox = new Map();
  for (const [index, message] of (messages ?? []).entries()) {
    // Two messages of one id can only be told apart by their place.
    inbox.set(inbox.has(message.id) ? `${message.id}\0${index}` : message.id, message);
  }
  return inbox;
}

export function protocolMessage(
  context: CommandContext,
  attributes: ProtocolMessageCommandAttributes,
): CommandProblem | undefined {
  const messageId = attributes.messageId;
  if (!messageId) return bad(CAUSE, 'ProtocolMessageCommand has no messageId.');
  const message = context.inbox?.get(messageId);
  if (message === undefined) return bad(CAUSE, `ProtocolMessageCommand referenced absent message ID ${messageId}.`);
  context.inbox?.delete(messageId);
  return takeMessage(context, message);
}

/** Everything that no command has taken. */
export function takeMessages(context: CommandContext): CommandProblem | undefined {
  const { inbox } = context;
  if (inbox === undefined) return undefined;
  for (const message of inbox.values()) {
    const problem = takeMessage(context, message);
    if (problem !== undefined) return problem;
  }
  inbox.clear();
  return undefined;
}

function takeMessage(context: CommandContext, message: ProtocolMessage): CommandProblem | undefined {
  const updateId = subjectOf(message);
  if (updateId === '') return bad(CAUSE, `message ${message.id} does not say which update it is about.`);
  const { body } = message;
  switch (body.type) {
    case MessageType.ACCEPTANCE:
      return accept(context, updateId, body.value);
    case MessageType.RESPONSE:
      return complete(context, updateId, body.value);
    case MessageType.REJECTION: {
      if (context.run.updateByName(updateId) !== undefined) {
        return bad(CAUSE, `update ${updateId} was accepted and cannot be rejected any more.`);
      }
      const { failure = {} } = body.value;
      const tooBig = sizeOf(failure) > context.run.turn.limits.blobBytes;
      updateCompleted(context.run, updateId, { failure: tooBig ? OVERSIZED : failure });
      return undefined;
    }
    case MessageType.NONE:
      return bad(CAUSE, `message ${message.id} has no body.`);
    case MessageType.REQUEST:
      return bad(CAUSE, `message ${message.id} is a request, which only the server sends.`);
  }
}

function accept(context: CommandContext, updateId: string, acceptance: UpdateAcceptance): CommandProblem | undefined {
  const { run } = context;
  if (run.updateByName(updateId) !== undefined) return bad(CAUSE, `update ${updateId} is accepted already.`);
  // The worker's copy counts where this node has lost its own with the process before it.
  const acceptedRequest = run.turn.updates.get(updateId)?.request ?? acceptance.acceptedRequest;
  if (acceptedRequest === undefined) return bad(CAUSE, `nothing is known of update ${updateId}, which is accepted.`);
  if (sizeOf(acceptedRequest) > run.turn.limits.updateRequestBytes)
    return fatal(CAUSE, 'Acceptance.AcceptedRequest exceeds size limit.');
  const attributes = {
    protocolInstanceId: updateId,
    acceptedRequestMessageId: acceptance.acceptedRequestMessageId,
    acceptedRequestSequencingEventId: acceptance.acceptedRequestSequencingEventId,
    acceptedRequest,
  };
  const { links } = acceptedRequest;
  run.add(EventType.WORKFLOW_EXECUTION_UPDATE_ACCEPTED, attributes, undefined, run.now, links);
  updateAccepted(run, updateId);
  return undefined;
}

function complete(context: CommandContext, updateId: string, response: UpdateResponse): CommandProblem | undefined {
  const { run } = context;
  const row = run.updateByName(updateId);
  if (row === undefined) return bad(CAUSE, `update ${updateId} is completed before it is accepted.`);
  if (row.completedEventId !== undefined) return bad(CAUSE, `update ${updateId} is completed already.`);
  const outcome: UpdateOutcome = response.outcome ?? {};
  const problem = blobProblem(context, CAUSE, 'Response.Outcome', outcome);
  if (problem !== undefined) return problem;
  const { acceptedEventId, identity } = row;
  run.add(EventType.WORKFLOW_EXECUTION_UPDATE_COMPLETED, { meta: { updateId, identity }, acceptedEventId, outcome });
  updateCompleted(run, updateId, outcome);
  return undefined;
}
