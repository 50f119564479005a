// The values of a process's metrics, by name and tags, as exporters read them. Bounded (I9): past so many series a new one is not kept, and said so once.

import type { Metric, MetricTags } from '../../common/metrics.ts';

/** Of all metrics together. */
const MAX_SERIES = 10_000;
/** Upper bounds of histograms nobody set others for; of most, milliseconds. */
export const DEFAULT_BUCKETS: readonly number[] = [50, 100, 500, 1_000, 2_500, 10_000];

export interface Series {
  readonly tags: MetricTags;
  /** A counter's sum, a gauge's latest value, a histogram's sum. */
  value: number;
  /** Of a histogram: how many values were at most each bound, not cumulated; the last for those beyond all. */
  readonly buckets: number[];
  /** Of a histogram. */
  count: number;
}

export interface RecordedMetric {
  readonly metric: Metric;
  readonly bounds: readonly number[];
  readonly series: ReadonlyMap<string, Series>;
}

export interface RegistryOptions {
  /** On every series. */
  globalTags?: MetricTags | undefined;
  /** Bounds by metric name, ascending. */
  histogramBucketOverrides?: Record<string, readonly number[]> | undefined;
  /** Called once, when a series is not kept. */
  onFull?: (() => void) | undefined;
  /** Default: 10,000. */
  maxSeries?: number | undefined;
}

export class MetricRegistry {
  readonly #options: RegistryOptions;
  readonly #metrics = new Map<string, { metric: Metric; bounds: readonly number[]; series: Map<string, Series> }>();
  #size = 0;
  #full = false;

  constructor(options: RegistryOptions = {}) {
    this.#options = options;
  }

  /** By name. */
  all(): Iterable<RecordedMetric> {
    return [...this.#metrics.values()].sort((a, b) => (a.metric.name < b.metric.name ? -1 : 1));
  }

  /** A value that is not finite, or of a name that another kind of metric has, is not counted. */
  readonly record = (metric: Metric, value: number, tags: MetricTags): void => {
    if (!Number.isFinite(value)) return;
    let recorded = this.#metrics.get(metric.name);
    if (recorded === undefined) {
      const { histogramBucketOverrides = {} } = this.#options;
      const own = Object.hasOwn(histogramBucketOverrides, metric.name)
        ? histogramBucketOverrides[metric.name]
        : undefined;
      recorded = { metric, bounds: own ?? DEFAULT_BUCKETS, series: new Map() };
      this.#metrics.set(metric.name, recorded);
    }
    if (recorded.metric.kind !== metric.kind) return;
    const series = this.#series(recorded, { ...this.#options.globalTags, ...tags });
    if (series === undefined) return;
    switch (metric.kind) {
      case 'gauge':
        series.value = value;
        return;
      case 'histogram': {
        const at = recorded.bounds.findIndex((bound) => value <= bound);
        const bucket = at === -1 ? recorded.bounds.length : at;
        series.buckets[bucket] = (series.buckets[bucket] ?? 0) + 1;
        series.count += 1;
        series.value += value;
        return;
      }
      default:
        series.value += value;
    }
  };

  #series(
    { metric, bounds, series }: { metric: Metric; bounds: readonly number[]; series: Map<string, Series> },
    tags: MetricTags,
  ): Series | undefined {
    const key = keyOf(tags);
    const known = series.get(key);
    if (known !== undefined) return known;
    if (this.#size >= (this.#options.maxSeries ?? MAX_SERIES)) {
      if (!this.#full) this.#options.onFull?.();
      this.#full = true;
      return undefined;
    }
    this.#size += 1;
    const buckets = metric.kind === 'histogram' ? new Array<number>(bounds.length + 1).fill(0) : [];
    const made: Series = { tags, value: 0, buckets, count: 0 };
    series.set(key, made);
    return made;
  }
}

const keyOf = (tags: MetricTags): string =>
  JSON.stringify(Object.entries(tags).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
