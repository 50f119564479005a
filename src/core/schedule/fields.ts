// The fields of a calendar: their bounds, the names some of their values have, and how text becomes ranges.

import type { CalendarRange, StructuredCalendar } from '../../wire/schedule.ts';

export type CalendarField = Exclude<keyof StructuredCalendar, 'comment'>;

interface FieldBounds {
  readonly min: number;
  readonly max: number;
  /** What an absent text means. */
  readonly otherwise: '0' | '*';
  /** Values by their English name, from `min` on; so many letters are enough. */
  readonly names?: { readonly full: readonly string[]; readonly letters: number };
}

export const MIN_YEAR = 2000;
/** Calendars do not go further: what matches no time up to here is over. */
export const MAX_YEAR = 2100;

/** Of one field: more than it has values, and years are the most. */
const MAX_RANGES = 128;
/** Of a field's text. */
const MAX_TEXT_LENGTH = 2_000;

const MONTHS = 'january february march april may june july august september october november december'.split(' ');
const DAYS = 'sunday monday tuesday wednesday thursday friday saturday'.split(' ');

export const FIELDS: Readonly<Record<CalendarField, FieldBounds>> = {
  second: { min: 0, max: 59, otherwise: '0' },
  minute: { min: 0, max: 59, otherwise: '0' },
  hour: { min: 0, max: 23, otherwise: '0' },
  dayOfMonth: { min: 1, max: 31, otherwise: '*' },
  month: { min: 1, max: 12, otherwise: '*', names: { full: MONTHS, letters: 3 } },
  year: { min: MIN_YEAR, max: MAX_YEAR, otherwise: '*' },
  dayOfWeek: { min: 0, max: 6, otherwise: '*', names: { full: DAYS, letters: 2 } },
};

export const FIELD_NAMES: readonly CalendarField[] = [
  'second',
  'minute',
  'hour',
  'dayOfMonth',
  'month',
  'year',
  'dayOfWeek',
];

/** What is wrong with a spec, for the person who wrote it. */
export class SpecError extends Error {}

/** Ranges as they are kept: bounds filled in, checked. @throws SpecError */
export function checkedRanges(field: CalendarField, ranges: readonly CalendarRange[]): CalendarRange[] {
  const { min, max } = FIELDS[field];
  if (ranges.length > MAX_RANGES) throw tooMany(field, ranges.length);
  return ranges.map(({ start = 0, end = 0, step = 0 }) => {
    const last = end === 0 ? start : end;
    if (![start, last, step].every(Number.isInteger) || start < min || last > max || last < start || step < 0)
      throw new SpecError(`${field} of a calendar: ${start}-${last}/${step} is no range within ${min}-${max}`);
    return { start, end: last, step: step === 0 ? 1 : step };
  });
}

/** An absent text means what the field says. @throws SpecError */
export function parseRanges(field: CalendarField, text: string | undefined): CalendarRange[] {
  const { otherwise } = FIELDS[field];
  const given = text === undefined || text.trim() === '' ? otherwise : text.trim();
  // Every year is said by no range at all.
  if (field === 'year' && given === '*') return [];
  if (given.length > MAX_TEXT_LENGTH)
    throw new SpecError(`${field} of a calendar has at most ${MAX_TEXT_LENGTH} characters, not ${given.length}`);
  const items = given.split(',');
  if (items.length > MAX_RANGES) throw tooMany(field, items.length);
  return items.flatMap((item) => parseRange(field, item.trim()));
}

function parseRange(field: CalendarField, item: string): CalendarRange[] {
  const { min, max } = FIELDS[field];
  const [span = '', every, ...more] = item.split('/');
  if (more.length > 0) throw malformed(field, item);
  const step = every === undefined ? 1 : number(every);
  if (step === undefined || step < 1) throw malformed(field, item);
  if (span === '*' || span === '?') return [{ start: min, end: max, step }];
  const [first = '', last, ...rest] = span.split('-');
  if (rest.length > 0) throw malformed(field, item);
  const start = value(field, first, item);
  // `5/10` begins at 5 and ends where the field does.
  const end = last !== undefined ? value(field, last, item) : every === undefined ? start : max;
  if (end < start) throw malformed(field, item);
  // A week may count its Sunday as day 7.
  if (end <= max) return [{ start, end, step }];
  const sunday = { start: 0, end: 0, step: 1 };
  const days = start > max ? [] : [{ start, end: max, step }];
  return (end - start) % step === 0 ? [...days, sunday] : days;
}

function value(field: CalendarField, text: string, item: string): number {
  const { min, max, names } = FIELDS[field];
  const wanted = text.trim().toLowerCase();
  const named = wanted.length < (names?.letters ?? 0) ? -1 : (names?.full.findIndex((n) => n.startsWith(wanted)) ?? -1);
  const found = named >= 0 ? named + min : number(wanted);
  if (found === undefined) throw malformed(field, item);
  if (found < min || found > (field === 'dayOfWeek' ? max + 1 : max))
    throw new SpecError(`${field} is from ${min} to ${max}, not ${text}`);
  return found;
}

const number = (text: string): number | undefined => (/^\d{1,9}$/.test(text) ? Number(text) : undefined);

const tooMany = (field: CalendarField, ranges: number) =>
  new SpecError(`${field} of a calendar has at most ${MAX_RANGES} ranges, not ${ranges}`);

const malformed = (field: CalendarField, item: string) =>
  new SpecError(`${field} cannot be read: '${item.slice(0, 100)}' (like *, 3, 1-5, 1-9/2)`);
