// `tenuto flow-control …`: which keys there are, who has permits of one and who waits, and their limits set by hand.

import { type Command, Option } from 'commander';
import type { DescribeFlowKeyResponse, FlowClaim, FlowKeyInfo, FlowLimits } from '../wire/flow-control.ts';
import { type Session, withClient } from './connect.ts';
import { UsageError } from './exit-codes.ts';
import { count, throttleOf } from './workflow/flow-flags.ts';

interface KeyFlags {
  key: string;
  taskQueue?: string;
}

interface LimitFlags extends KeyFlags {
  concurrency?: string;
  throttle?: string;
  clear?: boolean;
}

const withKey = (command: Command): Command =>
  command
    .requiredOption('-k, --key <key>', 'flow-control key (required)')
    .option('-t, --task-queue <name>', 'the key of this task queue (default: that of the namespace)');

const keyOf = ({ key, taskQueue }: KeyFlags) =>
  taskQueue === undefined ? { key, scope: 'namespace' as const } : { key, scope: 'taskQueue' as const, taskQueue };

export function defineFlowControlCommands(group: Command, withConnection: (command: Command) => Command): void {
  withConnection(group.command('list').description('keys that are in use')).action(
    withClient(async ({ connection, namespace, output }) => {
      await output.list(rows(connection, namespace));
    }),
  );
  withConnection(withKey(group.command('describe').description('who has permits of a key, and who waits'))).action(
    withClient<KeyFlags>(async (session, flags) => {
      const { connection, namespace } = session;
      show(session, await connection.request('describeFlowKey', { namespace, ...keyOf(flags) }));
    }),
  );
  withConnection(
    withKey(
      group
        .command('set-limit')
        .description('limits that hold instead of what starts ask for; 0 lets nothing through, until they are cleared'),
    ),
  )
    .option('--concurrency <n>', 'so many at a time')
    .option('--throttle <n/period>', 'so many within any period, e.g. 100/1m')
    .addOption(new Option('--clear', 'as starts ask for it again').conflicts(['concurrency', 'throttle']))
    .action(
      withClient<LimitFlags>(async (session, flags) => {
        const { connection, namespace } = session;
        show(
          session,
          await connection.request('setFlowLimits', { namespace, ...keyOf(flags), limits: limitsOf(flags) }),
        );
      }),
    );
}

function limitsOf({ concurrency, throttle, clear }: LimitFlags): FlowLimits {
  if (concurrency === undefined && throttle === undefined && clear !== true) {
    throw new UsageError('name a limit: --concurrency, --throttle, or --clear to have none set');
  }
  const limits: FlowLimits = {};
  if (concurrency !== undefined) limits.concurrency = { limit: count(concurrency, '--concurrency') };
  if (throttle !== undefined) limits.throttle = throttleOf(throttle, '--throttle');
  return limits;
}

const limitText = ({ concurrency, throttle }: FlowLimits): string =>
  [
    ...(concurrency === undefined ? [] : [`${concurrency.limit} at a time`]),
    ...(throttle === undefined ? [] : [`${throttle.limit} within ${throttle.periodMs} ms`]),
  ].join(', ');

function summary({ key, scope, taskQueue, limits, setLimits, held, waiting, nextStartAt, counts }: FlowKeyInfo) {
  return {
    key,
    scope: scope === 'taskQueue' ? `task queue ${taskQueue}` : 'namespace',
    limits: limitText(limits),
    setByHand: setLimits === undefined ? undefined : limitText(setLimits),
    held,
    waiting,
    nextStart: nextStartAt === undefined ? undefined : new Date(nextStartAt).toISOString(),
    granted: counts.granted,
    superseded: counts.superseded,
  };
}

async function* rows(connection: Session['connection'], namespace: string) {
  let nextPageToken: Uint8Array | undefined;
  do {
    const page = await connection.request('listFlowKeys', { namespace, maximumPageSize: 100, nextPageToken });
    for (const info of page.keys) yield summary(info);
    nextPageToken = page.nextPageToken;
  } while (nextPageToken !== undefined && nextPageToken.length > 0);
}

const claim = ({ workflowId, runId, activityId, since, priority }: FlowClaim) => ({
  workflowId,
  runId,
  activityId: activityId ?? '',
  since: new Date(since).toISOString(),
  ...(priority === undefined ? {} : { priority }),
});

function show({ output }: Session, key: DescribeFlowKeyResponse): void {
  const { holders, waiters, debounced, position: _position, ...info } = key;
  if (output.format !== 'table') {
    output.record({
      ...info,
      holders: holders.map(claim),
      waiters: waiters.map(claim),
      ...(debounced && { debounced: { ...claim(debounced), until: new Date(debounced.until).toISOString() } }),
    });
    return;
  }
  output.record({
    ...summary(info),
    debounced: debounced && `${debounced.workflowId}, until ${new Date(debounced.until).toISOString()}`,
  });
  output.line(output.colors.bold(`\nHave a permit: ${info.held}`));
  output.table(holders.map(claim));
  output.line(output.colors.bold(`\nWait: ${info.waiting}`));
  output.table(waiters.map(claim));
}
