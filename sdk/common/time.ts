// Durations as people write them ('5 minutes', '10s', 250) and as the wire carries them: milliseconds.

import { ValueError } from './errors.ts';

type Unit =
  | 'years'
  | 'year'
  | 'yrs'
  | 'yr'
  | 'y'
  | 'weeks'
  | 'week'
  | 'w'
  | 'days'
  | 'day'
  | 'd'
  | 'hours'
  | 'hour'
  | 'hrs'
  | 'hr'
  | 'h'
  | 'minutes'
  | 'minute'
  | 'mins'
  | 'min'
  | 'm'
  | 'seconds'
  | 'second'
  | 'secs'
  | 'sec'
  | 's'
  | 'milliseconds'
  | 'millisecond'
  | 'msecs'
  | 'msec'
  | 'ms';
type UnitAnyCase = Unit | Uppercase<Unit> | Capitalize<Unit>;

/** `'250'` (ms), `'10s'`, `'1.5 hours'`, `'30 days'`… */
export type StringValue = `${number}` | `${number}${UnitAnyCase}` | `${number} ${UnitAnyCase}`;

/** Milliseconds, or a text such as `'10s'` or `'5 minutes'`. */
export type Duration = StringValue | number;

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365.25 * DAY;

const UNIT_MS: ReadonlyMap<string, number> = new Map(
  (
    [
      [YEAR, ['years', 'year', 'yrs', 'yr', 'y']],
      [7 * DAY, ['weeks', 'week', 'w']],
      [DAY, ['days', 'day', 'd']],
      [HOUR, ['hours', 'hour', 'hrs', 'hr', 'h']],
      [MINUTE, ['minutes', 'minute', 'mins', 'min', 'm']],
      [SECOND, ['seconds', 'second', 'secs', 'sec', 's']],
      [1, ['milliseconds', 'millisecond', 'msecs', 'msec', 'ms', '']],
    ] satisfies [number, string[]][]
  ).flatMap(([ms, names]) => names.map((name): [string, number] => [name, ms])),
);

/**
 * Milliseconds of a duration: whole ones, since servers and histories know no others. A fraction, such as that of `1000 / 3`, is rounded up, so that
 * nothing is over too early.
 *
 * @throws TypeError for a text that is not a number with a unit, ValueError for a number that is not finite.
 */
export function msToNumber(duration: Duration | string): number {
  if (typeof duration === 'number') {
    if (!Number.isFinite(duration)) throw new ValueError(`Invalid duration: ${duration}; expected milliseconds`);
    return duration < 0 ? Math.floor(duration) : Math.ceil(duration);
  }
  const match = typeof duration === 'string' ? /^\s*(-?(?:\d+\.?\d*|\.\d+)) *([a-z]*)\s*$/i.exec(duration) : null;
  const unitMs = UNIT_MS.get(match?.[2]?.toLowerCase() ?? '-');
  if (match === null || unitMs === undefined) {
    throw new TypeError(`Invalid duration string: '${String(duration)}'; expected e.g. '500ms', '10s', '5 minutes'`);
  }
  return Math.round(Number(match[1]) * unitMs);
}

/** {@link msToNumber}, with `undefined` for an absent duration. */
export function msOptionalToNumber(duration: Duration | null | undefined): number | undefined {
  return duration === undefined || duration === null ? undefined : msToNumber(duration);
}

/** A duration that may not be negative, checked with the option's name in the message. */
export function durationOption(name: string, duration: Duration | null | undefined): number | undefined {
  const ms = msOptionalToNumber(duration);
  if (ms !== undefined && ms < 0) throw new ValueError(`${name} must not be negative, got ${String(duration)}`);
  return ms;
}
