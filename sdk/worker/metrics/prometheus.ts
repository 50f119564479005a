// Metrics as Prometheus scrapes them: text over HTTP, at /metrics.

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { MetricTags } from '../../common/metrics.ts';
import type { MetricRegistry, RecordedMetric, Series } from './registry.ts';

export interface PrometheusMetricsExporter {
  prometheus: {
    /** `host:port`; port 0: any free one, see `Runtime.prometheusAddress`. Served at `/metrics`. */
    bindAddress: string;
    /** Counters' names end in `_total`. Default: false. */
    countersTotalSuffix?: boolean | undefined;
    /** Histograms' names end in their unit: `_milliseconds`. Default: false. */
    unitSuffix?: boolean | undefined;
    /** The SDK's own durations are in seconds. Default: milliseconds. */
    useSecondsForDurations?: boolean | undefined;
    /** Upper bounds by the histogram's name, ascending. */
    histogramBucketOverrides?: Record<string, readonly number[]> | undefined;
  };
}

const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

const legal = (name: string): string => name.replace(/[^a-zA-Z0-9_:]/g, '_').replace(/^(?=\d)/, '_');
const escaped = (text: string): string => text.replace(/[\\\n"]/g, (char) => (char === '\n' ? '\\n' : `\\${char}`));

function labels(tags: MetricTags, more = ''): string {
  const own = Object.entries(tags).map(([name, value]) => `${legal(name)}="${escaped(String(value))}"`);
  const all = [...own, ...(more === '' ? [] : [more])];
  return all.length === 0 ? '' : `{${all.join(',')}}`;
}

export function expose(
  registry: MetricRegistry,
  options: Omit<PrometheusMetricsExporter['prometheus'], 'bindAddress'> = {},
): string {
  const lines: string[] = [];
  for (const recorded of registry.all()) writeMetric(lines, recorded, options);
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

function writeMetric(
  lines: string[],
  { metric, bounds, series }: RecordedMetric,
  options: Omit<PrometheusMetricsExporter['prometheus'], 'bindAddress'>,
): void {
  const { kind, unit, description } = metric;
  const suffix =
    kind === 'counter' && options.countersTotalSuffix === true
      ? '_total'
      : kind === 'histogram' && options.unitSuffix === true && unit
        ? `_${unit}`
        : '';
  const name = legal(`${metric.name}${suffix}`);
  if (description) lines.push(`# HELP ${name} ${description.replace(/[\\\n]/g, (c) => (c === '\n' ? '\\n' : '\\\\'))}`);
  lines.push(`# TYPE ${name} ${kind === 'up-down-counter' ? 'gauge' : kind}`);
  for (const one of series.values()) {
    if (kind === 'histogram') writeHistogram(lines, name, bounds, one);
    else lines.push(`${name}${labels(one.tags)} ${one.value}`);
  }
}

function writeHistogram(lines: string[], name: string, bounds: readonly number[], one: Series): void {
  let below = 0;
  for (const [i, bound] of bounds.entries()) {
    below += one.buckets[i] ?? 0;
    lines.push(`${name}_bucket${labels(one.tags, `le="${bound}"`)} ${below}`);
  }
  lines.push(`${name}_bucket${labels(one.tags, 'le="+Inf"')} ${one.count}`);
  lines.push(`${name}_sum${labels(one.tags)} ${one.value}`, `${name}_count${labels(one.tags)} ${one.count}`);
}

/** `host` and `port` of `host:port`, an IPv6 host in brackets. Undefined for what is none. */
export function hostAndPort(address: string): { host: string; port: number } | undefined {
  const found = /^(?:\[([0-9a-fA-F:.]+)\]|([^:]*)):(\d{1,5})$/.exec(address);
  if (found === null) return undefined;
  return { host: found[1] ?? found[2] ?? '', port: Number(found[3]) };
}

export class PrometheusServer {
  /** `host:port` it listens on. Rejects with the listening error. */
  readonly address: Promise<string>;
  readonly #server: Server;

  constructor({ host, port }: { host: string; port: number }, text: () => string) {
    this.#server = createServer((request, response) => {
      const path = (request.url ?? '/').split('?')[0];
      if (path !== '/metrics') response.writeHead(404).end();
      else response.writeHead(200, { 'content-type': CONTENT_TYPE }).end(text());
    });
    // A process ends when its workers have, not when nobody scrapes it any more.
    this.#server.unref();
    this.address = new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port }, () => {
        // A listening TCP server has an address of this kind.
        const bound = this.#server.address() as AddressInfo;
        resolve(`${bound.family === 'IPv6' ? `[${bound.address}]` : bound.address}:${bound.port}`);
      });
    });
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
