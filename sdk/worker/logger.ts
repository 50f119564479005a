// The worker's logger: one line per message on stderr unless told otherwise. Messages carry ids, never payloads.

import { cutoffStackTrace } from '../common/failure-converter.ts';
import { LOG_LEVELS, type Logger, type LogLevel, type LogMetadata } from '../common/logger.ts';

export interface LogEntry {
  level: LogLevel;
  message: string;
  /** Epoch ms. */
  timestamp: number;
  /** The same, of which the last six digits are 0. */
  timestampNanos: bigint;
  meta?: LogMetadata | undefined;
}

/** Called for each entry at or above the logger's level. */
export type LogFunction = (entry: LogEntry) => void;

/** Without the worker's own frames behind those of the user's code; where there are no others they tell what there is to tell. */
function stackOf({ stack }: Error): string | undefined {
  const users = cutoffStackTrace(stack);
  return /^\s+at /m.test(users) ? users : stack;
}

function describe(value: unknown): unknown {
  if (value instanceof Error) return stackOf(value) ?? String(value);
  return typeof value === 'bigint' ? value.toString() : value;
}

/** `2026-01-01T00:00:00.000Z [WARN] message {"workflowId":"w"}` on stderr. */
function writeToStderr(entry: LogEntry): void {
  const meta =
    entry.meta === undefined || Object.keys(entry.meta).length === 0
      ? ''
      : ` ${JSON.stringify(entry.meta, (_key, value: unknown) => describe(value))}`;
  process.stderr.write(`${new Date(entry.timestamp).toISOString()} [${entry.level}] ${entry.message}${meta}\n`);
}

/**
 * A {@link Logger} that hands entries to a function.
 *
 * @param level Entries below it are dropped. Default: INFO.
 * @param logFunction Default: one line per entry on stderr.
 */
export class DefaultLogger implements Logger {
  readonly level: LogLevel;
  private readonly severity: number;
  private readonly logFunction: LogFunction;

  constructor(level: LogLevel = 'INFO', logFunction: LogFunction = writeToStderr) {
    this.level = level;
    this.severity = LOG_LEVELS.indexOf(level);
    this.logFunction = logFunction;
  }

  log(level: LogLevel, message: string, meta?: LogMetadata): void {
    if (LOG_LEVELS.indexOf(level) < this.severity) return;
    const timestamp = Date.now();
    this.logFunction({ level, message, timestamp, timestampNanos: BigInt(timestamp) * 1_000_000n, meta });
  }

  trace(message: string, meta?: LogMetadata): void {
    this.log('TRACE', message, meta);
  }

  debug(message: string, meta?: LogMetadata): void {
    this.log('DEBUG', message, meta);
  }

  info(message: string, meta?: LogMetadata): void {
    this.log('INFO', message, meta);
  }

  warn(message: string, meta?: LogMetadata): void {
    this.log('WARN', message, meta);
  }

  error(message: string, meta?: LogMetadata): void {
    this.log('ERROR', message, meta);
  }
}
