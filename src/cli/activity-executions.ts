// `tenuto activity start …`: activities without a workflow, from their start to their deletion. Those that runs have: activity.ts.

import { type Command, Option } from 'commander';
import { ActivityExecutionFailedError } from '../../sdk/client/activity-errors.ts';
import type {
  ActivityHandle,
  ActivityIdConflictPolicy,
  ActivityIdReusePolicy,
  ActivityOptions,
} from '../../sdk/client/index.ts';
import { defineSearchAttributeKey, type SearchAttributePair, SearchAttributeType } from '../../sdk/common/index.ts';
import type { BatchOperations } from '../wire/batch.ts';
import { type Session, withClient } from './connect.ts';
import { CommandError, UsageError } from './exit-codes.ts';
import { type HeaderFlags, withHeaders } from './headers.ts';
import { collect, type InputFlags, inputs, withInput } from './input.ts';
import type { Output } from './output.ts';
import { type PriorityFlags, priorityOf, withPriority } from './priority.ts';
import { type FlowFlags, flowControlOf, withActivityFlow } from './workflow/flow-flags.ts';
import { ACTIVITIES, idOrQuery, type ManyFlags, startJob, withQuery } from './workflow/many.ts';
import { attribute, positiveInteger } from './workflow/options.ts';

type Wrap = (command: Command) => Command;

interface OneFlags {
  activityId: string;
  runId?: string;
}

interface StartFlags extends InputFlags, FlowFlags, HeaderFlags, PriorityFlags {
  activityId: string;
  type: string;
  taskQueue: string;
  startToCloseTimeout?: string;
  scheduleToCloseTimeout?: string;
  scheduleToStartTimeout?: string;
  heartbeatTimeout?: string;
  startDelay?: string;
  retryInitialInterval?: string;
  retryMaximumInterval?: string;
  retryBackoffCoefficient?: string;
  retryMaximumAttempts?: string;
  idReusePolicy?: string;
  idConflictPolicy?: string;
  searchAttribute?: string[];
  staticSummary?: string;
  staticDetails?: string;
}

const withOne = (command: Command): Command =>
  command
    .requiredOption('-a, --activity-id <id>', 'activity id (required)')
    .option('-r, --run-id <id>', 'run id (default: the latest)');

/** Both spellings: that of the `temporal` CLI, and that of the SDKs. */
const REUSE: Readonly<Record<string, ActivityIdReusePolicy>> = {
  AllowDuplicate: 'ALLOW_DUPLICATE',
  AllowDuplicateFailedOnly: 'ALLOW_DUPLICATE_FAILED_ONLY',
  RejectDuplicate: 'REJECT_DUPLICATE',
  ALLOW_DUPLICATE: 'ALLOW_DUPLICATE',
  ALLOW_DUPLICATE_FAILED_ONLY: 'ALLOW_DUPLICATE_FAILED_ONLY',
  REJECT_DUPLICATE: 'REJECT_DUPLICATE',
};
const CONFLICT: Readonly<Record<string, ActivityIdConflictPolicy>> = {
  Fail: 'FAIL',
  UseExisting: 'USE_EXISTING',
  FAIL: 'FAIL',
  USE_EXISTING: 'USE_EXISTING',
};

const withStart = (command: Command): Command =>
  withPriority(withHeaders(withActivityFlow(withInput(command))))
    .requiredOption('-a, --activity-id <id>', 'activity id (required)')
    .requiredOption('--type <name>', 'activity type (required)')
    .requiredOption('-t, --task-queue <name>', 'task queue its workers listen on (required)')
    .option('--start-to-close-timeout <duration>', 'for one attempt; this or the next is needed')
    .option('--schedule-to-close-timeout <duration>', 'for all attempts together')
    .option('--schedule-to-start-timeout <duration>', 'for the wait for a worker')
    .option('--heartbeat-timeout <duration>', 'between two heartbeats')
    .option('--start-delay <duration>', 'wait before the first attempt')
    .option('--retry-initial-interval <duration>', 'before the first retry')
    .option('--retry-maximum-interval <duration>', 'between retries at most')
    .option('--retry-backoff-coefficient <number>', 'by which the interval grows')
    .option('--retry-maximum-attempts <n>', 'attempts at most; 1: no retry')
    .option('--search-attribute <key=json>', 'a keyword to find it by; repeat for others', collect)
    .option('--static-summary <text>', 'one line for people')
    .option('--static-details <text>', 'more for people, of several lines')
    .addOption(new Option('--id-reuse-policy <policy>', 'when a closed one has this id').choices(Object.keys(REUSE)))
    .addOption(
      new Option('--id-conflict-policy <policy>', 'when a running one has this id').choices(Object.keys(CONFLICT)),
    );

function keyword(text: string): SearchAttributePair {
  const [name, values] = attribute(text);
  const [value] = values;
  return { key: defineSearchAttributeKey(name, SearchAttributeType.KEYWORD), value: String(value) };
}

function startOptions(flags: StartFlags): ActivityOptions {
  return {
    id: flags.activityId,
    taskQueue: flags.taskQueue,
    args: inputs(flags),
    // As a duration's text is: the SDK says what is wrong with it.
    startToCloseTimeout: flags.startToCloseTimeout as ActivityOptions['startToCloseTimeout'],
    scheduleToCloseTimeout: flags.scheduleToCloseTimeout as ActivityOptions['scheduleToCloseTimeout'],
    scheduleToStartTimeout: flags.scheduleToStartTimeout as ActivityOptions['scheduleToStartTimeout'],
    heartbeatTimeout: flags.heartbeatTimeout as ActivityOptions['heartbeatTimeout'],
    startDelay: flags.startDelay as ActivityOptions['startDelay'],
    retry: retryOf(flags),
    priority: priorityOf(flags),
    idReusePolicy: flags.idReusePolicy === undefined ? undefined : REUSE[flags.idReusePolicy],
    idConflictPolicy: flags.idConflictPolicy === undefined ? undefined : CONFLICT[flags.idConflictPolicy],
    typedSearchAttributes: flags.searchAttribute?.map(keyword),
    summary: flags.staticSummary,
    staticDetails: flags.staticDetails,
    flowControl: flowControlOf(flags),
  };
}

function retryOf(flags: StartFlags): ActivityOptions['retry'] {
  const { retryInitialInterval, retryMaximumInterval, retryBackoffCoefficient, retryMaximumAttempts } = flags;
  const given = {
    ...(retryInitialInterval !== undefined && { initialInterval: retryInitialInterval }),
    ...(retryMaximumInterval !== undefined && { maximumInterval: retryMaximumInterval }),
    ...(retryBackoffCoefficient !== undefined && { backoffCoefficient: coefficientOf(retryBackoffCoefficient) }),
    ...(retryMaximumAttempts !== undefined && {
      maximumAttempts: positiveInteger(retryMaximumAttempts, '--retry-maximum-attempts'),
    }),
  };
  return Object.keys(given).length === 0 ? undefined : (given as ActivityOptions['retry']);
}

function coefficientOf(text: string): number {
  const value = text === '' ? Number.NaN : Number(text);
  if (!Number.isFinite(value) || value < 1)
    throw new UsageError(`--retry-backoff-coefficient takes a number from 1, not ${text}`);
  return value;
}

async function printResult(output: Output, { activityId, runId }: ActivityHandle, result: Promise<unknown>) {
  try {
    const value = await result;
    if (output.format === 'table') output.line(typeof value === 'string' ? value : (JSON.stringify(value) ?? ''));
    else output.record({ activityId, runId, status: 'COMPLETED', result: value });
  } catch (error) {
    if (!(error instanceof ActivityExecutionFailedError)) throw error;
    const { cause } = error;
    throw new CommandError(`activity ${activityId} did not complete: ${cause?.message ?? error.message}`, { cause });
  }
}

export function defineExecutionCommands(activity: Command, withConnection: Wrap): void {
  const define = (name: string, description: string) => withConnection(activity.command(name).description(description));

  withStart(define('start', 'start an activity without a workflow and return at once')).action(
    withClient<StartFlags>(async ({ client, output, namespace }, flags) => {
      const { activityId, runId } = await client.activity.start(flags.type, startOptions(flags));
      output.record({ activityId, runId, type: flags.type, taskQueue: flags.taskQueue, namespace });
    }),
  );

  withStart(define('execute', 'start an activity without a workflow and wait for its result')).action(
    withClient<StartFlags>(async ({ client, output }, flags) => {
      const handle = await client.activity.start(flags.type, startOptions(flags));
      output.say(`running ${handle.activityId} (run ${handle.runId})`);
      await printResult(output, handle, handle.result());
    }),
  );

  withOne(define('result', 'wait for an activity without a workflow to end and print its result')).action(
    withClient<OneFlags>(async ({ client, output }, { activityId, runId }) => {
      const handle = client.activity.getHandle(activityId, runId);
      await printResult(output, handle, handle.result());
    }),
  );

  withOne(define('describe', 'show an activity without a workflow'))
    .option('--raw', 'all that the server says, as it says it: times in ms since 1970')
    .action(
      withClient<OneFlags & { raw?: true }>(async ({ client, output }, { activityId, runId, raw }) => {
        const shown = await client.activity.getHandle(activityId, runId).describe({ includeLastFailure: true });
        const failure = await shown.getLastFailure();
        const { rawInfo, typedSearchAttributes, ...rest } = shown;
        if (raw === true) {
          output.record({ ...rawInfo });
          return;
        }
        const plain = Object.entries(rest).filter(
          ([name, value]) => typeof value !== 'function' && !name.startsWith('has'),
        );
        output.record({ ...Object.fromEntries(plain), lastFailure: failure?.message });
      }),
    );

  define('list', 'list activities without a workflow, newest first')
    .option('-q, --query <filter>', "list filter, e.g. ActivityType = 'send' AND ExecutionStatus = 'Running'")
    .option('--limit <n>', 'at most so many')
    .action(
      withClient<{ query?: string; limit?: string }>(async ({ client, output }, { query, limit }) => {
        const most = limit === undefined ? Number.POSITIVE_INFINITY : positiveInteger(limit, '--limit');
        const rows = async function* () {
          let shown = 0;
          for await (const { rawListInfo: _, typedSearchAttributes: _t, ...info } of client.activity.list(query)) {
            yield { ...info };
            shown += 1;
            if (shown >= most) return;
          }
        };
        await output.list(rows());
      }),
    );

  define('count', 'count activities without a workflow')
    .option('-q, --query <filter>', 'list filter, also GROUP BY')
    .action(
      withClient<{ query?: string }>(async ({ client, output }, { query }) => {
        const { count, groups } = await client.activity.count(query);
        output.record({ count, groups: groups.length === 0 ? undefined : groups });
      }),
    );

  const ending = (name: keyof typeof ENDINGS, description: string): void => {
    withAny(define(name, description)).action(
      withClient<AnyFlags>(async (session, flags) => {
        const { one, many } = ENDINGS[name];
        const activityId = idOrQuery(ACTIVITIES, flags.activityId, flags);
        if (activityId === undefined) return startJob(session, flags, many(session, flags), ACTIVITIES);
        const { runId } = flags;
        await one(session, { activityId, runId }, flags.reason);
        session.output.record({ activityId, runId, done: name });
      }),
    );
  };
  ending('cancel', 'ask an activity without a workflow, or all of a query, to stop');
  ending('terminate', 'end an activity without a workflow, or all of a query, at once');
  ending('delete', 'delete an activity without a workflow, or all of a query; those that run are terminated');
}

interface AnyFlags extends ManyFlags {
  activityId?: string;
}

const withAny = (command: Command): Command =>
  withQuery(
    command
      .option('-a, --activity-id <id>', 'activity id (this or --query)')
      .option('-r, --run-id <id>', 'run id (default: the latest)'),
    ACTIVITIES,
    'why; of the batch job, too',
  );

interface Ending {
  one(
    session: Session,
    target: { activityId: string; runId: string | undefined },
    reason: string | undefined,
  ): Promise<unknown>;
  many(session: Session, flags: ManyFlags): BatchOperations;
}

/** How activities end: one, and all of a query. */
const ENDINGS = {
  cancel: {
    one: ({ client }, { activityId, runId }, reason) => client.activity.getHandle(activityId, runId).cancel(reason),
    many: ({ connection: { identity } }, { reason }) => ({ cancelActivitiesOperation: { identity, reason } }),
  },
  terminate: {
    one: ({ client }, { activityId, runId }, reason) => client.activity.getHandle(activityId, runId).terminate(reason),
    many: ({ connection: { identity } }, { reason }) => ({ terminateActivitiesOperation: { identity, reason } }),
  },
  delete: {
    one: ({ connection, namespace }, target) => {
      const body = { namespace, ...target, identity: connection.identity };
      return connection.request('deleteActivityExecution', body, { timeoutMs: 10_000 });
    },
    many: () => ({ deleteActivitiesOperation: {} }),
  },
} satisfies Record<string, Ending>;
