// Checks of protocol messages: the answers to updates that come beside a task's commands. Their shape only; whether an answer makes sense is the
// actor's to say.

import type * as wire from '../../wire/common.ts';
import { type MessageBody, MessageType, type ProtocolMessage } from '../../wire/protocol-message.ts';
import { type Check, defaulted, integer, invalid, list, object, optional, string } from './check.ts';
import * as common from './common.ts';

const meta = object<wire.UpdateMeta>({ updateId: optional(string), identity: optional(string) });

const updateRequest = object<wire.UpdateRequest>({
  meta: optional(meta),
  input: optional(
    object<wire.UpdateInput>({
      header: optional(common.header),
      name: optional(string),
      args: optional(common.payloads),
    }),
  ),
  requestId: optional(string),
  completionCallbacks: optional(list(common.callback)),
  links: optional(list(common.link)),
});

export const updateOutcome: Check<wire.UpdateOutcome> = object<wire.UpdateOutcome>({
  success: optional(common.payloads),
  failure: optional(common.failure),
});

const acceptance = object<wire.UpdateAcceptance>({
  acceptedRequestMessageId: optional(string),
  acceptedRequestSequencingEventId: optional(integer),
  acceptedRequest: optional(updateRequest),
});

const rejection = object<wire.UpdateRejection>({
  rejectedRequestMessageId: optional(string),
  rejectedRequestSequencingEventId: optional(integer),
  rejectedRequest: optional(updateRequest),
  failure: optional(common.failure),
});

const response = object<wire.UpdateResponse>({ meta: optional(meta), outcome: optional(updateOutcome) });

const typed = object<{ type: string; value: unknown }>({ type: string, value: (value) => value });

const NO_BODY: MessageBody = { type: MessageType.NONE };

const body: Check<MessageBody> = (given) => {
  const { type, value } = typed(given);
  switch (type) {
    case MessageType.NONE:
      return NO_BODY;
    case MessageType.REQUEST:
      return { type, value: updateRequest(value) };
    case MessageType.ACCEPTANCE:
      return { type, value: acceptance(value) };
    case MessageType.REJECTION:
      return { type, value: rejection(value) };
    case MessageType.RESPONSE:
      return { type, value: response(value) };
    default:
      throw invalid(`Invalid request: a message of type ${type.slice(0, 64)} is not known.`);
  }
};

export const protocolMessages: Check<ProtocolMessage[]> = list(
  object<ProtocolMessage>({
    id: defaulted(string, ''),
    protocolInstanceId: defaulted(string, ''),
    eventId: optional(integer),
    // The actor says that it is needed: what is in memory of the task goes with such an answer.
    body: defaulted(body, NO_BODY),
  }),
);
