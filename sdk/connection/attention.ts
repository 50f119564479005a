// Whether a server that something waits for is still there. A process that was stopped, or a host that is gone, leaves its links open: where another
// server could do instead, silence is noticed within seconds, not by the idle time of the link (link.ts). One of each per link.

import type { Cancelable, Scheduler } from './scheduler.ts';

/** Silence after which a sign of life is asked for, ms. */
export const ASK_AFTER_MS = 1_000;
/** Silence after which the link is left, ms, at first. */
export const LEAVE_AFTER_MS = 2_500;
const LOOK_MS = 250;
/** A look so much late says that this process did not run: what came meanwhile has not been read yet, ms. */
const OVERSLEPT_MS = 250;
/** Each link that was left doubles what the next ones are given, so often at most. */
const DOUBLINGS = 4;
/** … until none was left for so long, ms. */
const FORGET_MS = 60_000;

/** What is shared by all links: where answers are slow because the way is, leaving one link after the other would never bring any. */
export class Patience {
  readonly #scheduler: Pick<Scheduler, 'monotonic'>;
  #left = 0;
  #leftAt = Number.NEGATIVE_INFINITY;

  constructor(scheduler: Pick<Scheduler, 'monotonic'>) {
    this.#scheduler = scheduler;
  }

  get leaveAfterMs(): number {
    if (this.#scheduler.monotonic() - this.#leftAt >= FORGET_MS) this.#left = 0;
    return LEAVE_AFTER_MS * 2 ** this.#left;
  }

  left(): void {
    this.#left = Math.min(DOUBLINGS, this.#left + 1);
    this.#leftAt = this.#scheduler.monotonic();
  }
}

export interface AttentionHost {
  /** Somebody waits for this server, and another one could do instead. */
  isAwaited(): boolean;
  /** Asks for a sign of life. */
  ask(): void;
  leave(silentMs: number): void;
}

export class Attention {
  readonly #scheduler: Scheduler;
  readonly #patience: Patience;
  readonly #host: AttentionHost;
  #timer: Cancelable | undefined;
  #heard = false;
  #asked = false;
  #quietSince = 0;
  #lookedAt = 0;

  constructor(scheduler: Scheduler, patience: Patience, host: AttentionHost) {
    this.#scheduler = scheduler;
    this.#patience = patience;
    this.#host = host;
  }

  /** Something may wait for this server from now on. */
  begin(): void {
    if (this.#timer !== undefined) return;
    this.#again(this.#scheduler.monotonic());
    this.#lookLater();
  }

  /** Anything came. */
  heard(): void {
    this.#heard = true;
  }

  end(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #lookLater(): void {
    this.#timer = this.#scheduler.after(LOOK_MS, () => this.#look());
  }

  #again(now: number): void {
    this.#heard = false;
    this.#asked = false;
    this.#quietSince = now;
    this.#lookedAt = now;
  }

  #look(): void {
    this.#timer = undefined;
    if (!this.#host.isAwaited()) return;
    const now = this.#scheduler.monotonic();
    const silentMs = now - this.#quietSince;
    if (this.#heard || now - this.#lookedAt > LOOK_MS + OVERSLEPT_MS) this.#again(now);
    else if (silentMs >= this.#patience.leaveAfterMs) {
      this.#patience.left();
      this.#host.leave(silentMs);
      return;
    } else if (silentMs >= ASK_AFTER_MS && !this.#asked) {
      this.#asked = true;
      this.#host.ask();
    }
    this.#lookedAt = now;
    this.#lookLater();
  }
}
