// Latencies as an HdrHistogram: three significant digits from 1 µs to ten minutes. Made in the bench's own process from what its clients note.

import { build, decodeFromCompressedBase64, encodeIntoCompressedBase64, type Histogram } from 'hdr-histogram-js';
import type { Latency } from './report.ts';

const HIGHEST_US = 600_000_000;
const DIGITS = 3;

export class LatencyHistogram {
  readonly #histogram: Histogram;

  constructor() {
    this.#histogram = build({
      lowestDiscernibleValue: 1,
      highestTrackableValue: HIGHEST_US,
      numberOfSignificantValueDigits: DIGITS,
      bitBucketSize: 32,
    });
  }

  get count(): number {
    return this.#histogram.totalCount;
  }

  /** What is longer than ten minutes counts as ten minutes. */
  record(us: number): void {
    this.#histogram.recordValue(Math.min(HIGHEST_US, Math.max(1, Math.round(us))));
  }

  /** @param percentile 0 to 100 */
  atMs(percentile: number): number {
    return this.#histogram.getValueAtPercentile(percentile) / 1000;
  }

  /** Empty again, for the next second. */
  reset(): void {
    this.#histogram.reset();
  }

  /** Undefined when nothing was recorded. */
  toLatency(): Latency | undefined {
    if (this.count === 0) return undefined;
    return {
      meanMs: this.#histogram.mean / 1000,
      p50Ms: this.atMs(50),
      p90Ms: this.atMs(90),
      p99Ms: this.atMs(99),
      p999Ms: this.atMs(99.9),
      maxMs: this.#histogram.maxValue / 1000,
      histogram: encodeIntoCompressedBase64(this.#histogram),
    };
  }
}

/** Points of the curve of a report's histogram: the value at each percentile. */
export function readPercentiles(histogram: string, percentiles: readonly number[]): readonly number[] {
  const decoded = decodeFromCompressedBase64(histogram, 32);
  return percentiles.map((percentile) => decoded.getValueAtPercentile(percentile) / 1000);
}
