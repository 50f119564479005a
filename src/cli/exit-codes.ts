// Exit codes, and the errors that the CLI itself throws. Loaded by every command, so it imports nothing.

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
