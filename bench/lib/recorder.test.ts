import { describe, expect, it } from 'vitest';
import { Recorder, WINDOW_MS } from './recorder.ts';

function samples(...all: (readonly [beganAtMs: number, endedAtMs: number])[]) {
  return {
    beganAtMs: Float64Array.from(all, ([began]) => began),
    endedAtMs: Float64Array.from(all, ([, ended]) => ended),
  };
}

describe('the recorder', () => {
  it('tells only windows that are whole, whose samples have come', () => {
    const recorder = new Recorder(0);
    recorder.take(samples([0, 10], [0, 20], [0, WINDOW_MS + 10]));
    expect(recorder.windows(2 * WINDOW_MS)).toEqual([2]);
    expect(recorder.windows(2 * WINDOW_MS + 400)).toEqual([2, 1]);
  });

  it('counts for the rate what ends in the measured time', () => {
    const recorder = new Recorder(0);
    recorder.measureFrom(1_000);
    recorder.measureUntil(3_000);
    recorder.take(samples([500, 999], [500, 1_500], [1_600, 2_900], [2_900, 3_000]));
    expect(recorder.result()).toMatchObject({ done: 2, seconds: 2 });
    expect(recorder.total).toBe(4);
  });

  it('counts for latency what should have begun in it, though its answer came when the time was over', () => {
    const recorder = new Recorder(0);
    recorder.measureFrom(1_000);
    recorder.measureUntil(2_000);
    recorder.take(samples([500, 1_500], [1_999, 7_000]));
    expect(recorder.result().latency?.maxMs).toBeCloseTo(5_001, -2);
    expect(recorder.result().latency?.p50Ms).toBeCloseTo(5_001, -2);
  });

  it('tells each second once, when it is over', () => {
    const recorder = new Recorder(0);
    recorder.measureFrom(0);
    recorder.take(samples([0, 100], [0, 200], [1_000, 1_100]));
    expect(recorder.secondsOver(1_250)).toEqual([]);
    expect(recorder.secondsOver(1_400).map(({ perSecond }) => perSecond)).toEqual([2]);
    recorder.measureUntil(3_000);
    expect(recorder.result().perSecond.map(({ perSecond }) => perSecond)).toEqual([2, 1, 0]);
    expect(recorder.result().perSecond[2]).toEqual({ perSecond: 0 });
  });
});
