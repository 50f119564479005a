import { describe, expect, it } from 'vitest';
import { eventLoopBusy, systemClock, systemScheduler } from './index.ts';

describe("the process's scheduler", () => {
  it('runs what is due soon before timers, after the work at hand', async () => {
    const order: string[] = [];
    await new Promise<void>((resolve) => {
      systemScheduler.after(0, () => {
        order.push('timer');
        systemScheduler.after(1, () => {
          order.push('later');
          resolve();
        });
        systemScheduler.soon(() => order.push('soon'));
        order.push('work');
      });
      // Holds the process: the scheduler's own timers never do.
      setTimeout(() => {}, 100);
    });
    expect(order).toEqual(['timer', 'work', 'soon', 'later']);
  });

  it('is never early, and can be cancelled', async () => {
    const begun = systemClock.monotonic();
    let cancelled = true;
    systemScheduler
      .after(1, () => {
        cancelled = false;
      })
      .cancel();
    await new Promise<void>((resolve) => {
      systemScheduler.after(5, resolve);
      setTimeout(() => {}, 100);
    });
    expect(systemClock.monotonic() - begun).toBeGreaterThanOrEqual(4.5);
    expect(cancelled).toBe(true);
  });
});

describe('how busy the event loop was', () => {
  it('is told since it was asked last', async () => {
    const busy = eventLoopBusy();
    await new Promise((resolve) => setTimeout(resolve, 1));
    const endMs = performance.now() + 20;
    while (performance.now() < endMs);
    await new Promise((resolve) => setTimeout(resolve, 0));
    const working = busy();
    await new Promise((resolve) => setTimeout(resolve, 50));
    const idle = busy();
    expect(working).toBeGreaterThan(idle);
    expect(Math.min(working, idle)).toBeGreaterThanOrEqual(0);
    expect(Math.max(working, idle)).toBeLessThanOrEqual(1);
  });
});
