import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LoadShape, Measurement } from '../lib/report.ts';
import { besideEachOther, spreadOf } from './beside.ts';

interface Given {
  readonly system: string;
  readonly variant?: string;
  readonly perSecond: number;
  readonly p50Ms?: number;
  readonly round?: number;
  readonly scenario?: string;
  readonly shape?: LoadShape;
  readonly load?: string;
}

function measured({
  system,
  variant,
  perSecond,
  p50Ms = 1,
  round = 1,
  scenario = 'sequence',
  shape,
  load,
}: Given): Measurement {
  return {
    scenario,
    case: '',
    system: { name: system, version: '1', variant },
    round,
    parameters: {},
    shape: shape ?? { kind: 'closed', concurrency: 256 },
    load,
    clients: 1,
    operation: 'workflow',
    counts: { warmUp: 0, done: 1, all: 1, refused: 0 },
    seconds: 1,
    perSecond,
    latency: { meanMs: 1, p50Ms, p90Ms: 1, p99Ms: 2 * p50Ms, p999Ms: 1, maxMs: 1, histogram: '' },
    roles: [],
    series: [],
    multiples: [],
    steady: 'not judged',
    steps: [],
    figures: [],
    notes: [],
  };
}

describe('peers beside Tenuto', () => {
  it('are compared by the medians of all rounds, whose spread is told', () => {
    const rounds = (system: string, rates: readonly number[]) =>
      rates.map((perSecond, i) => measured({ system, perSecond, p50Ms: 1000 / perSecond, round: i + 1 }));
    const [ours, peer] = besideEachOther([...rounds('tenuto', [100, 400, 200]), ...rounds('restate', [40, 60, 50])]);
    expect(ours).toMatchObject({ rounds: 3, perSecond: { median: 200, least: 100, most: 400 }, tenuto: undefined });
    expect(peer).toMatchObject({ perSecond: { median: 50, least: 40, most: 60 }, tenuto: { perSecond: 4, p50: 0.25 } });
  });

  it('are shown in the better one of their variants, and the others are named', () => {
    const [, peer] = besideEachOther([
      measured({ system: 'tenuto', perSecond: 100 }),
      measured({ system: 'restate', variant: 'default', perSecond: 20 }),
      measured({ system: 'restate', variant: '1 partition', perSecond: 30 }),
      measured({ system: 'restate', variant: 'default', perSecond: 90, round: 2 }),
      measured({ system: 'restate', variant: '1 partition', perSecond: 90, round: 2 }),
    ]);
    expect(peer?.system.variant).toBe('1 partition');
    expect(peer?.worse).toEqual([{ variant: 'default', perSecond: 55, p50Ms: 1 }]);
  });

  it('have no multiple where nothing of theirs ended in time', () => {
    const [, peer] = besideEachOther([
      measured({ system: 'tenuto', perSecond: 100 }),
      measured({ system: 'restate', perSecond: 0 }),
    ]);
    expect(peer?.tenuto?.perSecond).toBeUndefined();
  });

  it('are chosen by latency where the rate is given', () => {
    const shape = { kind: 'open', perSecond: 100 } as const;
    const [, peer] = besideEachOther([
      measured({ system: 'tenuto', perSecond: 100, shape }),
      measured({ system: 'restate', variant: 'default', perSecond: 100.1, p50Ms: 9, shape }),
      measured({ system: 'restate', variant: '1 partition', perSecond: 99.9, p50Ms: 5, shape }),
    ]);
    expect(peer?.system.variant).toBe('1 partition');
  });

  it('are compared at the knee of each, wherever that is', () => {
    const at = (system: string, concurrency: number, perSecond: number) =>
      measured({ system, perSecond, shape: { kind: 'closed', concurrency }, load: 'at its knee' });
    const [ours, peer] = besideEachOther([at('tenuto', 512, 900), at('tenuto', 256, 700), at('restate', 64, 400)]);
    expect(ours).toMatchObject({ load: '512 at a time or 256 at a time', perSecond: { median: 800 } });
    expect(peer).toMatchObject({ load: '64 at a time', tenuto: { perSecond: 2 } });
  });

  it('are compared only under the same load, and only where there is one of ours', () => {
    const rows = besideEachOther([
      measured({ system: 'tenuto', perSecond: 100 }),
      measured({ system: 'tenuto', perSecond: 100, scenario: 'signals' }),
      measured({ system: 'dbos', perSecond: 10 }),
      measured({ system: 'dbos', perSecond: 10, shape: { kind: 'closed', concurrency: 1 } }),
      { ...measured({ system: 'dbos', perSecond: 10, scenario: 'start' }), shape: undefined },
    ]);
    expect(rows.map(({ scenario, system, load }) => [scenario, system.name, load])).toEqual([
      ['sequence', 'tenuto', '256 at a time'],
      ['sequence', 'dbos', '256 at a time'],
    ]);
  });
});

describe('a spread', () => {
  it('has a median between the least and the most, with as many on either side', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ noNaN: true, min: 0, max: 1e6 }), { minLength: 1 }), (values) => {
        const spread = spreadOf(values);
        if (spread === undefined) return false;
        const below = values.filter((value) => value < spread.median).length;
        const above = values.filter((value) => value > spread.median).length;
        const half = values.length / 2;
        return spread.least <= spread.median && spread.median <= spread.most && below <= half && above <= half;
      }),
    );
  });

  it('of nothing is none', () => expect(spreadOf([])).toBeUndefined());
});
