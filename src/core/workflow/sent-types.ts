// What actors send one another, of all that they are told.

import type { Message } from './message.ts';

/** What one actor may say to another: effects of no other type compile, and a node takes no other from another node. */
export const SENT_TYPES = [
  'startChild',
  'signalExternal',
  'cancelExternal',
  'parentClosed',
  'childStarted',
  'childStartFailed',
  'childClosed',
  'externalAnswered',
  'startScheduled',
  'scheduledStarted',
  'scheduledRefused',
  'scheduledClosed',
  'nexusOperationEnded',
  // A schedule ends its runs by overlap policy.
  'requestCancel',
  'terminate',
] as const satisfies readonly Message['type'][];

export type SentMessage = Extract<Message, { type: (typeof SENT_TYPES)[number] }>;
