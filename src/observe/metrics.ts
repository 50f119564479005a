// What the hot path counts: plain numbers in plain objects. They become Prometheus metrics when somebody asks (exposition.ts), so a
// node that nobody scrapes pays a few additions per request.

import type { StoreStats } from '../ports/store.ts';
import type { PushTopic } from '../wire/api.ts';
import type { StatusCode } from '../wire/status.ts';
import { Histogram, LATENCY_BOUNDS_MS } from './histogram.ts';

export interface CallMetrics {
  readonly byCode: Map<StatusCode, number>;
  readonly latencyMs: Histogram;
}

/** A value read when scraped. */
export interface Gauge {
  readonly name: string;
  readonly help: string;
  readonly type: 'gauge' | 'counter';
  /** One value, or one per label set. */
  read(): number | readonly { labels: Record<string, string>; value: number }[];
}

export class Metrics {
  /** By method; the label set is bounded by the methods there are. */
  readonly calls = new Map<string, CallMetrics>();
  readonly pushes = new Map<PushTopic, number>();
  readonly gauges: Gauge[] = [];
  messagesIn = 0;
  bytesIn = 0;
  /** As of the scrape under way. */
  store: StoreStats | undefined;
  /** Calls that threw something that was no refusal. */
  faults = 0;

  callEnded(method: string, code: StatusCode, durationMs: number): void {
    let call = this.calls.get(method);
    if (call === undefined) {
      call = { byCode: new Map(), latencyMs: new Histogram(LATENCY_BOUNDS_MS) };
      this.calls.set(method, call);
    }
    call.byCode.set(code, (call.byCode.get(code) ?? 0) + 1);
    call.latencyMs.observe(durationMs);
  }

  messageIn(bytes: number): void {
    this.messagesIn += 1;
    this.bytesIn += bytes;
  }

  pushed(topic: PushTopic): void {
    this.pushes.set(topic, (this.pushes.get(topic) ?? 0) + 1);
  }

  gauge(name: string, help: string, read: Gauge['read']): void {
    this.gauges.push({ name, help, type: 'gauge', read });
  }

  counter(name: string, help: string, read: Gauge['read']): void {
    this.gauges.push({ name, help, type: 'counter', read });
  }
}
