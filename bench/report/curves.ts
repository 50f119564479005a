// Charts of a load: latency by percentile, then second by second rates, latency, and for each system CPU and memory of its roles. Pure.

import { readPercentiles } from '../lib/histogram.ts';
import { describeShape, type Measurement, type Point, type RoleFigures } from '../lib/report.ts';
import { spreadOf } from '../peers/beside.ts';
import { type Chart, COLOURS, type Line, type Place } from './chart.ts';
import type { Entry, Load } from './loads.ts';

const PERCENTILES = [0, 10, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 99.95, 99.99, 99.999];
/** A soak has thousands of seconds: so many stretches of them are told apart. */
export const MOST_PLACES = 300;

/** Their colours are the last ones: the first are those of systems. */
const ROLES: readonly (readonly [role: RoleFigures['role'], colour: number])[] = [
  ['node', COLOURS - 1],
  ['worker', COLOURS - 2],
  ['client', COLOURS - 3],
  ['store', COLOURS - 4],
];

type OfSecond = (point: Point) => number | undefined;

export function chartsOf(load: Load): readonly Chart[] {
  return [...latencyCharts(load), ...ratesOf(load), ...kneeOf(load), ...load.entries.flatMap((e) => usageOf(e, load))];
}

function latencyCharts({ entries }: Load): Chart[] {
  const lines = linesOf(entries, curveOf);
  return [{ title: 'Latency by percentile', x: 'percentile', y: 'by ratio', yUnit: 'ms', lines }];
}

function ratesOf({ entries }: Load): Chart[] {
  const bySecond = (read: OfSecond, of: 'mean' | 'most') => linesOf(entries, (rounds) => secondsOf(rounds, read, of));
  return [
    {
      ...{ title: 'Throughput over time', x: 'seconds', y: 'from zero', yUnit: '/s' },
      lines: bySecond(({ perSecond }) => perSecond, 'mean'),
    },
    {
      ...{ title: 'p99 over time', x: 'seconds', y: 'from zero', yUnit: 'ms' },
      lines: bySecond(({ p99Ms }) => p99Ms, 'most'),
    },
  ];
}

/** With `--step`: what each step let through, and how long it took; the medians of the rounds that came to it. */
function kneeOf({ entries }: Load): Chart[] {
  const lines = linesOf(entries, stepsOf);
  return [{ title: 'p99 by throughput, step by step', x: 'rate', y: 'by ratio', yUnit: 'ms', lines }];
}

function stepsOf(rounds: readonly Measurement[]): readonly Place[] {
  const steps = rounds.flatMap((round) => round.steps);
  return [...new Set(steps.map(({ shape }) => describeShape(shape)))].flatMap((name) => {
    const same = steps.filter(({ shape }) => describeShape(shape) === name);
    const [x, y] = [spreadOf(same.map(({ perSecond }) => perSecond)), spreadOf(same.map(({ p99Ms }) => p99Ms))];
    return x === undefined || y === undefined ? [] : [{ x: x.median, y: y.median }];
  });
}

/** Of all systems to the same scale. */
function usageOf({ system, rounds }: Entry, { entries }: Load): Chart[] {
  const charts = [
    ['CPU', 'cores', 'cores', 'mean'],
    ['RssAnon', 'MiB', 'rssAnonMiB', 'most'],
  ] as const;
  return charts.map(([what, yUnit, key, of]): Chart => {
    const linesFrom = (measurements: readonly Measurement[]): Line[] =>
      ROLES.map(([role, colour]) => ({
        ...{ name: role, colour, from: 'this run' },
        places: secondsOf(measurements, ({ roles }) => roles.find((each) => each.role === role)?.[key], of),
      }));
    const all = entries.flatMap((entry) => linesFrom(entry.rounds)).flatMap(({ places }) => places.map(({ y }) => y));
    const title = `${what} over time${entries.length > 1 ? `: ${system}` : ''}`;
    const yAtLeast = all.length === 0 ? undefined : Math.max(...all);
    return { title, x: 'seconds', y: 'from zero', yUnit, lines: linesFrom(rounds), yAtLeast };
  });
}

/** A line for each system, and a dashed one for what it was before. */
function linesOf(entries: readonly Entry[], places: (rounds: readonly Measurement[]) => readonly Place[]): Line[] {
  return entries.flatMap(({ system, colour, rounds, before }): Line[] => [
    { name: `${system}, before`, colour, from: 'before', places: places(before) },
    { name: system, colour, from: 'this run', places: places(rounds) },
  ]);
}

/** At each percentile the median of the rounds; only as far as there were operations beyond it. */
function curveOf(rounds: readonly Measurement[]): readonly Place[] {
  const curves = rounds.map(valuesOf);
  return PERCENTILES.flatMap((percentile, i) => {
    const value = spreadOf(curves.flatMap((values) => values[i] ?? []));
    return value === undefined ? [] : [{ x: percentile, y: value.median }];
  });
}

function valuesOf({ latency, counts }: Measurement): readonly number[] {
  if (latency === undefined) return [];
  const known = PERCENTILES.filter((percentile) => counts.done * (1 - percentile / 100) >= 1);
  try {
    return readPercentiles(latency.histogram, known);
  } catch {
    // A baseline is a file that anybody may have written: one curve less, not a run without a page.
    return [];
  }
}

/** At each second the median of the rounds; of very many seconds the mean, or the most, of each stretch. */
export function secondsOf(rounds: readonly Measurement[], read: OfSecond, of: 'mean' | 'most'): readonly Place[] {
  const bySecond = new Map<number, number[]>();
  for (const point of rounds.flatMap(({ series }) => series)) {
    const value = read(point);
    if (value === undefined) continue;
    const values = bySecond.get(point.atS);
    if (values === undefined) bySecond.set(point.atS, [value]);
    else values.push(value);
  }
  const all = [...bySecond].sort(([a], [b]) => a - b).map(([x, values]) => ({ x, y: spreadOf(values)?.median ?? 0 }));
  const stretch = Math.ceil(all.length / MOST_PLACES);
  if (stretch <= 1) return all;
  return Array.from({ length: Math.ceil(all.length / stretch) }, (_, i) => {
    const some = all.slice(i * stretch, (i + 1) * stretch);
    const ys = some.map(({ y }) => y);
    const y = of === 'most' ? Math.max(...ys) : ys.reduce((sum, each) => sum + each, 0) / ys.length;
    return { x: some[0]?.x ?? 0, y };
  });
}
