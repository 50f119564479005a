// Lifeguard's local health: how sick we are ourselves, judged by what we miss. A node that misses answers others would have given
// probes more slowly, and so accuses less, instead of calling its healthy peers dead. Used by probe.ts.

export class Awareness {
  readonly #max: number;
  #score = 0;

  /** @param max the greatest factor (≥ 1) by which `scale` stretches. */
  constructor(max: number) {
    this.#max = max;
  }

  /** 0 (healthy) .. max - 1. */
  get score(): number {
    return this.#score;
  }

  /** Positive: something went wrong that may be our own fault. Negative: a probe was answered. */
  apply(delta: number): void {
    this.#score = Math.min(this.#max - 1, Math.max(0, this.#score + delta));
  }

  scale(ms: number): number {
    return ms * (this.#score + 1);
  }
}
