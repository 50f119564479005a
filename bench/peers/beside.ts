// Peers beside Tenuto: the rounds of each become a median and a spread, of a peer's variants the better one stays, and ours is given as a multiple of
// it. Pure.

import { describeShape, loadOf, type Measurement } from '../lib/report.ts';

export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export interface Row {
  readonly scenario: string;
  readonly case: string;
  /** `256 at a time`; of each round its own, where they differ. */
  readonly load: string;
  readonly system: Measurement['system'];
  readonly rounds: number;
  readonly perSecond: Spread;
  readonly p50Ms: Spread | undefined;
  readonly p99Ms: Spread | undefined;
  /** Of a peer: what Tenuto's medians are of its own. */
  readonly tenuto: Times | undefined;
  /** Variants of the same peer that did worse here. */
  readonly worse: readonly Worse[];
}

export interface Worse {
  readonly variant: string;
  /** Medians. */
  readonly perSecond: number;
  readonly p50Ms: number | undefined;
}

export interface Times {
  /** Greater than 1: Tenuto does more. Undefined where nothing of the peer's ended in the measured time. */
  readonly perSecond: number | undefined;
  /** Less than 1: Tenuto is sooner. */
  readonly p50: number | undefined;
  readonly p99: number | undefined;
}

/** Only of loads that a peer took too; Tenuto first, each peer once. */
export function besideEachOther(measurements: readonly Measurement[]): readonly Row[] {
  const loads = groupedBy(
    measurements.filter(({ shape }) => shape !== undefined),
    (measurement) => JSON.stringify([measurement.scenario, measurement.case, loadOf(measurement)]),
  );
  return loads.flatMap((ofLoad) => {
    const isRateGiven = ofLoad.every(({ shape, load }) => shape?.kind === 'open' && load === undefined);
    const systems = groupedBy(ofLoad, ({ system }) => system.name).map((ofSystem) =>
      best(groupedBy(ofSystem, ({ system }) => system.variant ?? '').map(rowOf), isRateGiven),
    );
    const ours = systems.find(({ system }) => system.name === 'tenuto');
    const peers = systems.filter((row) => row !== ours);
    if (ours === undefined || peers.length === 0) return [];
    return [ours, ...peers.map((peer) => ({ ...peer, tenuto: timesOf(ours, peer) }))];
  });
}

export function spreadOf(values: readonly number[]): Spread | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  const [least, most] = [sorted[0], sorted.at(-1)];
  if (least === undefined || most === undefined) return undefined;
  // Of an even number, between the two in the middle.
  const low = sorted[(sorted.length - 1) >> 1] ?? least;
  const high = sorted[sorted.length >> 1] ?? most;
  return { median: (low + high) / 2, least, most };
}

function rowOf(rounds: readonly Measurement[]): Row {
  const [first] = rounds;
  const perSecond = spreadOf(rounds.map((round) => round.perSecond));
  if (first?.shape === undefined || perSecond === undefined) throw new Error('a group has a measurement with a load');
  const latency = (of: 'p50Ms' | 'p99Ms') => spreadOf(rounds.flatMap((round) => round.latency?.[of] ?? []));
  return {
    scenario: first.scenario,
    case: first.case,
    load: [...new Set(rounds.flatMap(({ shape }) => (shape === undefined ? [] : describeShape(shape))))].join(' or '),
    system: first.system,
    rounds: rounds.length,
    perSecond,
    p50Ms: latency('p50Ms'),
    p99Ms: latency('p99Ms'),
    tenuto: undefined,
    worse: [],
  };
}

/** More per second; at a rate that is given, and so the same for all, sooner. */
function best(variants: readonly Row[], isRateGiven: boolean): Row {
  const [first, ...others] = [...variants].sort((a, b) => {
    const [ofA, ofB] = [a.p50Ms?.median ?? 0, b.p50Ms?.median ?? 0];
    return isRateGiven ? ofA - ofB : b.perSecond.median - a.perSecond.median;
  });
  if (first === undefined) throw new Error('a system has at least one variant');
  const worse = others.map(({ system, perSecond, p50Ms }) => ({
    variant: system.variant ?? system.name,
    perSecond: perSecond.median,
    p50Ms: p50Ms?.median,
  }));
  return { ...first, worse };
}

function timesOf(ours: Row, peer: Row): Times {
  const times = (one: Spread | undefined, other: Spread | undefined): number | undefined =>
    one === undefined || other === undefined || other.median === 0 ? undefined : one.median / other.median;
  return {
    perSecond: times(ours.perSecond, peer.perSecond),
    p50: times(ours.p50Ms, peer.p50Ms),
    p99: times(ours.p99Ms, peer.p99Ms),
  };
}

/** In the order in which each key came first. */
function groupedBy<T>(all: readonly T[], keyOf: (one: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const one of all) {
    const key = keyOf(one);
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups.values()];
}
