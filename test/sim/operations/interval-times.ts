// When a spec of intervals is due, worked out another way than src/core/schedule does: each whole second is asked whether it is. The simulated
// specs end within seconds.

import type { ScheduleSpec } from '../../../src/wire/schedule.ts';

const SECOND_MS = 1_000;
/** Of a spec that never ends: a run of the simulator is over long before. */
const FAR_MS = 3_600_000;

/** Nominal times in (after, until]. */
export function dueBetween(spec: ScheduleSpec, after: number, until: number): number[] {
  const times: number[] = [];
  const last = Math.min(until, spec.endTime ?? until);
  let at = Math.max(after + 1, spec.startTime ?? 0);
  at = Math.ceil(at / SECOND_MS) * SECOND_MS;
  for (; at <= last; at += SECOND_MS) if (isDue(spec, at)) times.push(at);
  return times;
}

export const nextDue = (spec: ScheduleSpec, after: number): number | undefined =>
  dueBetween(spec, after, Math.min(spec.endTime ?? after + FAR_MS, after + FAR_MS))[0];

const isDue = ({ interval = [] }: ScheduleSpec, at: number): boolean =>
  interval.some(({ interval: every, phase = 0 }) => (at - phase) % every === 0);
