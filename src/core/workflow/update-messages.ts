// Updates as protocol messages of a workflow task: what the worker is sent, and which answer it gave for which update.

import type { UpdateRequest } from '../../wire/common.ts';
import { MessageType, type ProtocolMessage, type RequestMessage } from '../../wire/protocol-message.ts';
import type { WorkflowTaskRow } from './rows.ts';
import type { PendingUpdate } from './volatile.ts';

/** Requests come right before the task's Started event. */
export function requestMessages(task: WorkflowTaskRow, updates: readonly PendingUpdate[]): RequestMessage[] {
  return updates.map(({ updateId, request, kept }) => ({
    id: requestMessageId(updateId),
    protocolInstanceId: updateId,
    eventId: task.startedEventId - 1,
    inHistory: kept,
    body: { type: MessageType.REQUEST, value: request },
  }));
}

export const requestMessageId = (updateId: string): string => `${updateId}/request`;

const updateIdOf = (request: UpdateRequest | undefined): string => request?.meta?.updateId ?? '';

/** The update a worker's message is about; '' when it does not say. */
export function subjectOf({ protocolInstanceId, body }: ProtocolMessage): string {
  if (protocolInstanceId !== '') return protocolInstanceId;
  switch (body.type) {
    case MessageType.NONE:
      return '';
    case MessageType.REQUEST:
      return updateIdOf(body.value);
    case MessageType.ACCEPTANCE:
      return updateIdOf(body.value.acceptedRequest);
    case MessageType.REJECTION:
      return updateIdOf(body.value.rejectedRequest);
    case MessageType.RESPONSE:
      return body.value.meta?.updateId ?? '';
  }
}

/** What makes the messages of an answer unacceptable as a whole. */
export function messagesProblem(messages: readonly ProtocolMessage[] = []): string | undefined {
  const empty = messages.find(({ body }) => body.type === MessageType.NONE);
  return empty && `message ${empty.id.slice(0, 100)} has no body, or one that is not known.`;
}

/** Nothing but refusals: the workflow is as it was. */
export const areAllRejections = (messages: readonly ProtocolMessage[]): boolean =>
  messages.every(({ body }) => body.type === MessageType.REJECTION);
