// Flags of schedules, named as in the `temporal` CLI, and how their text becomes what is sent.

import { type Command, Option } from 'commander';
import type {
  Backfill,
  CompiledScheduleUpdateOptions,
  ScheduleOverlapPolicy,
  ScheduleSpec,
} from '../../../sdk/client/index.ts';
import { encodeAttributes, encodeSchedule } from '../../../sdk/client/schedule-codec.ts';
import { type LoadedDataConverter, mapToPayloads } from '../../../sdk/common/index.ts';
import type { Memo, SearchAttributes } from '../../wire/common.ts';
import type { CalendarText, Schedule } from '../../wire/schedule.ts';
import { UsageError } from '../exit-codes.ts';
import { headersOf } from '../headers.ts';
import { collect, entry } from '../input.ts';
import { attribute, positiveInteger, type StartFlags, startOptions, withNewWorkflow } from '../workflow/options.ts';

export interface IdFlags {
  scheduleId: string;
}

const POLICIES: Readonly<Record<string, ScheduleOverlapPolicy>> = {
  Skip: 'SKIP',
  BufferOne: 'BUFFER_ONE',
  BufferAll: 'BUFFER_ALL',
  CancelOther: 'CANCEL_OTHER',
  TerminateOther: 'TERMINATE_OTHER',
  AllowAll: 'ALLOW_ALL',
};

export interface PolicyFlags {
  overlapPolicy?: string;
}

export interface ScheduleFlags extends IdFlags, PolicyFlags, StartFlags {
  calendar?: string[];
  interval?: string[];
  cron?: string[];
  startTime?: string;
  endTime?: string;
  jitter?: string;
  timeZone?: string;
  catchupWindow?: string;
  pauseOnFailure?: true;
  paused?: true;
  notes?: string;
  remainingActions?: string;
  scheduleMemo?: string[];
  scheduleSearchAttribute?: string[];
}

export const withId = (command: Command): Command =>
  command.requiredOption('-s, --schedule-id <id>', 'schedule id (required)');

export const withPolicy = (command: Command, what: string): Command =>
  command.addOption(new Option('--overlap-policy <policy>', what).choices(Object.keys(POLICIES)));

export const policyOf = ({ overlapPolicy }: PolicyFlags): ScheduleOverlapPolicy =>
  overlapPolicy === undefined ? undefined : POLICIES[overlapPolicy];

export const policyName = (policy: ScheduleOverlapPolicy): string =>
  Object.entries(POLICIES).find(([, known]) => known === policy)?.[0] ?? String(policy);

/** All that makes a schedule: of `create` and `update`. */
export function withSchedule(command: Command): Command {
  const own = withPolicy(withId(command), 'while a run still goes on (default Skip)')
    .option('--calendar <json>', `times as JSON: '{"dayOfWeek":"Mon-Fri","hour":"9"}'; repeat for several`, collect)
    .option('--interval <every>', 'every so often, e.g. 45m or 6h/5h (five hours beyond); repeat for several', collect)
    .option('--cron <cron>', `cron string: '30 2 * * 5' or '@daily'; repeat for several`, collect)
    .option('--start-time <time>', 'no action before, e.g. 2030-01-31T12:00:00Z')
    .option('--end-time <time>', 'no action after')
    .option('--jitter <duration>', 'put each action off by less than that')
    .option('--time-zone <name>', 'of calendars and cron strings, e.g. Europe/Berlin (default UTC)')
    .option('--catchup-window <duration>', 'how late an action may be (default a year)')
    .option('--pause-on-failure', 'pause when a run fails or times out')
    .option('--paused', 'create it paused')
    .option('--notes <text>', 'a note for people')
    .option('--remaining-actions <n>', 'only so many actions')
    .option('--schedule-memo <key=json>', 'note kept with the schedule; repeat for several', collect)
    .option('--schedule-search-attribute <key=json>', 'value to find the schedule by; repeat for others', collect);
  return withNewWorkflow(own, 'workflow id, to which each run adds its time (default: the schedule id and -workflow)');
}

export function timeOf(text: string, flag: string): Date {
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw new UsageError(`${flag} ${text}: expected a time such as 2030-01-31T12:00:00Z`);
  return new Date(ms);
}

export function backfillOf(flags: PolicyFlags & { startTime: string; endTime: string }): Backfill {
  const start = timeOf(flags.startTime, '--start-time');
  const end = timeOf(flags.endTime, '--end-time');
  if (end < start) throw new UsageError(`--end-time ${flags.endTime} is before --start-time ${flags.startTime}`);
  return { start, end, overlap: policyOf(flags) };
}

/** The schedule these flags describe; `attributes` and `memo` are the schedule's own. */
export function scheduleOf(
  converter: LoadedDataConverter,
  flags: ScheduleFlags,
): { schedule: Schedule; searchAttributes: SearchAttributes | undefined; memo: Memo | undefined } {
  const { workflowId: _, ...start } = startOptions({ ...flags, cron: undefined });
  const action = {
    ...start,
    type: 'startWorkflow' as const,
    workflowType: flags.type,
    workflowId: flags.workflowId ?? `${flags.scheduleId}-workflow`,
    args: start.args ?? [],
  };
  const options: CompiledScheduleUpdateOptions = {
    spec: specOf(flags),
    action,
    policies: {
      overlap: policyOf(flags),
      catchupWindow: duration(flags.catchupWindow),
      pauseOnFailure: flags.pauseOnFailure,
    },
    state: {
      paused: flags.paused,
      note: flags.notes,
      remainingActions:
        flags.remainingActions === undefined
          ? undefined
          : positiveInteger(flags.remainingActions, '--remaining-actions'),
    },
  };
  const schedule = encodeSchedule(converter, options, headersOf(flags));
  const calendar = flags.calendar?.map(calendarOf);
  const own = flags.scheduleSearchAttribute?.map((text) => attribute(text, '--schedule-search-attribute'));
  const memo = flags.scheduleMemo?.map((text) => entry(text, '--schedule-memo'));
  return {
    schedule: { ...schedule, spec: { ...schedule.spec, calendar } },
    // Values of attributes are JSON of the caller: the server checks them.
    searchAttributes:
      own && encodeAttributes({ searchAttributes: Object.fromEntries(own) as Record<string, string[]> }),
    memo: memo && { fields: mapToPayloads(converter.payloadConverter, Object.fromEntries(memo)) },
  };
}

/** Times that cannot be meant are the caller's: said with the schedule they are for, and what was given. */
export async function meant<T>(flags: ScheduleFlags, make: () => Promise<T>): Promise<T> {
  try {
    return await make();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const given = [
      ...(flags.cron ?? []).map((text) => `--cron '${text}'`),
      ...(flags.interval ?? []).map((text) => `--interval ${text}`),
      ...(flags.timeZone === undefined ? [] : [`--time-zone ${flags.timeZone}`]),
    ];
    throw new UsageError(`schedule ${flags.scheduleId}: ${error.message} (${given.join(', ') || 'see its flags'})`);
  }
}

/** What the SDK calls a duration is text of this form; it says so when it is none. */
const duration = (text: string | undefined) => text as `${number}` | undefined;

function specOf(flags: ScheduleFlags): ScheduleSpec {
  return {
    intervals: flags.interval?.map((text) => {
      const [every = '', offset] = text.split('/');
      return { every: duration(every) ?? 0, offset: duration(offset) };
    }),
    cronExpressions: flags.cron,
    startAt: flags.startTime === undefined ? undefined : timeOf(flags.startTime, '--start-time'),
    endAt: flags.endTime === undefined ? undefined : timeOf(flags.endTime, '--end-time'),
    jitter: duration(flags.jitter),
    timezone: flags.timeZone,
  };
}

const FIELDS = ['second', 'minute', 'hour', 'dayOfMonth', 'month', 'year', 'dayOfWeek', 'comment'];

function calendarOf(text: string): CalendarText {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new UsageError(`--calendar ${text}: expected JSON such as {"dayOfWeek":"Mon-Fri","hour":"9"}`);
  }
  if (typeof value !== 'object' || value === null) throw new UsageError(`--calendar ${text}: expected a JSON object`);
  const calendar: Record<string, string> = {};
  for (const [name, field] of Object.entries(value)) {
    if (!FIELDS.includes(name)) throw new UsageError(`--calendar has no field ${name}: ${FIELDS.join(', ')}`);
    calendar[name] = String(field);
  }
  return calendar;
}
