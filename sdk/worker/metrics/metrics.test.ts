// What becomes of values: text for Prometheus, pushes to a collector, a buffer, bounds. On real workers: metrics.e2e.test.ts.
import { expect, it } from 'vitest';
import { makeMetricMeter, noopMetricMeter } from '../../common/metrics.ts';
import { MetricsBuffer } from './buffer.ts';
import { makeRuntimeMetrics } from './index.ts';
import { OtlpExport } from './otel.ts';
import { expose, hostAndPort } from './prometheus.ts';
import { MetricRegistry } from './registry.ts';

function recorded() {
  const registry = new MetricRegistry({ globalTags: { region: 'eu' }, histogramBucketOverrides: { took: [10, 100] } });
  const meter = makeMetricMeter(registry.record);
  const orders = meter.createCounter('orders', undefined, 'orders\nthat came').withTags({ kind: 'book "x"' });
  orders.add(1);
  orders.add(2);
  orders.add(4, { kind: 'pen' });
  const took = meter.createHistogram('took', 'int', 'milliseconds');
  for (const ms of [5, 10, 11, 1_000]) took.record(ms);
  meter.createGauge('level', 'float').set(1.5);
  meter.createGauge('level', 'float').set(2.5);
  meter.createUpDownCounter('open-now').add(3);
  meter.createUpDownCounter('open-now').add(-1);
  return { registry, meter };
}

it('is text as Prometheus reads it', () => {
  const { registry } = recorded();
  expect(expose(registry)).toBe(`# TYPE level gauge
level{region="eu"} 2.5
# TYPE open_now gauge
open_now{region="eu"} 2
# HELP orders orders\\nthat came
# TYPE orders counter
orders{region="eu",kind="book \\"x\\""} 3
orders{region="eu",kind="pen"} 4
# TYPE took histogram
took_bucket{region="eu",le="10"} 2
took_bucket{region="eu",le="100"} 3
took_bucket{region="eu",le="+Inf"} 4
took_sum{region="eu"} 1026
took_count{region="eu"} 4
`);
  const suffixed = expose(registry, { countersTotalSuffix: true, unitSuffix: true });
  expect(suffixed).toMatch(/^orders_total\{.*pen"\} 4$/m);
  expect(suffixed).toMatch(/^took_milliseconds_count\{.*\} 4$/m);
});

it('is what a collector reads: all so far, or what came since', () => {
  const { registry, meter } = recorded();
  const points = (body: object | undefined, name: string) => {
    const [{ scopeMetrics }] = (body as { resourceMetrics: [{ scopeMetrics: [{ metrics: Metric[] }] }] })
      .resourceMetrics;
    const metric = scopeMetrics[0].metrics.find((one) => one.name === name);
    return metric?.sum ?? metric?.histogram ?? metric?.gauge;
  };
  type Metric = { name: string; sum?: object; histogram?: object; gauge?: object };
  const whole = new OtlpExport(registry, 'cumulative', 1_000);
  const since = new OtlpExport(registry, 'delta', 1_000);
  since.next(2_000);
  meter.createHistogram('took').record(50);
  meter.createUpDownCounter('open-now').add(-5);
  const all = whole.next(3_000);
  expect(points(all, 'took')).toMatchObject({
    aggregationTemporality: 2,
    dataPoints: [{ count: '5', sum: 1_076, bucketCounts: ['2', '2', '1'], explicitBounds: [10, 100] }],
  });
  expect(points(all, 'orders')).toMatchObject({ isMonotonic: true, dataPoints: [{ asDouble: 3 }, { asDouble: 4 }] });
  const news = since.next(3_000);
  expect(points(news, 'took')).toMatchObject({
    aggregationTemporality: 1,
    dataPoints: [{ count: '1', sum: 50, bucketCounts: ['0', '1', '0'], startTimeUnixNano: '2000000000' }],
  });
  expect(points(news, 'open-now')).toMatchObject({ isMonotonic: false, dataPoints: [{ asDouble: -5 }] });
  expect(points(news, 'level')).toMatchObject({ dataPoints: [{ asDouble: 2.5 }] });
});

it('keeps so many series and says once that there are more', () => {
  let full = 0;
  const registry = new MetricRegistry({
    maxSeries: 2,
    onFull: () => {
      full += 1;
    },
  });
  const counter = makeMetricMeter(registry.record).createCounter('c');
  for (const user of ['a', 'b', 'c', 'd', 'a']) counter.add(1, { user });
  expect(expose(registry)).toBe('# TYPE c counter\nc{user="a"} 2\nc{user="b"} 1\n');
  expect(full).toBe(1);
});

it('does not count what is no value, and no other kind under a name', () => {
  const registry = new MetricRegistry();
  const meter = makeMetricMeter(registry.record);
  meter.createCounter('c').add(1);
  meter.createCounter('c').add(Number.NaN);
  meter.createGauge('c').set(7);
  expect(expose(registry)).toBe('# TYPE c counter\nc 1\n');
  expect(() => meter.createCounter('c').add(-1)).toThrow('non-negative');
  expect(() => meter.createHistogram('h').record(-1)).toThrow('non-negative');
  expect(() => noopMetricMeter.createGauge('g').set(-1)).toThrow('non-negative');
});

it('a buffer has every value once, and drops what nobody fetches', () => {
  let full = 0;
  const buffer = new MetricsBuffer({ maxBufferSize: 2 });
  const { meter } = makeRuntimeMetrics({ buffer }, { error: () => (full += 1) } as never);
  const counter = meter.createCounter('c', 'pieces');
  for (let i = 1; i <= 4; i += 1) counter.add(i, { i });
  const updates = [...buffer.retrieveUpdates()];
  expect(updates.map(({ value, attributes }) => [value, attributes])).toEqual([
    [1, { i: 1 }],
    [2, { i: 2 }],
  ]);
  expect(updates[0]?.metric).toBe(updates[1]?.metric);
  expect(updates[0]?.metric).toMatchObject({ name: 'c', kind: 'counter', unit: 'pieces' });
  expect(full).toBe(1);
  expect([...buffer.retrieveUpdates()]).toEqual([]);
});

it('says which configuration cannot be meant', () => {
  const make = (config: object) => () => makeRuntimeMetrics(config as never, console as never);
  expect(make({ prometheus: { bindAddress: 'here' } })).toThrow(/must be host:port, got here/);
  expect(make({ otel: { url: 'http://localhost:4317' } })).toThrow(/set http: true/);
  expect(hostAndPort('[::1]:9464')).toEqual({ host: '::1', port: 9464 });
});
