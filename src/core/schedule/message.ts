// What a schedule's actor receives: from doors, and from the workflows it started. Specs are canonical by then (spec.ts). Answers and news of
// workflows name the schedule's incarnation: one that was deleted and made anew does not take them for its own.

import type { Memo, Payloads, SearchAttributes } from '../../wire/common.ts';
import type { WorkflowExecutionStatus } from '../../wire/enums.ts';
import type { Failure } from '../../wire/failure.ts';
import type { ScheduleAction, SchedulePatch, SchedulePolicies, ScheduleState } from '../../wire/schedule.ts';
import type { StartInput } from '../workflow/message.ts';
import type { CanonicalSpec } from './spec.ts';

/** A schedule as its maker wants it. */
export interface ScheduleDefinition {
  spec: CanonicalSpec;
  action: ScheduleAction;
  policies: SchedulePolicies;
  state: ScheduleState;
}

export interface CreateScheduleMessage {
  type: 'createSchedule';
  requestId: string;
  /** Fresh: names this life of the schedule. */
  incarnation: string;
  schedule: ScheduleDefinition;
  patch?: SchedulePatch | undefined;
  memo?: Memo | undefined;
  searchAttributes?: SearchAttributes | undefined;
}

export interface UpdateScheduleMessage {
  type: 'updateSchedule';
  requestId: string;
  schedule: ScheduleDefinition;
  /** Absent: whatever the schedule is by now. */
  conflictToken?: Uint8Array | undefined;
  /** Absent: they stay. */
  memo?: Memo | undefined;
  searchAttributes?: SearchAttributes | undefined;
}

export interface PatchScheduleMessage {
  type: 'patchSchedule';
  requestId: string;
  patch: SchedulePatch;
}

export interface DeleteScheduleMessage {
  type: 'deleteSchedule';
  /** Empty: none; a repeat finds no schedule. */
  requestId: string;
}

export interface DescribeScheduleMessage {
  type: 'describeSchedule';
}

export interface ScheduleTimesMessage {
  type: 'scheduleTimes';
  /** Epoch ms, exclusive. */
  startTime: number;
  /** Inclusive. */
  endTime: number;
}

/** Which action of which schedule a run is: told to it with its start, and by it with its answers. */
export interface ScheduledBy {
  /** The schedule's actor, in the run's own namespace. */
  workflowId: string;
  incarnation: string;
  /** Numbers the actions of one incarnation. */
  action: number;
}

/** To a workflow id: start, and tell the schedule. Answered by `scheduledStarted` or `scheduledRefused`, and once the chain has ended `scheduledClosed`. */
export interface StartScheduledMessage extends StartInput {
  type: 'startScheduled';
  by: ScheduledBy;
  lastCompletionResult?: Payloads | undefined;
  continuedFailure?: Failure | undefined;
}

export interface ScheduledStartedMessage {
  type: 'scheduledStarted';
  by: ScheduledBy;
  runId: string;
  /** Epoch ms. */
  startTime: number;
}

/** The workflow id is taken, or its start is not possible. */
export interface ScheduledRefusedMessage {
  type: 'scheduledRefused';
  by: ScheduledBy;
}

/** The run's chain has ended. It may be heard of before the start's answer. */
export interface ScheduledClosedMessage {
  type: 'scheduledClosed';
  by: ScheduledBy;
  /** First of its chain. */
  runId: string;
  startTime: number;
  status: WorkflowExecutionStatus;
  result?: Payloads | undefined;
  failure?: Failure | undefined;
}

export type ScheduleMessage =
  | CreateScheduleMessage
  | UpdateScheduleMessage
  | PatchScheduleMessage
  | DeleteScheduleMessage
  | DescribeScheduleMessage
  | ScheduleTimesMessage
  | ScheduledStartedMessage
  | ScheduledRefusedMessage
  | ScheduledClosedMessage;
