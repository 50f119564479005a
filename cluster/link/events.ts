// What links tell whoever runs the node: for the log and for metrics. Refusals are throttled, so that strangers cannot fill the log.

import type { Clock } from '../../src/ports/clock.ts';
import type { Refusal } from './identity.ts';
import type { SessionEnd } from './session.ts';

export type LinkEvent =
  | { type: 'up'; peer: string; address: string; version: string; directoryId: string }
  | { type: 'down'; peer: string; address: string; why: string }
  /** One of the two sides would not have the other. `peer`: as claimed, not always proven. */
  | {
      type: 'refused';
      by: 'us' | 'peer';
      kind: Refusal['kind'];
      peer: string | undefined;
      address: string;
      message: string;
    }
  | { type: 'unreachable'; peer: string; address: string; message: string; attempts: number }
  | { type: 'clockSkew'; peer: string; skewMs: number; message: string }
  /** So many refusals were not reported, because there were too many at once. */
  | { type: 'suppressed'; count: number };

/** Passes events on, of those that strangers cause only so many a second. */
export class Reports {
  readonly #clock: Clock;
  readonly #perSecond: number;
  readonly #onEvent: (event: LinkEvent) => void;
  #sinceMs = Number.NEGATIVE_INFINITY;
  #count = 0;
  #suppressed = 0;

  constructor(clock: Clock, perSecond: number, onEvent: (event: LinkEvent) => void) {
    this.#clock = clock;
    this.#perSecond = perSecond;
    this.#onEvent = onEvent;
  }

  tell(event: LinkEvent): void {
    this.#onEvent(event);
  }

  throttled(event: LinkEvent): void {
    const now = this.#clock.monotonic();
    if (now - this.#sinceMs >= 1_000) {
      if (this.#suppressed > 0) this.#onEvent({ type: 'suppressed', count: this.#suppressed });
      this.#sinceMs = now;
      this.#count = 0;
      this.#suppressed = 0;
    }
    this.#count += 1;
    if (this.#count > this.#perSecond) this.#suppressed += 1;
    else this.#onEvent(event);
  }
}

/** Why a link ended, for people. */
export function whyOf(end: SessionEnd): string {
  switch (end.type) {
    case 'refused':
      return end.refusal.message;
    case 'garbage':
      return `it broke the protocol: ${end.message}`;
    case 'silent':
      return `nothing was heard of it for ${end.forMs} ms`;
    case 'lost':
    case 'closed':
      return end.message;
    case 'goodbye':
      return 'it said goodbye';
  }
}
