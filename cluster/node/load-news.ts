// How busy this node is, told to the others: what `tenuto cluster members` shows, so that an operator sees which node is at its limit. Owned by
// cluster-node.ts.

import type { Cancelable, Scheduler } from '../../src/ports/clock.ts';

const LOOK_MS = 2_000;
/** Share of the newest look in what is told: a moment's work is not a load. */
const NEWEST = 0.3;

export interface LoadNewsOptions {
  readonly scheduler: Scheduler;
  /** Since it was asked last: part of the time that the event loop worked, 0 to 1. */
  busy(): number;
  /** Percent, 0 to 100. */
  tell(load: number): void;
}

export class LoadNews {
  readonly #options: LoadNewsOptions;
  #load = 0;
  #timer: Cancelable | undefined;

  constructor(options: LoadNewsOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = this.#options.scheduler.after(LOOK_MS, () => {
      const now = Math.min(1, Math.max(0, this.#options.busy())) * 100;
      this.#load += NEWEST * (now - this.#load);
      this.#options.tell(this.#load);
      this.start();
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }
}
