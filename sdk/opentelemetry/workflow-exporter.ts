// The sink that takes workflows' spans out of their realm and gives them to an OpenTelemetry exporter or span processor. The shapes are
// those of @opentelemetry/sdk-trace-base, written out: which version of it a program uses is its own affair.

import {
  type Attributes,
  createTraceState,
  type HrTime,
  INVALID_SPAN_CONTEXT,
  type SpanContext,
  SpanKind,
  type SpanStatus,
  SpanStatusCode,
} from '@opentelemetry/api';
import type { InjectedSinks } from '../worker/sinks.ts';
import type { OpenTelemetrySinks, SpanContextRecord, SpanRecord } from './span-record.ts';

/** A finished span: a `ReadableSpan`. */
export interface WorkflowSpan<R = unknown> {
  readonly name: string;
  readonly kind: SpanKind;
  readonly spanContext: () => SpanContext;
  readonly parentSpanContext?: SpanContext;
  readonly startTime: HrTime;
  readonly endTime: HrTime;
  readonly duration: HrTime;
  readonly ended: boolean;
  readonly status: SpanStatus;
  readonly attributes: Attributes;
  readonly links: never[];
  readonly events: { time: HrTime; name: string; attributes?: Attributes }[];
  readonly resource: R;
  readonly instrumentationScope: { name: string; version?: string };
  readonly droppedAttributesCount: number;
  readonly droppedEventsCount: number;
  readonly droppedLinksCount: number;
}

/** A `SpanExporter`, or a `SpanProcessor` (which may batch). */
export type WorkflowSpanTarget<R> =
  | { export(spans: WorkflowSpan<R>[], done: (result: { code: number }) => void): void }
  | { onEnd(span: WorkflowSpan<R>): void };

const hrTime = (ms: number): HrTime => [Math.floor(ms / 1000), (ms % 1000) * 1_000_000];

function contextOf({ traceId, spanId, traceFlags, traceState }: SpanContextRecord): SpanContext {
  const known = { ...INVALID_SPAN_CONTEXT, traceId, spanId, traceFlags };
  return traceState === undefined ? known : { ...known, traceState: createTraceState(traceState) };
}

function readable<R>(span: SpanRecord, resource: R): WorkflowSpan<R> {
  const { name, kind, parent, startedAtMs, endedAtMs, attributes, error } = span;
  const context = contextOf(span);
  const failed = error && {
    'exception.type': error.type,
    'exception.message': error.message,
    ...(error.stack === undefined ? {} : { 'exception.stacktrace': error.stack }),
  };
  return {
    name,
    kind: kind === 'server' ? SpanKind.SERVER : SpanKind.CLIENT,
    spanContext: () => context,
    ...(parent === undefined ? {} : { parentSpanContext: contextOf(parent) }),
    startTime: hrTime(startedAtMs),
    endTime: hrTime(endedAtMs),
    duration: hrTime(endedAtMs - startedAtMs),
    ended: true,
    status: error === undefined ? { code: SpanStatusCode.OK } : { code: SpanStatusCode.ERROR, message: error.message },
    attributes,
    links: [],
    events: failed === undefined ? [] : [{ time: hrTime(endedAtMs), name: 'exception', attributes: failed }],
    resource,
    instrumentationScope: { name: 'tenuto/opentelemetry' },
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

/**
 * The sink for `Worker.create({ sinks: { exporter: makeWorkflowExporter(…) } })`.
 *
 * @param target Where the spans go; it is not shut down with the worker.
 * @param resource What describes this process, as given to the tracer provider.
 */
export function makeWorkflowExporter<R>(
  target: WorkflowSpanTarget<R>,
  resource: R,
): InjectedSinks<OpenTelemetrySinks>['exporter'] {
  return {
    export: {
      fn(_info, span) {
        const finished = readable(span, resource);
        if ('onEnd' in target) target.onEnd(finished);
        else target.export([finished], () => {});
      },
    },
  };
}
