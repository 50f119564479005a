// How fast requests that are remembered may come to one workflow id. So many at once, then more spread evenly over the time that each is
// remembered for (limits.requestIdsAtOnce, requestIdsPerTtl): what is kept is bounded, and a load that stays is slowed down but never stopped. Counted by spans of time, from the rows alone, so that
// it is the same after a load as before (I4).

import { FINGERPRINT_BYTES } from './fingerprint.ts';
import type { RequestChunkRow } from './rows.ts';

/** ms. By so much may a stretch of time be taken for longer than it was: hardly more than a hundredth of requestIdTtl. */
const SPAN_MS = 8_000;

/** What a row costs, in request ids: about as much memory as so many take. A start's has its id as text, and its answer. */
const CHUNK_COSTS = 16;
const START_COSTS = 32;

export const costOfChunk = ({ ids }: RequestChunkRow): number => CHUNK_COSTS + ids.length / FINGERPRINT_BYTES;
export const costOfStart = (): number => START_COSTS;

export class RequestPace {
  /** The number of a span of time and what the rows of it cost, in turns, in the order of time; none that costs nothing. */
  readonly #spans: number[] = [];
  #cost = 0;

  /** What all rows cost. */
  get cost(): number {
    return this.#cost;
  }

  /** Rows of this time came, or (a negative cost) went. */
  add(at: number, cost: number): void {
    this.#cost += cost;
    const span = Math.floor(at / SPAN_MS);
    const spans = this.#spans;
    // Mostly the last.
    let i = spans.length - 2;
    while (i >= 0 && this.#at(i) > span) i -= 2;
    if (i < 0 || this.#at(i) !== span) spans.splice(i + 2, 0, span, cost);
    else if (this.#at(i + 1) + cost === 0) spans.splice(i, 2);
    else spans[i + 1] = this.#at(i + 1) + cost;
  }

  /**
   * By how much rows have come faster than evenly: the most of any stretch of time until now. While none comes it falls as fast as `perMs` says.
   *
   * @param perMs cost that is even, per ms
   */
  level(now: number, perMs: number): number {
    let [sum, level] = [0, 0];
    for (let i = this.#spans.length - 2; i >= 0; i -= 2) {
      sum += this.#at(i + 1);
      level = Math.max(level, sum - perMs * Math.max(0, now - this.#at(i) * SPAN_MS));
    }
    return level;
  }

  #at(i: number): number {
    // Only places within are asked for.
    return this.#spans[i] ?? 0;
  }
}
