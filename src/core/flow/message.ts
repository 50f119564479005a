// What a key's actor receives, and what it tells those who asked. All but what doors say goes through the outbox: exactly once, whatever crashes.

import type { FlowControl, FlowLimits } from '../../wire/flow-control.ts';

/** Who is to have the permit: a chain of runs, or one attempt of an activity. */
export interface Claimant {
  workflowId: string;
  runId: string;
  activity?: { scheduledEventId: number; activityId: string } | undefined;
}

/** From a run or an activity that may not begin without it. Answered by `flowGranted`, or `flowRefused`. */
export interface FlowAcquireMessage {
  type: 'flowAcquire';
  permit: string;
  claimant: Claimant;
  flow: FlowControl;
  /** 1 (first) .. 5. */
  priority: number;
  /** Its start was let through by `flowReserve` and answered: it is never refused any more. */
  accepted?: true | undefined;
  /** Epoch ms, by the asker's shard. Absent: from a build that does not say. */
  askedAt?: number | undefined;
}

/** What has the permit, or waits for it, does not need it any more. */
export interface FlowReleaseMessage {
  type: 'flowRelease';
  permit: string;
  claimant: Claimant;
}

/** From a door, before a start that must be refused or told of another one. Answered at once; the permit is kept for it a while. */
export interface FlowReserveMessage {
  type: 'flowReserve';
  permit: string;
  requestId: string;
  claimant: Claimant;
  flow: FlowControl;
  priority: number;
}

export interface SetFlowLimitsMessage {
  type: 'setFlowLimits';
  limits: FlowLimits;
}

export interface DescribeFlowMessage {
  type: 'describeFlow';
  /** Whose place in the queue is asked for. */
  permit?: string | undefined;
}

export type FlowMessage =
  | FlowAcquireMessage
  | FlowReleaseMessage
  | FlowReserveMessage
  | SetFlowLimitsMessage
  | DescribeFlowMessage;

/** Which permit of which key an answer is about. */
interface About {
  permit: string;
  claimant: Claimant;
  /** The key's actor, in the claimant's own namespace. */
  from: string;
}

export interface FlowGrantedMessage extends About {
  type: 'flowGranted';
}

/** It does not get the permit, and must not begin. */
export interface FlowRefusedMessage extends About {
  type: 'flowRefused';
  message: string;
}

/** Another one of the key takes its place: it ends, or is asked to. */
export interface FlowEndMessage extends About {
  type: 'flowEnd';
  how: 'terminate' | 'cancel';
  reason: string;
}

export type FlowAnswer = FlowGrantedMessage | FlowRefusedMessage | FlowEndMessage;

/** What a door hears of a reservation. */
export type FlowVerdict =
  /** `permit`: which one the start is to name; absent: it needs none of its own, its workflow has one. */
  | { verdict: 'reserved'; permit?: string | undefined }
  | { verdict: 'full'; message: string }
  | { verdict: 'taken'; workflowId: string; runId: string; message: string };
