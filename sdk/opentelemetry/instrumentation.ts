// The interceptors outside of workflows: a client's calls, an activity's execution. They speak to whatever the program registered with
// @opentelemetry/api, and do nothing that shows where it registered nothing.

import {
  type Attributes,
  context,
  type Context as OtelContext,
  propagation,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import type { Context } from '../activity/context.ts';
import type {
  WorkflowClientInterceptor,
  WorkflowQueryInput,
  WorkflowSignalInput,
  WorkflowSignalWithStartInput,
  WorkflowStartInput,
  WorkflowStartOutput,
  WorkflowStartUpdateInput,
  WorkflowStartUpdateOutput,
  WorkflowStartUpdateWithStartInput,
  WorkflowStartUpdateWithStartOutput,
} from '../client/interceptors.ts';
import type { Headers, Next } from '../common/interceptors.ts';
import type { LogMetadata } from '../common/logger.ts';
import type {
  ActivityExecuteInput,
  ActivityInboundCallsInterceptor,
  ActivityOutboundCallsInterceptor,
} from '../worker/interceptors.ts';
import { type Carrier, carrierOf, withCarrier } from './headers.ts';

export interface InterceptorOptions {
  /** Default: `trace.getTracer('tenuto/opentelemetry')`. */
  readonly tracer?: Tracer | undefined;
}

const tracerOf = (options: InterceptorOptions | undefined): Tracer =>
  options?.tracer ?? trace.getTracer('tenuto/opentelemetry');

/** Runs `fn` in a span, which ends with it. */
async function inSpan<T>(
  tracer: Tracer,
  name: string,
  kind: SpanKind,
  attributes: Attributes,
  parent: OtelContext,
  fn: (span: Span, current: OtelContext) => Promise<T>,
): Promise<T> {
  const span = tracer.startSpan(name, { kind, attributes }, parent);
  const current = trace.setSpan(parent, span);
  try {
    const result = await context.with(current, () => fn(span, current));
    span.setStatus({ code: SpanStatusCode.OK });
    return result;
  } catch (error) {
    span.recordException(error instanceof Error ? error : String(error));
    span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.message : String(error) });
    throw error;
  } finally {
    span.end();
  }
}

function injected(headers: Headers, current: OtelContext): Headers {
  const carrier: Carrier = {};
  propagation.inject(current, carrier);
  return withCarrier(headers, carrier);
}

/** Spans around a client's calls, which the workflow's spans are children of. */
export class OpenTelemetryWorkflowClientInterceptor implements WorkflowClientInterceptor {
  readonly #tracer: Tracer;

  constructor(options?: InterceptorOptions) {
    this.#tracer = tracerOf(options);
  }

  startWithDetails(
    input: WorkflowStartInput,
    next: Next<WorkflowClientInterceptor, 'startWithDetails'>,
  ): Promise<WorkflowStartOutput> {
    const { workflowId } = input.options;
    return this.#out(`StartWorkflow:${input.workflowType}`, workflowId, async (span, current) => {
      const output = await next({ ...input, headers: injected(input.headers, current) });
      span.setAttribute('runId', output.runId);
      return output;
    });
  }

  signal(input: WorkflowSignalInput, next: Next<WorkflowClientInterceptor, 'signal'>): Promise<void> {
    const { workflowId } = input.workflowExecution;
    return this.#out(`SignalWorkflow:${input.signalName}`, workflowId, (_, current) =>
      next({ ...input, headers: injected(input.headers, current) }),
    );
  }

  signalWithStart(
    input: WorkflowSignalWithStartInput,
    next: Next<WorkflowClientInterceptor, 'signalWithStart'>,
  ): Promise<string> {
    return this.#out(`SignalWithStartWorkflow:${input.workflowType}`, input.options.workflowId, (_, current) =>
      next({ ...input, headers: injected(input.headers, current) }),
    );
  }

  startUpdate(
    input: WorkflowStartUpdateInput,
    next: Next<WorkflowClientInterceptor, 'startUpdate'>,
  ): Promise<WorkflowStartUpdateOutput> {
    const { workflowId } = input.workflowExecution;
    return this.#out(`StartWorkflowUpdate:${input.updateName}`, workflowId, (_, current) =>
      next({ ...input, headers: injected(input.headers, current) }),
    );
  }

  startUpdateWithStart(
    input: WorkflowStartUpdateWithStartInput,
    next: Next<WorkflowClientInterceptor, 'startUpdateWithStart'>,
  ): Promise<WorkflowStartUpdateWithStartOutput> {
    const { workflowId } = input.workflowStartOptions;
    return this.#out(`UpdateWithStartWorkflow:${input.updateName}`, workflowId, (_, current) =>
      next({
        ...input,
        workflowStartHeaders: injected(input.workflowStartHeaders, current),
        updateHeaders: injected(input.updateHeaders, current),
      }),
    );
  }

  query(input: WorkflowQueryInput, next: Next<WorkflowClientInterceptor, 'query'>): Promise<unknown> {
    const { workflowId } = input.workflowExecution;
    return this.#out(`QueryWorkflow:${input.queryType}`, workflowId, (_, current) =>
      next({ ...input, headers: injected(input.headers, current) }),
    );
  }

  #out<T>(
    name: string,
    workflowId: string | undefined,
    fn: (span: Span, current: OtelContext) => Promise<T>,
  ): Promise<T> {
    const attributes: Attributes = workflowId === undefined ? {} : { workflowId };
    return inSpan(this.#tracer, name, SpanKind.CLIENT, attributes, context.active(), fn);
  }
}

/** A span around each attempt of an activity: `activity: [(context) => ({ inbound: new OpenTelemetryActivityInboundInterceptor(context) })]`. */
export class OpenTelemetryActivityInboundInterceptor implements ActivityInboundCallsInterceptor {
  readonly #context: Context;
  readonly #tracer: Tracer;

  constructor(activity: Context, options?: InterceptorOptions) {
    this.#context = activity;
    this.#tracer = tracerOf(options);
  }

  execute(input: ActivityExecuteInput, next: Next<ActivityInboundCallsInterceptor, 'execute'>): Promise<unknown> {
    const { activityType, activityId, attempt, workflowExecution } = this.#context.info;
    const parent = propagation.extract(context.active(), carrierOf(input.headers));
    const attributes: Attributes = { activityId, attempt };
    if (workflowExecution !== undefined) {
      attributes.workflowId = workflowExecution.workflowId;
      attributes.runId = workflowExecution.runId;
    }
    return inSpan(this.#tracer, `RunActivity:${activityType}`, SpanKind.SERVER, attributes, parent, () => next(input));
  }
}

/** Names the trace in an activity's log messages. */
export class OpenTelemetryActivityOutboundInterceptor implements ActivityOutboundCallsInterceptor {
  /** Nothing of the activity is needed: its span is the current one. */
  // biome-ignore lint/complexity/noUselessConstructor: it says what may be given
  constructor(_activity?: Context) {}

  getLogAttributes(input: LogMetadata, next: Next<ActivityOutboundCallsInterceptor, 'getLogAttributes'>): LogMetadata {
    const span = trace.getSpan(context.active())?.spanContext();
    if (span === undefined) return next(input);
    const { traceId, spanId, traceFlags } = span;
    return next({ ...input, trace_id: traceId, span_id: spanId, trace_flags: `0${traceFlags.toString(16)}` });
  }
}
