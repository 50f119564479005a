// Cron of workflows: traditional in what two kinds of days mean together.

import { expect, it } from 'vitest';
import { workflowCron } from './workflow-cron.ts';

const next = (cron: string, after: string): string => {
  const parsed = workflowCron(cron);
  const found = parsed.kind === 'calendar' ? parsed.next(Date.parse(after)) : undefined;
  return found === undefined ? 'never' : new Date(found).toISOString().slice(0, 16);
};

it.each([
  ['*/15 * * * *', '2030-01-01T10:07:00Z', '2030-01-01T10:15'],
  ['0 8 * * MON-FRI', '2030-01-05T00:00:00Z', '2030-01-07T08:00'],
  ['CRON_TZ=Asia/Tokyo 0 8 * * *', '2030-01-05T00:00:00Z', '2030-01-05T23:00'],
  ['@hourly', '2030-01-05T00:00:00Z', '2030-01-05T01:00'],
  // Either day is enough…
  ['0 0 13 * FRI', '2030-01-01T00:00:00Z', '2030-01-04T00:00'],
  // …unless one of them is every day.
  ['0 0 13 * *', '2030-01-01T00:00:00Z', '2030-01-13T00:00'],
  ['0 0 30 2 *', '2030-01-01T00:00:00Z', 'never'],
])('%s after %s is %s', (cron, after, expected) => {
  expect(next(cron, after)).toBe(expected);
});

it('@every is an interval of whole seconds', () => {
  expect(workflowCron('@every 90m')).toEqual({ kind: 'every', interval: 5_400_000 });
  expect(() => workflowCron('@every 0s')).toThrow('above 0');
});

it('says what is wrong', () => {
  expect(() => workflowCron('every day')).toThrow('CronString does not have 5-7 fields');
});
