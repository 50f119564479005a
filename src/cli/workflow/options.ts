// Flags that several workflow commands share, and how their text becomes what the SDK takes.

import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import type { WorkflowStartOptions } from '../../../sdk/client/index.ts';
import type { WorkflowIdConflictPolicy, WorkflowIdReusePolicy } from '../../../sdk/common/index.ts';
import { UsageError } from '../exit-codes.ts';
import { type FlowFlags, flowControlOf, withFlow } from './flow-flags.ts';

export const collect = (value: string, previous: string[] = []): string[] => [...previous, value];

export interface TargetFlags {
  workflowId: string;
  runId?: string;
}

export interface InputFlags {
  input?: string[];
  inputFile?: string[];
}

export interface StartFlags extends InputFlags, FlowFlags {
  type: string;
  taskQueue: string;
  workflowId?: string;
  executionTimeout?: string;
  runTimeout?: string;
  taskTimeout?: string;
  startDelay?: string;
  idReusePolicy?: string;
  idConflictPolicy?: string;
  callbackUrl?: string[];
  memo?: string[];
  searchAttribute?: string[];
  staticSummary?: string;
  staticDetails?: string;
  maximumAttempts?: string;
}

export function withTarget(command: Command): Command {
  return command
    .requiredOption('-w, --workflow-id <id>', 'workflow id (required)')
    .option('-r, --run-id <id>', 'run id (default: the current run)');
}

export function withInput(command: Command): Command {
  return command
    .option('-i, --input <json>', 'an argument as JSON; repeat for several', collect)
    .option('--input-file <file>', 'an argument as a JSON file; repeat for several', collect);
}

const REUSE: Readonly<Record<string, WorkflowIdReusePolicy>> = {
  AllowDuplicate: 'ALLOW_DUPLICATE',
  AllowDuplicateFailedOnly: 'ALLOW_DUPLICATE_FAILED_ONLY',
  RejectDuplicate: 'REJECT_DUPLICATE',
};
const CONFLICT: Readonly<Record<string, WorkflowIdConflictPolicy>> = {
  Fail: 'FAIL',
  UseExisting: 'USE_EXISTING',
  TerminateExisting: 'TERMINATE_EXISTING',
};

export function withStart(command: Command): Command {
  return withNewWorkflow(command, 'workflow id (default: a fresh UUID)')
    .option('--start-delay <duration>', 'wait before the first workflow task')
    .option('--callback-url <url>', 'called once it has closed; repeat for several', collect)
    .option(
      '--cron <schedule>',
      'start it again and again, e.g. "0 9 * * MON-FRI" (a schedule does more: `tenuto schedule`)',
    )
    .addOption(
      new Option('--id-reuse-policy <policy>', 'when a closed execution has this id').choices(Object.keys(REUSE)),
    )
    .addOption(
      new Option('--id-conflict-policy <policy>', 'when a running execution has this id').choices(
        Object.keys(CONFLICT),
      ),
    );
}

/** What a workflow is started with, by whomever: a schedule decides about times and ids itself. */
export function withNewWorkflow(command: Command, idHelp: string): Command {
  const withRest = withInput(command)
    .requiredOption('--type <name>', 'workflow type (required)')
    .requiredOption('-t, --task-queue <name>', 'task queue its workers listen on (required)')
    .option('-w, --workflow-id <id>', idHelp)
    .option('--execution-timeout <duration>', 'for all runs together, e.g. 1h')
    .option('--run-timeout <duration>', 'for one run')
    .option('--task-timeout <duration>', 'for one workflow task (default 10s)')
    .option('--memo <key=json>', 'note kept with the execution; repeat for several', collect)
    .option('--search-attribute <key=json>', 'value to find it by; a list for several; repeat for others', collect)
    .option('--static-summary <text>', 'one line shown beside the execution')
    .option('--static-details <text>', 'more about the execution')
    .option('--maximum-attempts <n>', 'retry the whole workflow up to this many runs');
  return withFlow(withRest);
}

export function startOptions(flags: StartFlags & { cron?: string | undefined }): WorkflowStartOptions {
  const maximumAttempts =
    flags.maximumAttempts === undefined ? undefined : positiveInteger(flags.maximumAttempts, '--maximum-attempts');
  return {
    workflowId: flags.workflowId ?? randomUUID(),
    taskQueue: flags.taskQueue,
    args: inputs(flags),
    ...optional('workflowExecutionTimeout', flags.executionTimeout),
    ...optional('workflowRunTimeout', flags.runTimeout),
    ...optional('workflowTaskTimeout', flags.taskTimeout),
    ...optional('startDelay', flags.startDelay),
    ...optional('cronSchedule', flags.cron),
    ...optional('workflowIdReusePolicy', flags.idReusePolicy === undefined ? undefined : REUSE[flags.idReusePolicy]),
    ...optional(
      'workflowIdConflictPolicy',
      flags.idConflictPolicy === undefined ? undefined : CONFLICT[flags.idConflictPolicy],
    ),
    ...optional(
      'completionCallbacks',
      flags.callbackUrl?.map((url) => ({ url })),
    ),
    ...optional('memo', flags.memo === undefined ? undefined : Object.fromEntries(flags.memo.map(keyAndJson))),
    ...optional(
      'searchAttributes',
      flags.searchAttribute === undefined
        ? undefined
        : Object.fromEntries(flags.searchAttribute.map((text) => attribute(text))),
    ),
    ...optional('staticSummary', flags.staticSummary),
    ...optional('staticDetails', flags.staticDetails),
    ...optional('flowControl', flowControlOf(flags)),
    ...optional('retry', maximumAttempts === undefined ? undefined : { maximumAttempts }),
  } as WorkflowStartOptions;
}

/** `exactOptionalPropertyTypes`: an absent option is left out rather than undefined. */
function optional<K extends string, V>(key: K, value: V | undefined): Partial<Record<K, V>> {
  return value === undefined ? {} : ({ [key]: value } as Record<K, V>);
}

/** All arguments: those given inline, then those of files. Throws UsageError naming the one that is not JSON. */
export function inputs(flags: InputFlags): unknown[] {
  const files = (flags.inputFile ?? []).map((file) => json(readInput(file), `--input-file ${file}`));
  return [...(flags.input ?? []).map((text) => json(text, '--input')), ...files];
}

function readInput(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read --input-file ${file}: ${error instanceof Error ? error.message : error}`);
  }
}

function json(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(
      `${what} is not JSON (text needs quotes: '"text"'): ${error instanceof Error ? error.message : error}`,
    );
  }
}

const keyAndJson = (text: string): [string, unknown] => entry(text, '--memo');

export function entry(text: string, flag: string): [string, unknown] {
  const at = text.indexOf('=');
  if (at <= 0) throw new UsageError(`${flag} ${text}: expected key=JSON`);
  return [text.slice(0, at), json(text.slice(at + 1), `${flag} ${text.slice(0, at)}`)];
}

/** Values come in lists, a single one too. */
export function attribute(text: string, flag = '--search-attribute'): [string, unknown[]] {
  const [name, value] = entry(text, flag);
  return [name, Array.isArray(value) ? value : [value]];
}

export function positiveInteger(text: string, flag: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new UsageError(`${flag} takes a whole number from 1, not ${text}`);
  return value;
}
