// A report's measurements as its page shows them: by scenario, by load, by system, with the same of the run before. Of several rounds the medians.
// Pure.

import { keyOf, loadOf, type Measurement, type Report } from '../lib/report.ts';
import { type Spread, spreadOf } from '../peers/beside.ts';

export interface ScenarioLoads {
  readonly scenario: string;
  readonly loads: readonly Load[];
}

/** The same for every system. */
export interface Load {
  /** Its case and shape: `64 KiB, 256 at a time`. */
  readonly name: string;
  readonly entries: readonly Entry[];
}

/** A system under a load. */
export interface Entry {
  /** `restate (1 partition)` */
  readonly system: string;
  /** The system's own colour, the same in every chart of the page. */
  readonly colour: number;
  readonly rounds: readonly [Measurement, ...Measurement[]];
  /** Of the run before; empty where it has none. */
  readonly before: readonly Measurement[];
}

export function loadsOf(report: Report, before: Report | undefined): readonly ScenarioLoads[] {
  const earlier = groupedBy(before?.measurements ?? [], keyOf);
  const systems = [...new Set(report.measurements.map(systemOf))];
  return [...groupedBy(report.measurements, ({ scenario }) => scenario)].map(([scenario, ofScenario]) => ({
    scenario,
    loads: [...groupedBy(ofScenario, nameOf)].map(([name, ofLoad]) => ({
      name,
      entries: [...groupedBy(ofLoad, keyOf)].map(([key, rounds]) => ({
        system: systemOf(rounds[0]),
        colour: systems.indexOf(systemOf(rounds[0])),
        rounds,
        before: earlier.get(key) ?? [],
      })),
    })),
  }));
}

export type Read = (measurement: Measurement) => number | undefined;

/** Over the rounds that know it. */
export function over(measurements: readonly Measurement[], read: Read): Spread | undefined {
  return spreadOf(measurements.flatMap((measurement) => read(measurement) ?? []));
}

/** One median as a multiple of another one. */
export function timesOf(one: readonly Measurement[], other: readonly Measurement[], read: Read): number | undefined {
  const [a, b] = [over(one, read)?.median, over(other, read)?.median];
  return a === undefined || b === undefined || b === 0 ? undefined : a / b;
}

export function systemOf({ system: { name, variant } }: Measurement): string {
  return variant === undefined ? name : `${name} (${variant})`;
}

function nameOf(measurement: Measurement): string {
  return [measurement.case, loadOf(measurement)].filter((part) => part !== '').join(', ');
}

/** In the order in which each key came first. */
function groupedBy<T>(all: readonly T[], keyOfOne: (one: T) => string): Map<string, [T, ...T[]]> {
  const groups = new Map<string, [T, ...T[]]>();
  for (const one of all) {
    const group = groups.get(keyOfOne(one));
    if (group === undefined) groups.set(keyOfOne(one), [one]);
    else group.push(one);
  }
  return groups;
}
