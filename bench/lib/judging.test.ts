// Steady state, the knee, and multiples of floors.
import { describe, expect, it } from 'vitest';
import { kneeOf, nextStep } from './knee.ts';
import { multiplesOf, pathOf } from './multiples.ts';
import type { Floors, Step } from './report.ts';
import { isSteady } from './steady.ts';

describe('a load is steady', () => {
  it.each([
    ['when the last windows agree', [10, 500, 1000, 1010, 990, 1005], true],
    ['not before there are enough of them', [1000, 1000, 1000], false],
    ['not while it rises', [700, 800, 900, 1000], false],
    ['not when one stalls', [1000, 1000, 100, 1000], false],
    ['not when nothing ends', [0, 0, 0, 0], false],
    ['when few end, and differ by chance alone', [7, 10, 8, 9], true],
  ])('%s', (_, counts, steady) => {
    expect(isSteady(counts)).toBe(steady);
  });
});

function open(offered: number, perSecond: number, p99Ms: number): Step {
  return { shape: { kind: 'open', perSecond: offered }, perSecond, p50Ms: 1, p99Ms, refused: 0 };
}

function closed(concurrency: number, perSecond: number): Step {
  return { shape: { kind: 'closed', concurrency }, perSecond, p50Ms: 1, p99Ms: 2, refused: 0 };
}

describe('an open load', () => {
  const first = { kind: 'open', perSecond: 100 } as const;
  it('grows by half while it is followed', () => {
    expect(nextStep(first, [])).toEqual(first);
    expect(nextStep(first, [open(100, 100, 5)])).toEqual({ kind: 'open', perSecond: 150 });
  });

  it.each([
    ['fewer end than begin', open(150, 120, 6)],
    ['latency explodes', open(150, 150, 51)],
  ])('is past its knee when %s', (_, last) => {
    const steps = [open(100, 100, 5), last];
    expect(nextStep(first, steps)).toBeUndefined();
    expect(kneeOf(steps)).toBe(steps[0]);
  });

  it('has no knee when the first step was too much', () => {
    expect(kneeOf([open(100, 50, 5)])).toBeUndefined();
  });
});

describe('a closed load', () => {
  it('doubles while more lanes bring more, and ends where they only wait', () => {
    const steps = [closed(8, 100), closed(16, 180), closed(32, 182)];
    expect(nextStep({ kind: 'closed', concurrency: 8 }, steps.slice(0, 2))).toEqual({
      kind: 'closed',
      concurrency: 32,
    });
    expect(nextStep({ kind: 'closed', concurrency: 8 }, steps)).toBeUndefined();
    expect(kneeOf(steps)).toBe(steps[1]);
  });
});

describe('multiples', () => {
  const floors: Floors = {
    fsyncP50Ms: 0.5,
    fsyncP99Ms: 2,
    fsyncsPerSecond: 1500,
    roundTripP50Ms: 0.1,
    roundTripP99Ms: 0.3,
    echoesPerSecond: 40_000,
    msgpackPerSecond: 500_000,
  };
  it('of a workflow of one activity are of two fsyncs and eight frames', () => {
    const latency = { meanMs: 2, p50Ms: 2.1, p90Ms: 3, p99Ms: 4.2, p999Ms: 5, maxMs: 6, histogram: '' };
    const multiples = multiplesOf(floors, pathOf(1), { latency, perSecond: 1000 });
    expect(multiples.map(({ what, floor, times }) => [what, floor, Math.round(times * 100) / 100])).toEqual([
      ['p50', '2 fsyncs + 8 loopback frames', 1.5],
      ['p99', '2 fsyncs + 8 loopback frames', 3],
      ['per second', "8 frames of an echo's throughput", 10],
      ['per second', '8 frames of MessagePack by one core', 62.5],
    ]);
  });

  it('there are none of what has no such path', () => {
    expect(multiplesOf(floors, undefined, { perSecond: 1000 })).toEqual([]);
  });
});
