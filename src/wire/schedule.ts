// Schedules between client and server: named as in `temporal.api.schedule.v1`, times as epoch ms, durations as ms.

import type { Empty, Header, Memo, Payloads, Priority, RetryPolicy, SearchAttributes, UserMetadata } from './common.ts';
import type { ScheduleOverlapPolicy, WorkflowExecutionStatus, WorkflowIdReusePolicy } from './enums.ts';
import type { FlowControl } from './flow-control.ts';

/** Values `start`, `start + step`, … up to `end`, of one field of a calendar. Absent: 0. An `end` of 0 counts as `start`, a step of 0 as 1. */
export interface CalendarRange {
  start?: number | undefined;
  end?: number | undefined;
  step?: number | undefined;
}

/** A field without ranges matches nothing, but for `year`: without ranges, every year. `dayOfWeek`: 0 is Sunday. */
export interface StructuredCalendar {
  second?: CalendarRange[] | undefined;
  minute?: CalendarRange[] | undefined;
  hour?: CalendarRange[] | undefined;
  dayOfMonth?: CalendarRange[] | undefined;
  month?: CalendarRange[] | undefined;
  year?: CalendarRange[] | undefined;
  dayOfWeek?: CalendarRange[] | undefined;
  comment?: string | undefined;
}

/**
 * As in a cron string: `*`, `3`, `1-5`, `1-9/2`, `5/10` (from 5 on), names of months and days, lists with commas. Absent: `0` for the time
 * of the day, else `*`.
 */
export interface CalendarText {
  second?: string | undefined;
  minute?: string | undefined;
  hour?: string | undefined;
  dayOfMonth?: string | undefined;
  month?: string | undefined;
  year?: string | undefined;
  dayOfWeek?: string | undefined;
  comment?: string | undefined;
}

/** Times whose distance from the epoch is `phase` beyond a multiple of `interval`. Both ms; whole seconds count. */
export interface IntervalSpec {
  interval: number;
  phase?: number | undefined;
}

/** All times that any of the calendars or intervals matches, less those that an excluded calendar matches. */
export interface ScheduleSpec {
  structuredCalendar?: StructuredCalendar[] | undefined;
  calendar?: CalendarText[] | undefined;
  cronString?: string[] | undefined;
  interval?: IntervalSpec[] | undefined;
  excludeStructuredCalendar?: StructuredCalendar[] | undefined;
  excludeCalendar?: CalendarText[] | undefined;
  /** Epoch ms. Earlier times do not match; this one may. */
  startTime?: number | undefined;
  /** Epoch ms. Later times do not match; this one may. */
  endTime?: number | undefined;
  /** ms. Each time is put off by less than that, and never beyond the next one; the same for the same schedule and time. */
  jitter?: number | undefined;
  /** Of the IANA database; absent or empty: UTC. Intervals have none. */
  timezoneName?: string | undefined;
}

/** What a schedule starts. Of the reuse policies only the default is accepted, and no cron: the schedule decides when. */
export interface ScheduledWorkflow {
  /** Runs are named `<workflowId>-<time>`: the nominal time, RFC 3339 in UTC, whole seconds. */
  workflowId: string;
  workflowType: string;
  taskQueue: string;
  input?: Payloads | undefined;
  header?: Header | undefined;
  memo?: Memo | undefined;
  searchAttributes?: SearchAttributes | undefined;
  workflowExecutionTimeout?: number | undefined;
  workflowRunTimeout?: number | undefined;
  workflowTaskTimeout?: number | undefined;
  retryPolicy?: RetryPolicy | undefined;
  priority?: Priority | undefined;
  userMetadata?: UserMetadata | undefined;
  workflowIdReusePolicy?: WorkflowIdReusePolicy | undefined;
  cronSchedule?: string | undefined;
  /** Not with `useExisting`. */
  flowControl?: FlowControl | undefined;
}

export interface ScheduleAction {
  startWorkflow?: ScheduledWorkflow | undefined;
}

export interface SchedulePolicies {
  /** Default SKIP. */
  overlapPolicy?: ScheduleOverlapPolicy | undefined;
  /** ms: an action that is late by more than this is not taken any more. Default a year, at least ten seconds. */
  catchupWindow?: number | undefined;
  /** Pause when a run fails or times out for good. */
  pauseOnFailure?: boolean | undefined;
  /** Kept for those who set it; as on the reference server, ids of workflows get their times all the same. */
  keepOriginalWorkflowId?: boolean | undefined;
}

export interface ScheduleState {
  notes?: string | undefined;
  paused?: boolean | undefined;
  /** Only `remainingActions` more are taken (those asked for by trigger and backfill do not count). */
  limitedActions?: boolean | undefined;
  remainingActions?: number | undefined;
}

export interface Schedule {
  spec?: ScheduleSpec | undefined;
  action?: ScheduleAction | undefined;
  policies?: SchedulePolicies | undefined;
  state?: ScheduleState | undefined;
}

export interface BackfillRequest {
  /** Epoch ms, both inclusive. */
  startTime: number;
  endTime: number;
  /** Default: the schedule's. */
  overlapPolicy?: ScheduleOverlapPolicy | undefined;
}

export interface TriggerImmediatelyRequest {
  /** Default: the schedule's. */
  overlapPolicy?: ScheduleOverlapPolicy | undefined;
  /** Epoch ms; the time that the run is named by. Default: now. */
  scheduledTime?: number | undefined;
}

/** What it holds is done in this order: trigger, backfill, pause, unpause. */
export interface SchedulePatch {
  triggerImmediately?: TriggerImmediatelyRequest | undefined;
  backfillRequest?: BackfillRequest[] | undefined;
  /** Pauses, with this note; empty: does not. */
  pause?: string | undefined;
  unpause?: string | undefined;
}

export interface ScheduledRun {
  workflowId: string;
  runId: string;
}

export interface ScheduleActionResult {
  /** When it was due, with jitter. Epoch ms. */
  scheduleTime: number;
  actualTime: number;
  startWorkflowResult: ScheduledRun;
  startWorkflowStatus: WorkflowExecutionStatus;
}

export interface ScheduleInfo {
  actionCount: number;
  missedCatchupWindow: number;
  overlapSkipped: number;
  bufferDropped: number;
  /** Actions that wait for a run to end. */
  bufferSize: number;
  runningWorkflows: ScheduledRun[];
  /** At most 10, oldest first. */
  recentActions: ScheduleActionResult[];
  /** At most 10. Epoch ms, with jitter. */
  futureActionTimes: number[];
  createTime: number;
  updateTime?: number | undefined;
  /** Why no start of its workflow can succeed. Absent: nothing is known against it. */
  invalidScheduleError?: string | undefined;
}

/** What a list shows of a schedule. */
export interface ScheduleListInfo {
  spec: ScheduleSpec;
  workflowType?: string | undefined;
  notes?: string | undefined;
  paused?: boolean | undefined;
  /** At most 5, oldest first. */
  recentActions: ScheduleActionResult[];
  /** At most 5. */
  futureActionTimes: number[];
}

export interface ScheduleListEntry {
  scheduleId: string;
  memo?: Memo | undefined;
  searchAttributes?: SearchAttributes | undefined;
  info: ScheduleListInfo;
}

/** What a row of the list of schedules keeps; times to come are found when it is shown. */
export interface ListedSchedule {
  spec: ScheduleSpec;
  workflowType?: string | undefined;
  notes?: string | undefined;
  recentActions: ScheduleActionResult[];
  through: number;
  /** Of limited ones. */
  remainingActions?: number | undefined;
}

// ---------------------------------------------------------------- requests

export interface ScheduleTarget {
  namespace: string;
  scheduleId: string;
}

export interface CreateScheduleRequest extends ScheduleTarget {
  schedule: Schedule;
  initialPatch?: SchedulePatch | undefined;
  memo?: Memo | undefined;
  searchAttributes?: SearchAttributes | undefined;
  identity: string;
  /** A repeat with the same id returns the first answer. */
  requestId: string;
}

export interface CreateScheduleResponse {
  conflictToken: Uint8Array;
}

export interface DescribeScheduleResponse {
  schedule: Schedule;
  info: ScheduleInfo;
  memo?: Memo | undefined;
  searchAttributes?: SearchAttributes | undefined;
  conflictToken: Uint8Array;
}

export interface UpdateScheduleRequest extends ScheduleTarget {
  /** Replaces the whole of it. */
  schedule: Schedule;
  /** From describe: FAILED_PRECONDITION when the schedule is another by now. Absent: whatever it is. */
  conflictToken?: Uint8Array | undefined;
  /** Replaces all of them; absent: they stay. */
  searchAttributes?: SearchAttributes | undefined;
  memo?: Memo | undefined;
  identity: string;
  requestId: string;
}

export interface PatchScheduleRequest extends ScheduleTarget {
  patch: SchedulePatch;
  identity: string;
  requestId: string;
}

export interface DeleteScheduleRequest extends ScheduleTarget {
  identity: string;
  /** A repeat with the same id is answered like the first, for ten minutes. */
  requestId?: string | undefined;
}

/** Times in (startTime, endTime], at most 1,000. */
export interface ListScheduleMatchingTimesRequest extends ScheduleTarget {
  startTime: number;
  endTime: number;
}

export interface ListScheduleMatchingTimesResponse {
  startTime: number[];
}

export interface ListSchedulesRequest {
  namespace: string;
  /** As for executions, about `ScheduleId`, `TemporalSchedulePaused` and registered attributes. */
  query?: string | undefined;
  /** Default 100, at most 1,000. */
  maximumPageSize?: number | undefined;
  nextPageToken?: Uint8Array | undefined;
}

export interface ListSchedulesResponse {
  schedules: ScheduleListEntry[];
  nextPageToken?: Uint8Array | undefined;
}

export interface CountSchedulesResponse {
  count: number;
}

export interface ScheduleMethods {
  /** ALREADY_EXISTS when there is one of this id. */
  createSchedule: { request: CreateScheduleRequest; response: CreateScheduleResponse };
  describeSchedule: { request: ScheduleTarget; response: DescribeScheduleResponse };
  updateSchedule: { request: UpdateScheduleRequest; response: Empty };
  patchSchedule: { request: PatchScheduleRequest; response: Empty };
  /** What it started goes on. */
  deleteSchedule: { request: DeleteScheduleRequest; response: Empty };
  listScheduleMatchingTimes: {
    request: ListScheduleMatchingTimesRequest;
    response: ListScheduleMatchingTimesResponse;
  };
  listSchedules: { request: ListSchedulesRequest; response: ListSchedulesResponse };
  countSchedules: { request: { namespace: string; query?: string | undefined }; response: CountSchedulesResponse };
}
