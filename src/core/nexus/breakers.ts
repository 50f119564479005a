// Circuit breakers of Nexus destinations, as the reference server has them (sony/gobreaker's rules): a service of an endpoint that fails too often in a row
// is left alone for a while; then one request finds out whether it is well. In the memory of one node: a hint, which no row rests on. Turns look here
// before they offer an operation; the executor notes what came of it.

/** What a request to a destination has come to; `tried`: one is on its way to a destination that was left alone. */
export type DestinationNote = 'reached' | 'failed' | 'tried';

export interface BreakerBook {
  /** Epoch ms until which nothing is to be sent there; undefined: it may be. */
  blockedUntil(destination: string, now: number): number | undefined;
  /** It is open, and whoever asks now finds out: to be noted as `tried`. */
  isTrial(destination: string, now: number): boolean;
}

interface Breaker {
  /** In a row. */
  failures: number;
  /** Epoch ms; absent while it is closed. */
  openUntil?: number;
}

/** Failures in a row after which a destination is left alone. */
export const FAILURES_TO_OPEN = 6;
/** For so long, ms. A trial that nobody answers counts as failed by then: a handler has ten seconds. */
export const OPEN_MS = 60_000;
/** Destinations that are remembered; one that was reached is not, so these have failed lately (I9). */
const MAX_DESTINATIONS = 10_000;
export const BLOCKED_REASON = 'The circuit breaker is open.';

/** A service of an endpoint, for callers of one namespace. */
export const destinationOf = (namespace: string, endpointId: string, service: string): string =>
  JSON.stringify([namespace, endpointId, service]);

export class Breakers implements BreakerBook {
  readonly #breakers = new Map<string, Breaker>();

  blockedUntil(destination: string, now: number): number | undefined {
    const { openUntil = 0 } = this.#breakers.get(destination) ?? {};
    return openUntil > now ? openUntil : undefined;
  }

  isTrial(destination: string, now: number): boolean {
    const openUntil = this.#breakers.get(destination)?.openUntil;
    return openUntil !== undefined && openUntil <= now;
  }

  note(destination: string, note: DestinationNote, now: number): void {
    if (note === 'reached') {
      this.#breakers.delete(destination);
      return;
    }
    const { failures = 0, openUntil } = this.#breakers.get(destination) ?? {};
    const next: Breaker = { failures: note === 'failed' ? failures + 1 : failures };
    if (note === 'tried' || next.failures >= FAILURES_TO_OPEN) next.openUntil = now + OPEN_MS;
    // What was on its way when it opened does not keep it open for longer.
    if (note === 'failed' && openUntil !== undefined && openUntil > now) next.openUntil = openUntil;
    this.#breakers.delete(destination);
    if (this.#breakers.size >= MAX_DESTINATIONS) this.#forgetOldest();
    this.#breakers.set(destination, next);
  }

  #forgetOldest(): void {
    for (const oldest of this.#breakers.keys()) {
      this.#breakers.delete(oldest);
      return;
    }
  }
}
