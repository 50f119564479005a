// A histogram with fixed buckets: one addition per observation, no labels to hash. Read by exposition.ts.

export class Histogram {
  /** Upper bounds, ascending; values above the last count in +Inf only. */
  readonly bounds: readonly number[];
  /** Observations per bucket, not cumulative; the last is +Inf's. */
  readonly counts: number[];
  sum = 0;
  count = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Array<number>(bounds.length + 1).fill(0);
  }

  observe(value: number): void {
    let bucket = 0;
    while (bucket < this.bounds.length && value > (this.bounds[bucket] ?? 0)) bucket += 1;
    this.counts[bucket] = (this.counts[bucket] ?? 0) + 1;
    this.sum += value;
    this.count += 1;
  }
}

/** Milliseconds, from a fast commit to a long poll. */
export const LATENCY_BOUNDS_MS: readonly number[] = [
  0.5, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000,
];
