// A rate limit as arithmetic: tokens drip in at `rate` per second up to `burst`; time comes from the caller.
// The burst is a tenth of a second's worth (at least one), so that a limit of 5/s means one every 200 ms, not five at once.

export class TokenBucket {
  #rate: number;
  #burst: number;
  #tokens: number;
  #at: number;

  /** `ratePerSecond` >= 0; `now` in monotonic milliseconds. Starts full, except that a rate of 0 lets nothing through. */
  constructor(ratePerSecond: number, now: number) {
    this.#rate = ratePerSecond;
    this.#burst = burstOf(ratePerSecond);
    this.#tokens = this.#burst;
    this.#at = now;
  }

  get rate(): number {
    return this.#rate;
  }

  /** From now on; what was saved up so far is kept as far as the new burst has room, so that many changes let no more through than one. */
  change(ratePerSecond: number, now: number): void {
    this.#drip(now);
    this.#rate = ratePerSecond;
    this.#burst = burstOf(ratePerSecond);
    this.#tokens = Math.min(this.#tokens, this.#burst);
  }

  /** Nothing is used of it: one that is made anew would be the same. */
  isFull(now: number): boolean {
    this.#drip(now);
    return this.#tokens >= this.#burst;
  }

  #drip(now: number): void {
    if (now <= this.#at) return;
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#at) * this.#rate) / 1000);
    this.#at = now;
  }

  /** Milliseconds until a token is there; 0 when one is, Infinity when none will be. */
  waitMs(now: number): number {
    this.#drip(now);
    return this.#tokens >= 1 ? 0 : Math.max(1, Math.ceil(((1 - this.#tokens) * 1000) / this.#rate));
  }

  /** Takes one token; call only when `waitMs(now)` is 0. */
  take(now: number): void {
    this.#drip(now);
    this.#tokens -= 1;
  }

  /** What it was taken for did not happen. */
  giveBack(): void {
    this.#tokens = Math.min(this.#burst, this.#tokens + 1);
  }
}

const burstOf = (ratePerSecond: number): number => (ratePerSecond > 0 ? Math.max(1, ratePerSecond / 10) : 0);
