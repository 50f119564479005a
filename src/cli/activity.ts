// `tenuto activity …`: complete or fail an activity from outside, and steer those of a running workflow, or of all of a query.

import type { Command } from 'commander';
import { ApplicationFailure, msToNumber } from '../../sdk/common/index.ts';
import type { BatchActivities } from '../wire/batch.ts';
import type { ActivitiesTarget, ActivityOptions } from '../wire/pending-activity.ts';
import { defineExecutionCommands } from './activity-executions.ts';
import { type Session, withClient } from './connect.ts';
import { UsageError } from './exit-codes.ts';
import { inputs } from './input.ts';
import { type ManyFlags, type One, oneOf, startJob, withTargets } from './workflow/many.ts';
import { positiveInteger, type TargetFlags, withTarget } from './workflow/options.ts';

type Wrap = (command: Command) => Command;

const TIMEOUT = { timeoutMs: 10_000 };

type OneFlags = TargetFlags & { activityId: string };

interface ChoiceFlags extends ManyFlags {
  activityId?: string;
  activityType?: string;
  matchAll?: boolean;
  identity?: string;
}

interface OptionsFlags extends ChoiceFlags {
  taskQueue?: string;
  scheduleToCloseTimeout?: string;
  scheduleToStartTimeout?: string;
  startToCloseTimeout?: string;
  heartbeatTimeout?: string;
  startDelay?: string;
  retryInitialInterval?: string;
  retryMaximumInterval?: string;
  retryBackoffCoefficient?: string;
  retryMaximumAttempts?: string;
  priorityKey?: string;
  restoreOriginalOptions?: boolean;
}

const withOne = (command: Command): Command =>
  withTarget(command).requiredOption('-a, --activity-id <id>', 'activity id (required)');

const withChoice = (command: Command): Command =>
  withTargets(command)
    .option('-a, --activity-id <id>', 'the activity of this id')
    .option('--activity-type <name>', 'all pending activities of this type')
    .option('--identity <text>', 'who asks (default: this process)');

/** A pause names what it pauses: the API has no pause of all of one workflow's. */
const PAUSE_WAYS = ['--activity-id', '--activity-type'];
const WAYS = [...PAUSE_WAYS, '--match-all'];

const withAll = (command: Command): Command =>
  withChoice(command).option('--match-all', 'all pending activities of the workflow, or of each of the query');

export function defineActivityCommands(activity: Command, withConnection: Wrap): void {
  defineExecutionCommands(activity, withConnection);
  const define = (name: string, description: string) => withConnection(activity.command(name).description(description));

  withOne(define('complete', 'an activity that somebody else completes returns its result'))
    .requiredOption('--result <json>', 'result as JSON (required)')
    .action(
      withClient<OneFlags & { result: string }>(async ({ client, output }, flags) => {
        const [result] = inputs({ input: [flags.result] });
        await client.activity.complete(idOf(flags), result);
        output.record({ ...idOf(flags), status: 'COMPLETED' });
      }),
    );

  withOne(define('fail', 'this attempt of an activity fails; it is retried as its policy says'))
    .option('--reason <text>', 'message of the failure', 'failed from the command line')
    .option('--detail <json>', 'detail of the failure as JSON')
    .action(
      withClient<OneFlags & { reason: string; detail?: string }>(async ({ client, output }, flags) => {
        const details = flags.detail === undefined ? [] : inputs({ input: [flags.detail] });
        await client.activity.fail(idOf(flags), ApplicationFailure.create({ message: flags.reason, details }));
        output.record({ ...idOf(flags), status: 'FAILED' });
      }),
    );

  withChoice(define('pause', 'begin no attempt until it is unpaused; one that runs is told with its next heartbeat'))
    .option('--match-all', 'with --query: all pending activities of each workflow')
    .action(
      withClient<ChoiceFlags>(async (session, flags) => {
        const one = oneOf(flags);
        if (one === undefined) return startJob(session, flags, { pauseActivitiesOperation: chosen(session, flags) });
        if (flags.matchAll) throw new UsageError('--match-all goes with --query here: name the activity, or its type');
        const { connection, namespace, output } = session;
        const { reason } = flags;
        await connection.request('pauseActivity', { ...choice(namespace, one, flags, PAUSE_WAYS), reason }, TIMEOUT);
        output.record({ ...shown(flags), paused: true });
      }),
    );

  withAll(define('unpause', 'let paused activities go on at once'))
    .option('--reset-attempts', 'begin again with attempt 1')
    .option('--reset-heartbeats', 'forget what heartbeats told')
    .option('--jitter <duration>', 'each goes on after a random part of it')
    .action(
      withClient<ChoiceFlags & { resetAttempts?: boolean; resetHeartbeats?: boolean; jitter?: string }>(
        async (session, flags) => {
          const { resetAttempts, resetHeartbeats: resetHeartbeat } = flags;
          const what = { resetAttempts, resetHeartbeat, jitter: duration(flags.jitter) };
          const one = oneOf(flags);
          if (one === undefined)
            return startJob(session, flags, { unpauseActivitiesOperation: { ...chosen(session, flags), ...what } });
          const { connection, namespace, output } = session;
          await connection.request('unpauseActivity', { ...choice(namespace, one, flags), ...what }, TIMEOUT);
          output.record({ ...shown(flags), paused: false });
        },
      ),
    );

  withAll(define('reset', 'begin anew with attempt 1: at once, or when the attempt that runs has ended'))
    .option('--keep-paused', 'what is paused stays so')
    .option('--clear-heartbeat-details, --reset-heartbeats', 'forget what heartbeats told')
    .option('--restore-original-options', 'undo what update-options changed')
    .option('--jitter <duration>', 'each goes on after a random part of it')
    .action(
      withClient<
        ChoiceFlags & {
          keepPaused?: boolean;
          resetHeartbeats?: boolean;
          restoreOriginalOptions?: boolean;
          jitter?: string;
        }
      >(async (session, flags) => {
        const { keepPaused, resetHeartbeats: resetHeartbeat, restoreOriginalOptions } = flags;
        const what = { keepPaused, resetHeartbeat, restoreOriginalOptions, jitter: duration(flags.jitter) };
        const one = oneOf(flags);
        if (one === undefined)
          return startJob(session, flags, { resetActivitiesOperation: { ...chosen(session, flags), ...what } });
        const { connection, namespace, output } = session;
        await connection.request('resetActivity', { ...choice(namespace, one, flags), ...what }, TIMEOUT);
        output.record({ ...shown(flags), reset: true });
      }),
    );

  withAll(define('update-options', 'change options for attempts that begin from now on'))
    .option('-t, --task-queue <name>', 'task queue')
    .option('--schedule-to-close-timeout <duration>', 'for all attempts together; 0s: none')
    .option('--schedule-to-start-timeout <duration>', 'for the wait for a worker; 0s: none')
    .option('--start-to-close-timeout <duration>', 'for one attempt; 0s: none')
    .option('--heartbeat-timeout <duration>', 'between two heartbeats; 0s: none')
    .option('--start-delay <duration>', 'of one without a workflow, until its first attempt is offered; 0s: now')
    .option('--retry-initial-interval <duration>', 'before the first retry')
    .option('--retry-maximum-interval <duration>', 'between retries at most')
    .option('--retry-backoff-coefficient <number>', 'by which the interval grows')
    .option('--retry-maximum-attempts <n>', 'attempts at most; 1: no retry')
    .option('--priority-key <n>', '1 (first) to 5')
    .option('--restore-original-options', 'as the workflow had asked for; with none of the above')
    .action(
      withClient<OptionsFlags>(async (session, flags) => {
        const change = flags.restoreOriginalOptions === true ? { restoreOriginal: true } : changeOf(flags);
        const one = oneOf(flags);
        if (one === undefined)
          return startJob(session, flags, { updateActivityOptionsOperation: { ...chosen(session, flags), ...change } });
        const { connection, namespace, output } = session;
        const target = choice(namespace, one, flags);
        const { activityOptions } = await connection.request(
          'updateActivityOptions',
          { ...target, ...change },
          TIMEOUT,
        );
        output.record({ ...shown(flags), ...activityOptions });
      }),
    );
}

const idOf = ({ workflowId, runId, activityId }: OneFlags) => ({ workflowId, runId, activityId });

/** `ways`: the flags that the command has to say which. */
function choice(namespace: string, one: One, flags: ChoiceFlags, ways: readonly string[] = WAYS): ActivitiesTarget {
  const { activityId, activityType, matchAll, identity = `cli:${process.pid}` } = flags;
  checkChoice(flags, ways);
  return { namespace, ...one, activityId, activityType, matchAll, identity };
}

/** Of each workflow of a batch job. */
function chosen({ connection }: Session, flags: ChoiceFlags): BatchActivities {
  const { activityId, activityType: type, matchAll, identity = connection.identity } = flags;
  checkChoice(flags, WAYS);
  return { activityId, type, matchAll, identity };
}

function checkChoice({ activityId, activityType, matchAll }: ChoiceFlags, ways: readonly string[]): void {
  const given = [activityId, activityType, matchAll === true ? true : undefined].filter((one) => one !== undefined);
  if (given.length !== 1) throw new UsageError(`say which activities: one of ${ways.join(', ')}`);
}

const shown = ({ workflowId, activityId, activityType }: ChoiceFlags) => ({ workflowId, activityId, activityType });

const duration = (text: string | undefined): number | undefined => (text === undefined ? undefined : msToNumber(text));

function coefficient(text: string | undefined): number | undefined {
  const value = Number(text);
  if (text === undefined) return undefined;
  if (!(value >= 1)) throw new UsageError(`--retry-backoff-coefficient takes a number from 1, not ${text}`);
  return value;
}

/** What flags name is set; the rest stays as it is. */
function changeOf(flags: OptionsFlags): { activityOptions: ActivityOptions; updateMask: string[] } {
  const { retryMaximumAttempts: attempts, priorityKey } = flags;
  const fields: Readonly<Record<string, string | number | undefined>> = {
    taskQueue: flags.taskQueue,
    scheduleToCloseTimeout: duration(flags.scheduleToCloseTimeout),
    scheduleToStartTimeout: duration(flags.scheduleToStartTimeout),
    startToCloseTimeout: duration(flags.startToCloseTimeout),
    heartbeatTimeout: duration(flags.heartbeatTimeout),
    startDelay: duration(flags.startDelay),
  };
  const retryPolicy = {
    initialInterval: duration(flags.retryInitialInterval),
    maximumInterval: duration(flags.retryMaximumInterval),
    backoffCoefficient: coefficient(flags.retryBackoffCoefficient),
    maximumAttempts: attempts === undefined ? undefined : positiveInteger(attempts, '--retry-maximum-attempts'),
  };
  const priority = {
    priorityKey: priorityKey === undefined ? undefined : positiveInteger(priorityKey, '--priority-key'),
  };
  const named = (values: object, prefix: string): string[] =>
    Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [`${prefix}${name}`]));
  const updateMask = [...named(fields, ''), ...named(retryPolicy, 'retryPolicy.'), ...named(priority, 'priority.')];
  if (updateMask.length === 0) throw new UsageError('nothing to change: name an option, or --restore-original-options');
  return { activityOptions: { ...fields, retryPolicy, priority }, updateMask };
}
