// One kind's slots as credit (DESIGN §6): how many tasks the server may push, and how many grants are due.
//
// Without a rate limit credit simply follows the slots: each answer gives its slot back. With one, an answer gives nothing back and
// credit is granted as tokens come in, so that credit outstanding is never more than the bucket could pay for.

import { TokenBucket } from './token-bucket.ts';

export class Credit {
  readonly slots: number;
  /** Tasks pushed and not yet answered. */
  running = 0;
  private readonly bucket: TokenBucket | undefined;
  /** Rate limited only: granted and not yet used by a push. Below zero: pushed beyond what was granted, see `freed`. */
  private outstanding = 0;
  /** Tasks that ran beyond the slots when credit was last stated: it was 0 then, not less, so their ends bring nothing. */
  private surplus = 0;

  constructor(slots: number, ratePerSecond: number | undefined, nowMs: number) {
    this.slots = slots;
    this.bucket = ratePerSecond === undefined ? undefined : new TokenBucket(ratePerSecond, nowMs);
  }

  /** The credit to register with: everything granted before is void. */
  initial(nowMs: number): number {
    const free = Math.max(0, this.slots - this.running);
    this.surplus = Math.max(0, this.running - this.slots);
    if (this.bucket === undefined) return free;
    this.outstanding = Math.max(0, Math.min(free, this.bucket.available(nowMs)));
    return this.outstanding;
  }

  pushed(nowMs: number): void {
    this.running++;
    if (this.bucket === undefined) return;
    this.bucket.use(nowMs);
    this.outstanding -= 1;
  }

  /** A slot is free again. @returns Credit that goes back at once: 1, or 0 when a rate limit decides (see `due`). */
  freed(): 0 | 1 {
    this.running--;
    if (this.bucket !== undefined) return 0;
    // More may run than there are slots after a reconnect, when the server sends started tasks again. It takes a credit for each of them,
    // below zero if need be: every one has to come back, or the worker ends with free slots and no credit.
    if (this.surplus === 0) return 1;
    this.surplus--;
    return 0;
  }

  /** Rate limited: credit to grant now, counted as granted. */
  due(nowMs: number): number {
    const grant = Math.min(this.wanted(), (this.bucket?.available(nowMs) ?? 0) - this.outstanding);
    if (grant <= 0) return 0;
    this.outstanding += grant;
    return grant;
  }

  /** Rate limited: ms until `due` may be above 0; undefined when no slot waits for credit. */
  dueIn(nowMs: number): number | undefined {
    if (this.bucket === undefined || this.wanted() <= 0) return undefined;
    return this.bucket.waitFor(this.outstanding + 1, nowMs);
  }

  private wanted(): number {
    return this.slots - this.running - this.outstanding;
  }
}
