// One trace from the client through workflow, activity and child, against a real server and worker; the same ids on replay, each span once.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { context, type Span, SpanStatusCode, trace } from '@opentelemetry/api';
import { emptyResource } from '@opentelemetry/resources';
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-node';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Client } from '../client/index.ts';
import { ApplicationFailure } from '../common/index.ts';
import { TestWorkflowEnvironment } from '../testing/index.ts';
import { type InjectedSinks, Worker } from '../worker/index.ts';
import {
  makeWorkflowExporter,
  OpenTelemetryActivityInboundInterceptor,
  OpenTelemetryActivityOutboundInterceptor,
  type OpenTelemetrySinks,
  OpenTelemetryWorkflowClientInterceptor,
  openTelemetryWorkflowModule,
} from './index.ts';

const WORKFLOWS = `
import * as wf from 'tenuto/workflow';
const { act, fail } = wf.proxyActivities({ startToCloseTimeout: '10s', retry: { maximumAttempts: 1 } });
const { quick } = wf.proxyLocalActivities({ startToCloseTimeout: '10s' });
export const go = wf.defineSignal('go');
export async function order(steps) {
  let told = 0;
  wf.setHandler(go, async () => { await act('in the handler'); told++; });
  await act('first');
  await quick('local');
  const child = await wf.startChild('leaf', { workflowId: wf.workflowInfo().workflowId + '/leaf' });
  await child.result();
  for (let i = 0; i < steps; i++) await wf.sleep(1);
  await wf.condition(() => told === 1);
  return wf.uuid4();
}
export async function leaf() { await act('in the child'); }
export async function fails() { await fail(); }
export async function next(n) { if (n > 0) await wf.continueAsNew(n - 1); }
`;

const exporter = new InMemorySpanExporter();
const processor = new SimpleSpanProcessor(exporter);
const provider = new NodeTracerProvider({ spanProcessors: [processor] });
let environment: TestWorkflowEnvironment;
let client: Client;
let folder: string;
const seenByActivities: unknown[] = [];

beforeAll(async () => {
  provider.register();
  environment = await TestWorkflowEnvironment.createLocal();
  client = new Client({
    connection: environment.connection,
    interceptors: { workflow: [new OpenTelemetryWorkflowClientInterceptor()] },
  });
  folder = mkdtempSync(join(tmpdir(), 'tenuto-traces-'));
  writeFileSync(join(folder, 'workflows.ts'), WORKFLOWS);
});
afterAll(async () => {
  await environment.teardown();
  await provider.shutdown();
  trace.disable();
  context.disable();
  rmSync(folder, { recursive: true });
});
beforeEach(() => exporter.reset());

/** Runs `fn` beside a worker that traces. */
async function traced<T>(
  taskQueue: string,
  fn: () => Promise<T>,
  options: { maxCachedWorkflows?: number; exporter?: InjectedSinks<OpenTelemetrySinks>['exporter'] } = {},
): Promise<T> {
  const worker = await Worker.create({
    connection: environment.nativeConnection,
    taskQueue,
    workflowsPath: join(folder, 'workflows.ts'),
    maxCachedWorkflows: options.maxCachedWorkflows ?? 100,
    activities: {
      act: async () => seenByActivities.push(trace.getActiveSpan()?.spanContext().traceId),
      quick: async () => {},
      fail: async () => {
        throw ApplicationFailure.nonRetryable('broken');
      },
    },
    sinks: { exporter: options.exporter ?? makeWorkflowExporter(processor, emptyResource()) },
    interceptors: {
      workflowModules: [openTelemetryWorkflowModule],
      activity: [
        (activity) => ({
          inbound: new OpenTelemetryActivityInboundInterceptor(activity),
          outbound: new OpenTelemetryActivityOutboundInterceptor(),
        }),
      ],
    },
  });
  return await worker.runUntil(fn());
}

/** Each span below its parent, in order of names. */
function tree(spans: readonly ReadableSpan[], parent?: string, indent = ''): string[] {
  return spans
    .filter((span) => span.parentSpanContext?.spanId === parent)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((span) => [indent + span.name, ...tree(spans, span.spanContext().spanId, `${indent}  `)]);
}

const WHOLE = [
  'a request',
  '  SignalWorkflow:go',
  '    HandleSignal:go',
  '      StartActivity:act',
  '        RunActivity:act',
  '  StartWorkflow:order',
  '    RunWorkflow:order',
  '      StartActivity:act',
  '        RunActivity:act',
  '      StartActivity:quick',
  '        RunActivity:quick',
  '      StartChildWorkflow:leaf',
  '        RunWorkflow:leaf',
  '          StartActivity:act',
  '            RunActivity:act',
];

const inRequest = <T>(fn: (span: Span) => Promise<T>): Promise<T> =>
  trace.getTracer('test').startActiveSpan('a request', async (span) => {
    try {
      return await fn(span);
    } finally {
      span.end();
    }
  });

describe('one trace', () => {
  it.each([
    ['while executions are warm', 100],
    ['while every workflow task replays from the start', 0],
  ])('from the client to everything it led to, %s', async (_, maxCachedWorkflows) => {
    const taskQueue = `traces-${maxCachedWorkflows}`;
    seenByActivities.length = 0;
    const { traceId } = await traced(
      taskQueue,
      () =>
        inRequest(async (span) => {
          const handle = await client.workflow.start('order', { workflowId: taskQueue, taskQueue, args: [3] });
          await handle.signal('go');
          await handle.result();
          return span.spanContext();
        }),
      { maxCachedWorkflows },
    );
    const spans = exporter.getFinishedSpans();
    expect(tree(spans)).toEqual(WHOLE);
    expect(new Set(spans.map((span) => span.spanContext().traceId))).toEqual(new Set([traceId]));
    expect(new Set(spans.map((span) => span.spanContext().spanId)).size).toBe(WHOLE.length);
    expect(seenByActivities).toEqual([traceId, traceId, traceId]);
  });

  it('follows continue-as-new', async () => {
    await traced('traces-next', () =>
      client.workflow.execute('next', { workflowId: 'traces-next', taskQueue: 'traces-next', args: [1] }),
    );
    expect(tree(exporter.getFinishedSpans())).toEqual([
      'StartWorkflow:next',
      '  RunWorkflow:next',
      '    ContinueAsNew:next',
      '      RunWorkflow:next',
    ]);
  });

  it('says what failed', async () => {
    const taskQueue = 'traces-fail';
    await traced(taskQueue, async () => {
      await expect(client.workflow.execute('fails', { workflowId: taskQueue, taskQueue })).rejects.toThrow();
    });
    const failed = exporter.getFinishedSpans().filter(({ status }) => status.code === SpanStatusCode.ERROR);
    expect(failed.map(({ name }) => name).sort()).toEqual([
      'RunActivity:fail',
      'RunWorkflow:fails',
      'StartActivity:fail',
    ]);
    expect(failed.find(({ name }) => name === 'RunWorkflow:fails')?.events[0]?.attributes).toMatchObject({
      'exception.message': 'Activity task failed',
    });
  });

  it('begins with the workflow where the client does not trace, and not at all where it is not sampled', async () => {
    const untraced = async (workflowId: string, header?: string): Promise<void> => {
      const { defaultPayloadConverter } = await import('../common/index.ts');
      const headers: Record<string, ReturnType<typeof defaultPayloadConverter.toPayload>> = header === undefined
        ? {}
        : { '_tracer-data': defaultPayloadConverter.toPayload({ traceparent: header }) };
      const plain = new Client({
        connection: environment.connection,
        interceptors: { workflow: [{ startWithDetails: (input, next) => next({ ...input, headers }) }] },
      });
      await traced(workflowId, () => plain.workflow.execute('leaf', { workflowId, taskQueue: workflowId }));
    };
    const whole = ['RunWorkflow:leaf', '  StartActivity:act', '    RunActivity:act'];
    await untraced('traces-alone');
    expect(tree(exporter.getFinishedSpans())).toEqual(whole);
    exporter.reset();
    await untraced('traces-not', '00-0123456789abcdef0123456789abcdef-0123456789abcdef-00');
    expect(exporter.getFinishedSpans()).toEqual([]);
    await untraced('traces-nonsense', 'anything');
    expect(tree(exporter.getFinishedSpans())).toEqual(whole);
  });
});
