// Exit codes and the one line (or few) a failed command prints to stderr. Nothing here prints a stack: that is for `--log-level debug`.

import { QueryNotRegisteredError, QueryRejectedError, WorkflowFailedError } from '../../sdk/client/index.ts';
import {
  NamespaceNotFoundError,
  TemporalFailure,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
} from '../../sdk/common/index.ts';
import { StatusCode } from '../wire/status.ts';

export const ExitCode = {
  OK: 0,
  /** The operation failed, or the workflow did not complete well. */
  FAILED: 1,
  /** Unknown flag, missing argument, unreadable input. */
  USAGE: 2,
  NOT_FOUND: 3,
  ALREADY_EXISTS: 4,
  /** No server, or it does not answer in time. */
  UNAVAILABLE: 5,
  PERMISSION_DENIED: 6,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** Wrong input on the command line: says which and what is expected. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** A local command (server, data) that could not do its work. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly hint: string | undefined;
  readonly exitCode: ExitCode;
  constructor(message: string, options: { hint?: string | undefined; exitCode?: ExitCode; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.hint = options.hint;
    this.exitCode = options.exitCode ?? ExitCode.FAILED;
  }
}

const BY_STATUS: Partial<Record<StatusCode, ExitCode>> = {
  [StatusCode.INVALID_ARGUMENT]: ExitCode.USAGE,
  [StatusCode.NOT_FOUND]: ExitCode.NOT_FOUND,
  [StatusCode.ALREADY_EXISTS]: ExitCode.ALREADY_EXISTS,
  [StatusCode.UNAVAILABLE]: ExitCode.UNAVAILABLE,
  [StatusCode.DEADLINE_EXCEEDED]: ExitCode.UNAVAILABLE,
  [StatusCode.PERMISSION_DENIED]: ExitCode.PERMISSION_DENIED,
  [StatusCode.UNAUTHENTICATED]: ExitCode.PERMISSION_DENIED,
};

export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof UsageError) return ExitCode.USAGE;
  if (error instanceof CommandError) return error.exitCode;
  if (error instanceof WorkflowNotFoundError || error instanceof NamespaceNotFoundError) return ExitCode.NOT_FOUND;
  if (error instanceof WorkflowExecutionAlreadyStartedError) return ExitCode.ALREADY_EXISTS;
  if (error instanceof QueryNotRegisteredError || error instanceof QueryRejectedError) return ExitCode.FAILED;
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    const code = (cause as { code?: unknown }).code;
    if (typeof code === 'number') return BY_STATUS[code as StatusCode] ?? ExitCode.FAILED;
  }
  return ExitCode.FAILED;
}

function sentence(error: Error): string {
  if (error instanceof WorkflowExecutionAlreadyStartedError) {
    return `${error.message}: ${error.workflowId} (see --id-conflict-policy and --id-reuse-policy)`;
  }
  return error instanceof TemporalFailure ? `${error.name}: ${error.message}` : error.message;
}

/** `message`, then each cause on a line of its own, then what to do next. */
export function describeForPeople(error: unknown): string[] {
  if (!(error instanceof Error)) return [String(error)];
  const lines: string[] = [];
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    const text = sentence(cause);
    if (lines.length === 0) lines.push(text);
    // A wrapper often says what its cause says: once is enough.
    else if (!lines.some((line) => line.includes(text))) lines.push(`  because ${text}`);
  }
  if (error instanceof CommandError && error.hint) lines.push(`  ${error.hint}`);
  const local = error instanceof CommandError || error instanceof WorkflowFailedError;
  if (exitCodeOf(error) === ExitCode.UNAVAILABLE && !local) {
    lines.push('  Is a server running there? `tenuto server start-dev` starts one; --address says where to look.');
  }
  return lines;
}

export function reportError(error: unknown): void {
  const [first = 'unknown error', ...rest] = describeForPeople(error);
  process.stderr.write(`tenuto: ${[first, ...rest].join('\n')}\n`);
}
