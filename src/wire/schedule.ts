// What a schedule's spec looks like between client and server: named as in `temporal.api.schedule.v1`, times as epoch ms, durations as ms.

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
