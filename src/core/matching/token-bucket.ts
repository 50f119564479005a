// A rate limit as arithmetic: tokens drip in at `rate` per second up to `burst`; time comes from the caller.
// The burst is a tenth of a second's worth (at least one), so that a limit of 5/s means one every 200 ms, not five at once.

export class TokenBucket {
  readonly rate: number;
  readonly #burst: number;
  #tokens: number;
  #at: number;

  /** `ratePerSecond` > 0; `now` in monotonic milliseconds. Starts full. */
  constructor(ratePerSecond: number, now: number) {
    this.rate = ratePerSecond;
    this.#burst = Math.max(1, ratePerSecond / 10);
    this.#tokens = this.#burst;
    this.#at = now;
  }

  #drip(now: number): void {
    if (now <= this.#at) return;
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#at) * this.rate) / 1000);
    this.#at = now;
  }

  /** Milliseconds until a token is there; 0 when one is. */
  waitMs(now: number): number {
    this.#drip(now);
    return this.#tokens >= 1 ? 0 : Math.max(1, Math.ceil(((1 - this.#tokens) * 1000) / this.rate));
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
