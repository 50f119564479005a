// How the engine says what happened. Ids, counts and reasons only, never payloads. The adapter is src/observe/logger.ts.

export type LogFields = Readonly<Record<string, string | number | boolean | Error | undefined>>;

export interface Log {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };
