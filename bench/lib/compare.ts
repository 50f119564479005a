// This run beside another one: ratios of rates and latencies. Pure. Beside peers of the same run: peers/beside.ts.

import { spreadOf } from '../peers/beside.ts';
import { keyOf, type Measurement, type Report } from './report.ts';

export interface Ratios {
  /** Greater than 1: this run is faster. */
  readonly perSecond: number | undefined;
  /** Less than 1: this run is faster. */
  readonly p50: number | undefined;
  readonly p99: number | undefined;
}

export interface Baseline {
  /** By `keyOf`, to the medians of the rounds that the baseline has of it. */
  ratiosOf(measurement: Measurement): Ratios | undefined;
  /** Why the ratios may mean less than they seem to. */
  readonly warnings: readonly string[];
}

/** Floors that differ by more than this are another machine, or another day. */
const SAME_MACHINE = 1.3;

export function compareWith(baseline: Report, now: Pick<Report, 'floors' | 'machine' | 'mode'>): Baseline {
  const before = new Map<string, Measurement[]>();
  for (const measurement of baseline.measurements) {
    const key = keyOf(measurement);
    before.set(key, [...(before.get(key) ?? []), measurement]);
  }
  const warnings: string[] = [];
  if (baseline.machine.cpu !== now.machine.cpu || baseline.machine.cores !== now.machine.cores)
    warnings.push(`the baseline is of another machine: ${baseline.machine.cores} cores, ${baseline.machine.cpu}`);
  if (baseline.mode !== now.mode) warnings.push(`the baseline is of a ${baseline.mode} run, this is a ${now.mode} one`);
  for (const [name, key] of [
    ['fsync', 'fsyncP50Ms'],
    ['a loopback round trip', 'roundTripP50Ms'],
  ] as const) {
    const times = now.floors[key] / baseline.floors[key];
    if (times > SAME_MACHINE || times < 1 / SAME_MACHINE)
      warnings.push(`${name} takes ${times.toFixed(2)} times what it took in the baseline: compare multiples, not ms`);
  }
  return {
    warnings,
    ratiosOf: (measurement) => {
      const other = before.get(keyOf(measurement));
      return other === undefined ? undefined : ratiosBetween(measurement, other);
    },
  };
}

/** One measurement's figures as multiples of those of others. */
function ratiosBetween(one: Measurement, others: readonly Measurement[]): Ratios {
  const median = (read: (other: Measurement) => number | undefined): number | undefined =>
    spreadOf(others.flatMap((other) => read(other) ?? []))?.median;
  return {
    perSecond: ratio(
      one.perSecond,
      median(({ perSecond }) => perSecond),
    ),
    p50: ratio(
      one.latency?.p50Ms,
      median(({ latency }) => latency?.p50Ms),
    ),
    p99: ratio(
      one.latency?.p99Ms,
      median(({ latency }) => latency?.p99Ms),
    ),
  };
}

function ratio(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined || other === 0 ? undefined : one / other;
}
