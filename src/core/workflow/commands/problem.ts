// What a command can be: applied, or the reason why the whole workflow task fails.

import type { Payloads } from '../../../wire/common.ts';
import { WorkflowTaskFailedCause } from '../../../wire/enums.ts';
import type { ProtocolMessage } from '../../../wire/protocol-message.ts';
import type { RunDraft } from '../run-draft.ts';
import { sizeOf, utf8Length } from '../size.ts';

export interface CommandProblem {
  cause: WorkflowTaskFailedCause;
  message: string;
  /** A blob over its limit ends the workflow, as no retry makes it smaller. */
  terminates?: boolean | undefined;
}

/** What every command's function is given besides its attributes. */
export interface CommandContext {
  run: RunDraft;
  workflowTaskCompletedEventId: number;
  /** Of the worker that completed the task. */
  identity: string;
  /** A continuation has no memo, search attributes, retries and cron schedule but those of its command. */
  saysAll?: boolean | undefined;
  /** Session of the worker that had the task: it may ask for activities for itself. */
  session?: string | undefined;
  /** Workflow ids of the children that commands of this task have started; absent: none. */
  startedChildren?: Set<string> | undefined;
  /** Messages of the answer that no command has taken yet; absent: none. */
  inbox?: Map<string, ProtocolMessage> | undefined;
}

/** Queues of the server's own. */
export const RESERVED_PREFIX = '/_sys/';

export const bad = (cause: WorkflowTaskFailedCause, message: string): CommandProblem => ({ cause, message });

export const fatal = (cause: WorkflowTaskFailedCause, message: string): CommandProblem => ({
  cause,
  message,
  terminates: true,
});

/** The problem of an id, name or type that must be there and be short, or undefined. */
export function idProblem(
  { run }: CommandContext,
  cause: WorkflowTaskFailedCause,
  what: string,
  id: string | undefined,
): CommandProblem | undefined {
  if (!id) return bad(cause, `${what} is not set on command.`);
  const { idBytes } = run.turn.limits;
  if (utf8Length(id) > idBytes) return bad(cause, `${what} on command exceeds length limit of ${idBytes} bytes.`);
  return undefined;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** A run id may be left out, but not be something else. */
export function runIdProblem(cause: WorkflowTaskFailedCause, runId: string | undefined): CommandProblem | undefined {
  return !runId || UUID.test(runId) ? undefined : bad(cause, `Invalid RunId set on command: ${runId.slice(0, 64)}.`);
}

export function blobProblem(
  { run }: CommandContext,
  cause: WorkflowTaskFailedCause,
  what: string,
  blob: Payloads | object | undefined,
): CommandProblem | undefined {
  if (blob === undefined || sizeOf(blob) <= run.turn.limits.blobBytes) return undefined;
  return fatal(cause, `${what} exceeds size limit.`);
}

const CAUSE_NAMES = new Map<number, string>(
  Object.entries(WorkflowTaskFailedCause).map(([name, cause]) => [
    cause,
    name.replace(/([A-Z])([A-Z]*)(_|$)/g, (_all, head: string, tail: string) => head + tail.toLowerCase()),
  ]),
);

/** "BadStartTimerAttributes: …", as Temporal words it. */
export const describeProblem = ({ cause, message }: CommandProblem): string => {
  const name = CAUSE_NAMES.get(cause) ?? String(cause);
  return message === '' ? name : `${name}: ${message}`;
};
