// `tenuto schedule …`: verbs and flags of `temporal schedule`. What each prints in a table is for people, in JSON for programs.

import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import {
  RpcError,
  ScheduleAlreadyRunning,
  type ScheduleDescription,
  type ScheduleSummary,
  StatusCode,
} from '../../../sdk/client/index.ts';
import { rethrowScheduleError } from '../../../sdk/client/schedule-errors.ts';
import { encodeMessage } from '../../../sdk/common/codec.ts';
import { withClient } from '../connect.ts';
import { durationText } from '../duration-text.ts';
import { UsageError } from '../exit-codes.ts';
import { positiveInteger } from '../workflow/options.ts';
import {
  backfillOf,
  type IdFlags,
  meant,
  type PolicyFlags,
  policyName,
  policyOf,
  type ScheduleFlags,
  scheduleOf,
  withId,
  withPolicy,
  withSchedule,
} from './options.ts';
import { calendarText, intervalText } from './times.ts';

interface ListFlags {
  query?: string;
  limit?: string;
  long?: true;
  reallyLong?: true;
}

type Wrap = (command: Command) => Command;

export function defineScheduleCommands(group: Command, withConnection: Wrap): void {
  const define = (name: string, description: string) => withConnection(group.command(name).description(description));

  withSchedule(define('create', 'create a schedule')).action(
    withClient<ScheduleFlags>(async ({ client, connection, namespace, output }, flags) => {
      const { scheduleId } = flags;
      const { identity, loadedDataConverter } = client.options;
      const made = scheduleOf(loadedDataConverter, flags);
      const common = { namespace, scheduleId, identity, requestId: randomUUID() };
      const request = await encodeMessage(loadedDataConverter.payloadCodecs, { ...common, ...made });
      const create = () =>
        connection.request('createSchedule', request).catch((error: unknown) => {
          if (error instanceof RpcError && error.code === StatusCode.ALREADY_EXISTS)
            throw new ScheduleAlreadyRunning(`schedule ${scheduleId} exists`, scheduleId);
          rethrowScheduleError(error, `Failed to create schedule '${scheduleId}'`, scheduleId);
        });
      await meant(flags, create);
      output.record({ scheduleId, namespace });
    }),
  );

  withSchedule(define('update', 'replace all of a schedule: what is not given has its default')).action(
    withClient<ScheduleFlags>(async ({ client, connection, namespace, output }, flags) => {
      const { scheduleId } = flags;
      const { identity, loadedDataConverter } = client.options;
      const made = scheduleOf(loadedDataConverter, flags);
      const common = { namespace, scheduleId, identity, requestId: randomUUID() };
      const request = await encodeMessage(loadedDataConverter.payloadCodecs, { ...common, ...made });
      const update = () =>
        connection
          .request('updateSchedule', request)
          .catch((error: unknown) =>
            rethrowScheduleError(error, `Failed to update schedule '${scheduleId}'`, scheduleId),
          );
      await meant(flags, update);
      output.say(`schedule ${scheduleId} updated`);
    }),
  );

  withId(define('describe', 'all about a schedule')).action(
    withClient<IdFlags>(async ({ client, output }, { scheduleId }) => {
      const described = await client.schedule.getHandle(scheduleId).describe();
      if (output.format === 'table') output.record(forPeople(described));
      else {
        const { raw: _, ...rest } = described;
        output.record({ ...rest, typedSearchAttributes: undefined });
      }
    }),
  );

  define('list', 'schedules of the namespace, newest first')
    .option('-q, --query <filter>', `list filter: "ScheduleId STARTS_WITH 'a' AND TemporalSchedulePaused = false"`)
    .option('--limit <n>', 'at most so many')
    .option('-l, --long', 'more columns')
    .option('--really-long', 'all of each, one below the other')
    .action(
      withClient<ListFlags>(async ({ client, output }, { query, limit, long, reallyLong }) => {
        const most = limit === undefined ? Number.POSITIVE_INFINITY : positiveInteger(limit, '--limit');
        const schedules = take(client.schedule.list({ query }), most);
        if (output.format === 'table' && reallyLong === true) {
          for await (const { typedSearchAttributes: _, ...all } of schedules) {
            output.record({ ...all });
            output.line('');
          }
        } else if (output.format === 'table') await output.list(map(schedules, long === true ? longRowOf : rowOf));
        else await output.list(map(schedules, (summary) => ({ ...summary, typedSearchAttributes: undefined })));
      }),
    );

  withId(define('list-matching-times', 'which times of a range a schedule means, past or to come; nothing is started'))
    .requiredOption('--start-time <time>', 'from, e.g. 2030-01-31T12:00:00Z (required)')
    .requiredOption('--end-time <time>', 'to, inclusive (required)')
    .action(
      withClient<IdFlags & { startTime: string; endTime: string }>(async ({ connection, namespace, output }, flags) => {
        const { scheduleId } = flags;
        const { start, end } = backfillOf(flags);
        const request = { namespace, scheduleId, startTime: start.getTime(), endTime: end.getTime() };
        const { startTime } = await connection
          .request('listScheduleMatchingTimes', request)
          .catch((error: unknown) =>
            rethrowScheduleError(error, `Failed to list times of schedule '${scheduleId}'`, scheduleId),
          );
        const times = startTime.map((ms) => new Date(ms).toISOString());
        if (output.format === 'table') for (const time of times) output.line(time);
        else output.record({ startTime: times });
      }),
    );

  withId(define('delete', 'delete a schedule; the workflows it started go on')).action(
    withClient<IdFlags>(async ({ client, output }, { scheduleId }) => {
      await client.schedule.getHandle(scheduleId).delete();
      output.say(`schedule ${scheduleId} deleted`);
    }),
  );

  withId(define('toggle', 'pause or unpause a schedule'))
    .option('--pause', 'take no actions from now on')
    .option('--unpause', 'take actions again')
    .option('--reason <text>', 'kept as the note')
    .action(
      withClient<IdFlags & { pause?: true; unpause?: true; reason?: string }>(async ({ client, output }, flags) => {
        const { scheduleId, pause, unpause, reason = '(no reason provided)' } = flags;
        if (pause === unpause) throw new UsageError('give --pause or --unpause');
        const handle = client.schedule.getHandle(scheduleId);
        await (pause ? handle.pause(reason) : handle.unpause(reason));
        output.say(`schedule ${scheduleId} ${pause ? 'paused' : 'unpaused'}`);
      }),
    );

  withPolicy(withId(define('trigger', 'take one action now')), 'while a run still goes on (default AllowAll)').action(
    withClient<IdFlags & PolicyFlags>(async ({ client, output }, flags) => {
      await client.schedule.getHandle(flags.scheduleId).trigger(policyOf(flags));
      output.say(`schedule ${flags.scheduleId} triggered`);
    }),
  );

  withPolicy(withId(define('backfill', 'take the actions of a time that is over')), "(default: the schedule's)")
    .requiredOption('--start-time <time>', 'from, e.g. 2030-01-31T12:00:00Z (required)')
    .requiredOption('--end-time <time>', 'to, inclusive (required)')
    .action(
      withClient<IdFlags & PolicyFlags & { startTime: string; endTime: string }>(async ({ client, output }, flags) => {
        await client.schedule.getHandle(flags.scheduleId).backfill(backfillOf(flags));
        output.say(`schedule ${flags.scheduleId} backfills from ${flags.startTime} to ${flags.endTime}`);
      }),
    );
}

function forPeople({ scheduleId, spec, action, policies, state, info, memo }: ScheduleDescription) {
  return {
    scheduleId,
    paused: state.paused,
    note: state.note,
    remainingActions: state.remainingActions,
    workflowType: action.workflowType,
    workflowId: action.workflowId,
    taskQueue: action.taskQueue,
    overlapPolicy: policyName(policies.overlap),
    catchupWindow: durationText(policies.catchupWindow),
    pauseOnFailure: policies.pauseOnFailure || undefined,
    due:
      [...(spec.calendars ?? []).map(calendarText), ...(spec.intervals ?? []).map(intervalText)].join('; ') ||
      undefined,
    butNot: spec.skip?.map(calendarText).join('; ') || undefined,
    timeZone: spec.timezone,
    nextTimes:
      info.nextActionTimes
        .slice(0, 3)
        .map((time) => time.toISOString())
        .join(' ') || undefined,
    actions: info.numActionsTaken,
    missed: info.numActionsMissedCatchupWindow || undefined,
    skipped: info.numActionsSkippedOverlap || undefined,
    running: info.runningActions.map(({ workflow }) => workflow.workflowId).join(' ') || undefined,
    lastAction: info.recentActions.at(-1)?.action.workflow.workflowId,
    memo,
    createdAt: info.createdAt,
    updatedAt: info.lastUpdatedAt,
  };
}

const rowOf = ({ scheduleId, action, state, info }: ScheduleSummary) => ({
  scheduleId,
  workflowType: action?.workflowType,
  paused: state.paused,
  note: state.note,
  nextTime: info.nextActionTimes[0],
  lastAction: info.recentActions.at(-1)?.action.workflow.workflowId,
});

const longRowOf = (summary: ScheduleSummary) => ({
  ...rowOf(summary),
  calendars: summary.spec?.calendars?.length ?? 0,
  intervals: summary.spec?.intervals?.length ?? 0,
  timeZone: summary.spec?.timezone,
  nextTimes: summary.info.nextActionTimes.map((time) => time.toISOString()).join(' '),
  lastTime: summary.info.recentActions.at(-1)?.takenAt,
});

async function* take<T>(items: AsyncIterable<T>, most: number): AsyncGenerator<T> {
  let taken = 0;
  for await (const item of items) {
    yield item;
    taken += 1;
    if (taken >= most) return;
  }
}

async function* map<T, U>(items: AsyncIterable<T>, to: (item: T) => U): AsyncGenerator<U> {
  for await (const item of items) yield to(item);
}
