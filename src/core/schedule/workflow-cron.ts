// Cron of workflows themselves (not of schedules): the same strings and zones, but days of month and of week as traditional cron has them, where
// one of the two is enough when both are narrowed down.

import { Calendar } from './calendar.ts';
import { parseCron } from './cron.ts';
import { SpecError } from './fields.ts';
import { zoneNamed } from './zone.ts';

export type WorkflowCron =
  /** `@every`: so long after something, which the caller knows. ms, whole seconds. */
  | { kind: 'every'; interval: number }
  /** `next`: the first matching time after `after`, epoch ms; undefined when there is none. */
  | { kind: 'calendar'; next(after: number): number | undefined };

/** @throws SpecError that says what is wrong: five fields, `@every 90m` or a word such as `@daily`, with `CRON_TZ=Zone` in front or not. */
export function workflowCron(text: string): WorkflowCron {
  const { calendar, interval, timezoneName = '', narrowsBothDays } = parseCron(text);
  if (interval !== undefined) {
    const seconds = Math.max(1, Math.floor(interval.interval / 1000));
    if (!(interval.interval > 0)) throw new SpecError('@every needs a duration above 0');
    return { kind: 'every', interval: seconds * 1000 };
  }
  const zone = zoneNamed(timezoneName);
  const compiled = new Calendar(calendar ?? {}, zone, narrowsBothDays ? 'either' : 'both');
  return { kind: 'calendar', next: (after) => compiled.next(after) };
}
