// One calendar in one time zone: does it match an instant, and when does it match next. The search walks years, months and days that match, so
// that it is short and ends, also for a calendar that matches nothing (30 February).

import type { StructuredCalendar } from '../../wire/schedule.ts';
import { type CalendarField, FIELDS, MAX_YEAR, MIN_YEAR } from './fields.ts';
import type { Zone } from './zone.ts';

const SECOND_MS = 1000;
const DAY_MS = 86_400_000;
/** No calendar matches before or after, whatever the time zone. */
const FIRST_MS = Date.UTC(MIN_YEAR, 0, 1) - 2 * DAY_MS;
const LAST_MS = Date.UTC(MAX_YEAR + 1, 0, 1) + 2 * DAY_MS;
/** Of a month, in leap years. */
const LONGEST = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** What day of month and day of week mean together: both must match, or (traditional cron, when neither is `*`) either. */
export type DayRule = 'both' | 'either';

/** What an excluded instant takes with it: nothing else of its minute, hour, … can match either. */
type Whole = 'second' | 'minute' | 'hour' | 'day';

/** What clocks show at an instant. */
export interface LocalTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly weekday: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

/** Undefined where no calendar matches. */
export function localTime(zone: Zone, at: number): LocalTime | undefined {
  if (!(at >= FIRST_MS && at <= LAST_MS)) return undefined;
  const date = new Date(at + zone.offsetAt(at));
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    weekday: date.getUTCDay(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
  };
}

export class Calendar {
  readonly #zone: Zone;
  readonly #seconds: boolean[];
  readonly #minutes: boolean[];
  readonly #hours: boolean[];
  readonly #days: boolean[];
  readonly #months: boolean[];
  readonly #weekdays: boolean[];
  /** Undefined: all. */
  readonly #years: Set<number> | undefined;
  readonly #dayRule: DayRule;
  readonly #whole: Whole;
  /** Some day and some time of it can match: else a century would be walked for nothing. */
  readonly #canMatch: boolean;

  /** @param calendar its ranges complete and checked */
  constructor(calendar: StructuredCalendar, zone: Zone, dayRule: DayRule = 'both') {
    this.#zone = zone;
    this.#seconds = table(calendar, 'second');
    this.#minutes = table(calendar, 'minute');
    this.#hours = table(calendar, 'hour');
    this.#days = table(calendar, 'dayOfMonth');
    this.#months = table(calendar, 'month');
    this.#weekdays = table(calendar, 'dayOfWeek');
    this.#years = calendar.year?.length ? new Set(values(calendar, 'year')) : undefined;
    this.#dayRule = dayRule;
    const canMatchDay = this.#months.some((matches, month) => matches && this.#hasDay(LONGEST[month - 1] ?? 0));
    this.#canMatch = canMatchDay && [this.#hours, this.#minutes, this.#seconds].every((times) => times.includes(true));
    const minute = full(this.#seconds, 'second');
    const hour = minute && full(this.#minutes, 'minute');
    this.#whole = hour && full(this.#hours, 'hour') ? 'day' : hour ? 'hour' : minute ? 'minute' : 'second';
  }

  matches(at: number): boolean {
    const local = localTime(this.#zone, at);
    return local !== undefined && this.matchesLocal(local);
  }

  matchesLocal({ year, month, day, weekday, hour, minute, second }: LocalTime): boolean {
    return (
      this.#seconds[second] === true &&
      this.#minutes[minute] === true &&
      this.#hours[hour] === true &&
      this.#months[month] === true &&
      this.#yearMatches(year) &&
      this.#dayMatches(day, weekday)
    );
  }

  /** First matching instant (whole seconds) after `after`, epoch ms; undefined when there is none up to the end of MAX_YEAR. */
  next(after: number): number | undefined {
    if (!this.#canMatch || after >= LAST_MS) return undefined;
    const begin = Math.max(after, FIRST_MS);
    const first = Math.floor(this.#zone.localAfter(begin) / SECOND_MS) * SECOND_MS;
    let day = Math.floor(first / DAY_MS) * DAY_MS;
    let from = first - day;
    for (;;) {
      const found = this.#nextDay(day);
      if (found === undefined) return undefined;
      if (found !== day) from = 0;
      for (let time = this.#timeOfDay(from); time !== undefined; time = this.#timeOfDay(time + SECOND_MS)) {
        const at = this.#zone.instantOf(found + time);
        if (at !== undefined && at > begin) return at;
      }
      day = found + DAY_MS;
      from = 0;
    }
  }

  /** As an exclusion that matches `at`: an instant up to which (exclusive) it matches all. */
  excludesUntil(at: number): number {
    const offset = this.#zone.offsetAt(at);
    const local = new Date(at + offset);
    const [h, m, s] = [local.getUTCHours(), local.getUTCMinutes(), local.getUTCSeconds()];
    const left = { second: 1, minute: 60 - s, hour: 3600 - m * 60 - s, day: 86_400 - h * 3600 - m * 60 - s }[
      this.#whole
    ];
    const until = Math.floor(at / SECOND_MS) * SECOND_MS + left * SECOND_MS;
    // Clocks change in between: only this second is sure.
    return this.#zone.offsetAt(until - 1) === offset ? until : Math.floor(at / SECOND_MS) * SECOND_MS + SECOND_MS;
  }

  /** In a month of so many days. */
  #hasDay(length: number): boolean {
    const [day, week] = [this.#days.slice(0, length + 1).includes(true), this.#weekdays.includes(true)];
    return this.#dayRule === 'both' ? day && week : day || week;
  }

  #yearMatches(year: number): boolean {
    return year >= MIN_YEAR && year <= MAX_YEAR && (this.#years === undefined || this.#years.has(year));
  }

  #dayMatches(dayOfMonth: number, weekday: number): boolean {
    const [day, week] = [this.#days[dayOfMonth] === true, this.#weekdays[weekday] === true];
    return this.#dayRule === 'both' ? day && week : day || week;
  }

  /** The first matching day at or after `day`, both as midnight as if it were UTC. */
  #nextDay(day: number): number | undefined {
    const date = new Date(day);
    let [year, month, first] = [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()];
    if (year < MIN_YEAR) [year, month, first] = [MIN_YEAR, 1, 1];
    for (; year <= MAX_YEAR; year += 1, month = 1, first = 1) {
      if (!this.#yearMatches(year)) continue;
      for (; month <= 12; month += 1, first = 1) {
        if (this.#months[month] !== true) continue;
        const length = new Date(Date.UTC(year, month, 0)).getUTCDate();
        const start = Date.UTC(year, month - 1, 1);
        const weekday = new Date(start).getUTCDay();
        for (let d = first; d <= length; d += 1)
          if (this.#dayMatches(d, (weekday + d - 1) % 7)) return start + (d - 1) * DAY_MS;
      }
    }
    return undefined;
  }

  /** The first matching time of the day at or after `from`, both as ms from midnight. */
  #timeOfDay(from: number): number | undefined {
    let second = Math.ceil(from / SECOND_MS);
    let minute = Math.floor(second / 60);
    let hour = Math.floor(minute / 60);
    second %= 60;
    minute %= 60;
    for (; hour < 24; hour += 1, minute = 0, second = 0) {
      if (this.#hours[hour] !== true) continue;
      for (; minute < 60; minute += 1, second = 0) {
        if (this.#minutes[minute] !== true) continue;
        for (; second < 60; second += 1)
          if (this.#seconds[second] === true) return ((hour * 60 + minute) * 60 + second) * SECOND_MS;
      }
    }
    return undefined;
  }
}

function values(calendar: StructuredCalendar, field: CalendarField): number[] {
  const found: number[] = [];
  for (const { start = 0, end = start, step = 1 } of calendar[field] ?? [])
    for (let value = start; value <= end; value += step) found.push(value);
  return found;
}

function table(calendar: StructuredCalendar, field: CalendarField): boolean[] {
  const matching = new Array<boolean>(FIELDS[field].max + 1).fill(false);
  for (const value of values(calendar, field)) matching[value] = true;
  return matching;
}

function full(matching: readonly boolean[], field: CalendarField): boolean {
  return matching.slice(FIELDS[field].min).every((matches) => matches);
}
