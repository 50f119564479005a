// The exit code and the one line (or few) of a failed command, on stderr. Loaded when one has failed, since it knows the SDK's errors.
// Nothing here prints a stack: that is for `--log-level debug`.

import {
  ActivityExecutionAlreadyStartedError,
  ActivityNotFoundError,
  QueryNotRegisteredError,
  QueryRejectedError,
  RpcError,
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  WorkflowFailedError,
} from '../../sdk/client/index.ts';
import {
  NamespaceNotFoundError,
  TemporalFailure,
  ValueError,
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
  if (error instanceof UsageError || error instanceof ValueError) return ExitCode.USAGE;
  if (error instanceof CommandError) return error.exitCode;
  if (error instanceof WorkflowNotFoundError || error instanceof NamespaceNotFoundError) return ExitCode.NOT_FOUND;
  if (error instanceof ScheduleNotFoundError || error instanceof ActivityNotFoundError) return ExitCode.NOT_FOUND;
  if (error instanceof ActivityExecutionAlreadyStartedError) return ExitCode.ALREADY_EXISTS;
  if (error instanceof WorkflowExecutionAlreadyStartedError || error instanceof ScheduleAlreadyRunning)
    return ExitCode.ALREADY_EXISTS;
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
  if (error instanceof ActivityExecutionAlreadyStartedError) {
    return `${error.message}: ${error.activityId} (see --id-conflict-policy and --id-reuse-policy)`;
  }
  if (error instanceof TemporalFailure) return `${error.name}: ${error.message}`;
  // The exit code says which status it was.
  if (error instanceof RpcError) return error.details;
  const { workflowId } = error as { workflowId?: unknown };
  if (typeof workflowId !== 'string') return error.message;
  const named = [`'${workflowId}'`, `"${workflowId}"`, `ID: ${workflowId}`].some((name) =>
    error.message.includes(name),
  );
  return named ? error.message : `${workflowId}: ${error.message}`;
}

const HINTS = {
  nobody: 'Is a server running there? `tenuto server start-dev` starts one; --address says where to look.',
  other:
    'Something answers there, but perhaps no server of this kind, or its port for gRPC (7233): --address names the other one (7280).',
  refuses: 'A server is there and takes no connections now: `tenuto server check` says when it does, its log why not.',
  workers: 'Does a worker listen? `tenuto workflow describe` says on which task queue one is missing.',
  answered:
    'The server is there, and cannot do this now: try again. Of a cluster, `tenuto cluster health` says what is wrong.',
  perhaps: 'It may have been done: look (`describe`, `list`) before you do it again.',
  silent: 'The server is there, and was too slow: try again. Of a cluster, `tenuto cluster health` says what is wrong.',
} as const;

/** What HTTP servers of any other kind answer to who asks for a WebSocket. */
const NO_DOOR: ReadonlySet<number> = new Set([200, 404, 405, 426, 501]);

/** At the other end, as far as an unavailable server's error tells. */
function whatIsThere(error: Error): keyof typeof HINTS {
  let said: keyof typeof HINTS = 'silent';
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (cause.message.includes('before a worker could process it')) return 'workers';
    if (cause instanceof RpcError && cause.detail?.kind === 'Unavailable' && cause.detail.applied === 'maybe')
      return 'perhaps';
    if (cause instanceof RpcError && cause.origin === 'server') return 'answered';
    const { httpStatus, code } = cause as { httpStatus?: unknown; code?: unknown };
    if (typeof httpStatus === 'number') return NO_DOOR.has(httpStatus) ? 'other' : 'refuses';
    // Connected, and hung up on: it did not understand.
    if (code === 'ECONNRESET' || String(code).startsWith('HPE_')) return 'other';
    // Of a socket or the resolver; what is ours has numbers.
    if (typeof code === 'string' || cause.message.includes('no connection')) said = 'nobody';
  }
  return said;
}

/** In the words of the server, of a filter and of a start. */
const NO_ATTRIBUTE = /is not a valid search attribute|no mapping defined for search attribute/;
export const ATTRIBUTE_HINT =
  '`tenuto operator search-attribute list` says which there are, `… create --name NAME --type Keyword` registers one.';

/** `message`, then each cause on a line of its own, then what to do next. */
export function describeForPeople(error: unknown): string[] {
  if (!(error instanceof Error)) return [String(error)];
  const lines: string[] = [];
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    const text = sentence(cause);
    const said = cause instanceof RpcError ? cause.details : cause.message;
    if (lines.length === 0) lines.push(text);
    // A wrapper often says what its cause says: once is enough.
    else if (!lines.some((line) => line.includes(said))) lines.push(`  because ${text}`);
    // Our own say all there is to say; what is below is for programmers.
    if (cause instanceof CommandError) break;
  }
  if (error instanceof CommandError && error.hint) lines.push(`  ${error.hint}`);
  if (error instanceof WorkflowNotFoundError && !error.message.includes('already completed')) {
    lines.push('  Is it in another namespace (-n), or is its retention over?');
  }
  if (NO_ATTRIBUTE.test(lines.join('\n'))) lines.push(`  ${ATTRIBUTE_HINT}`);
  const local = error instanceof CommandError || error instanceof WorkflowFailedError;
  if (exitCodeOf(error) === ExitCode.UNAVAILABLE && !local) {
    lines.push(`  ${HINTS[whatIsThere(error)]}`);
  }
  return lines;
}

export function reportError(error: unknown): void {
  const [first = 'unknown error', ...rest] = describeForPeople(error);
  process.stderr.write(`tenuto: ${[first, ...rest].join('\n')}\n`);
}
