// The node's log: pino writing JSON lines, or short lines for people when it writes to a terminal. The type of its fields lets
// ids and numbers pass and no payloads; what might slip in by mistake is redacted. pino is loaded by the first line that is written:
// a node that has nothing to say starts the sooner.

import { createRequire } from 'node:module';
import type { Logger } from 'pino';
import type { Log, LogFields } from '../ports/log.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';
export const LOG_LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'silent'];

export interface LogStream {
  write(line: string): unknown;
  readonly isTTY?: boolean | undefined;
}

const REDACTED = ['token', 'tokens', 'input', 'result', 'payload', 'payloads', 'details', 'authorization'];

const LABELS: Readonly<Record<number, string>> = { 20: 'debug', 30: 'info', 40: 'warn', 50: 'error' };

/** One line for people: time, level, message, fields. */
export function prettyLine(json: string): string {
  const { level, time, msg, err, ...fields }: Record<string, unknown> = JSON.parse(json);
  const clock = typeof time === 'number' ? new Date(time).toISOString().slice(11, 23) : '';
  const label = LABELS[Number(level)] ?? String(level);
  const rest = Object.entries(fields).map(([name, value]) => ` ${name}=${JSON.stringify(value)}`);
  const error =
    typeof err === 'object' && err !== null && 'message' in err ? ` error=${JSON.stringify(err.message)}` : '';
  return `${clock} ${label.padEnd(5)} ${String(msg)}${rest.join('')}${error}\n`;
}

const SEVERITY: Readonly<Record<LogLevel, number>> = { debug: 20, info: 30, warn: 40, error: 50, silent: 99 };

function makePino(level: LogLevel, write: (line: string) => void): Logger {
  // A log call is synchronous, so is loading what writes it. The module is pino's CommonJS entry.
  const { pino } = createRequire(import.meta.url)('pino') as typeof import('pino');
  return pino(
    {
      level,
      base: null,
      redact: { paths: REDACTED, censor: '[redacted]' },
      serializers: { err: pino.stdSerializers.err },
    },
    { write },
  );
}

/** `stream`: default standard error, so that standard output stays a command's own. */
export function createLogger(level: LogLevel, stream: LogStream = process.stderr): Log {
  const write = (line: string): void => void stream.write(stream.isTTY === true ? prettyLine(line) : line);
  let logger: Logger | undefined;
  const at =
    (name: 'debug' | 'info' | 'warn' | 'error') =>
    (fields: LogFields, message: string): void => {
      if (SEVERITY[name] < SEVERITY[level]) return;
      logger ??= makePino(level, write);
      const { error, ...rest } = fields;
      logger[name](error instanceof Error ? { ...rest, err: error } : fields, message);
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
