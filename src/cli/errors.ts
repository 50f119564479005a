// The exit code and the one line (or few) of a failed command, on stderr. Loaded when one has failed, since it knows the SDK's errors.
// Nothing here prints a stack: that is for `--log-level debug`.

import { QueryNotRegisteredError, QueryRejectedError, WorkflowFailedError } from '../../sdk/client/index.ts';
import {
  NamespaceNotFoundError,
  TemporalFailure,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
} from '../../sdk/common/index.ts';
import { StatusCode } from '../wire/status.ts';
import { CommandError, ExitCode, UsageError } from './exit-codes.ts';

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
  if (error instanceof TemporalFailure) return `${error.name}: ${error.message}`;
  const { workflowId } = error as { workflowId?: unknown };
  if (typeof workflowId !== 'string') return error.message;
  const named = [`'${workflowId}'`, `"${workflowId}"`, `ID: ${workflowId}`].some((name) =>
    error.message.includes(name),
  );
  return named ? error.message : `${workflowId}: ${error.message}`;
}

/** What an error says without its kind, when that is no news: the exit code tells a wrong argument from the rest. */
function bare(error: Error): string {
  const { code, details } = error as { code?: unknown; details?: unknown };
  if (code === StatusCode.INVALID_ARGUMENT && typeof details === 'string') return details;
  return error.name === 'TemporalFailure' ? error.message : sentence(error);
}

/** `message`, then each cause on a line of its own, then what to do next. */
export function describeForPeople(error: unknown): string[] {
  if (!(error instanceof Error)) return [String(error)];
  const lines: string[] = [];
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    const text = sentence(cause);
    if (lines.length === 0) lines.push(text);
    // A wrapper often says what its cause says: once is enough.
    else if (!lines.some((line) => line.includes(text) || line.endsWith(`: ${bare(cause)}`))) {
      lines.push(`  because ${text}`);
    }
  }
  if (error instanceof CommandError && error.hint) lines.push(`  ${error.hint}`);
  if (error instanceof WorkflowNotFoundError && !error.message.includes('already completed')) {
    lines.push('  Is it in another namespace (-n), or is its retention over?');
  }
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
