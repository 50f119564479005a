// Flags that several workflow commands share, and how their text becomes what the SDK takes.

import { randomUUID } from 'node:crypto';
import { type Command, Option } from 'commander';
import type { WorkflowStartOptions } from '../../../sdk/client/index.ts';
import type { WorkflowIdConflictPolicy, WorkflowIdReusePolicy } from '../../../sdk/common/index.ts';
import { UsageError } from '../exit-codes.ts';
import { type HeaderFlags, withHeaders } from '../headers.ts';
import { collect, entry, type InputFlags, inputs, withInput } from '../input.ts';
import { type PriorityFlags, priorityOf, withPriority } from '../priority.ts';
import { type FlowFlags, flowControlOf, withFlow } from './flow-flags.ts';

export interface TargetFlags {
  workflowId: string;
  runId?: string;
}

export interface StartFlags extends InputFlags, FlowFlags, HeaderFlags, PriorityFlags {
  type: string;
  taskQueue: string;
  workflowId?: string;
  executionTimeout?: string;
  runTimeout?: string;
  taskTimeout?: string;
  startDelay?: string;
  idReusePolicy?: string;
  idConflictPolicy?: string;
  failExisting?: true | undefined;
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

const REUSE: Readonly<Record<string, WorkflowIdReusePolicy>> = {
  AllowDuplicate: 'ALLOW_DUPLICATE',
  AllowDuplicateFailedOnly: 'ALLOW_DUPLICATE_FAILED_ONLY',
  RejectDuplicate: 'REJECT_DUPLICATE',
  TerminateIfRunning: 'TERMINATE_IF_RUNNING',
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
    )
    .option('--fail-existing', 'the same as --id-conflict-policy Fail, unless that says otherwise');
}

/** What a workflow is started with, by whomever: a schedule decides about times and ids itself. */
export function withNewWorkflow(command: Command, idHelp: string): Command {
  const withRest = withInput(command)
    .requiredOption('--name, --type <name>', 'workflow type (required)')
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
  return withPriority(withHeaders(withFlow(withRest)));
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
    ...policiesOf(flags),
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
    ...optional('priority', priorityOf(flags)),
    ...optional('retry', maximumAttempts === undefined ? undefined : { maximumAttempts }),
  } as WorkflowStartOptions;
}

/** The deprecated TerminateIfRunning stands for a policy of conflicts, and is sent as that: with any start then, also that of an update. */
function policiesOf(
  flags: StartFlags,
): Pick<WorkflowStartOptions, 'workflowIdReusePolicy' | 'workflowIdConflictPolicy'> {
  const { idReusePolicy, idConflictPolicy = flags.failExisting === true ? 'Fail' : undefined } = flags;
  const reuse = idReusePolicy === undefined ? undefined : REUSE[idReusePolicy];
  const conflict = idConflictPolicy === undefined ? undefined : CONFLICT[idConflictPolicy];
  if (reuse === 'TERMINATE_IF_RUNNING') {
    if (conflict !== undefined)
      throw new UsageError(
        '--id-reuse-policy TerminateIfRunning says what --id-conflict-policy says: give one of them',
      );
    return { workflowIdReusePolicy: 'ALLOW_DUPLICATE', workflowIdConflictPolicy: 'TERMINATE_EXISTING' };
  }
  return { ...optional('workflowIdReusePolicy', reuse), ...optional('workflowIdConflictPolicy', conflict) };
}

/** `exactOptionalPropertyTypes`: an absent option is left out rather than undefined. */
function optional<K extends string, V>(key: K, value: V | undefined): Partial<Record<K, V>> {
  return value === undefined ? {} : ({ [key]: value } as Record<K, V>);
}

const keyAndJson = (text: string): [string, unknown] => entry(text, '--memo');

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
