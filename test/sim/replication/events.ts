// The one queue of a replication seed: events by virtual time and a seeded tie-break. Everything is synchronous: one seed, one history.

import { SeededRandom } from '../random.ts';

interface Event {
  readonly atMs: number;
  readonly tie: number;
  readonly fn: () => void;
}

export class Events {
  readonly random: SeededRandom;
  nowMs = 0;
  count = 0;
  readonly #heap: Event[] = [];

  constructor(seed: number) {
    this.random = new SeededRandom(`replication events ${seed}`);
  }

  after(delayMs: number, fn: () => void): void {
    const event = { atMs: this.nowMs + delayMs, tie: this.random.u32(), fn };
    const heap = this.#heap;
    let at = heap.push(event) - 1;
    while (at > 0) {
      const up = (at - 1) >> 1;
      const parent = heap[up] as Event; // up is within
      if (!before(event, parent)) break;
      heap[at] = parent;
      at = up;
    }
    heap[at] = event;
  }

  /** Runs until the time is over, or `done` says so. */
  run(untilMs: number, done: () => boolean = () => false): void {
    for (;;) {
      const event = this.#heap[0];
      if (event === undefined || event.atMs > untilMs || done()) return;
      this.#pop();
      this.nowMs = event.atMs;
      this.count += 1;
      event.fn();
    }
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let down = 2 * at + 1;
      let child = heap[down];
      if (child === undefined) break;
      const right = heap[down + 1];
      if (right !== undefined && before(right, child)) {
        child = right;
        down += 1;
      }
      if (!before(child, last)) break;
      heap[at] = child;
      at = down;
    }
    heap[at] = last;
  }
}

const before = (a: Event, b: Event): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.tie < b.tie);
