import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LatencyHistogram, readPercentiles } from './histogram.ts';

it('tells percentiles to three digits', () => {
  const histogram = new LatencyHistogram();
  for (let us = 1; us <= 100_000; us += 1) histogram.record(us);
  const latency = histogram.toLatency();
  expect(latency?.p50Ms).toBeCloseTo(50, 0);
  expect(latency?.p99Ms).toBeCloseTo(99, 0);
  expect(latency?.maxMs).toBeCloseTo(100, 0);
});

it('has no percentiles of nothing', () => {
  expect(new LatencyHistogram().toLatency()).toBeUndefined();
});

it('counts what is out of range at the ends', () => {
  const histogram = new LatencyHistogram();
  histogram.record(0);
  histogram.record(1e12);
  expect(histogram.count).toBe(2);
  expect(histogram.toLatency()?.maxMs).toBeGreaterThan(599_000);
});

it('reads the same from its serialised form', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 10_000_000 }), { minLength: 1, maxLength: 50 }), (values) => {
      const histogram = new LatencyHistogram();
      for (const value of values) histogram.record(value);
      const latency = histogram.toLatency();
      expect(readPercentiles(latency?.histogram ?? '', [50, 99])).toEqual([latency?.p50Ms, latency?.p99Ms]);
    }),
    { numRuns: 30 },
  );
});
