// What the workers of one process share: the logger, the signals that shut them down, and a watch over errors that activities
// throw where nobody catches them, which must not end the process for the others.

import { IllegalStateError, ValueError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import { type Duration, msToNumber } from '../common/time.ts';
import { currentExecution, logAttributes } from './activity-execution.ts';
import { DefaultLogger } from './logger.ts';

/** Signals a process may be asked to end by. */
export type ShutdownSignal = 'SIGINT' | 'SIGTERM' | 'SIGQUIT' | 'SIGHUP' | 'SIGUSR2';

export interface RuntimeOptions {
  /** Where the SDK, workflows (`log`) and activities (`log`) write. Default: {@link DefaultLogger} at INFO, on stderr. */
  logger?: Logger;
  /** Signals that shut all running workers down; empty: none. Default: SIGINT, SIGTERM, SIGQUIT, SIGUSR2. A second one acts as if the SDK were not there. */
  shutdownSignals?: ShutdownSignal[];
  /** How often workers say that they live, 1 s to 60 s; 0: never. The registry takes one for dead after two and a half times as long. Default: 20 s. */
  workerHeartbeatInterval?: Duration;
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
  readonly logger: Logger;
  /** ms; 0: workers send no heartbeats. */
  readonly workerHeartbeatIntervalMs: number;
  private readonly signals: readonly ShutdownSignal[];
  private readonly workers = new Set<SignalledWorker>();

  private constructor(options: RuntimeOptions) {
    this.logger = options.logger ?? new DefaultLogger();
    this.signals = options.shutdownSignals ?? DEFAULT_SIGNALS;
    this.workerHeartbeatIntervalMs = msToNumber(options.workerHeartbeatInterval ?? DEFAULT_HEARTBEAT_INTERVAL_MS);
    const { workerHeartbeatIntervalMs: interval } = this;
    if (interval !== 0 && !(interval >= 1_000 && interval <= 60_000)) {
      throw new ValueError(`RuntimeOptions.workerHeartbeatInterval must be 0, or 1 s to 60 s, got ${interval} ms`);
    }
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
    Runtime.installed = new Runtime(options);
    return Runtime.installed;
  }

  /** The installed runtime; one with defaults is installed when there is none. */
  static instance(): Runtime {
    Runtime.installed ??= new Runtime({});
    return Runtime.installed;
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
