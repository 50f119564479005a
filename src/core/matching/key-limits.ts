// The rate limit of each fairness key of one queue. Of keys that use nothing of theirs nothing is kept, so memory follows the keys that are busy, up to
// a bound (I9). Used by src/matching, which says each key's rate.

import { TokenBucket } from './token-bucket.ts';

/** Keys limited at once; beyond, the one that was used first begins anew. */
export const MAX_LIMITED_KEYS = 10_000;

export class KeyLimits {
  readonly #buckets = new Map<string, TokenBucket>();

  /** Whether a task of the key may be handed out now. */
  allows(key: string, ratePerSecond: number, now: number): boolean {
    const bucket = this.#buckets.get(key);
    if (bucket === undefined) return ratePerSecond > 0;
    if (bucket.rate !== ratePerSecond) bucket.change(ratePerSecond, now);
    return bucket.waitMs(now) <= 0;
  }

  /** One is: call only when it may. */
  take(key: string, ratePerSecond: number, now: number): void {
    let bucket = this.#buckets.get(key);
    if (bucket === undefined) {
      if (this.#buckets.size >= MAX_LIMITED_KEYS) this.#makeRoom(now);
      bucket = new TokenBucket(ratePerSecond, now);
      this.#buckets.set(key, bucket);
    }
    bucket.take(now);
  }

  #makeRoom(now: number): void {
    for (const [key, bucket] of this.#buckets) if (bucket.isFull(now)) this.#buckets.delete(key);
    const [first] = this.#buckets.keys();
    if (this.#buckets.size >= MAX_LIMITED_KEYS && first !== undefined) this.#buckets.delete(first);
  }
}
