// When a schedule acts, as users write and read it: `@temporalio/client`'s names, checked before it is sent.

import type * as wire from '../../src/wire/schedule.ts';
import { type Duration, durationOption } from '../common/time.ts';

export const MONTHS = [
  ...(['JANUARY', 'FEBRUARY', 'MARCH', 'APRIL', 'MAY', 'JUNE'] as const),
  ...(['JULY', 'AUGUST', 'SEPTEMBER', 'OCTOBER', 'NOVEMBER', 'DECEMBER'] as const),
] as const;
export type Month = (typeof MONTHS)[number];

export const DAYS_OF_WEEK = ['SUNDAY', 'MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY', 'SATURDAY'] as const;
export type DayOfWeek = (typeof DAYS_OF_WEEK)[number];

/** `start`, `start + step`, … up to `end`. */
export interface Range<Unit> {
  start: Unit;
  /** Inclusive. */
  end: Unit;
  step: number;
}

/** `3`, `{ start: 3 }`, `{ start: 2, end: 4 }` or `{ start: 2, end: 10, step: 3 }`. Default of `end`: `start`, of `step`: 1. */
export type LooseRange<Unit> = Range<Unit> | { start: Unit; end?: Unit | undefined; step?: never } | Unit;

type Field<Unit> = LooseRange<Unit> | LooseRange<Unit>[] | '*';

/** All fields must match, days of month and of week both. */
export interface CalendarSpec {
  /** 0 to 59. Default 0. */
  second?: Field<number> | undefined;
  /** 0 to 59. Default 0. */
  minute?: Field<number> | undefined;
  /** 0 to 23. Default 0. */
  hour?: Field<number> | undefined;
  /** 1 to 31. Default: all. */
  dayOfMonth?: Field<number> | undefined;
  /** Default: all. */
  month?: Field<Month> | undefined;
  /** 2000 to 2100. Default: all. */
  year?: Field<number> | undefined;
  /** Default: all. */
  dayOfWeek?: Field<DayOfWeek> | undefined;
  /** At most 200 characters. */
  comment?: string | undefined;
}

export interface CalendarSpecDescription {
  second: Range<number>[];
  minute: Range<number>[];
  hour: Range<number>[];
  dayOfMonth: Range<number>[];
  month: Range<Month>[];
  /** Empty: all. */
  year: Range<number>[];
  dayOfWeek: Range<DayOfWeek>[];
  comment?: string | undefined;
}

/** Times whose distance from 1970 is `offset` beyond a multiple of `every`. Whole seconds count. */
export interface IntervalSpec {
  /** At least a second. */
  every: Duration;
  /** Below `every`. Default 0. */
  offset?: Duration | undefined;
}

export interface IntervalSpecDescription {
  /** ms */
  every: number;
  /** ms */
  offset: number;
}

/** All times that any calendar, interval or cron expression matches, less those in `skip`. */
export interface ScheduleSpec {
  calendars?: CalendarSpec[] | undefined;
  intervals?: IntervalSpec[] | undefined;
  /**
   * Five fields (minute, hour, day of month, month, day of week), six (and year) or seven (and second in front); `@hourly`, `@daily`,
   * `@weekly`, `@monthly`, `@yearly`; `@every 8h/30m`. With `CRON_TZ=Zone` in front and `# comment` behind, or not.
   */
  cronExpressions?: string[] | undefined;
  /** Matching times are left out. Seconds count, too: `{ dayOfWeek: 'SUNDAY', hour: '*' }` is the full hours of Sundays. */
  skip?: CalendarSpec[] | undefined;
  /** Inclusive. */
  startAt?: Date | undefined;
  /** Inclusive. */
  endAt?: Date | undefined;
  /** Each time is put off by less than that, never beyond the next one. Default 0. */
  jitter?: Duration | undefined;
  /** Of the IANA database, for calendars and cron expressions. Default UTC. A local time that does not exist is left out that day; one that comes twice is the second. */
  timezone?: string | undefined;
}

export type ScheduleSpecDescription = Omit<
  ScheduleSpec,
  'calendars' | 'intervals' | 'cronExpressions' | 'skip' | 'jitter'
> & {
  calendars?: CalendarSpecDescription[] | undefined;
  intervals?: IntervalSpecDescription[] | undefined;
  skip?: CalendarSpecDescription[] | undefined;
  /** ms */
  jitter?: number | undefined;
};

interface Coder<Unit> {
  readonly name: string;
  readonly all: wire.CalendarRange[];
  readonly otherwise: wire.CalendarRange[];
  encode(value: unknown): number | undefined;
  decode(value: number): Unit;
}

const within =
  (min: number, max: number) =>
  (value: unknown): number | undefined =>
    typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max ? value : undefined;
const same = (value: number): number => value;
const ZERO = [{ start: 0, end: 0, step: 1 }];
const span = (start: number, end: number): wire.CalendarRange[] => [{ start, end, step: 1 }];

function numbers(name: string, min: number, max: number, otherwise: wire.CalendarRange[]): Coder<number> {
  return { name, all: span(min, max), otherwise, encode: within(min, max), decode: same };
}

function names<Name extends string>(name: string, known: readonly Name[], first: number): Coder<Name> {
  const all = span(first, first + known.length - 1);
  return {
    name,
    all,
    otherwise: all,
    encode: (value) => {
      const index = known.indexOf(value as Name);
      return index < 0 ? undefined : index + first;
    },
    decode: (value) => {
      const found = known[value - first];
      if (found === undefined) throw new RangeError(`Calendar field ${name} cannot be ${value}`);
      return found;
    },
  };
}

const SECOND = numbers('second', 0, 59, ZERO);
const MINUTE = numbers('minute', 0, 59, ZERO);
const HOUR = numbers('hour', 0, 23, ZERO);
const DAY_OF_MONTH = numbers('dayOfMonth', 1, 31, span(1, 31));
const MONTH = names('month', MONTHS, 1);
/** Every year is said by no range. */
const YEAR: Coder<number> = { ...numbers('year', 2000, 2100, []), all: [] };
const DAY_OF_WEEK = names('dayOfWeek', DAYS_OF_WEEK, 0);

function encodeField<Unit>(coder: Coder<Unit>, field: Field<Unit> | undefined): wire.CalendarRange[] {
  if (field === undefined) return coder.otherwise;
  if (field === '*') return coder.all;
  return (Array.isArray(field) ? field : [field]).map((item) => {
    const isRange = typeof item === 'object' && item !== null && 'start' in item;
    const { start: from, end: to, step } = isRange ? item : { start: item, end: undefined, step: undefined };
    const start = coder.encode(from);
    const end = to === undefined ? start : coder.encode(to);
    if (start === undefined || end === undefined || !(step === undefined || step > 0))
      throw new TypeError(`Invalid CalendarSpec component for field ${coder.name}: ${JSON.stringify(item)}`);
    return { start, end, step: step ?? 1 };
  });
}

const decodeField = <Unit>({ decode }: Coder<Unit>, ranges: readonly wire.CalendarRange[] = []): Range<Unit>[] =>
  ranges.map(({ start = 0, end = 0, step = 0 }) => ({
    start: decode(start),
    end: decode(Math.max(start, end)),
    step: step > 0 ? step : 1,
  }));

const encodeCalendar = (calendar: CalendarSpec): wire.StructuredCalendar => ({
  second: encodeField(SECOND, calendar.second),
  minute: encodeField(MINUTE, calendar.minute),
  hour: encodeField(HOUR, calendar.hour),
  dayOfMonth: encodeField(DAY_OF_MONTH, calendar.dayOfMonth),
  month: encodeField(MONTH, calendar.month),
  year: encodeField(YEAR, calendar.year),
  dayOfWeek: encodeField(DAY_OF_WEEK, calendar.dayOfWeek),
  comment: calendar.comment,
});

const decodeCalendar = (calendar: wire.StructuredCalendar): CalendarSpecDescription => ({
  second: decodeField(SECOND, calendar.second),
  minute: decodeField(MINUTE, calendar.minute),
  hour: decodeField(HOUR, calendar.hour),
  dayOfMonth: decodeField(DAY_OF_MONTH, calendar.dayOfMonth),
  month: decodeField(MONTH, calendar.month),
  year: decodeField(YEAR, calendar.year),
  dayOfWeek: decodeField(DAY_OF_WEEK, calendar.dayOfWeek),
  comment: calendar.comment,
});

/** @throws TypeError for a field that cannot be meant, ValueError or TypeError for a duration. */
export function encodeSpec(spec: ScheduleSpec): wire.ScheduleSpec {
  return {
    structuredCalendar: spec.calendars?.map(encodeCalendar),
    interval: spec.intervals?.map(({ every, offset }) => ({
      interval: intervalOf(every),
      phase: durationOption('offset', offset),
    })),
    cronString: spec.cronExpressions,
    excludeStructuredCalendar: spec.skip?.map(encodeCalendar),
    startTime: spec.startAt?.getTime(),
    endTime: spec.endAt?.getTime(),
    jitter: durationOption('jitter', spec.jitter),
    timezoneName: spec.timezone,
  };
}

/** The server has made calendars of cron expressions. */
export function decodeSpec(spec: wire.ScheduleSpec): ScheduleSpecDescription {
  const date = (ms: number | undefined) => (ms === undefined ? undefined : new Date(ms));
  return {
    calendars: (spec.structuredCalendar ?? []).map(decodeCalendar),
    intervals: (spec.interval ?? []).map(({ interval, phase = 0 }) => ({ every: interval, offset: phase })),
    skip: (spec.excludeStructuredCalendar ?? []).map(decodeCalendar),
    startAt: date(spec.startTime),
    endAt: date(spec.endTime),
    jitter: spec.jitter,
    timezone: spec.timezoneName,
  };
}

/** @throws TypeError for an interval that is none. */
function intervalOf(every: Duration | undefined): number {
  const interval = durationOption('every', every);
  if (interval === undefined) throw new TypeError('spec.intervals.every is required');
  return interval;
}
