// Metrics pushed to an OpenTelemetry collector: OTLP over HTTP, in its JSON form.

import type { MetricTags } from '../../common/metrics.ts';
import type { Duration } from '../../common/time.ts';
import type { MetricRegistry, RecordedMetric, Series } from './registry.ts';

export interface OtelCollectorExporter {
  otel: {
    /** `http(s)://host:4318/v1/metrics`. The environment's `OTEL_EXPORTER_OTLP_ENDPOINT`, where `/v1/metrics` is added, counts more. */
    url: string;
    /** Must be true: collectors take OTLP over HTTP beside gRPC, on port 4318. */
    http?: boolean | undefined;
    headers?: Record<string, string> | undefined;
    /** Default: 1 s. */
    metricsExportInterval?: Duration | undefined;
    /** The SDK's own durations are in seconds. Default: milliseconds. */
    useSecondsForDurations?: boolean | undefined;
    /** What counters and histograms say: all so far, or what came since the last export. Default: cumulative. */
    temporality?: 'cumulative' | 'delta' | undefined;
    /** Upper bounds by the histogram's name, ascending. */
    histogramBucketOverrides?: Record<string, readonly number[]> | undefined;
  };
}

const DELTA = 1;
const CUMULATIVE = 2;

const attributes = (tags: MetricTags): object[] =>
  Object.entries(tags).map(([key, value]) => ({
    key,
    value: typeof value === 'boolean' ? { boolValue: value } : { stringValue: String(value) },
  }));

interface Before {
  value: number;
  count: number;
  buckets: readonly number[];
}

export class OtlpExport {
  readonly #registry: MetricRegistry;
  readonly #isDelta: boolean;
  readonly #startedAt: number;
  #lastAt: number;
  #before = new Map<Series, Before>();

  constructor(registry: MetricRegistry, temporality: 'cumulative' | 'delta', now: number) {
    this.#registry = registry;
    this.#isDelta = temporality === 'delta';
    this.#startedAt = now;
    this.#lastAt = now;
  }

  /** The body of one export; undefined when there is nothing to say. `now`: epoch ms. */
  next(now: number): object | undefined {
    const span = { startTimeUnixNano: nanos(this.#isDelta ? this.#lastAt : this.#startedAt), timeUnixNano: nanos(now) };
    const before = this.#before;
    this.#before = new Map();
    const metrics = [...this.#registry.all()].map((recorded) => this.#metric(recorded, span, before));
    this.#lastAt = now;
    if (metrics.length === 0) return undefined;
    const scope = { name: 'tenuto' };
    return { resourceMetrics: [{ resource: { attributes: [] }, scopeMetrics: [{ scope, metrics }] }] };
  }

  #metric({ metric, bounds, series }: RecordedMetric, span: object, before: ReadonlyMap<Series, Before>): object {
    const { name, unit = '', description = '', kind } = metric;
    const aggregationTemporality = this.#isDelta ? DELTA : CUMULATIVE;
    const points = [...series.values()].map((one) => {
      const last = this.#isDelta && kind !== 'gauge' ? before.get(one) : undefined;
      const { value, count, buckets } = one;
      if (this.#isDelta) this.#before.set(one, { value, count, buckets: [...buckets] });
      const point = { attributes: attributes(one.tags), ...span };
      if (kind !== 'histogram') return { ...point, asDouble: value - (last?.value ?? 0) };
      return {
        ...point,
        count: String(count - (last?.count ?? 0)),
        sum: value - (last?.value ?? 0),
        bucketCounts: buckets.map((n, i) => String(n - (last?.buckets[i] ?? 0))),
        explicitBounds: bounds,
      };
    });
    const described = { name, unit, description };
    if (kind === 'gauge') return { ...described, gauge: { dataPoints: points } };
    if (kind === 'histogram') return { ...described, histogram: { dataPoints: points, aggregationTemporality } };
    const isMonotonic = kind === 'counter';
    return { ...described, sum: { dataPoints: points, aggregationTemporality, isMonotonic } };
  }
}

const nanos = (ms: number): string => `${BigInt(Math.round(ms)) * 1_000_000n}`;
