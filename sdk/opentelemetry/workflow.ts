/**
 * Workflow interceptors that trace: name this module in a worker's `interceptors.workflowModules`, or one of your own that makes them. Uses no OpenTelemetry package: spans
 * are plain data with ids drawn from a stream of their own, the same on replay, and leave through the sink that
 * `makeWorkflowExporter` of `tenuto/opentelemetry` makes. A span that ended in the past is not sent again.
 *
 * @module
 */
import {
  type ActivityInput,
  CancellationScope,
  ContinueAsNew,
  type ContinueAsNewInput,
  type GetLogAttributesInput,
  getRandomStream,
  type Headers,
  isCancellation,
  type LocalActivityInput,
  type Next,
  proxySinks,
  type SignalInput,
  type SignalWorkflowInput,
  type StartChildWorkflowExecutionInput,
  type UpdateInput,
  type WorkflowExecuteInput,
  type WorkflowInboundCallsInterceptor,
  type WorkflowInterceptors,
  type WorkflowInternalsInterceptor,
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

/** One for each execution: its interceptors are made apart, and belong to the same spans. */
let current: Tracer | undefined;
const tracer = (): Tracer => (current ??= new Tracer());

/** Spans around what comes in: the workflow itself, its signals, updates and queries. */
export class OpenTelemetryInboundInterceptor implements WorkflowInboundCallsInterceptor {
  readonly #tracer = tracer();

  async execute(input: WorkflowExecuteInput, next: Next<WorkflowInboundCallsInterceptor, 'execute'>): Promise<unknown> {
    const { workflowType } = workflowInfo();
    const { span, end } = this.#tracer.begin(`RunWorkflow:${workflowType}`, 'server', spanOf(input.headers));
    this.#tracer.run = span;
    return await ending(end, () => next(input));
  }

  handleSignal(input: SignalInput, next: Next<WorkflowInboundCallsInterceptor, 'handleSignal'>): Promise<void> {
    return this.#tracer.handle(`HandleSignal:${input.signalName}`, input.headers, {}, () => next(input));
  }

  handleUpdate(input: UpdateInput, next: Next<WorkflowInboundCallsInterceptor, 'handleUpdate'>): Promise<unknown> {
    const { updateId } = input;
    return this.#tracer.handle(`HandleUpdate:${input.name}`, input.headers, { updateId }, () => next(input));
  }
}

/** Spans around what the workflow asks for; they travel with it. */
export class OpenTelemetryOutboundInterceptor implements WorkflowOutboundCallsInterceptor {
  readonly #tracer = tracer();

  scheduleActivity(
    input: ActivityInput,
    next: Next<WorkflowOutboundCallsInterceptor, 'scheduleActivity'>,
  ): Promise<unknown> {
    return this.#out(`StartActivity:${input.activityType}`, input, next);
  }

  scheduleLocalActivity(
    input: LocalActivityInput,
    next: Next<WorkflowOutboundCallsInterceptor, 'scheduleLocalActivity'>,
  ): Promise<unknown> {
    return this.#out(`StartActivity:${input.activityType}`, input, next);
  }

  async startChildWorkflowExecution(
    input: StartChildWorkflowExecutionInput,
    next: Next<WorkflowOutboundCallsInterceptor, 'startChildWorkflowExecution'>,
  ): Promise<[Promise<string>, Promise<unknown>]> {
    const name = `StartChildWorkflow:${input.workflowType}`;
    const { span, end } = this.#tracer.begin(name, 'client', this.#tracer.current);
    const [started, result] = await next({ ...input, headers: withSpan(input.headers, span) });
    started.then(
      () => end(),
      (error: unknown) => end(error),
    );
    return [started, result];
  }

  signalWorkflow(
    input: SignalWorkflowInput,
    next: Next<WorkflowOutboundCallsInterceptor, 'signalWorkflow'>,
  ): Promise<void> {
    return this.#out(`SignalWorkflow:${input.signalName}`, input, next);
  }

  continueAsNew(
    input: ContinueAsNewInput,
    next: Next<WorkflowOutboundCallsInterceptor, 'continueAsNew'>,
  ): Promise<never> {
    return this.#out(`ContinueAsNew:${input.options.workflowType}`, input, next);
  }

  getLogAttributes(
    input: GetLogAttributesInput,
    next: Next<WorkflowOutboundCallsInterceptor, 'getLogAttributes'>,
  ): GetLogAttributesInput {
    const span = this.#tracer.current;
    if (span === undefined) return next(input);
    return next({ ...input, trace_id: span.traceId, span_id: span.spanId, trace_flags: `0${span.traceFlags}` });
  }

  #out<I extends { readonly headers: Headers }, T>(name: string, input: I, next: (input: I) => Promise<T>): Promise<T> {
    return this.#tracer.out(name, input.headers, (headers) => next({ ...input, headers }));
  }
}

/** Here for programs that name it: no span is left open in a process when an execution is given up. */
export class OpenTelemetryInternalsInterceptor implements WorkflowInternalsInterceptor {}

/** What the worker's bundler looks for. */
export function interceptors(): WorkflowInterceptors {
  return {
    inbound: [new OpenTelemetryInboundInterceptor()],
    outbound: [new OpenTelemetryOutboundInterceptor()],
    internals: [new OpenTelemetryInternalsInterceptor()],
  };
}
