// Metrics of workflows and activities on a real worker, as Prometheus scrapes them and as a collector is pushed them: each value once, however often the
// workflow is replayed.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { metricMeter } from '../activity/index.ts';
import { IllegalStateError } from '../common/errors.ts';
import { ApplicationFailure } from '../common/failure.ts';
import { Runtime, Worker } from '../worker/index.ts';
import { MockActivityEnvironment, TestWorkflowEnvironment } from './index.ts';

const WORKFLOWS = `
import { condition, defineSignal, metricMeter, proxyActivities, setHandler } from 'tenuto/workflow';
const { pack } = proxyActivities({ startToCloseTimeout: '1m', retry: { initialInterval: 1, maximumAttempts: 3 } });
const steps = metricMeter.createCounter('my_steps').withTags({ source: 'test' });
export async function order(n) {
  let going = 0;
  setHandler(defineSignal('go'), () => { going += 1; });
  for (let i = 1; i <= n; i += 1) {
    steps.add(1, { step: i });
    metricMeter.createHistogram('my_size', 'int', 'pieces').record(i * 100);
    metricMeter.createGauge('my_level').set(i);
    await condition(() => going >= i);
  }
  await pack();
  return going;
}
`;
const INTERCEPTORS = `
export const interceptors = () => ({ outbound: [{ getMetricTags: (tags) => ({ ...tags, tenant: 'acme' }) }] });
`;
const taskQueue = 'metrics';

let folder: string;
let environment: TestWorkflowEnvironment;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tenuto-metrics-'));
  writeFileSync(join(folder, 'workflows.ts'), WORKFLOWS);
  writeFileSync(join(folder, 'interceptors.ts'), INTERCEPTORS);
  environment = await TestWorkflowEnvironment.createLocal();
});
afterAll(async () => {
  await environment?.teardown();
  rmSync(folder, { recursive: true });
});

/** Nothing is kept warm: each task replays all before it. */
const makeWorker = (): Promise<Worker> => {
  let attempts = 0;
  return Worker.create({
    ...{ connection: environment.nativeConnection, taskQueue, maxCachedWorkflows: 0 },
    workflowsPath: join(folder, 'workflows.ts'),
    interceptors: { workflowModules: [join(folder, 'interceptors.ts')] },
    activities: {
      async pack() {
        metricMeter.createUpDownCounter('my_packing').add(1);
        attempts += 1;
        if (attempts < 2) throw ApplicationFailure.create({ message: 'again' });
      },
    },
  });
};

async function runOrder(workflowId: string): Promise<void> {
  const worker = await makeWorker();
  await worker.runUntil(async () => {
    const handle = await environment.client.workflow.start('order', { workflowId, taskQueue, args: [3] });
    for (let i = 0; i < 3; i += 1) {
      await handle.signal('go');
      await expect.poll(async () => (await handle.describe()).raw.pendingWorkflowTask).toBeUndefined();
    }
    expect(await handle.result()).toBe(3);
  });
}

it('are scraped, each value once', { timeout: 60_000 }, async () => {
  const prometheus = { bindAddress: '127.0.0.1:0', countersTotalSuffix: true };
  const runtime = Runtime.install({ telemetryOptions: { metrics: { prometheus, globalTags: { region: 'eu' } } } });
  try {
    await runOrder('scraped');
    const response = await fetch(`http://${await runtime.prometheusAddress()}/metrics`);
    expect(response.headers.get('content-type')).toContain('text/plain');
    const text = await response.text();
    const tags = (more: string) =>
      `{service_name="temporal-core-sdk",region="eu",namespace="default",taskQueue="metrics",workflowType="order",tenant="acme"${more}}`;
    for (const step of [1, 2, 3]) expect(text).toContain(`my_steps_total${tags(`,source="test",step="${step}"`)} 1\n`);
    expect(text).toContain(`my_size_sum${tags('')} 600\n`);
    expect(text).toContain(`my_size_count${tags('')} 3\n`);
    expect(text).toContain(`my_level${tags('')} 3\n`);
    expect(text).toMatch(/^my_packing\{.*activityType="pack"\} 2$/m);
    // What workers count of themselves.
    expect(text).toMatch(/^temporal_workflow_completed_total\{.*task_queue="metrics",workflow_type="order"\} 1$/m);
    expect(text).toMatch(/^temporal_activity_execution_failed_total\{.*activity_type="pack"\} 1$/m);
    expect(text).toMatch(/^temporal_activity_execution_latency_count\{.*activity_type="pack"\} 2$/m);
    expect(text).toMatch(/^temporal_workflow_task_execution_latency_count\{/m);
    expect((await fetch(`http://${await runtime.prometheusAddress()}/other`)).status).toBe(404);
  } finally {
    await runtime.shutdown();
  }
});

it('are pushed to a collector, the last ones at the end', { timeout: 60_000 }, async () => {
  const bodies: { headers: unknown; names: string[] }[] = [];
  const collector: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { resourceMetrics } = JSON.parse(Buffer.concat(chunks).toString());
      const { metrics } = resourceMetrics[0].scopeMetrics[0];
      bodies.push({ headers: request.headers['x-key'], names: metrics.map(({ name }: { name: string }) => name) });
      response.end('{}');
    });
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  const { port } = collector.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/v1/metrics`;
  const otel = { url, http: true, headers: { 'x-key': 'secret' }, metricsExportInterval: '1h' as const };
  const runtime = Runtime.install({ telemetryOptions: { metrics: { otel } } });
  try {
    await runOrder('pushed');
    expect(bodies).toEqual([]);
  } finally {
    await runtime.shutdown();
    collector.close();
  }
  expect(bodies).toHaveLength(1);
  expect(bodies[0]?.headers).toBe('secret');
  expect(bodies[0]?.names).toEqual(expect.arrayContaining(['my_steps', 'my_size', 'temporal_workflow_completed']));
});

it('a runtime is given up for another one, not while workers run', async () => {
  expect(Runtime.instantiator).toBeUndefined();
  const runtime = Runtime.instance();
  expect([Runtime.instantiator, runtime.options]).toEqual(['instance', {}]);
  const worker = await makeWorker();
  await worker.runUntil(async () => {
    await expect(runtime.shutdown()).rejects.toThrow(IllegalStateError);
  });
  await runtime.shutdown();
  expect(Runtime.install({}).options).toEqual({});
  await Runtime.instance().shutdown();
});

it('an activity by itself records where its test says', async () => {
  const seen: unknown[] = [];
  const meter = { createCounter: (name: string) => ({ add: (value: number) => seen.push([name, value]) }) };
  const mock = new MockActivityEnvironment({}, { metricMeter: meter as never });
  await mock.run(async () => metricMeter.createCounter('c').add(5));
  expect(seen).toEqual([['c', 5]]);
  expect(() => metricMeter.createCounter('c')).toThrow('Activity context not initialized');
});
