// Rates over the last 30 s.
import { describe, expect, it } from 'vitest';
import { RateCounter } from './rate-counter.ts';

describe('a rate', () => {
  it('is what came a second, over at most the last half minute', () => {
    const counter = new RateCounter(0);
    expect(counter.perSecond(0)).toBe(0);
    for (let at = 0; at < 60_000; at += 100) counter.mark(at);
    expect(counter.perSecond(60_000)).toBeCloseTo(10, 0);
  });

  it('falls to nothing when nothing comes', () => {
    const counter = new RateCounter(0);
    for (let at = 0; at < 10_000; at += 100) counter.mark(at);
    expect(counter.perSecond(20_000)).toBeCloseTo(5, 0);
    expect(counter.perSecond(45_000)).toBe(0);
  });

  it('of the first second is not more than what came', () => {
    const counter = new RateCounter(100_000);
    counter.mark(100_000);
    expect(counter.perSecond(100_001)).toBe(1);
  });
});
