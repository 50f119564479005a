import { describe, expect, it } from 'vitest';
import { ManualTime } from '../link/link.test-support.ts';
import { LoadNews } from './load-news.ts';

describe('the load of a node', () => {
  it('follows what its event loop does, and not a moment of it', () => {
    const time = new ManualTime();
    const told: number[] = [];
    const now = { busy: 0 };
    const news = new LoadNews({ scheduler: time, busy: () => now.busy, tell: (load) => told.push(Math.round(load)) });
    news.start();
    time.advance(2_000);
    now.busy = 1;
    time.advance(2_000);
    expect(told).toEqual([0, 30]);
    time.advance(40_000);
    expect(told.at(-1)).toBe(100);
    now.busy = 0.5;
    time.advance(40_000);
    expect(told.at(-1)).toBe(50);
    news.stop();
    const { length } = told;
    time.advance(10_000);
    expect(told).toHaveLength(length);
  });

  it.each([
    [-0.1, 0],
    [1.7, 30],
  ])('is a percentage, whatever the clock says: %d', (busy, first) => {
    const time = new ManualTime();
    const told: number[] = [];
    new LoadNews({ scheduler: time, busy: () => busy, tell: (load) => told.push(load) }).start();
    time.advance(2_000);
    expect(told).toEqual([first]);
  });
});
