// Sinks: functions of the worker that workflow code calls without waiting, e.g. to log. Calls come in batches with a task's result.
// Delivery is best effort: a call may be repeated when its task is, and a failing sink is only logged.

import { type Logger, type LogLevel, SdkComponent } from '../common/logger.ts';
import type { Metric, MetricMeter, MetricTags } from '../common/metrics.ts';
import { isRecord } from '../common/type-helpers.ts';
import type { WorkflowInfo } from '../workflow/interfaces.ts';
import type { Sink, SinkFunction, Sinks } from '../workflow/sinks.ts';
import { METRICS_SINK, recordOn } from './metrics/index.ts';
import type { SinkCall } from './thread-protocol.ts';

export interface InjectedSinkFunction<F extends SinkFunction> {
  /** @param info `workflowInfo()` of the calling workflow. */
  fn(info: WorkflowInfo, ...args: Parameters<F>): void | Promise<void>;
  /** Also call it while the workflow replays. Default: false. */
  callDuringReplay?: boolean;
}

export type InjectedSink<T extends Sink> = { [P in keyof T]: InjectedSinkFunction<T[P]> };
/** What the worker puts behind the sinks that workflows call: `InjectedSinks<MySinks>` for `proxySinks<MySinks>()`. */
export type InjectedSinks<T extends Sinks> = { [P in keyof T]: InjectedSink<T[P]> };
/** Sinks of whatever workflows. */
export type AnySinks = Record<string, Record<string, InjectedSinkFunction<SinkFunction>>>;

export class SinkRunner {
  private readonly sinks: AnySinks;
  private readonly logger: Logger;

  constructor(sinks: AnySinks, logger: Logger) {
    this.sinks = sinks;
    this.logger = logger;
  }

  /** @param fallbackInfo What is known of the workflow when a call does not carry its info. */
  run(calls: readonly SinkCall[], fallbackInfo: object): void {
    for (const call of calls) this.call(call, fallbackInfo);
  }

  private call(call: SinkCall, fallbackInfo: object): void {
    const { iface, fn } = call;
    const sink = Object.hasOwn(this.sinks, iface) ? this.sinks[iface] : undefined;
    const target = sink !== undefined && Object.hasOwn(sink, fn) ? sink[fn] : undefined;
    if (target === undefined) {
      this.logger.error('Workflow code called a sink that is not registered on this worker', { iface, fn });
      return;
    }
    if (call.replaying && target.callDuringReplay !== true) return;
    try {
      // The workflow's thread made the info; the sink's author chose the arguments' types on both sides.
      const result = target.fn((call.info ?? fallbackInfo) as WorkflowInfo, ...(call.args as never[]));
      if (result instanceof Promise) result.catch((error: unknown) => this.failed(iface, fn, error));
    } catch (error) {
      this.failed(iface, fn, error);
    }
  }

  private failed(iface: string, fn: string, error: unknown): void {
    this.logger.error('A sink function failed', { iface, fn, error });
  }
}

/** The sink behind the workflows' `log`: one function per level, called with a message and its metadata. */
const LOGGER_SINK = '__temporal_logger';

/** Sends the workflows' `log` to the runtime's logger, with the workflow's ids. */
export function loggerSinks(logger: Logger, taskQueue: string): AnySinks {
  const write = (level: LogLevel): InjectedSinkFunction<SinkFunction> => ({
    fn(info: WorkflowInfo, ...[message, meta]: unknown[]) {
      logger.log(level, String(message), {
        sdkComponent: SdkComponent.workflow,
        taskQueue,
        ...workflowIds(info),
        ...(isRecord(meta) ? meta : {}),
      });
    },
  });
  return {
    [LOGGER_SINK]: {
      trace: write('TRACE'),
      debug: write('DEBUG'),
      info: write('INFO'),
      warn: write('WARN'),
      error: write('ERROR'),
    },
  };
}

/** Records what workflows count with `metricMeter`. */
export function metricSinks(meter: MetricMeter, taskQueue: string): AnySinks {
  return {
    [METRICS_SINK]: {
      record: {
        fn(info: WorkflowInfo, ...[metric, value, tags]: unknown[]) {
          // As sdk/workflow/metrics.ts calls it.
          const given = { namespace: info.namespace, taskQueue, ...(tags as MetricTags) };
          recordOn(meter, metric as Metric, value as number, given);
        },
      },
    },
  };
}

function workflowIds(info: unknown): Record<string, unknown> {
  if (!isRecord(info)) return {};
  const { namespace, workflowId, runId, workflowType } = info;
  return { namespace, workflowId, runId, workflowType };
}
