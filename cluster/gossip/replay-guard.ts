// Tells whether a numbered message of one sender is new. Messages may overtake each other, and a receiver sees few of a sender's numbers,
// so it remembers the highest ones seen, and takes all below them for old. Used by envelope.ts.

/** How far a message may be overtaken, in messages of the same sender to us. */
const REMEMBERED = 64;

export class ReplayGuard {
  /** Ascending. */
  readonly #seen: number[] = [];
  #floor = -1;

  /** Whether `counter` was not seen before; then it is now. */
  accept(counter: number): boolean {
    if (counter <= this.#floor) return false;
    const seen = this.#seen;
    let at = seen.length;
    while (at > 0 && (seen[at - 1] ?? 0) > counter) at -= 1;
    if (seen[at - 1] === counter) return false;
    seen.splice(at, 0, counter);
    if (seen.length > REMEMBERED) this.#floor = seen.shift() ?? this.#floor;
    return true;
  }
}
