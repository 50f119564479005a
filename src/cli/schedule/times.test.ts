import { expect, it } from 'vitest';
import type { CalendarSpecDescription } from '../../../sdk/client/index.ts';
import { calendarText, intervalText } from './times.ts';

const one = <T>(start: T, end: T = start, step = 1) => [{ start, end, step }];
const NINE: CalendarSpecDescription = {
  ...{ second: one(0), minute: one(0), hour: one(9), dayOfMonth: one(1, 31), year: [] },
  ...{ month: one('JANUARY', 'DECEMBER'), dayOfWeek: one('SUNDAY', 'SATURDAY') },
};

it.each<[string, Partial<CalendarSpecDescription>]>([
  ['09:00', {}],
  ['02:30:15', { hour: one(2), minute: one(30), second: one(15) }],
  ['02:30 dayOfWeek MONDAY-FRIDAY', { hour: one(2), minute: one(30), dayOfWeek: one('MONDAY', 'FRIDAY') }],
  ['hour 8-18/2 minute 0', { hour: one(8, 18, 2) }],
  ['hour 8,12 minute 0 second 0-59', { hour: [...one(8), ...one(12)], second: one(0, 59) }],
  [
    '09:00 dayOfMonth 1 month JUNE year 2030 # the half',
    {
      ...{ dayOfMonth: one(1), month: one('JUNE'), year: one(2030), comment: 'the half' },
    },
  ],
])('%s', (text, calendar) => {
  expect(calendarText({ ...NINE, ...calendar })).toBe(text);
});

it('intervals', () => {
  expect(intervalText({ every: 21_600_000, offset: 900_000 })).toBe('every 6h offset 15m');
  expect(intervalText({ every: 90_000, offset: 0 })).toBe('every 1m30s');
});
