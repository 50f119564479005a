// A spec as it is kept: every calendar structured, in one order, checked, defaults filled in. What describe shows is this form.

import type { CalendarText, IntervalSpec, ScheduleSpec, StructuredCalendar } from '../../wire/schedule.ts';
import { parseCron } from './cron.ts';
import { checkedRanges, FIELD_NAMES, parseRanges, SpecError } from './fields.ts';
import { zoneNamed } from './zone.ts';

/** Calendars, intervals and exclusions of one spec together: its next time costs as much as it has of them. */
export const MAX_PARTS_OF_A_SPEC = 1000;
const MAX_COMMENT_LENGTH = 200;
const MIN_INTERVAL_MS = 1000;

/** Only structured calendars and intervals. */
export type CanonicalSpec = Omit<ScheduleSpec, 'calendar' | 'excludeCalendar' | 'cronString'>;

/** @throws SpecError that says what is wrong */
export function canonicalSpec(spec: ScheduleSpec): CanonicalSpec {
  const { calendar = [], excludeCalendar = [], cronString = [], ...rest } = spec;
  const parts = [
    calendar,
    cronString,
    rest.structuredCalendar,
    rest.interval,
    excludeCalendar,
    rest.excludeStructuredCalendar,
  ];
  // Before any of them is looked at.
  if (parts.reduce((sum, list = []) => sum + list.length, 0) > MAX_PARTS_OF_A_SPEC)
    throw new SpecError(`a spec has at most ${MAX_PARTS_OF_A_SPEC} calendars and intervals: make several schedules`);
  const crons = cronString.map(parseCron);
  const structured = [
    ...(rest.structuredCalendar ?? []).map(checkedCalendar),
    ...calendar.map(parsedCalendar),
    ...crons.flatMap((cron) => (cron.calendar === undefined ? [] : [checkedCalendar(cron.calendar)])),
  ];
  const intervals = [...(rest.interval ?? []), ...crons.flatMap(({ interval }) => interval ?? [])].map(checkedInterval);
  const excluded = [
    ...(rest.excludeStructuredCalendar ?? []).map(checkedCalendar),
    ...excludeCalendar.map(parsedCalendar),
  ];
  const timezoneName = zoneOf(
    rest.timezoneName ?? '',
    crons.filter((cron) => cron.interval === undefined).map((cron) => cron.timezoneName ?? ''),
  );
  zoneNamed(timezoneName);
  return {
    ...(structured.length > 0 && { structuredCalendar: structured }),
    ...(intervals.length > 0 && { interval: intervals }),
    ...(excluded.length > 0 && { excludeStructuredCalendar: excluded }),
    ...(rest.startTime !== undefined && { startTime: rest.startTime }),
    ...(rest.endTime !== undefined && { endTime: rest.endTime }),
    ...(rest.jitter !== undefined && { jitter: rest.jitter }),
    ...(timezoneName !== '' && { timezoneName }),
  };
}

function checkedCalendar(calendar: StructuredCalendar): StructuredCalendar {
  const checked: StructuredCalendar = {};
  for (const field of FIELD_NAMES) {
    const ranges = calendar[field];
    if (ranges !== undefined && ranges.length > 0) checked[field] = checkedRanges(field, ranges);
  }
  return { ...checked, ...commented(calendar) };
}

function parsedCalendar(calendar: CalendarText): StructuredCalendar {
  const parsed: StructuredCalendar = {};
  for (const field of FIELD_NAMES) parsed[field] = parseRanges(field, calendar[field]);
  return { ...checkedCalendar(parsed), ...commented(calendar) };
}

function commented({ comment = '' }: { comment?: string | undefined }): { comment?: string } {
  if (comment.length > MAX_COMMENT_LENGTH)
    throw new SpecError(`a calendar's comment has at most ${MAX_COMMENT_LENGTH} characters, not ${comment.length}`);
  return comment === '' ? {} : { comment };
}

function checkedInterval({ interval, phase = 0 }: IntervalSpec): IntervalSpec {
  if (!(interval >= MIN_INTERVAL_MS)) throw new SpecError(`an interval is at least a second, not ${interval} ms`);
  if (!(phase >= 0 && phase < interval))
    throw new SpecError(`an interval's phase is at least 0 and below the interval of ${interval} ms, not ${phase} ms`);
  return phase === 0 ? { interval } : { interval, phase };
}

/** One zone for all: that of the spec, or the one that all cron strings name. */
function zoneOf(ofSpec: string, ofCrons: readonly string[]): string {
  const [first = ''] = ofCrons;
  if (ofCrons.some((zone) => zone !== first) || (first !== '' && ofSpec !== '' && ofSpec !== first))
    throw new SpecError('conflicting timezone names: one schedule has one time zone');
  return first === '' ? ofSpec : first;
}
