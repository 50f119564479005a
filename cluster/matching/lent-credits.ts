// Credits of this node's workers that were lent to other nodes: until a task is delivered for one, it is released, or its time is over. What was taken
// is remembered for a while, so that a delivery that comes twice is taken once (I6), and one that comes late is refused. Used by remote-source.ts.

import type { Clock } from '../../src/ports/clock.ts';
import type { Claim, Delivery, LateAnswer } from '../../src/ports/matching.ts';
import type { MatchingLimits } from './limits.ts';

interface Lent {
  readonly claim: Claim;
  readonly to: string;
  /** Monotonic ms. */
  dueAt: number;
}

export class LentCredits {
  readonly #clock: Clock;
  readonly #limits: MatchingLimits;
  readonly #onTaken: (session: string, task: Delivery) => void;
  readonly #lent = new Map<number, Lent>();
  /** Ids whose task was taken, and when; oldest first. */
  readonly #taken = new Map<number, number>();
  #next = 1;
  /** Of ids up to here nothing is remembered. */
  #forgotten = 0;

  constructor(clock: Clock, limits: MatchingLimits, onTaken: (session: string, task: Delivery) => void) {
    this.#clock = clock;
    this.#limits = limits;
    this.#onTaken = onTaken;
  }

  get size(): number {
    return this.#lent.size;
  }

  get isFull(): boolean {
    return this.#lent.size >= this.#limits.lent;
  }

  /** Returns the credit's id, by which the other node delivers. */
  lend(claim: Claim, to: string): number {
    const id = this.#next;
    this.#next += 1;
    this.#lent.set(id, { claim, to, dueAt: this.#clock.monotonic() + this.#limits.lentMaxMs });
    return id;
  }

  /** No task for these. */
  release(ids: readonly number[], by: string): void {
    for (const id of ids) {
      const lent = this.#lent.get(id);
      if (lent === undefined || lent.to !== by) continue;
      this.#lent.delete(id);
      lent.claim.release();
    }
  }

  /** The other node has said all, or its link has ended: what it has a task for is delivered soon, or not at all. */
  ending(ids: readonly number[]): void {
    const dueAt = this.#clock.monotonic() + this.#limits.lentMs;
    for (const id of ids) {
      const lent = this.#lent.get(id);
      if (lent !== undefined) lent.dueAt = Math.min(lent.dueAt, dueAt);
    }
  }

  deliver(id: number, from: string, task: Delivery): LateAnswer {
    if (this.#taken.has(id)) return 'taken';
    const lent = this.#lent.get(id);
    // Never taken, if it was lent by this process and not so long ago that it was forgotten.
    if (lent === undefined) return id > this.#forgotten && id < this.#next ? 'refused' : 'unknown';
    if (lent.to !== from) return 'unknown';
    this.#lent.delete(id);
    if (lent.claim.deliver(task) !== true) return 'refused';
    this.#taken.set(id, this.#clock.monotonic());
    this.#onTaken(lent.claim.taker.session, task);
    if (this.#taken.size > this.#limits.remembered) this.#forgetOldest();
    return 'taken';
  }

  /** Gives back what has waited for too long. */
  sweep(): void {
    const now = this.#clock.monotonic();
    for (const [id, { claim, dueAt }] of this.#lent) {
      if (dueAt > now) continue;
      this.#lent.delete(id);
      claim.release();
    }
    for (const [, at] of this.#taken) {
      if (now - at < this.#limits.rememberedMs) break;
      this.#forgetOldest();
    }
  }

  /** This node takes nothing more. */
  close(): void {
    const lent = [...this.#lent.values()];
    this.#lent.clear();
    for (const { claim } of lent) claim.release();
  }

  #forgetOldest(): void {
    for (const [id] of this.#taken) {
      this.#taken.delete(id);
      this.#forgotten = Math.max(this.#forgotten, id);
      return;
    }
  }
}
