// The suspicions under way and the clock over them. What ends one early is news of its subject (claims.ts); what ends it in time is its
// timeout, and then the subject is called dead.

import type { Timed } from './parts.ts';
import { Suspicion, type SuspicionBounds } from './suspicion.ts';

export class Suspicions implements Timed {
  readonly #onExpired: (name: string, nowMs: number) => void;
  readonly #byName = new Map<string, Suspicion>();
  /** Undefined: to be found again. */
  #earliest: number | undefined = Number.POSITIVE_INFINITY;

  constructor(onExpired: (name: string, nowMs: number) => void) {
    this.#onExpired = onExpired;
  }

  get size(): number {
    return this.#byName.size;
  }

  get dueAtMs(): number {
    if (this.#earliest === undefined) {
      this.#earliest = Number.POSITIVE_INFINITY;
      for (const { dueAtMs } of this.#byName.values()) this.#earliest = Math.min(this.#earliest, dueAtMs);
    }
    return this.#earliest;
  }

  begin(name: string, accuser: string, bounds: SuspicionBounds, nowMs: number): void {
    this.#byName.set(name, new Suspicion(accuser, bounds, nowMs));
    this.#earliest = undefined;
  }

  /** Whether it is news. */
  confirm(name: string, accuser: string): boolean {
    const news = this.#byName.get(name)?.confirm(accuser) ?? false;
    if (news) this.#earliest = undefined;
    return news;
  }

  clear(name: string): void {
    if (this.#byName.delete(name)) this.#earliest = undefined;
  }

  /** We were not running: nobody could refute meanwhile. */
  forgive(ms: number): void {
    for (const suspicion of this.#byName.values()) suspicion.forgive(ms);
    this.#earliest = undefined;
  }

  run(nowMs: number): void {
    for (const [name, { dueAtMs }] of [...this.#byName]) {
      if (dueAtMs > nowMs) continue;
      this.clear(name);
      this.#onExpired(name, nowMs);
    }
  }
}
