// When things are due: specs of schedules (calendars, intervals, cron strings, zones, exclusions, jitter) and cron strings of workflows. Pure; the
// zones are the runtime's. Workflow-level cron needs only `workflowCron(text)`: `.next(afterMs)` or an interval.

export type { DayRule } from './calendar.ts';
export { SpecError } from './fields.ts';
export { type CanonicalSpec, canonicalSpec } from './spec.ts';
export { type DueTime, Effort, SpecTimes } from './times.ts';
export { type WorkflowCron, workflowCron } from './workflow-cron.ts';
