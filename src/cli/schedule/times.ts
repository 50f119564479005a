// When a schedule is due, in words: `02:30 dayOfWeek MONDAY-FRIDAY`, `every 6h offset 15m`.

import type { CalendarSpecDescription, IntervalSpecDescription } from '../../../sdk/client/index.ts';
import { durationText } from '../duration-text.ts';

interface Range {
  start: number | string;
  end: number | string;
  step: number;
}

/** What each field means that says nothing: it is left out. */
const ANY = { dayOfMonth: '1-31', month: 'JANUARY-DECEMBER', dayOfWeek: 'SUNDAY-SATURDAY', year: '' } as const;

export function calendarText(calendar: CalendarSpecDescription): string {
  const parts = [clockText(calendar)];
  for (const field of ['dayOfWeek', 'dayOfMonth', 'month', 'year'] as const) {
    const text = rangesText(calendar[field]);
    if (text !== ANY[field]) parts.push(`${field} ${text}`);
  }
  if (calendar.comment) parts.push(`# ${calendar.comment}`);
  return parts.join(' ');
}

/** A time of day where it is one; else the fields by name. */
function clockText({ hour, minute, second }: CalendarSpecDescription): string {
  const [h, m, s] = [hour, minute, second].map(rangesText);
  if (/^\d+$/.test(`${h}${m}${s}`)) {
    const two = (text = ''): string => text.padStart(2, '0');
    return `${two(h)}:${two(m)}${s === '0' ? '' : `:${two(s)}`}`;
  }
  return [`hour ${h}`, `minute ${m}`, ...(s === '0' ? [] : [`second ${s}`])].join(' ');
}

const rangesText = (ranges: readonly Range[]): string => ranges.map(rangeText).join(',');

function rangeText({ start, end, step }: Range): string {
  const span = start === end ? `${start}` : `${start}-${end}`;
  return step === 1 || start === end ? span : `${span}/${step}`;
}

export function intervalText({ every, offset }: IntervalSpecDescription): string {
  return offset === 0 ? `every ${durationText(every)}` : `every ${durationText(every)} offset ${durationText(offset)}`;
}
