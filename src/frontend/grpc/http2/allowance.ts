// How often a client may do what costs us more than it: so many times at once, and so many a second for long.

import type { Cancelable, Scheduler } from '../../../ports/clock.ts';

const REFILL_MS = 1_000;

export class Allowance {
  readonly #scheduler: Scheduler;
  readonly #burst: number;
  readonly #perSecond: number;
  #left: number;
  #refill: Cancelable | undefined;

  constructor(scheduler: Scheduler, burst: number, perSecond: number) {
    this.#scheduler = scheduler;
    this.#burst = burst;
    this.#perSecond = perSecond;
    this.#left = burst;
  }

  /** False: it has been too often. */
  take(): boolean {
    if (this.#left === 0) return false;
    this.#left -= 1;
    this.#refill ??= this.#scheduler.after(REFILL_MS, this.#refilled);
    return true;
  }

  /** No timer stays. */
  close(): void {
    this.#refill?.cancel();
  }

  readonly #refilled = (): void => {
    this.#left = Math.min(this.#burst, this.#left + this.#perSecond);
    this.#refill = this.#left < this.#burst ? this.#scheduler.after(REFILL_MS, this.#refilled) : undefined;
  };
}
