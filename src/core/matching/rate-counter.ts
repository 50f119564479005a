// How many a second, over the last 30 s: counts in six slots of 5 s, so that a mark costs an addition. Time comes from the caller.

const SLOT_MS = 5_000;
const SLOTS = 6;

export class RateCounter {
  readonly #counts: number[] = Array(SLOTS).fill(0);
  #slot: number;
  readonly #since: number;

  /** `now` in monotonic ms. */
  constructor(now: number) {
    this.#slot = Math.floor(now / SLOT_MS);
    this.#since = now;
  }

  mark(now: number): void {
    const slot = Math.floor(now / SLOT_MS);
    if (slot > this.#slot) this.#turn(slot);
    const at = this.#slot % SLOTS;
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
  }

  perSecond(now: number): number {
    const slot = Math.floor(now / SLOT_MS);
    if (slot > this.#slot) this.#turn(slot);
    let sum = 0;
    for (const count of this.#counts) sum += count;
    // The slots hold what came since the oldest of them began, or since the first mark could.
    const from = Math.max(this.#since, (this.#slot - SLOTS + 1) * SLOT_MS);
    return (sum * 1_000) / Math.max(1_000, now - from);
  }

  #turn(slot: number): void {
    for (let next = Math.max(this.#slot + 1, slot - SLOTS + 1); next <= slot; next += 1) this.#counts[next % SLOTS] = 0;
    this.#slot = slot;
  }
}
