// Metrics for whoever exports them himself: every value, in order, until it is fetched.

import type { Metric, MetricTags } from '../../common/metrics.ts';

export interface MetricsBufferOptions {
  /** Values kept; further ones are dropped, which is logged once until it is emptied. Default: 10,000. */
  maxBufferSize?: number;
  /** The SDK's own durations are in seconds. Default: milliseconds. */
  useSecondsForDurations?: boolean;
}

export interface BufferedMetricUpdate {
  metric: Metric;
  /** Of a counter what was added, of others the value itself. */
  value: number;
  attributes: MetricTags;
}

/** `Runtime.install({ telemetryOptions: { metrics: { buffer } } })`. */
export class MetricsBuffer {
  readonly maxBufferSize: number;
  readonly useSecondsForDurations: boolean;
  /** Set by the runtime: values are being dropped. */
  onFull: (() => void) | undefined;
  #updates: BufferedMetricUpdate[] = [];
  #full = false;
  readonly #metrics = new Map<string, Metric>();

  constructor({ maxBufferSize = 10_000, useSecondsForDurations = false }: MetricsBufferOptions = {}) {
    this.maxBufferSize = maxBufferSize;
    this.useSecondsForDurations = useSecondsForDurations;
  }

  /** All values since it was called last. */
  retrieveUpdates(): IterableIterator<BufferedMetricUpdate> {
    const updates = this.#updates;
    this.#updates = [];
    this.#full = false;
    return updates.values();
  }

  /** For the runtime. */
  readonly record = (metric: Metric, value: number, attributes: MetricTags): void => {
    if (this.#updates.length >= this.maxBufferSize) {
      if (!this.#full) this.onFull?.();
      this.#full = true;
      return;
    }
    const key = `${metric.kind} ${metric.name}`;
    // The same object each time, so that what is kept beside it is found again.
    const known = this.#metrics.get(key) ?? metric;
    if (this.#metrics.size < this.maxBufferSize) this.#metrics.set(key, known);
    this.#updates.push({ metric: known, value, attributes });
  };
}
