// Protocol messages: what a workflow task carries besides events, and what its answer brings besides commands. Updates are the one protocol there is.
// `type` is the name of the message in the Temporal API, `value` its fields.

import type { UpdateAcceptance, UpdateRejection, UpdateRequest, UpdateResponse } from './common.ts';

/** Names of the bodies. */
export const MessageType = {
  /** There is none, or nothing that is known: such a message is refused. */
  NONE: '',
  REQUEST: 'temporal.api.update.v1.Request',
  ACCEPTANCE: 'temporal.api.update.v1.Acceptance',
  REJECTION: 'temporal.api.update.v1.Rejection',
  RESPONSE: 'temporal.api.update.v1.Response',
} as const;

export type MessageBody =
  | { type: typeof MessageType.NONE; value?: undefined }
  | { type: typeof MessageType.REQUEST; value: UpdateRequest }
  | { type: typeof MessageType.ACCEPTANCE; value: UpdateAcceptance }
  | { type: typeof MessageType.REJECTION; value: UpdateRejection }
  | { type: typeof MessageType.RESPONSE; value: UpdateResponse };

export interface ProtocolMessage {
  id: string;
  /** The update it is about, by its id. */
  protocolInstanceId: string;
  /** From the server: the workflow sees it right after this event. */
  eventId?: number | undefined;
  body: MessageBody;
}

/** From the server. */
export interface RequestMessage extends ProtocolMessage {
  /** The history has the request, in an Admitted event: workers of Temporal's SDKs take it from there, and would take it twice. */
  inHistory?: true | undefined;
}
