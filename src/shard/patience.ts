// How long an idle log waits before it appends what only pushes workflow tasks ahead (I1). Appended at once, the entry and the one of the
// task's completion are two syncs, one after the other: twice an append's time. Where a worker answers sooner than an append takes, one append
// of both is over earlier than the second of two would be, and costs half. What it costs is that the reply of the turn that scheduled the
// task comes later, by less than an append's time. See docs/decisions/0028.

/** Weight of the newest sample in a moving average. */
const NEWEST = 1 / 16;
/** A shorter wait than this a timer cannot keep, and so fast a log gains too little, ms. */
const SHORTEST_MS = 0.25;
/** However slow the log is: a worker that has not answered by then is busy, ms. */
const LONGEST_MS = 10;

export class Patience {
  /** Of an append, ms: moving average. */
  #appendMs = 0;
  /** Share of tasks pushed ahead that were completed before they were durable: moving average. */
  #answered = 0;

  /** The most that an entry may wait for completions; undefined: not at all. */
  get waitMs(): number | undefined {
    if (this.#appendMs < SHORTEST_MS || this.#answered < 0.5) return undefined;
    return Math.min(this.#appendMs, LONGEST_MS);
  }

  /** An append took so long, ms. */
  appended(tookMs: number): void {
    this.#appendMs += (tookMs - this.#appendMs) * (this.#appendMs === 0 ? 1 : NEWEST);
  }

  /** A task that was pushed ahead is durable; `answered`: its completion had come by then. */
  pushed(answered: boolean): void {
    this.#answered += ((answered ? 1 : 0) - this.#answered) * NEWEST;
  }
}
