import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Standstill } from './standstill.ts';

describe('the time in which a process ran', () => {
  let nowMs = 0;
  let standstill: Standstill;
  const runs = (ms: number): void => {
    for (let left = ms; left > 0; left -= 100) {
      nowMs += 100;
      vi.advanceTimersByTime(100);
    }
  };
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    nowMs = 5_000;
    vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
    standstill = new Standstill();
  });
  afterEach(() => {
    standstill.stop();
    vi.restoreAllMocks();
    vi.useRealTimers();
  });

  it('is all of it, also where the loop was busy for a moment', () => {
    const from = standstill.awakeMs();
    runs(10_000);
    expect(standstill.awakeMs() - from).toBe(10_000);
    nowMs += 1_900;
    expect(standstill.awakeMs() - from).toBe(11_900);
  });

  it('is without what it stood still for, asked at once or later', () => {
    const from = standstill.awakeMs();
    runs(3_500);
    nowMs += 70_000;
    expect(standstill.awakeMs() - from).toBeLessThan(5_000);
    runs(4_000);
    nowMs += 30_000;
    runs(2_000);
    const awakeMs = standstill.awakeMs() - from;
    expect(awakeMs).toBeGreaterThanOrEqual(9_500 - 2_000);
    expect(awakeMs).toBeLessThanOrEqual(9_500 + 2_000);
  });
});
