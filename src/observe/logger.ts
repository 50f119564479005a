// The node's log: pino writing JSON lines, or short lines for people when it writes to a terminal. The type of its fields lets
// ids and numbers pass and no payloads; what might slip in by mistake is redacted.

import { pino } from 'pino';
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

/** `stream`: default standard error, so that standard output stays a command's own. */
export function createLogger(level: LogLevel, stream: LogStream = process.stderr): Log {
  const destination = stream.isTTY === true ? { write: (line: string) => void stream.write(prettyLine(line)) } : stream;
  const logger = pino(
    {
      level,
      base: null,
      redact: { paths: REDACTED, censor: '[redacted]' },
      serializers: { err: pino.stdSerializers.err, error: pino.stdSerializers.err },
    },
    { write: (line: string) => void destination.write(line) },
  );
  const at =
    (name: 'debug' | 'info' | 'warn' | 'error') =>
    (fields: LogFields, message: string): void => {
      const { error, ...rest } = fields;
      logger[name](error instanceof Error ? { ...rest, err: error } : fields, message);
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
