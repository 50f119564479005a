// Metrics as Prometheus text, with prom-client's own of the process (memory, CPU, garbage collection, event-loop delay). prom-client
// is loaded by the first scrape: it would cost a tenth of a node's start. A registry of its own: two nodes in one process do not mix.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Registry } from 'prom-client';
import type { StoreStats } from '../ports/store.ts';
import { StatusCode } from '../wire/status.ts';
import type { Histogram } from './histogram.ts';
import type { Metrics } from './metrics.ts';

interface Sample {
  labels: Record<string, string | number>;
  value: number;
  metricName?: string;
}

const CODE_NAMES = new Map<number, string>(Object.entries(StatusCode).map(([name, code]) => [code, name]));

function histogramSamples(name: string, labels: Record<string, string>, histogram: Histogram, scale: number): Sample[] {
  const samples: Sample[] = [];
  let cumulative = 0;
  for (let i = 0; i < histogram.bounds.length; i += 1) {
    cumulative += histogram.counts[i] ?? 0;
    const le = (histogram.bounds[i] ?? 0) * scale;
    samples.push({ labels: { le, ...labels }, value: cumulative, metricName: `${name}_bucket` });
  }
  samples.push({ labels: { le: '+Inf', ...labels }, value: histogram.count, metricName: `${name}_bucket` });
  samples.push({ labels, value: histogram.sum * scale, metricName: `${name}_sum` });
  samples.push({ labels, value: histogram.count, metricName: `${name}_count` });
  return samples;
}

/** Registers what `read` returns at each scrape. */
function register(
  registry: Registry,
  name: string,
  help: string,
  type: 'counter' | 'gauge' | 'histogram',
  read: () => Sample[],
): void {
  const metric = { name, help, type, get: async () => ({ name, help, type, values: read(), aggregator: 'sum' }) };
  // prom-client's registry asks a metric for its name and its `get`; its typings know only its own classes.
  registry.registerMetric(metric as unknown as Parameters<Registry['registerMetric']>[0]);
}

export interface Exposition {
  contentType: string;
  render(): Promise<string>;
  close(): void;
}

/** In which the event loop's delay has been sampled a few times, ms: before that its least is the largest number there is, and its mean none. */
const FIRST_SAMPLES_MS = 50;

export async function makeExposition(metrics: Metrics): Promise<Exposition> {
  const prom = await import('prom-client');
  const registry = new prom.Registry();
  // It counts from here on, and the process has been there before.
  const { user, system } = process.cpuUsage();
  prom.collectDefaultMetrics({ register: registry });
  const used: Readonly<Record<string, number>> = { user_: user, system_: system, '': user + system };
  for (const [of, micros] of Object.entries(used)) {
    const counter = registry.getSingleMetric(`process_cpu_${of}seconds_total`);
    if (counter instanceof prom.Counter) counter.inc(micros / 1e6);
  }
  await sleep(FIRST_SAMPLES_MS);

  register(registry, 'tenuto_requests_total', 'Requests ended, by method and status.', 'counter', () =>
    [...metrics.calls].flatMap(([method, { byCode }]) =>
      [...byCode].map(([code, value]) => ({ labels: { method, code: CODE_NAMES.get(code) ?? String(code) }, value })),
    ),
  );
  const latency = 'tenuto_request_duration_seconds';
  register(registry, latency, 'From a request to its answer, by method.', 'histogram', () =>
    [...metrics.calls].flatMap(([method, { latencyMs }]) => histogramSamples(latency, { method }, latencyMs, 0.001)),
  );
  register(registry, 'tenuto_pushes_total', 'Pushes to workers, by topic.', 'counter', () =>
    [...metrics.pushes].map(([topic, value]) => ({ labels: { topic }, value })),
  );
  const single = (name: string, help: string, read: () => number): void =>
    register(registry, name, help, 'counter', () => [{ labels: {}, value: read() }]);
  single('tenuto_messages_received_total', 'WebSocket messages received.', () => metrics.messagesIn);
  single('tenuto_received_bytes_total', 'Bytes of WebSocket messages received.', () => metrics.bytesIn);
  single('tenuto_faults_total', 'Requests that failed by a fault of the server.', () => metrics.faults);
  const store = (name: string, help: string, type: 'counter' | 'gauge', field: keyof StoreStats): void =>
    register(registry, name, help, type, () => [{ labels: {}, value: metrics.store?.[field] ?? 0 }]);
  store('tenuto_store_appends_total', 'Batches appended to the log.', 'counter', 'appends');
  store('tenuto_store_appended_bytes_total', 'Bytes appended to the log.', 'counter', 'appendedBytes');
  store('tenuto_store_fsyncs_total', 'Synced writes.', 'counter', 'fsyncs');
  store('tenuto_store_flushes_total', 'Flushes of rows.', 'counter', 'flushes');
  store('tenuto_store_flushed_rows_total', 'Rows written by flushes.', 'counter', 'flushedRows');
  store('tenuto_store_disk_bytes', 'Bytes of the data directory.', 'gauge', 'diskBytes');
  store('tenuto_store_free_bytes', 'Bytes free on its disk.', 'gauge', 'freeBytes');
  for (const gauge of metrics.gauges) {
    register(registry, gauge.name, gauge.help, gauge.type, () => {
      const value = gauge.read();
      return typeof value === 'number' ? [{ labels: {}, value }] : [...value];
    });
  }
  return {
    contentType: registry.contentType,
    render: () => registry.metrics(),
    close: () => registry.clear(),
  };
}
