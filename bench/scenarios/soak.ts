// The same load for long: memory must become flat. Judged by the straight line through the second half of each role's anonymous memory, so that
// caches that fill in the first half are not held against it.

import { measure } from '../lib/measure.ts';
import type { Role, Scenario } from '../lib/model.ts';
import { pathOf } from '../lib/multiples.ts';
import type { Measurement } from '../lib/report.ts';
import { parameter, shapeOf, withSystem } from '../lib/scenario.ts';
import { isFlat, lineOf } from '../lib/slope.ts';

const ROLES: readonly Role[] = ['node', 'worker', 'store'];
/** A line through less says nothing. */
const LEAST_POINTS = 10;

export const soak: Scenario = {
  name: 'soak',
  shows: 'workflows of three activities for long (--duration 2h): memory must become flat',
  runs: 'asked',
  parameters: {
    concurrency: { what: 'at a time', usual: 64, quick: 64 },
    minutes: { what: 'measured; --duration says it too', usual: 30, quick: 0.5, is: 'an amount' },
  },
  shapes: ['closed', 'open'],
  needs: ['sequence'],
  run: async (context) => {
    const durationMs = context.load.durationMs ?? parameter(context, 'minutes') * 60_000;
    const timed = { ...context, load: { ...context.load, durationMs } };
    return await withSystem(context, async (running, clients) => {
      const measurement = await measure(timed, running, clients, {
        scenario: 'soak',
        plan: (prefix) => ({ of: 'execute', kind: 'sequence', prefix, count: 3, payloadBytes: 0 }),
        shape: shapeOf(context.load, parameter(context, 'concurrency')),
        path: pathOf(3),
      });
      return [judged(measurement)];
    });
  },
};

function judged(measurement: Measurement): Measurement {
  const half = measurement.series.slice(Math.floor(measurement.series.length / 2));
  const figures: Measurement['figures'] = [];
  const notes: string[] = [];
  for (const role of ROLES) {
    const points = half.flatMap(({ atS, roles }): [number, number][] => {
      const mib = roles.find((each) => each.role === role)?.rssAnonMiB;
      return mib === undefined ? [] : [[atS / 3600, mib]];
    });
    if (points.length === 0) continue;
    const { slope, mean } = lineOf(points);
    figures.push({ name: `${role} RssAnon, mean of the second half`, value: mean, unit: 'MiB' });
    figures.push({ name: `${role} RssAnon, slope of the second half`, value: slope, unit: 'MiB/h' });
    if (points.length < LEAST_POINTS) notes.push(`too short to judge the memory of the ${role}`);
    else if (!isFlat(points)) notes.push(`the memory of the ${role} was not flat`);
  }
  return { ...measurement, figures, notes: [...measurement.notes, ...notes] };
}
