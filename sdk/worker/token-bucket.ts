// A token bucket in plain numbers: at most `ratePerSecond` on average, short bursts of a tenth of a second's worth.

export class TokenBucket {
  private perMs: number;
  private capacity: number;
  private tokens: number;
  /** Monotonic ms of the last refill. */
  private refilledAt: number;

  /** @param ratePerSecond Above 0. */
  constructor(ratePerSecond: number, nowMs: number) {
    this.perMs = ratePerSecond / 1000;
    this.capacity = Math.max(1, ratePerSecond / 10);
    this.tokens = this.capacity;
    this.refilledAt = nowMs;
  }

  /** From now on; what was saved up or is owed is kept, as far as the new bucket has room. @param ratePerSecond Above 0. */
  change(ratePerSecond: number, nowMs: number): void {
    this.refill(nowMs);
    this.perMs = ratePerSecond / 1000;
    this.capacity = Math.max(1, ratePerSecond / 10);
    this.tokens = Math.min(this.tokens, this.capacity);
  }

  /** Whole tokens there now. */
  available(nowMs: number): number {
    this.refill(nowMs);
    // A refill of exactly one token may come out a hair below it.
    return Math.floor(this.tokens + 1e-9);
  }

  /** May go below zero: what was used without asking is paid back later. */
  use(nowMs: number): void {
    this.refill(nowMs);
    this.tokens -= 1;
  }

  /** ms until `count` tokens are there; 0 when they are, and never more than a full bucket is waited for. */
  waitFor(count: number, nowMs: number): number {
    this.refill(nowMs);
    const missing = Math.min(count, this.capacity) - this.tokens;
    return missing <= 0 ? 0 : Math.ceil(missing / this.perMs);
  }

  private refill(nowMs: number): void {
    const elapsed = nowMs - this.refilledAt;
    if (elapsed <= 0) return;
    this.refilledAt = nowMs;
    this.tokens = Math.min(this.capacity, this.tokens + elapsed * this.perMs);
  }
}
