// What a runtime does with metrics: one meter, and an exporter or none.

import { ValueError } from '../../common/errors.ts';
import type { Logger } from '../../common/logger.ts';
import {
  type Metric,
  type MetricMeter,
  type MetricTags,
  makeMetricMeter,
  noopMetricMeter,
} from '../../common/metrics.ts';
import { msToNumber } from '../../common/time.ts';
import type { MetricsBuffer } from './buffer.ts';
import { type OtelCollectorExporter, OtlpExport } from './otel.ts';
import { expose, hostAndPort, type PrometheusMetricsExporter, PrometheusServer } from './prometheus.ts';
import { MetricRegistry } from './registry.ts';

export interface BufferedMetricsExporter {
  buffer: MetricsBuffer;
}

export type MetricsExporterConfig = {
  /** In front of the names of the SDK's own metrics. Default: `temporal_`. */
  metricPrefix?: string | undefined;
  /** On every series; not of a buffer. */
  globalTags?: Record<string, string> | undefined;
  /** Every series has `service_name`, `temporal-core-sdk` as with Temporal's. Default: true. */
  attachServiceName?: boolean | undefined;
  /** @deprecated Use `otel.temporality`. */
  temporality?: 'cumulative' | 'delta' | undefined;
} & (PrometheusMetricsExporter | OtelCollectorExporter | BufferedMetricsExporter);

const SERVICE_NAME = 'temporal-core-sdk';
const PUSH_TIMEOUT_MS = 10_000;

export interface RuntimeMetrics {
  /** Of users' metrics, and of the SDK's. */
  readonly meter: MetricMeter;
  /** Whether anybody sees them: the SDK records its own only then. */
  readonly isExported: boolean;
  readonly prefix: string;
  /** Of the SDK's own durations. */
  readonly inSeconds: boolean;
  readonly buffer: MetricsBuffer | undefined;
  readonly address: Promise<string> | undefined;
  /** Calls `collect` before values are read, for those that are looked up. Returns what ends it. */
  onCollect(collect: () => void): () => void;
  /** Says what there is, and ends. */
  close(): Promise<void>;
}

export const NO_METRICS: RuntimeMetrics = {
  ...{ meter: noopMetricMeter, isExported: false, prefix: 'temporal_', buffer: undefined, address: undefined },
  inSeconds: false,
  onCollect: () => () => {},
  close: async () => {},
};

/** @throws ValueError for a configuration that cannot be meant. */
export function makeRuntimeMetrics(config: MetricsExporterConfig | undefined, logger: Logger): RuntimeMetrics {
  if (config === undefined) return NO_METRICS;
  const prefix = config.metricPrefix ?? 'temporal_';
  const globalTags: MetricTags = {
    ...(config.attachServiceName !== false && { service_name: SERVICE_NAME }),
    ...config.globalTags,
  };
  const onFull = (): void => logger.error('Metrics have too many combinations of tags: further ones are not kept', {});
  if ('buffer' in config) {
    const { buffer } = config;
    buffer.onFull = () => logger.error('The buffer of metrics is full: values are dropped until it is emptied', {});
    const meter = makeMetricMeter(buffer.record);
    return { ...NO_METRICS, meter, isExported: true, prefix, buffer, inSeconds: buffer.useSecondsForDurations };
  }
  const own = 'prometheus' in config ? config.prometheus : config.otel;
  const histogramBucketOverrides = withPrefix(own.histogramBucketOverrides, prefix);
  const registry = new MetricRegistry({ globalTags, histogramBucketOverrides, onFull });
  const collectors = new Set<() => void>();
  const collect = (): void => {
    for (const one of collectors) one();
  };
  const made = {
    ...{ meter: makeMetricMeter(registry.record), isExported: true, prefix, buffer: undefined },
    inSeconds: own.useSecondsForDurations === true,
    onCollect: (one: () => void) => {
      collectors.add(one);
      return () => collectors.delete(one);
    },
  };
  if ('prometheus' in config) {
    const to = hostAndPort(config.prometheus.bindAddress);
    if (to === undefined) {
      throw new ValueError(`metrics.prometheus.bindAddress must be host:port, got ${config.prometheus.bindAddress}`);
    }
    const server = new PrometheusServer(to, () => {
      collect();
      return expose(registry, config.prometheus);
    });
    server.address.catch((error: unknown) =>
      logger.error(`Metrics are not served on ${config.prometheus.bindAddress}`, { error }),
    );
    return { ...made, address: server.address, close: () => server.close() };
  }
  const close = pushing(config.otel, config.temporality, registry, collect, logger);
  return { ...made, address: undefined, close };
}

/** By names with the prefix and without. */
function withPrefix(
  overrides: Record<string, readonly number[]> | undefined,
  prefix: string,
): Record<string, readonly number[]> | undefined {
  if (overrides === undefined) return undefined;
  const prefixed = Object.entries(overrides).map(([name, bounds]) => [`${prefix}${name}`, bounds] as const);
  return { ...Object.fromEntries(prefixed), ...overrides };
}

/** Pushes until the returned function is called, which pushes once more. */
function pushing(
  otel: OtelCollectorExporter['otel'],
  temporality: 'cumulative' | 'delta' = 'cumulative',
  registry: MetricRegistry,
  collect: () => void,
  logger: Logger,
): () => Promise<void> {
  const endpoint = process.env.OTEL_EXPORTER_OTLP_ENDPOINT;
  const url = endpoint ? `${endpoint.replace(/\/$/, '')}/v1/metrics` : otel.url;
  if (otel.http !== true || !/^https?:\/\//.test(url)) {
    throw new ValueError(
      `metrics.otel speaks OTLP over HTTP only: set http: true, and a URL like http://collector:4318/v1/metrics, got ${url}`,
    );
  }
  const exported = new OtlpExport(registry, otel.temporality ?? temporality, Date.now());
  let failing = false;
  const push = async (): Promise<void> => {
    collect();
    const body = exported.next(Date.now());
    if (body === undefined) return;
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...otel.headers },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(PUSH_TIMEOUT_MS),
      });
      if (!response.ok) throw new Error(`the collector answered ${response.status}`);
      failing = false;
    } catch (error) {
      // Once, not every second.
      if (!failing) logger.warn(`Metrics could not be pushed to ${url}; trying again`, { error });
      failing = true;
    }
  };
  let pushed: Promise<void> = Promise.resolve();
  let underWay = false;
  const timer = setInterval(
    () => {
      if (underWay) return;
      underWay = true;
      pushed = push().finally(() => {
        underWay = false;
      });
    },
    msToNumber(otel.metricsExportInterval ?? 1_000),
  );
  timer.unref();
  return async () => {
    clearInterval(timer);
    await pushed;
    await push();
  };
}

/** The sink of workflows' metrics: see sdk/workflow/metrics.ts. */
export const METRICS_SINK = '__temporal_metrics';

/** Records a value of a metric that was made elsewhere, in a workflow. */
export function recordOn(meter: MetricMeter, metric: Metric, value: number, tags: MetricTags): void {
  const { name, unit, description, valueType } = metric;
  switch (metric.kind) {
    case 'counter':
      meter.createCounter(name, unit, description).add(value, tags);
      break;
    case 'up-down-counter':
      meter.createUpDownCounter(name, unit, description).add(value, tags);
      break;
    case 'gauge':
      meter.createGauge(name, valueType, unit, description).set(value, tags);
      break;
    case 'histogram':
      meter.createHistogram(name, valueType, unit, description).record(value, tags);
  }
}
