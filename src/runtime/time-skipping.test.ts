import { beforeEach, describe, expect, it } from 'vitest';
import { VirtualTime } from '../../test/support/matching-world.ts';
import type { Outlook } from '../ports/time-skipping.ts';
import { MovableTime, TimeSkipper } from './time-skipping.ts';

const HOUR = 3_600_000;

let real: VirtualTime;
let time: MovableTime;
let skipper: TimeSkipper;
let outlook: Outlook;
let fired: string[];

beforeEach(() => {
  real = new VirtualTime();
  time = new MovableTime(real, real);
  outlook = { isIdle: true, nextDueMs: undefined };
  skipper = new TimeSkipper({ time, scheduler: real, outlook: () => outlook });
  fired = [];
});

const began = (): number => real.now();

describe('time that can be moved', () => {
  it('fires what has come to be due by it, in order', () => {
    time.after(2 * HOUR, () => fired.push('later'));
    time.after(HOUR, () => fired.push('sooner'));
    time.after(3 * HOUR, () => fired.push('not yet'));
    const before = time.now();
    time.move(2 * HOUR);
    expect(fired).toEqual(['sooner', 'later']);
    expect(time.now() - before).toBe(2 * HOUR);
  });

  it('brings what is left nearer', () => {
    time.after(HOUR, () => fired.push('due'));
    time.move(HOUR - 100);
    real.advance(99);
    expect(fired).toEqual([]);
    real.advance(1);
    expect(fired).toEqual(['due']);
  });

  it('never falls, and durations are real', () => {
    const [wall, monotonic] = [time.now(), time.monotonic()];
    time.move(-HOUR);
    time.move(Number.NaN);
    expect(time.now()).toBe(wall);
    time.move(HOUR);
    expect(time.monotonic()).toBe(monotonic);
  });

  it('does not fire what was taken back', () => {
    const one = time.after(HOUR, () => fired.push('one'));
    one.cancel();
    time.move(2 * HOUR);
    expect(fired).toEqual([]);
  });
});

describe('a server that skips time', () => {
  it('is locked at first: time passes as it does', () => {
    outlook = { isIdle: true, nextDueMs: began() + HOUR };
    skipper.sleepUntil(began() + 1_000, () => fired.push('slept'));
    real.advance(900);
    expect(fired).toEqual([]);
    real.advance(200);
    expect(fired).toEqual(['slept']);
  });

  it('jumps to what is due next once it is unlocked and nothing goes on', () => {
    outlook = { isIdle: true, nextDueMs: time.now() + HOUR };
    const due = time.now() + HOUR;
    skipper.unlock();
    real.advance(50);
    expect(time.now()).toBeGreaterThanOrEqual(due);
    expect(time.now()).toBeLessThan(due + 1_000);
  });

  it('waits while a worker is at work', () => {
    const before = time.now();
    outlook = { isIdle: false, nextDueMs: before + HOUR };
    skipper.unlock();
    real.advance(500);
    expect(time.now() - before).toBeLessThan(1_000);
    outlook = { isIdle: true, nextDueMs: before + HOUR };
    real.advance(50);
    expect(time.now()).toBeGreaterThanOrEqual(before + HOUR);
  });

  it('stands still again when it is locked', () => {
    skipper.unlock();
    skipper.lock();
    outlook = { isIdle: true, nextDueMs: time.now() + HOUR };
    const before = time.now();
    real.advance(500);
    expect(time.now() - before).toBeLessThan(1_000);
    skipper.unlock();
    real.advance(50);
    expect(time.now() - before).toBeGreaterThanOrEqual(HOUR);
  });

  it('jumps to those who sleep, the first first', () => {
    const before = time.now();
    skipper.unlock();
    skipper.sleepUntil(before + 2 * HOUR, () => fired.push('second'));
    skipper.sleepUntil(before + HOUR, () => fired.push('first'));
    skipper.sleepUntil(before + 3 * HOUR, () => fired.push('gone')).abandon();
    real.advance(200);
    expect(fired).toEqual(['first', 'second']);
  });
});
