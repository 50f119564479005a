// Sinks: functions of the worker that workflow code calls without waiting, e.g. to log. Calls come in batches with a task's result.
// Delivery is best effort: a call may be repeated when its task is, and a failing sink is only logged.

import type { Logger } from '../common/logger.ts';
import type { SinkCall } from './thread-protocol.ts';

export interface InjectedSinkFunction<Args extends unknown[] = never[]> {
  /** @param info `workflowInfo()` of the calling workflow. */
  fn(info: unknown, ...args: Args): void | Promise<void>;
  /** Also call it while the workflow replays. Default: false. */
  callDuringReplay?: boolean;
}

export type InjectedSink = Record<string, InjectedSinkFunction>;
/** Sinks by name, functions by name. */
export type InjectedSinks = Record<string, InjectedSink>;

export class SinkRunner {
  private readonly sinks: InjectedSinks;
  private readonly logger: Logger;

  constructor(sinks: InjectedSinks, logger: Logger) {
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
      // The sink's author chose the arguments' types on both sides.
      const result = target.fn(call.info ?? fallbackInfo, ...(call.args as never[]));
      if (result instanceof Promise) result.catch((error: unknown) => this.failed(iface, fn, error));
    } catch (error) {
      this.failed(iface, fn, error);
    }
  }

  private failed(iface: string, fn: string, error: unknown): void {
    this.logger.error('A sink function failed', { iface, fn, error });
  }
}
