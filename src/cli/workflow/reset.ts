// `tenuto workflow reset`: finds the event to go back to, as the `temporal` command does, and asks for the reset.

import { type Command, Option } from 'commander';
import { ResetReapplyExcludeType, ResetReapplyType, RpcError } from '../../../sdk/client/index.ts';
import { EventType } from '../../wire/enums.ts';
import type { PostResetOperation } from '../../wire/post-reset.ts';
import { StatusCode } from '../../wire/status.ts';
import { type ClientFlags, type Session, withClient } from '../connect.ts';
import { CommandError, ExitCode, UsageError } from '../exit-codes.ts';
import { collect } from '../input.ts';
import { type ManyFlags, type One, oneOf, startJob, withTargets } from './many.ts';
import { positiveInteger } from './options.ts';
import { type OptionsFlags, optionsChange, withOptions } from './update-options.ts';

interface ResetFlags extends ManyFlags {
  eventId?: string;
  type?: string;
  buildId?: string;
  reapplyType?: string;
  reapplyExclude?: string[];
}

const TYPES = ['FirstWorkflowTask', 'LastWorkflowTask', 'LastContinuedAsNew', 'BuildId'];
const REAPPLY: Readonly<Record<string, ResetReapplyType>> = {
  All: ResetReapplyType.ALL_ELIGIBLE,
  Signal: ResetReapplyType.SIGNAL,
  None: ResetReapplyType.NONE,
};
const EXCLUDE: Readonly<Record<string, ResetReapplyExcludeType>> = {
  Signal: ResetReapplyExcludeType.SIGNAL,
  Update: ResetReapplyExcludeType.UPDATE,
};

type Wrap = (command: Command) => Command;

export function defineResetCommand(workflow: Command, withConnection: Wrap): void {
  const reset = workflow
    .command('reset')
    .description('do a workflow, or all of a query, again from one of the workflow tasks on, as a new run');
  // Flags after the name of its own command are that one's.
  withReset(withConnection(reset).enablePositionalOptions()).action(
    withClient<ResetFlags>(async (session, flags) => {
      await again(session, flags, []);
    }),
  );
  const options = reset
    .command('with-workflow-update-options')
    .description(
      'the same; the new run has another priority, is pinned to a version of its workers, or let upgrade, before its first task',
    );
  const run = withClient<ResetFlags & OptionsFlags>(async (session, flags) => {
    await again(session, flags, [{ updateWorkflowOptions: optionsChange(flags) }]);
  });
  withOptions(withReset(withConnection(options))).action(
    (flags: ResetFlags & OptionsFlags & ClientFlags, command: Command) => run({ ...given(reset), ...flags }, command),
  );
}

/** What was said on the command line before the name of the command within. */
const given = (command: Command): object =>
  Object.fromEntries(Object.entries(command.opts()).filter(([name]) => command.getOptionValueSource(name) === 'cli'));

const withReset: Wrap = (command) =>
  withTargets(command, 'why (required with --workflow-id)')
    .option('-e, --event-id <n>', 'the event that ends the workflow task to do again')
    .addOption(new Option('-t, --type <point>', 'where to go back to, instead of an event').choices(TYPES))
    .option('--build-id <id>', 'with --type BuildId: before the first workflow task that this build completed')
    .addOption(
      new Option('--reapply-type <what>', 'what came since and is kept (default All)').choices(Object.keys(REAPPLY)),
    )
    .option('--reapply-exclude <what>', 'Signal, Update or All: is not kept; repeat for several', collect);

async function again(session: Session, flags: ResetFlags, postResetOperations: PostResetOperation[]): Promise<void> {
  const one = oneOf(flags);
  checkPoint(flags);
  if (one === undefined) return resetMany(session, flags, postResetOperations);
  const { connection, output, namespace } = session;
  const { workflowId } = one;
  const { reason } = flags;
  if (reason === undefined) throw new UsageError('say why: --reason');
  const point = await pointOf(session, flags, one);
  const asked = connection.request('resetWorkflowExecution', {
    ...{ namespace, workflowId, runId: point.runId },
    ...{ identity: connection.identity, requestId: crypto.randomUUID() },
    reason,
    workflowTaskFinishEventId: point.eventId,
    resetReapplyType: REAPPLY[flags.reapplyType ?? 'All'],
    resetReapplyExcludeTypes: excluded(flags.reapplyExclude ?? []),
    postResetOperations,
  });
  const { runId } = await asked.catch((error: unknown) => {
    throw flags.eventId === undefined ? error : noSuchPoint(error, workflowId, flags.eventId);
  });
  output.record({ workflowId, runId });
}

/** The server says what it wants of the number; which events have it, the history does. */
function noSuchPoint(error: unknown, workflowId: string, eventId: string): unknown {
  if (!(error instanceof RpcError) || error.code !== StatusCode.INVALID_ARGUMENT) return error;
  return new CommandError(`${workflowId} cannot go back to event ${eventId}: ${error.details}`, {
    exitCode: ExitCode.USAGE,
    hint: `\`tenuto workflow show -w ${workflowId}\` lists its events: name one of WorkflowTaskCompleted.`,
    cause: error,
  });
}

function excluded(names: readonly string[]): ResetReapplyExcludeType[] {
  return names.flatMap((name) => {
    if (name === 'All') return Object.values(EXCLUDE);
    const kind = EXCLUDE[name];
    if (kind === undefined)
      throw new UsageError(`--reapply-exclude takes ${Object.keys(EXCLUDE).join(', ')} or All, not ${name}`);
    return [kind];
  });
}

interface Point {
  runId: string | undefined;
  eventId: number;
}

function checkPoint({ type, eventId, buildId }: ResetFlags): void {
  if ((type === undefined) === (eventId === undefined)) throw new UsageError('give one of --event-id and --type');
  if ((type === 'BuildId') !== (buildId !== undefined))
    throw new UsageError('--build-id goes with --type BuildId, and the other way round');
}

/** The server finds the point in each of them. */
async function resetMany(
  session: Session,
  flags: ResetFlags,
  postResetOperations: PostResetOperation[],
): Promise<void> {
  const { type, buildId, eventId } = flags;
  if (type === 'LastContinuedAsNew')
    throw new UsageError('--type LastContinuedAsNew goes with --workflow-id: it means another run of each workflow');
  const point = {
    ...(type === 'FirstWorkflowTask' && { firstWorkflowTask: {} }),
    ...(type === 'LastWorkflowTask' && { lastWorkflowTask: {} }),
    ...(eventId !== undefined && { workflowTaskId: positiveInteger(eventId, '--event-id') }),
    ...(buildId !== undefined && { buildId }),
  };
  const options = {
    ...point,
    resetReapplyType: REAPPLY[flags.reapplyType ?? 'All'],
    resetReapplyExcludeTypes: excluded(flags.reapplyExclude ?? []),
  };
  const { identity } = session.connection;
  await startJob(session, flags, { resetOperation: { options, identity, postResetOperations } });
}

async function pointOf(
  { client }: Session,
  { type, eventId, buildId }: ResetFlags,
  { workflowId, runId }: One,
): Promise<Point> {
  if (eventId !== undefined) return { runId, eventId: positiveInteger(eventId, '--event-id') };
  const handle = client.workflow.getHandle(workflowId, runId);
  if (type === 'BuildId') {
    const { autoResetPoints } = (await handle.describe()).raw;
    const point = autoResetPoints.find((one) => one.buildId === buildId);
    if (point === undefined)
      throw new UsageError(
        `no worker of build ${buildId} has completed a workflow task of ${workflowId}; see its reset points: workflow describe -o json`,
      );
    return { runId: point.runId, eventId: point.firstWorkflowTaskCompletedId ?? 0 };
  }
  const { events = [] } = await handle.fetchHistory();
  const [started] = events;
  if (type === 'LastContinuedAsNew') {
    const before =
      started?.eventType === EventType.WORKFLOW_EXECUTION_STARTED
        ? started.attributes.continuedExecutionRunId
        : undefined;
    if (!before) throw new UsageError(`this run of ${workflowId} continues no other`);
    const earlier = await client.workflow.getHandle(workflowId, before).fetchHistory();
    return { runId: before, eventId: taskEnds(earlier.events ?? [], workflowId).at(-1) ?? 0 };
  }
  const ends = taskEnds(events, workflowId);
  return { runId, eventId: ends.at(type === 'FirstWorkflowTask' ? 0 : -1) ?? 0 };
}

/** Event ids of the completed workflow tasks; one at least. */
function taskEnds(events: readonly { eventType: number; eventId: number }[], workflowId: string): number[] {
  const ends = events.filter(({ eventType }) => eventType === EventType.WORKFLOW_TASK_COMPLETED);
  if (ends.length === 0)
    throw new UsageError(`no workflow task of ${workflowId} has completed: there is nothing to go back to`);
  return ends.map(({ eventId }) => eventId);
}
