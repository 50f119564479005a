// Schedules as users write and read them: options, descriptions, summaries, with `@temporalio/client`'s names.

import { ScheduleOverlapPolicy as WirePolicy } from '../../src/wire/enums.ts';
import type { DescribeScheduleResponse } from '../../src/wire/schedule.ts';
import { enumConverters } from '../common/enums.ts';
import type { UntypedWorkflow, Workflow } from '../common/interfaces.ts';
import type { SearchAttributePair, SearchAttributes, TypedSearchAttributes } from '../common/search-attributes.ts';
import type { Duration } from '../common/time.ts';
import type { ScheduleSpec, ScheduleSpecDescription } from './schedule-spec.ts';
import type { WorkflowStartOptions } from './workflow-options.ts';

/** What an action does while an earlier one still runs. Default: SKIP. */
export const ScheduleOverlapPolicy = {
  /** It is not taken. */
  SKIP: 'SKIP',
  /** The first one waits for the run to end; the others are not taken. */
  BUFFER_ONE: 'BUFFER_ONE',
  /** All wait, and are taken one after another. */
  BUFFER_ALL: 'BUFFER_ALL',
  /** The run is asked to cancel, and the action taken once it has ended. */
  CANCEL_OTHER: 'CANCEL_OTHER',
  /** The run is terminated, and the action taken. */
  TERMINATE_OTHER: 'TERMINATE_OTHER',
  /** It is taken at once: any number run at a time. */
  ALLOW_ALL: 'ALLOW_ALL',
  /** @deprecated Leave it out. */
  UNSPECIFIED: undefined,
} as const;
export type ScheduleOverlapPolicy = (typeof ScheduleOverlapPolicy)[keyof typeof ScheduleOverlapPolicy];

export const [encodeScheduleOverlapPolicy, decodeScheduleOverlapPolicy] = enumConverters(
  ['SKIP', 'BUFFER_ONE', 'BUFFER_ALL', 'CANCEL_OTHER', 'TERMINATE_OTHER', 'ALLOW_ALL'],
  WirePolicy,
  'SCHEDULE_OVERLAP_POLICY_',
);

/** Acts for each time of the spec from `start` to `end`, both inclusive, as if it were due now. */
export interface Backfill {
  start: Date;
  end: Date;
  /** Default: the schedule's. */
  overlap?: ScheduleOverlapPolicy;
}

type StartOptions<W extends Workflow> = Pick<
  WorkflowStartOptions<W>,
  | (
      | 'taskQueue'
      | 'args'
      | 'memo'
      | 'searchAttributes'
      | 'typedSearchAttributes'
      | 'retry'
      | 'priority'
      | 'flowControl'
    )
  | ('workflowExecutionTimeout' | 'workflowRunTimeout' | 'workflowTaskTimeout' | 'staticDetails' | 'staticSummary')
>;

export type ScheduleOptionsStartWorkflowAction<W extends Workflow> = {
  type: 'startWorkflow';
  /** The workflow function, or the name it is registered under. */
  workflowType: string | W;
  /** Runs are named `<workflowId>-<time>`. Default: `<scheduleId>-workflow`. */
  workflowId?: string | undefined;
} & StartOptions<W>;

export type ScheduleOptionsAction = ScheduleOptionsStartWorkflowAction<UntypedWorkflow>;

/** Of an update: as it was described, or with another workflow. */
export type ScheduleUpdatedAction = Omit<ScheduleOptionsAction, 'workflowType'> & { workflowType: string | Workflow };

export interface SchedulePolicyOptions {
  overlap?: ScheduleOverlapPolicy;
  /** An action that is late by more than that is not taken any more. At least 10 seconds. Default: a year. */
  catchupWindow?: Duration | undefined;
  /** Pause when a run fails or times out for good. Default: false. */
  pauseOnFailure?: boolean | undefined;
}

export interface ScheduleStateOptions {
  /** Default: false. */
  paused?: boolean | undefined;
  /** For people. The server replaces it when it pauses. At most 2,000 characters. */
  note?: string | undefined;
  /** Only so many actions are taken (triggers and backfills do not count). Default: no limit. */
  remainingActions?: number | undefined;
  /** Act once at once. Default: false. */
  triggerImmediately?: boolean | undefined;
  backfill?: Backfill[] | undefined;
}

interface Attributes {
  /** @deprecated Use {@link typedSearchAttributes}. */
  searchAttributes?: SearchAttributes | undefined;
  /** Indexed values of the schedule itself, for list filters. */
  typedSearchAttributes?: SearchAttributePair[] | TypedSearchAttributes | undefined;
}

export interface ScheduleOptions<A extends { type: 'startWorkflow' } = ScheduleOptionsAction> extends Attributes {
  /** Names the schedule in its namespace. At most 1,000 bytes. */
  scheduleId: string;
  spec: ScheduleSpec;
  action: A;
  policies?: SchedulePolicyOptions | undefined;
  /** Values kept beside the schedule, not searchable. */
  memo?: Record<string, unknown> | undefined;
  state?: ScheduleStateOptions | undefined;
}

/** Replaces the whole schedule, but for memo and, where absent, search attributes. */
export type ScheduleUpdateOptions<A extends { type: 'startWorkflow' } = ScheduleOptionsAction> = Omit<
  ScheduleOptions<A>,
  'scheduleId' | 'memo' | 'state'
> & { state?: Omit<ScheduleStateOptions, 'triggerImmediately' | 'backfill'> | undefined };

export type CompiledScheduleAction = Omit<ScheduleOptionsAction, 'workflowType' | 'workflowId' | 'args'> & {
  workflowType: string;
  workflowId: string;
  args: readonly unknown[];
};

/** What interceptors see and may change. */
export type CompiledScheduleOptions = Omit<ScheduleOptions, 'action'> & { action: CompiledScheduleAction };
export type CompiledScheduleUpdateOptions = Omit<ScheduleUpdateOptions, 'action'> & { action: CompiledScheduleAction };

export interface ScheduleExecutionStartWorkflowActionResult {
  type: 'startWorkflow';
  workflow: {
    workflowId: string;
    /** Runs that followed it have ids of their own. */
    firstExecutionRunId: string;
  };
}
export type ScheduleExecutionActionResult = ScheduleExecutionStartWorkflowActionResult;

export interface ScheduleExecutionResult {
  /** When it was due, with jitter. */
  scheduledAt: Date;
  /** When it was taken. */
  takenAt: Date;
  action: ScheduleExecutionActionResult;
}

export interface ScheduleSummaryStartWorkflowAction {
  type: 'startWorkflow';
  workflowType: string;
}
export type ScheduleSummaryAction = ScheduleSummaryStartWorkflowAction;

/** What `list` gives. */
export interface ScheduleSummary {
  scheduleId: string;
  spec?: ScheduleSpecDescription | undefined;
  action?: ScheduleSummaryAction | undefined;
  memo?: Record<string, unknown> | undefined;
  /** @deprecated Use {@link typedSearchAttributes}. */
  searchAttributes?: SearchAttributes | undefined;
  typedSearchAttributes?: TypedSearchAttributes | undefined;
  state: { paused: boolean; note?: string | undefined };
  info: {
    /** The last five, oldest first. */
    recentActions: ScheduleExecutionResult[];
    /** The next five. */
    nextActionTimes: Date[];
  };
}

export type ScheduleDescriptionStartWorkflowAction = ScheduleSummaryStartWorkflowAction & {
  workflowId: string;
  args: unknown[];
} & Omit<StartOptions<UntypedWorkflow>, 'args'>;
export type ScheduleDescriptionAction = ScheduleDescriptionStartWorkflowAction;

/** What `describe` gives. */
export interface ScheduleDescription {
  scheduleId: string;
  spec: ScheduleSpecDescription;
  action: ScheduleDescriptionAction;
  policies: {
    overlap: ScheduleOverlapPolicy;
    /** ms */
    catchupWindow: number;
    pauseOnFailure: boolean;
  };
  memo?: Record<string, unknown> | undefined;
  /** @deprecated Use {@link typedSearchAttributes}. */
  searchAttributes: SearchAttributes;
  typedSearchAttributes: TypedSearchAttributes;
  state: {
    paused: boolean;
    note?: string | undefined;
    /** Absent: no limit. */
    remainingActions?: number | undefined;
  };
  info: {
    /** The last ten, oldest first. */
    recentActions: ScheduleExecutionResult[];
    /** The next ten. */
    nextActionTimes: Date[];
    numActionsTaken: number;
    /** Not taken, since they were later than the catch-up window. */
    numActionsMissedCatchupWindow: number;
    /** Not taken, since a run went on. */
    numActionsSkippedOverlap: number;
    createdAt: Date;
    lastUpdatedAt: Date | undefined;
    /** Runs that actions wait for; those of ALLOW_ALL are not among them. */
    runningActions: ScheduleExecutionActionResult[];
  };
  raw: DescribeScheduleResponse;
}
