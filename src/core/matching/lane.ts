// One worker's credit of one kind. Credit is conserved: granted = available + claimed + delivered, at every moment.
// A claim is credit lent to one task; it ends as delivered (spent) or released (back). Used by queue.ts and src/matching.

import { TokenBucket } from './token-bucket.ts';

/** Credit of one worker and kind; grants beyond it are cut (I9). */
export const MAX_CREDIT = 10_000;

export class Lane<W> {
  readonly worker: W;
  #bucket: TokenBucket | undefined;
  #available = 0;
  #claimed = 0;
  #open = true;
  /** Place in its queue's rotation, -1 outside; kept by PairingQueue. */
  place = -1;

  constructor(worker: W, bucket: TokenBucket | undefined) {
    this.worker = worker;
    this.#bucket = bucket;
  }

  /** This worker's own rate limit. */
  get bucket(): TokenBucket | undefined {
    return this.#bucket;
  }

  /** From now on; undefined: none. A change of a limit lets nothing more through than the limits do. */
  limit(ratePerSecond: number | undefined, now: number): void {
    if (ratePerSecond === undefined) this.#bucket = undefined;
    else if (this.#bucket === undefined) this.#bucket = new TokenBucket(ratePerSecond, now);
    else this.#bucket.change(ratePerSecond, now);
  }

  /** Tasks this worker would take now. Below zero: tasks resumed beyond its grant are owed. */
  get available(): number {
    return this.#available;
  }

  get claimed(): number {
    return this.#claimed;
  }

  /** False once the worker is gone or leaves: it takes nothing more. */
  get open(): boolean {
    return this.#open;
  }

  grant(credit: number): void {
    if (this.#open) this.#available = Math.min(MAX_CREDIT, this.#available + credit);
  }

  /** Takes back what is neither claimed nor owed; how much. */
  withdraw(credit: number): number {
    const taken = Math.max(0, Math.min(this.#available, credit));
    this.#available -= taken;
    return taken;
  }

  /** Milliseconds until its rate limit lets one task through. */
  waitMs(now: number): number {
    return this.#bucket === undefined ? 0 : this.#bucket.waitMs(now);
  }

  /** Lends one credit to a task. Callers check `available` first; a resumed task is owed to its worker and may overdraw. */
  claim(now: number): void {
    this.#available -= 1;
    this.#claimed += 1;
    this.#bucket?.take(now);
  }

  delivered(): void {
    this.#claimed -= 1;
  }

  released(): void {
    this.#claimed -= 1;
    if (this.#open) this.#available += 1;
    this.#bucket?.giveBack();
  }

  /** The worker vanished or leaves: what it granted is gone; claims still out settle as usual. */
  close(): void {
    this.#open = false;
    this.#available = 0;
  }
}
