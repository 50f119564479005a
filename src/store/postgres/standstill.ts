// How long this process stood still: a suspended machine, SIGSTOP, a loop that was held. Meanwhile the database was not away, nobody asked it. Called by Database.

/** ms between two looks. */
const LOOK_MS = 1_000;

export class Standstill {
  #lookedAtMs = 0;
  #stoodMs = 0;
  #timer: NodeJS.Timeout | undefined;

  /** ms in which this process ran, since some moment. Looks from the first call on, until `stop`. */
  awakeMs(): number {
    const now = performance.now();
    if (this.#timer === undefined) {
      this.#lookedAtMs = now;
      this.#timer = setInterval(() => this.#look(), LOOK_MS);
      this.#timer.unref();
    }
    return now - this.#stoodMs - this.#missed(now);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = performance.now();
    this.#stoodMs += this.#missed(now);
    this.#lookedAtMs = now;
  }

  /** A look that is late by less than its interval says nothing. */
  #missed(now: number): number {
    const lateMs = now - this.#lookedAtMs - LOOK_MS;
    return lateMs > LOOK_MS ? lateMs : 0;
  }
}
