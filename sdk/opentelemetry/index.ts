/**
 * OpenTelemetry: one trace from a client's call through the workflow, its activities and its children. Needs `@opentelemetry/api`, and
 * whatever SDK the program registers with it. Names are those of `@temporalio/interceptors-opentelemetry`.
 *
 * ```ts
 * const worker = await Worker.create({
 *   …,
 *   sinks: { exporter: makeWorkflowExporter(exporter, resource) },
 *   interceptors: {
 *     workflowModules: [openTelemetryWorkflowModule],
 *     activity: [(context) => ({
 *       inbound: new OpenTelemetryActivityInboundInterceptor(context),
 *       outbound: new OpenTelemetryActivityOutboundInterceptor(),
 *     })],
 *   },
 * });
 * const client = new Client({ interceptors: { workflow: [new OpenTelemetryWorkflowClientInterceptor()] } });
 * ```
 *
 * @module
 */
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

export {
  type InterceptorOptions,
  OpenTelemetryActivityInboundInterceptor,
  OpenTelemetryActivityOutboundInterceptor,
  OpenTelemetryWorkflowClientInterceptor,
} from './instrumentation.ts';
export type { OpenTelemetrySinks, SpanRecord } from './span-record.ts';
export { makeWorkflowExporter, type WorkflowSpan, type WorkflowSpanTarget } from './workflow-exporter.ts';

/** Path of the workflow interceptors, for `interceptors.workflowModules`. */
export const openTelemetryWorkflowModule: string = fileURLToPath(
  new URL(`./workflow${extname(import.meta.url)}`, import.meta.url),
);
