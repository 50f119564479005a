// Cron strings as the Temporal server's schedules read them: five to seven fields, a time zone in front, a comment behind, and the words with @.

import type { IntervalSpec, StructuredCalendar } from '../../wire/schedule.ts';
import { parseDuration } from '../visibility/time.ts';
import { type CalendarField, FIELD_NAMES, parseRanges, SpecError } from './fields.ts';

export interface ParsedCron {
  /** Exactly one of the two is set. */
  calendar?: StructuredCalendar;
  interval?: IntervalSpec;
  /** From `CRON_TZ=` or `TZ=`. */
  timezoneName?: string;
  /** Both day of month and day of week are narrowed down: traditional cron then wants only one of them to match. */
  narrowsBothDays: boolean;
}

const WORDS: ReadonlyMap<string, string> = new Map([
  ['@yearly', '0 0 1 1 *'],
  ['@annually', '0 0 1 1 *'],
  ['@monthly', '0 0 1 * *'],
  ['@weekly', '0 0 * * 0'],
  ['@daily', '0 0 * * *'],
  ['@midnight', '0 0 * * *'],
  ['@hourly', '0 * * * *'],
]);

const FIVE: readonly CalendarField[] = ['minute', 'hour', 'dayOfMonth', 'month', 'dayOfWeek'];
const ORDERS: Readonly<Record<number, readonly CalendarField[]>> = {
  5: FIVE,
  6: [...FIVE, 'year'],
  7: ['second', ...FIVE, 'year'],
};

/** Of a cron string with its comment. */
const MAX_LENGTH = 4_000;

/** @throws SpecError */
export function parseCron(text: string): ParsedCron {
  if (text.length > MAX_LENGTH)
    throw new SpecError(`CronString has at most ${MAX_LENGTH} characters, not ${text.length}`);
  const hash = text.indexOf('#');
  const comment = hash < 0 ? '' : text.slice(hash + 1).trim();
  const [first = '', ...rest] = (hash < 0 ? text : text.slice(0, hash)).split(/\s+/).filter((word) => word !== '');
  const zoned = first.startsWith('CRON_TZ=') || first.startsWith('TZ=');
  const zone = zoned ? { timezoneName: first.slice(first.indexOf('=') + 1) } : {};
  const words = zoned || first === '' ? rest : [first, ...rest];
  if (words[0] === '@every') return { interval: parseEvery(words.slice(1)), narrowsBothDays: false, ...zone };
  const given = words.length === 1 ? (WORDS.get(words[0] ?? '')?.split(' ') ?? words) : words;
  const order = ORDERS[given.length];
  if (order === undefined) throw new SpecError('CronString does not have 5-7 fields');
  const calendar: StructuredCalendar = {};
  for (const field of FIELD_NAMES) calendar[field] = parseRanges(field, given[order.indexOf(field)]);
  if (comment !== '') calendar.comment = comment;
  const narrow = (field: CalendarField): boolean => !/^[*?]/.test(given[order.indexOf(field)] ?? '*');
  return { calendar, narrowsBothDays: narrow('dayOfMonth') && narrow('dayOfWeek'), ...zone };
}

/** `8h`, or `8h/30m`: thirty minutes beyond each multiple of eight hours. */
function parseEvery([text = '', ...more]: string[]): IntervalSpec {
  const [interval, phase, ...rest] = text.split('/').map(parseDuration);
  if (interval === undefined || rest.length > 0 || more.length > 0 || (text.includes('/') && phase === undefined))
    throw new SpecError(`@every needs a duration such as 90m, 8h or 8h/30m, not '${text.slice(0, 100)}'`);
  return phase === undefined ? { interval } : { interval, phase };
}
