/**
 * Workflow interceptors that trace: name this module in a worker's `interceptors.workflowModules`. Uses no OpenTelemetry package: spans
 * are plain data with ids drawn from a stream of their own, the same on replay, and leave through the sink that
 * `makeWorkflowExporter` of `tenuto/opentelemetry` makes. A span that ended in the past is not sent again.
 *
 * @module
 */
import {
  CancellationScope,
  ContinueAsNew,
  getRandomStream,
  type Headers,
  isCancellation,
  proxySinks,
  type WorkflowInboundCallsInterceptor,
  type WorkflowInterceptors,
  type WorkflowOutboundCallsInterceptor,
  workflowInfo,
} from '../workflow/index.ts';
import { carrierOf, withCarrier } from './headers.ts';
import {
  formatTraceParent,
  type OpenTelemetrySinks,
  parseTraceParent,
  SAMPLED,
  type SpanContextRecord,
  type SpanRecord,
} from './span-record.ts';

/** Carries a handler's span through its awaits; in all else the workflow's own scope. */
class SpanScope extends CancellationScope {
  readonly span: SpanContextRecord;

  constructor(span: SpanContextRecord) {
    super({ cancellable: true });
    this.span = span;
  }

  override cancel(): void {
    this.parent?.cancel();
  }
}

/** The spans of one execution. */
class Tracer {
  /** Of the workflow function. */
  run: SpanContextRecord | undefined;
  readonly #ids = getRandomStream('tenuto/opentelemetry');
  readonly #sinks = proxySinks<OpenTelemetrySinks>();

  /** The span that running code belongs to. */
  get current(): SpanContextRecord | undefined {
    let scope: CancellationScope | undefined = CancellationScope.current();
    for (; scope !== undefined; scope = scope.parent) if (scope instanceof SpanScope) return scope.span;
    return this.run;
  }

  /** Begins a span; call the returned function once, with the error if there was one. */
  begin(
    name: string,
    kind: SpanRecord['kind'],
    parent: SpanContextRecord | undefined,
    more: Record<string, string> = {},
  ): { span: SpanContextRecord; end: (error?: unknown) => void } {
    const { workflowId, runId, workflowType } = workflowInfo();
    const span: SpanContextRecord = {
      traceId: parent?.traceId ?? this.#id(16),
      spanId: this.#id(8),
      traceFlags: parent?.traceFlags ?? SAMPLED,
      traceState: parent?.traceState,
    };
    const startedAtMs = Date.now();
    const end = (error?: unknown): void => {
      if ((span.traceFlags & SAMPLED) === 0) return;
      this.#sinks.exporter.export({
        ...span,
        name,
        kind,
        parent,
        startedAtMs,
        endedAtMs: Date.now(),
        attributes: { workflowId, runId, workflowType, ...more },
        // Neither is a failure of what the span stands for.
        error: error === undefined || error instanceof ContinueAsNew || isCancellation(error) ? undefined : told(error),
      });
    };
    return { span, end };
  }

  /** A span around `fn`, which gets headers that name it. */
  async out<T>(name: string, headers: Headers, fn: (headers: Headers) => Promise<T>): Promise<T> {
    const { span, end } = this.begin(name, 'client', this.current);
    return await ending(end, () => fn(withSpan(headers, span)));
  }

  /** A span around a handler, current in everything it does. */
  async handle<T>(name: string, headers: Headers, more: Record<string, string>, fn: () => Promise<T>): Promise<T> {
    const { span, end } = this.begin(name, 'server', spanOf(headers) ?? this.run, more);
    return await new SpanScope(span).run(() => ending(end, fn));
  }

  #id(bytes: number): string {
    const drawn = this.#ids.fill(new Uint8Array(bytes));
    return Array.from(drawn, (byte) => byte.toString(16).padStart(2, '0')).join('');
  }
}

async function ending<T>(end: (error?: unknown) => void, fn: () => Promise<T>): Promise<T> {
  try {
    const result = await fn();
    end();
    return result;
  } catch (error) {
    end(error);
    throw error;
  }
}

function told(error: unknown): SpanRecord['error'] {
  if (!(error instanceof Error)) return { type: 'Error', message: String(error) };
  return { type: error.name, message: error.message, stack: error.stack };
}

const spanOf = (headers: Headers): SpanContextRecord | undefined => {
  const { traceparent, tracestate } = carrierOf(headers);
  return parseTraceParent(traceparent, tracestate);
};

function withSpan(headers: Headers, span: SpanContextRecord): Headers {
  const { traceState } = span;
  return withCarrier(headers, {
    traceparent: formatTraceParent(span),
    ...(traceState === undefined ? {} : { tracestate: traceState }),
  });
}

function inbound(tracer: Tracer): WorkflowInboundCallsInterceptor {
  return {
    async execute(input, next) {
      const { workflowType } = workflowInfo();
      const { span, end } = tracer.begin(`RunWorkflow:${workflowType}`, 'server', spanOf(input.headers));
      tracer.run = span;
      return await ending(end, () => next(input));
    },
    handleSignal: (input, next) =>
      tracer.handle(`HandleSignal:${input.signalName}`, input.headers, {}, () => next(input)),
    handleUpdate: (input, next) =>
      tracer.handle(`HandleUpdate:${input.name}`, input.headers, { updateId: input.updateId }, () => next(input)),
  };
}

function outbound(tracer: Tracer): WorkflowOutboundCallsInterceptor {
  return {
    scheduleActivity: (input, next) =>
      tracer.out(`StartActivity:${input.activityType}`, input.headers, (headers) => next({ ...input, headers })),
    scheduleLocalActivity: (input, next) =>
      tracer.out(`StartActivity:${input.activityType}`, input.headers, (headers) => next({ ...input, headers })),
    async startChildWorkflowExecution(input, next) {
      const { span, end } = tracer.begin(`StartChildWorkflow:${input.workflowType}`, 'client', tracer.current);
      const [started, result] = await next({ ...input, headers: withSpan(input.headers, span) });
      started.then(
        () => end(),
        (error: unknown) => end(error),
      );
      return [started, result];
    },
    signalWorkflow: (input, next) =>
      tracer.out(`SignalWorkflow:${input.signalName}`, input.headers, (headers) => next({ ...input, headers })),
    continueAsNew: (input, next) =>
      tracer.out(`ContinueAsNew:${input.options.workflowType}`, input.headers, (headers) =>
        next({ ...input, headers }),
      ),
    getLogAttributes(input, next) {
      const span = tracer.current;
      if (span === undefined) return next(input);
      return next({ ...input, trace_id: span.traceId, span_id: span.spanId, trace_flags: `0${span.traceFlags}` });
    },
  };
}

/** What the worker's bundler looks for. */
export function interceptors(): WorkflowInterceptors {
  const tracer = new Tracer();
  return { inbound: [inbound(tracer)], outbound: [outbound(tracer)] };
}
