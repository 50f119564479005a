// When a shard may be taken again that another node took, or that could not be read. Two nodes whose rings differ for a while both want it:
// without a pause they would fence each other in turn and neither would serve. Called by SqlLeadership.

import type { Clock, Random } from '../../src/ports/clock.ts';
import type { ShardId } from '../../src/ports/ids.ts';

/** After the first loss, ms; doubled with each that follows soon. */
export const FIRST_PAUSE_MS = 250;
export const GREATEST_PAUSE_MS = 30_000;
/** Who has led for so long was not lost in a fight, ms. */
export const STEADY_MS = 30_000;

interface Pause {
  losses: number;
  /** On the monotonic clock. */
  untilMs: number;
  beganMs: number | undefined;
}

export class Pauses {
  readonly #clock: Clock;
  readonly #random: Random;
  /** At most one per wanted shard. */
  readonly #pauses = new Map<ShardId, Pause>();

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** 0: now. */
  waitMs(shard: ShardId): number {
    return Math.max(0, (this.#pauses.get(shard)?.untilMs ?? 0) - this.#clock.monotonic());
  }

  /** It is led here. */
  began(shard: ShardId): void {
    this.#of(shard).beganMs = this.#clock.monotonic();
  }

  /** Another node has taken it. */
  lost(shard: ShardId): void {
    const pause = this.#of(shard);
    const now = this.#clock.monotonic();
    if (pause.beganMs !== undefined && now - pause.beganMs >= STEADY_MS) pause.losses = 0;
    const pauseMs = Math.min(GREATEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** pause.losses);
    pause.losses += 1;
    pause.beganMs = undefined;
    // Varied, so that of two nodes one comes first.
    pause.untilMs = now + pauseMs * (0.5 + this.#random.next() / 2);
  }

  /** It holds what cannot be read. Returns for how long it is left alone, ms. */
  damaged(shard: ShardId): number {
    this.#of(shard).untilMs = this.#clock.monotonic() + GREATEST_PAUSE_MS;
    return GREATEST_PAUSE_MS;
  }

  /** The others are not wanted any more. */
  keepOnly(wanted: ReadonlySet<ShardId>): void {
    for (const shard of this.#pauses.keys()) if (!wanted.has(shard)) this.#pauses.delete(shard);
  }

  #of(shard: ShardId): Pause {
    let pause = this.#pauses.get(shard);
    if (pause === undefined) {
      pause = { losses: 0, untilMs: 0, beganMs: undefined };
      this.#pauses.set(shard, pause);
    }
    return pause;
  }
}
