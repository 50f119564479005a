// Of all messages those that one actor may send to another, in the same shard, in another, or on another node.

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
  'flowAcquire',
  'flowRelease',
  'flowGranted',
  'flowRefused',
  'flowEnd',
] as const satisfies readonly Message['type'][];

export type SentMessage = Extract<Message, { type: (typeof SENT_TYPES)[number] }>;
