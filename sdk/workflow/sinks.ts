// Sinks: calls that leave the realm without an answer, such as log lines. Delivered when the workflow task is answered.

import { type Logger, type LogMetadata, makeLogger, SdkComponent } from '../common/logger.ts';
import { LOGGER_SINK } from './activation.ts';
import { composeInterceptors } from './compose.ts';
import { assertInWorkflowContext, currentActivator } from './context.ts';
import type { WorkflowInfo } from './interfaces.ts';

export type SinkFunction = (...args: never[]) => void;
export type Sink = Record<string, SinkFunction>;
/** Sinks by name, each a record of functions that return nothing. */
export type Sinks = Record<string, Sink>;

/** The part of `workflowInfo()` that can be copied out of the realm. */
function cloneableInfo(info: WorkflowInfo): unknown {
  const { typedSearchAttributes, lastFailure, unsafe, ...rest } = info;
  const { isReplaying, isReplayingHistoryEvents } = unsafe;
  return { ...rest, unsafe: { isReplaying, isReplayingHistoryEvents } };
}

/**
 * The worker's sinks as functions: `const { audit } = proxySinks<AuditSinks>(); audit.record('paid')`.
 *
 * Arguments are copied (structured clone). The calls return nothing and never fail the workflow.
 */
export function proxySinks<T extends Sinks>(): T {
  const byName = (get: (name: string) => unknown): unknown =>
    new Proxy({}, { get: (_, name) => (typeof name === 'string' ? get(name) : undefined) });
  // Built by name at run time: the types are what the caller says they are.
  return byName((iface) =>
    byName((fn) => (...args: unknown[]) => {
      const { info, sinkCalls } = assertInWorkflowContext('Sinks');
      sinkCalls.push({ iface, fn, args, replaying: info.unsafe.isReplaying, info: cloneableInfo(info) });
    }),
  ) as T;
}

/**
 * The workflow's logger: writes to the worker's logger with the workflow's ids, and not again on replay.
 * Metadata is copied (structured clone).
 */
export const log: Logger = makeLogger((level, message, meta: LogMetadata) => {
  const activator = currentActivator();
  if (activator === undefined) throw new TypeError('log may only be used from workflow code');
  const { namespace, taskQueue, workflowId, runId, workflowType } = activator.info;
  // The worker adds the ids itself: without interceptors they need not be copied out.
  const attributes =
    activator.outbound.length === 0
      ? {}
      : composeInterceptors(
          activator.outbound,
          'getLogAttributes',
          (given) => given,
        )({
          namespace,
          taskQueue,
          workflowId,
          runId,
          workflowType,
        });
  activator.sinkCalls.push({
    iface: LOGGER_SINK,
    fn: level.toLowerCase(),
    args: [message, { sdkComponent: SdkComponent.workflow, ...attributes, ...meta }],
    replaying: activator.info.unsafe.isReplaying,
  });
});
