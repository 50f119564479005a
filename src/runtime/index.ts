// The real clock, randomness and scheduler of a process: the adapters of ports/clock.ts. Wired by node.ts alone.

import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { Cancelable, Clock, Random, Scheduler } from '../ports/clock.ts';

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};

export const systemRandom: Random = {
  uuid: () => randomUUID(),
  next: () => Math.random(),
};

/** Returns what says, each time it is asked, which part of the time since then the event loop worked: 0 to 1. */
export function eventLoopBusy(): () => number {
  let last = performance.eventLoopUtilization();
  return () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, last);
    last = now;
    return utilization;
  };
}

/** The longest delay setTimeout takes; past it it would fire at once. */
const MAX_DELAY_MS = 2_147_483_647;

export const systemScheduler: Scheduler = {
  after(delayMs: number, fn: () => void): Cancelable {
    const dueAt = performance.now() + delayMs;
    const arm = (ms: number): NodeJS.Timeout => setTimeout(fire, Math.min(Math.ceil(ms), MAX_DELAY_MS)).unref();
    const fire = (): void => {
      const left = dueAt - performance.now();
      // setTimeout may fire a fraction of a millisecond early, and cuts very long delays.
      if (left > 0.5) timer = arm(left);
      else fn();
    };
    let timer = arm(delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
  // The check phase: after everything this turn of the event loop has read from its sockets, before timers.
  soon(fn: () => void): void {
    setImmediate(fn);
  },
};
