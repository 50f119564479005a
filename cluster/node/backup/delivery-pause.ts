// While a backup cuts the shards, messages between them stand still on every node: none is applied, and none that was is taken from its outbox
// (DESIGN §7). It ends by itself after a bounded time, whatever became of who asked for it. Used by outbox-relay.ts and backup-source.ts.

import type { Clock } from '../../../src/ports/clock.ts';

/** The longest pause, ms: messages between workflows wait so long when the node that asked for it dies. */
export const MAX_PAUSE_MS = 10_000;

export class DeliveryPause {
  readonly #clock: Clock;
  #held: { readonly backup: string; readonly untilMs: number } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get isPaused(): boolean {
    return this.#current() !== undefined;
  }

  /** False: another backup holds it. */
  begin(backup: string): boolean {
    const held = this.#current();
    if (held !== undefined && held.backup !== backup) return false;
    this.#held = { backup, untilMs: this.#clock.monotonic() + MAX_PAUSE_MS };
    return true;
  }

  /** Whether this backup's pause is in force, and has been since it began. */
  holds(backup: string): boolean {
    return this.#current()?.backup === backup;
  }

  /** Does nothing for a backup that does not hold it. */
  end(backup: string): void {
    if (this.#held?.backup === backup) this.#held = undefined;
  }

  /** By the clock, not by a timer: a process that was stopped meanwhile has no pause any more. */
  #current(): { readonly backup: string } | undefined {
    if (this.#held !== undefined && this.#clock.monotonic() >= this.#held.untilMs) this.#held = undefined;
    return this.#held;
  }
}
