// How long a suspect has to refute (Lifeguard). It begins with the greatest timeout, and each member that independently confirms
// shortens it logarithmically to the least one: a suspicion that we alone hold may be our own fault. Pure; suspicions.ts holds the clock.

import type { GossipConfig } from './config.ts';

type SuspicionConfig = Pick<
  GossipConfig,
  'suspicionMult' | 'suspicionMaxMult' | 'suspicionConfirmations' | 'probeIntervalMs'
>;

export interface SuspicionBounds {
  readonly minMs: number;
  readonly maxMs: number;
  /** Confirmations that lead from max to min. 0: nobody could confirm, so min holds at once. */
  readonly wanted: number;
}

/** @param alive members not known dead, ourselves and the suspect included. */
export function suspicionBounds(config: SuspicionConfig, alive: number): SuspicionBounds {
  const minMs = config.suspicionMult * Math.max(1, Math.log10(Math.max(1, alive))) * config.probeIntervalMs;
  const wanted = Math.max(0, Math.min(config.suspicionConfirmations, alive - 2));
  return { minMs, maxMs: minMs * config.suspicionMaxMult, wanted };
}

/** From the beginning of a suspicion to its end, given how many confirmed it. */
export function suspicionTimeoutMs({ minMs, maxMs, wanted }: SuspicionBounds, confirmed: number): number {
  if (confirmed >= wanted) return minMs;
  const share = Math.log(confirmed + 1) / Math.log(wanted + 1);
  return Math.max(minMs, maxMs - share * (maxMs - minMs));
}

export class Suspicion {
  readonly bounds: SuspicionBounds;
  #sinceMs: number;
  readonly #accusers: Set<string>;

  constructor(accuser: string, bounds: SuspicionBounds, nowMs: number) {
    this.bounds = bounds;
    this.#sinceMs = nowMs;
    this.#accusers = new Set([accuser]);
  }

  get confirmed(): number {
    return this.#accusers.size - 1;
  }

  get dueAtMs(): number {
    return this.#sinceMs + suspicionTimeoutMs(this.bounds, this.confirmed);
  }

  /** Whether it is news: another accuser, and more are wanted. Bounded by `wanted`, however many accuse. */
  confirm(accuser: string): boolean {
    if (this.confirmed >= this.bounds.wanted || this.#accusers.has(accuser)) return false;
    this.#accusers.add(accuser);
    return true;
  }

  /** Time in which we could not have heard a refutation does not count. */
  forgive(ms: number): void {
    this.#sinceMs += ms;
  }
}
