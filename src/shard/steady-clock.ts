// The node's clock as the shards see it: never falls (I7), and goes on while the wall clock is behind what was said before. Without that, a wall
// clock that steps back by an hour would stop shard time, and every timer with it, for that hour. Wraps the process's clock in the engine.

import type { Clock } from '../ports/clock.ts';

/**
 * Time that is ahead of its reference goes by so much slower until the two meet again: an hour is made good in twenty. Timers are late by this
 * share meanwhile, and never early.
 */
export const CATCHING_UP_RATE = 0.95;

/** A line in time: it was `value` when its reference showed `at`, and goes on from there at the slower rate. */
export class Carried {
  #value: number;
  #at: number;

  constructor(value: number, at: number) {
    this.#value = value;
    this.#at = at;
  }

  when(reference: number): number {
    return this.#value + Math.max(0, reference - this.#at) * CATCHING_UP_RATE;
  }

  /** What the reference shows when the line reaches `value`. */
  reaches(value: number): number {
    return this.#at + Math.max(0, value - this.#value) / CATCHING_UP_RATE;
  }

  restart(value: number, at: number): void {
    this.#value = value;
    this.#at = at;
  }
}

export class SteadyClock implements Clock {
  readonly #clock: Clock;
  readonly #carried: Carried;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#carried = new Carried(clock.now(), clock.monotonic());
  }

  now(): number {
    const wall = this.#clock.now();
    const monotonic = this.#clock.monotonic();
    const carried = this.#carried.when(monotonic);
    if (wall < carried) return Math.floor(carried);
    this.#carried.restart(wall, monotonic);
    return wall;
  }

  monotonic(): number {
    return this.#clock.monotonic();
  }
}
