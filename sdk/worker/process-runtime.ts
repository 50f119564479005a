// What the workers of one process share: the logger, the signals that shut them down, and a watch over errors that activities
// throw where nobody catches them, which must not end the process for the others.

import { IllegalStateError, ValueError } from '../common/errors.ts';
import { LOG_LEVELS, type Logger, type LogLevel } from '../common/logger.ts';
import type { MetricMeter } from '../common/metrics.ts';
import { type Duration, msToNumber } from '../common/time.ts';
import { logAttributes } from './activity-context.ts';
import { currentExecution } from './activity-execution.ts';
import { DefaultLogger } from './logger.ts';
import type { MetricsBuffer } from './metrics/buffer.ts';
import { type MetricsExporterConfig, makeRuntimeMetrics, type RuntimeMetrics } from './metrics/index.ts';

/** Signals a process may be asked to end by. */
export type ShutdownSignal = 'SIGINT' | 'SIGTERM' | 'SIGQUIT' | 'SIGHUP' | 'SIGUSR2';

/** @see https://docs.temporal.io/references/sdk-metrics for the metrics' names. */
export interface TelemetryOptions {
  /** Where metrics of workers, workflows and activities go. Default: nowhere. */
  metrics?: MetricsExporterConfig;
  /**
   * `filter`: from which level on messages are written, where no {@link RuntimeOptions.logger} is given: that of `core`, or the first level a text
   * names. All messages go to that logger: `forward` and `console` change nothing.
   */
  logging?: {
    filter?: string | { core: LogLevel; other?: LogLevel };
    forward?: { level?: LogLevel };
    console?: { format?: 'compact' | 'pretty' | 'json' };
  };
  /** @deprecated Use `logging.filter`. */
  tracingFilter?: string;
  /** @deprecated Use `metrics.metricPrefix: ''`. */
  noTemporalPrefixForMetrics?: boolean;
  /** @deprecated There are no such traces, as with Temporal's by now: see tenuto/opentelemetry. */
  tracing?: unknown;
}

export interface RuntimeOptions {
  telemetryOptions?: TelemetryOptions;
  /** Where the SDK, workflows (`log`) and activities (`log`) write. Default: {@link DefaultLogger} at INFO, on stderr. */
  logger?: Logger;
  /** Signals that shut all running workers down; empty: none. Default: SIGINT, SIGTERM, SIGQUIT, SIGUSR2. A second one acts as if the SDK were not there. */
  shutdownSignals?: ShutdownSignal[];
  /** How often workers say that they live, 1 s to 60 s; 0: never. The registry takes one for dead after two and a half times as long. Default: 20 s. */
  workerHeartbeatInterval?: Duration;
}

function levelOf(logging: TelemetryOptions['logging']): LogLevel | undefined {
  const { filter, forward } = logging ?? {};
  if (typeof filter === 'object') return filter.core;
  const named = /\b(TRACE|DEBUG|INFO|WARN|ERROR)\b/i.exec(filter ?? '')?.[1]?.toUpperCase();
  return LOG_LEVELS.find((level) => level === named) ?? forward?.level;
}

const DEFAULT_HEARTBEAT_INTERVAL_MS = 20_000;

const DEFAULT_SIGNALS: ShutdownSignal[] = ['SIGINT', 'SIGTERM', 'SIGQUIT', 'SIGUSR2'];

export interface SignalledWorker {
  /** Begins a graceful shutdown; does nothing when one is under way. */
  shutdownOnSignal(signal: string): void;
}

/** The process-wide settings of all workers. Install before the first worker is created, or leave the defaults. */
export class Runtime {
  private static installed: Runtime | undefined;
  /** For {@link install} and {@link instance} where nothing else is said. */
  static defaultOptions: RuntimeOptions = {};
  /** Who made the runtime; undefined while there is none. */
  static instantiator: 'install' | 'instance' | undefined;
  readonly options: RuntimeOptions;
  readonly logger: Logger;
  /** For workers. */
  readonly metrics: RuntimeMetrics;
  /** ms; 0: workers send no heartbeats. */
  readonly workerHeartbeatIntervalMs: number;
  private readonly signals: readonly ShutdownSignal[];
  private readonly workers = new Set<SignalledWorker>();

  private constructor(options: RuntimeOptions) {
    this.options = options;
    const { logging, tracingFilter, metrics, noTemporalPrefixForMetrics } = options.telemetryOptions ?? {};
    this.logger = options.logger ?? new DefaultLogger(levelOf({ filter: tracingFilter ?? '', ...logging }));
    this.signals = options.shutdownSignals ?? DEFAULT_SIGNALS;
    this.workerHeartbeatIntervalMs = msToNumber(options.workerHeartbeatInterval ?? DEFAULT_HEARTBEAT_INTERVAL_MS);
    const { workerHeartbeatIntervalMs: interval } = this;
    if (interval !== 0 && !(interval >= 1_000 && interval <= 60_000)) {
      throw new ValueError(`RuntimeOptions.workerHeartbeatInterval must be 0, or 1 s to 60 s, got ${interval} ms`);
    }
    const exported = metrics && { ...(noTemporalPrefixForMetrics === true && { metricPrefix: '' }), ...metrics };
    this.metrics = makeRuntimeMetrics(exported, this.logger);
  }

  /**
   * Sets the logger, the shutdown signals and the heartbeats of this process.
   *
   * @throws ValueError for an interval that cannot be meant.
   * @throws IllegalStateError when a runtime is installed already, also by a worker created before.
   */
  static install(options: RuntimeOptions): Runtime {
    if (Runtime.installed !== undefined) {
      throw new IllegalStateError('Runtime was already installed; call Runtime.install before creating workers');
    }
    Runtime.installed = new Runtime({ ...Runtime.defaultOptions, ...options });
    Runtime.instantiator = 'install';
    return Runtime.installed;
  }

  /** The installed runtime; one with defaults is installed when there is none. */
  static instance(): Runtime {
    if (Runtime.installed === undefined) {
      Runtime.installed = new Runtime(Runtime.defaultOptions);
      Runtime.instantiator = 'instance';
    }
    return Runtime.installed;
  }

  /** Metrics of the process, beside those of workflows and activities. Recorded where {@link TelemetryOptions.metrics} says. */
  get metricMeter(): MetricMeter {
    return this.metrics.meter;
  }

  /** That of `telemetryOptions.metrics.buffer`. */
  get metricsBuffer(): MetricsBuffer | undefined {
    return this.metrics.buffer;
  }

  /** `host:port` where Prometheus finds the metrics, once it is listened on; undefined without that exporter. Rejects where it cannot be. */
  async prometheusAddress(): Promise<string | undefined> {
    return await this.metrics.address;
  }

  /** Messages are written at once: there is nothing to flush. */
  flushLogs(): void {}

  /**
   * Says the last metrics, and gives the process up for another runtime.
   *
   * @throws IllegalStateError while workers run.
   */
  async shutdown(): Promise<void> {
    if (this.workers.size > 0)
      throw new IllegalStateError('Runtime.shutdown: workers are running; shut them down first');
    if (Runtime.installed === this) {
      Runtime.installed = undefined;
      Runtime.instantiator = undefined;
    }
    await this.metrics.close();
  }

  /** For workers: from `run` on. */
  register(worker: SignalledWorker): void {
    this.workers.add(worker);
    if (this.workers.size > 1) return;
    for (const signal of this.signals) process.on(signal, this.onSignal);
    process.on('unhandledRejection', this.onUnhandledRejection);
    process.on('uncaughtException', this.onUncaughtException);
  }

  /** For workers: when `run` ends. */
  deregister(worker: SignalledWorker): void {
    if (!this.workers.delete(worker) || this.workers.size > 0) return;
    this.removeSignals();
    process.off('unhandledRejection', this.onUnhandledRejection);
    process.off('uncaughtException', this.onUncaughtException);
  }

  private removeSignals(): void {
    for (const signal of this.signals) process.off(signal, this.onSignal);
  }

  private readonly onSignal = (signal: ShutdownSignal): void => {
    // Whoever asks twice does not want to wait.
    this.removeSignals();
    for (const worker of this.workers) worker.shutdownOnSignal(signal);
  };

  private readonly onUnhandledRejection = (reason: unknown): void => {
    const execution = currentExecution();
    if (execution === undefined) {
      // Not an activity's: what Node does without a listener.
      if (process.listenerCount('unhandledRejection') === 1) throw reason;
      return;
    }
    // A promise the activity did not wait for; its own result is still to come.
    this.logger.error('A promise was rejected in an activity and nobody handled it', {
      ...logAttributes(execution.context.info),
      error: reason,
    });
  };

  private readonly onUncaughtException = (error: Error): void => {
    const execution = currentExecution();
    if (execution === undefined) {
      if (process.listenerCount('uncaughtException') === 1) {
        // Not an activity's: what Node does without a listener.
        process.stderr.write(`Uncaught ${error instanceof Error ? error.stack : String(error)}\n`);
        process.exit(1);
      }
      return;
    }
    this.logger.error('An error was thrown in a callback of an activity; its attempt fails', {
      ...logAttributes(execution.context.info),
      error,
    });
    execution.fail(error);
  };
}
