// The one queue of a replication seed: events by virtual time and a seeded tie-break. Everything is synchronous: one seed, one history.

import { EventQueue, type Timed } from '../event-queue.ts';
import { SeededRandom } from '../random.ts';

interface Event extends Timed {
  readonly fn: () => void;
}

export class Events {
  readonly random: SeededRandom;
  nowMs = 0;
  count = 0;
  readonly #queue = new EventQueue<Event>();

  constructor(seed: number) {
    this.random = new SeededRandom(`replication events ${seed}`);
  }

  after(delayMs: number, fn: () => void): void {
    this.#queue.push({ at: this.nowMs + delayMs, tie: this.random.u32(), fn });
  }

  /** Runs until the time is over, or `done` says so. */
  run(untilMs: number, done: () => boolean = () => false): void {
    for (;;) {
      const event = this.#queue.first;
      if (event === undefined || event.at > untilMs || done()) return;
      this.#queue.shift();
      this.nowMs = event.at;
      this.count += 1;
      event.fn();
    }
  }
}
