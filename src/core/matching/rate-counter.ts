// How many a second, over the last 30 s: counts in six slots of 5 s, so that a mark costs a comparison and an addition. Time comes from the caller, of
// whatever clock, and of one.

const SLOT_MS = 5_000;
const SLOTS = 6;

export class RateCounter {
  /** Of slots that are over. */
  readonly #counts: number[] = Array(SLOTS).fill(0);
  readonly #since: number;
  #slot: number;
  /** Of the present one, and when it ends. */
  #count = 0;
  #until: number;

  /** `now` in ms. */
  constructor(now: number) {
    this.#since = now;
    this.#slot = Math.floor(now / SLOT_MS);
    this.#until = (this.#slot + 1) * SLOT_MS;
  }

  mark(now: number): void {
    if (now >= this.#until) this.#turn(now);
    this.#count += 1;
  }

  perSecond(now: number): number {
    if (now >= this.#until) this.#turn(now);
    const sum = this.#counts.reduce((all, count) => all + count, this.#count);
    // The slots hold what came since the oldest of them began, or since the first mark could.
    const from = Math.max(this.#since, (this.#slot - SLOTS + 1) * SLOT_MS);
    return (sum * 1_000) / Math.max(1_000, now - from);
  }

  #turn(now: number): void {
    const slot = Math.floor(now / SLOT_MS);
    this.#counts[this.#slot % SLOTS] = this.#count;
    for (let next = Math.max(this.#slot + 1, slot - SLOTS + 1); next <= slot; next += 1) this.#counts[next % SLOTS] = 0;
    this.#count = 0;
    this.#slot = slot;
    this.#until = (slot + 1) * SLOT_MS;
  }
}
