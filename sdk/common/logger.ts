// The logger interface of worker, workflow and activity; what implements it is the worker's affair.

export type LogLevel = 'TRACE' | 'DEBUG' | 'INFO' | 'WARN' | 'ERROR';
export type LogMetadata = Record<string | symbol, unknown>;

/** Implement this to send the SDK's and users' log messages elsewhere. */
export interface Logger {
  log(level: LogLevel, message: string, meta?: LogMetadata): void;
  trace(message: string, meta?: LogMetadata): void;
  debug(message: string, meta?: LogMetadata): void;
  info(message: string, meta?: LogMetadata): void;
  warn(message: string, meta?: LogMetadata): void;
  error(message: string, meta?: LogMetadata): void;
}

/** Values of the `sdkComponent` attribute of log messages: which part of the SDK (or whose code) wrote them. */
export const SdkComponent = {
  workflow: 'workflow',
  activity: 'activity',
  worker: 'worker',
  client: 'client',
  nexus: 'nexus',
  /** Of Temporal's native core, which this SDK has none of: here for code that compares with it. */
  core: 'core',
} as const;
export type SdkComponent = (typeof SdkComponent)[keyof typeof SdkComponent];

/** Orders levels: TRACE 0 … ERROR 4. */
export const LOG_LEVELS: readonly LogLevel[] = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR'];

/** A {@link Logger} made of one function; `metadata` (or what it returns) goes under each message's own. */
export function makeLogger(
  write: (level: LogLevel, message: string, meta: LogMetadata) => void,
  metadata: LogMetadata | (() => LogMetadata) = {},
): Logger {
  const log = (level: LogLevel, message: string, meta?: LogMetadata): void => {
    write(level, message, { ...(typeof metadata === 'function' ? metadata() : metadata), ...meta });
  };
  return {
    log,
    trace: (message, meta) => log('TRACE', message, meta),
    debug: (message, meta) => log('DEBUG', message, meta),
    info: (message, meta) => log('INFO', message, meta),
    warn: (message, meta) => log('WARN', message, meta),
    error: (message, meta) => log('ERROR', message, meta),
  };
}

/** `logger` with `metadata` added to every message. */
export function withMetadata(logger: Logger, metadata: LogMetadata | (() => LogMetadata)): Logger {
  return makeLogger((level, message, meta) => logger.log(level, message, meta), metadata);
}
