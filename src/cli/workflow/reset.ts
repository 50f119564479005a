// `tenuto workflow reset`: finds the event to go back to, as the `temporal` command does, and asks for the reset.

import { type Command, Option } from 'commander';
import { ResetReapplyExcludeType, ResetReapplyType } from '../../../sdk/client/index.ts';
import { EventType } from '../../wire/enums.ts';
import { type Session, withClient } from '../connect.ts';
import { UsageError } from '../exit-codes.ts';
import { positiveInteger, type TargetFlags, withTarget } from './options.ts';

interface ResetFlags extends TargetFlags {
  reason: string;
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
  CancelRequest: ResetReapplyExcludeType.CANCEL_REQUEST,
};

const collect = (value: string, previous: string[] = []): string[] => [...previous, value];

export function defineResetCommand(workflow: Command, withConnection: (command: Command) => Command): void {
  withTarget(
    withConnection(
      workflow.command('reset').description('do a workflow again from one of its workflow tasks on, as a new run'),
    ),
  )
    .requiredOption('--reason <text>', 'why (required)')
    .option('--event-id <n>', 'the event that ends the workflow task to do again')
    .addOption(new Option('--type <point>', 'where to go back to, instead of an event').choices(TYPES))
    .option('--build-id <id>', 'with --type BuildId: before the first workflow task that this build completed')
    .addOption(
      new Option('--reapply-type <what>', 'what came since and is kept (default All)').choices(Object.keys(REAPPLY)),
    )
    .option(
      '--reapply-exclude <what>',
      'Signal, Update, CancelRequest or All: is not kept; repeat for several',
      collect,
    )
    .action(
      withClient<ResetFlags>(async (session, flags) => {
        const { client, output, namespace } = session;
        const point = await pointOf(session, flags);
        const { runId } = await client.workflowService.resetWorkflowExecution({
          namespace,
          workflowExecution: { workflowId: flags.workflowId, runId: point.runId },
          reason: flags.reason,
          workflowTaskFinishEventId: point.eventId,
          resetReapplyType: REAPPLY[flags.reapplyType ?? 'All'],
          resetReapplyExcludeTypes: excluded(flags.reapplyExclude ?? []),
        });
        output.record({ workflowId: flags.workflowId, runId });
      }),
    );
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

async function pointOf({ client }: Session, flags: ResetFlags): Promise<Point> {
  const { workflowId, runId, type, eventId } = flags;
  if ((type === undefined) === (eventId === undefined)) throw new UsageError('give one of --event-id and --type');
  if ((type === 'BuildId') !== (flags.buildId !== undefined))
    throw new UsageError('--build-id goes with --type BuildId, and the other way round');
  if (eventId !== undefined) return { runId, eventId: positiveInteger(eventId, '--event-id') };
  const handle = client.workflow.getHandle(workflowId, runId);
  if (type === 'BuildId') {
    const { autoResetPoints } = (await handle.describe()).raw;
    const point = autoResetPoints.find(({ buildId }) => buildId === flags.buildId);
    if (point === undefined)
      throw new UsageError(
        `no worker of build ${flags.buildId} has completed a workflow task of ${workflowId}; see its reset points: workflow describe -o json`,
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
