// Checks of schedules as they come from clients, and from other nodes.

import { type CanonicalSpec, canonicalSpec, SpecError } from '../../core/schedule/index.ts';
import type { ScheduleDefinition } from '../../core/schedule/message.ts';
import type * as wire from '../../wire/schedule.ts';
import {
  boolean,
  type Check,
  defaulted,
  enumeration,
  integer,
  invalid,
  list,
  object,
  optional,
  string,
} from './check.ts';
import * as common from './common.ts';
import { flowControl } from './flow-control.ts';

const ranges = optional(
  list(object<wire.CalendarRange>({ start: optional(integer), end: optional(integer), step: optional(integer) })),
);

const structuredCalendar = object<wire.StructuredCalendar>({
  second: ranges,
  minute: ranges,
  hour: ranges,
  dayOfMonth: ranges,
  month: ranges,
  year: ranges,
  dayOfWeek: ranges,
  comment: optional(string),
});

const text = optional(string);
const calendar = object<wire.CalendarText>({
  second: text,
  minute: text,
  hour: text,
  dayOfMonth: text,
  month: text,
  year: text,
  dayOfWeek: text,
  comment: text,
});

const spec = object<wire.ScheduleSpec>({
  structuredCalendar: optional(list(structuredCalendar)),
  calendar: optional(list(calendar)),
  cronString: optional(list(string)),
  interval: optional(list(object<wire.IntervalSpec>({ interval: defaulted(integer, 0), phase: optional(integer) }))),
  excludeStructuredCalendar: optional(list(structuredCalendar)),
  excludeCalendar: optional(list(calendar)),
  startTime: optional(integer),
  endTime: optional(integer),
  jitter: optional(integer),
  timezoneName: optional(string),
});

/** In its canonical form. */
const canonical: Check<CanonicalSpec> = (value) => {
  try {
    return canonicalSpec(spec(value));
  } catch (error) {
    if (error instanceof SpecError) throw invalid(`Invalid schedule spec: ${error.message}`);
    throw error;
  }
};

const startWorkflow = object<wire.ScheduledWorkflow>({
  workflowId: defaulted(string, ''),
  workflowType: defaulted(string, ''),
  taskQueue: defaulted(string, ''),
  input: optional(common.payloads),
  header: optional(common.header),
  memo: optional(common.memo),
  searchAttributes: optional(common.searchAttributes),
  workflowExecutionTimeout: optional(integer),
  workflowRunTimeout: optional(integer),
  workflowTaskTimeout: optional(integer),
  retryPolicy: optional(common.retryPolicy),
  priority: optional(common.priority),
  userMetadata: optional(common.userMetadata),
  workflowIdReusePolicy: optional(enumeration()),
  cronSchedule: optional(string),
  flowControl: optional(flowControl),
});

/** What is left out has its default. */
export const schedule: Check<ScheduleDefinition> = object<ScheduleDefinition>({
  spec: defaulted(canonical, {}),
  action: defaulted(object<wire.ScheduleAction>({ startWorkflow: optional(startWorkflow) }), {}),
  policies: defaulted(
    object<wire.SchedulePolicies>({
      overlapPolicy: optional(enumeration()),
      catchupWindow: optional(integer),
      pauseOnFailure: optional(boolean),
      keepOriginalWorkflowId: optional(boolean),
    }),
    {},
  ),
  state: defaulted(
    object<wire.ScheduleState>({
      notes: optional(string),
      paused: optional(boolean),
      limitedActions: optional(boolean),
      remainingActions: optional(integer),
    }),
    {},
  ),
});

export const patch: Check<wire.SchedulePatch> = object<wire.SchedulePatch>({
  triggerImmediately: optional(
    object<wire.TriggerImmediatelyRequest>({
      overlapPolicy: optional(enumeration()),
      scheduledTime: optional(integer),
    }),
  ),
  backfillRequest: optional(
    list(
      object<wire.BackfillRequest>({
        startTime: defaulted(integer, 0),
        endTime: defaulted(integer, 0),
        overlapPolicy: optional(enumeration()),
      }),
    ),
  ),
  pause: optional(string),
  unpause: optional(string),
});
