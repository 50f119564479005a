// decide of a schedule's actor: what a message comes to. Pure, like that of workflows; `state = load(rows)` (I4). Keeps: a due time leads to at most
// one start, in the entry that says it is dealt with (I5); timers are idempotent (I7).

import { ScheduleOverlapPolicy } from '../../wire/enums.ts';
import type { SchedulePatch, SchedulePolicies } from '../../wire/schedule.ts';
import { StatusCode } from '../../wire/status.ts';
import type { Message } from '../workflow/message.ts';
import type { Decision, Outcome, Rejection, Reply, RowChange, TurnContext } from '../workflow/outcome.ts';
import { notForWorkflows } from '../workflow/reserved-id.ts';
import { closed, settle, started } from './actions.ts';
import { scheduleIdOf } from './address.ts';
import { type Addressed, ScheduleDraft, seedOf, timesOf } from './draft.ts';
import { idleUntil, passOver } from './due.ts';
import {
  DEFAULT_CATCHUP_WINDOW_MS,
  MAX_BACKFILLS,
  MAX_BUFFERED,
  MAX_MATCHING_TIMES,
  MAX_REQUESTS,
  MIN_CATCHUP_WINDOW_MS,
} from './limits.ts';
import type {
  CreateScheduleMessage,
  PatchScheduleMessage,
  ScheduledBy,
  ScheduleTimesMessage,
  UpdateScheduleMessage,
} from './message.ts';
import {
  type AppliedRow,
  CHAIN,
  type DefinitionRow,
  type HeadRow,
  type KeptPolicies,
  requestRowId,
  type ScheduleActor,
} from './rows.ts';
import { conflictToken, described, isToken } from './view.ts';

const ACCEPTED: Reply = { type: 'accepted' };
/** Rows of requests. */
const FORGOTTEN_PER_TURN = 1_000;

export function decideSchedule(
  address: Addressed,
  actor: ScheduleActor,
  message: Message,
  context: TurnContext,
): Decision {
  switch (message.type) {
    case 'createSchedule':
      return create(address, actor, message, context);
    case 'updateSchedule':
      return update(address, actor, message, context);
    case 'patchSchedule':
      return patch(address, actor, message, context);
    case 'deleteSchedule':
      if (isDeletion(actor.requests.get(message.requestId))) return nothing(ACCEPTED);
      return actor.head === undefined
        ? notFound(address)
        : new ScheduleDraft(address, actor, context).deleted(ACCEPTED, message.requestId);
    case 'describeSchedule': {
      const response = described(address, actor);
      return response === undefined ? notFound(address) : nothing({ type: 'scheduleDescribed', response });
    }
    case 'scheduleTimes':
      return times(address, actor, message);
    case 'timer':
      return fire(address, actor, context);
    case 'scheduledStarted':
      return heard(address, actor, message.by, context, (draft) => started(draft, message));
    case 'scheduledRefused':
      return heard(address, actor, message.by, context, (draft) => draft.starting.delete(message.by.action));
    case 'scheduledClosed':
      return heard(address, actor, message.by, context, (draft) => closed(draft, message));
    default:
      return notForWorkflows(address, 'schedules', message);
  }
}

// ---------------------------------------------------------------- by callers

function create(
  address: Addressed,
  actor: ScheduleActor,
  message: CreateScheduleMessage,
  context: TurnContext,
): Decision {
  const { requestId, incarnation, schedule, memo, searchAttributes } = message;
  if (requestId !== '' && requestId === actor.head?.requestId) return nothing(changed(actor.head));
  // What it made was deleted.
  if (requestId !== '' && actor.requests.has(requestId)) return nothing(changed({ version: FIRST_VERSION }));
  if (actor.head !== undefined) {
    const status = {
      code: StatusCode.ALREADY_EXISTS,
      message: `schedule ${JSON.stringify(scheduleIdOf(address.workflowId))} is already registered`,
      detail: {
        kind: 'WorkflowExecutionAlreadyStarted' as const,
        runId: actor.head.incarnation,
        startRequestId: actor.head.requestId,
      },
    };
    return { ok: false, status };
  }
  const busy = refusedForRequests(address, actor, context);
  if (busy !== undefined) return busy;
  const head: HeadRow = {
    incarnation,
    requestId,
    createTime: context.now,
    version: FIRST_VERSION,
    state: schedule.state,
    through: context.now,
    counts: { taken: 0, missed: 0, skipped: 0, dropped: 0 },
    running: [],
    recent: [],
    action: 0,
    buffered: 0,
    starting: 0,
    backfills: [],
  };
  const { spec, action } = schedule;
  const definition: DefinitionRow = { spec, action, policies: kept(schedule.policies), memo, searchAttributes };
  const draft = new ScheduleDraft(address, actor, context, [head, definition]);
  const refused = message.patch === undefined ? undefined : applyPatch(draft, message.patch);
  if (refused !== undefined) return refused;
  settle(draft);
  return draft.outcome(changed(draft.head));
}

function update(
  address: Addressed,
  actor: ScheduleActor,
  message: UpdateScheduleMessage,
  context: TurnContext,
): Decision {
  const draft = draftFor(address, actor, message.requestId, context);
  if ('ok' in draft) return draft;
  const { head } = draft;
  // As of now the old schedule holds.
  settle(draft);
  const { schedule, conflictToken: token, memo, searchAttributes } = message;
  if (token !== undefined && token.length > 0 && !isToken(token, actor.head?.version ?? 0)) {
    const status = {
      code: StatusCode.FAILED_PRECONDITION,
      message: `schedule ${scheduleIdOf(address.workflowId)} was changed since it was read: describe it, and update what it is now`,
    };
    return { ok: false, status };
  }
  const { definition } = draft;
  draft.definition = {
    spec: schedule.spec,
    action: schedule.action,
    policies: kept(schedule.policies),
    memo: memo ?? definition.memo,
    searchAttributes: searchAttributes ?? definition.searchAttributes,
  };
  head.state = { ...schedule.state };
  head.updateTime = draft.now;
  head.version += 1;
  // By the new spec, too, the past is past.
  passOver(draft);
  settle(draft);
  draft.remember(message.requestId);
  return draft.outcome(changed(head));
}

function patch(
  address: Addressed,
  actor: ScheduleActor,
  message: PatchScheduleMessage,
  context: TurnContext,
): Decision {
  const draft = draftFor(address, actor, message.requestId, context);
  if ('ok' in draft) return draft;
  settle(draft);
  const refused = applyPatch(draft, message.patch);
  if (refused !== undefined) return refused;
  settle(draft);
  draft.remember(message.requestId);
  return draft.outcome(changed(draft.head));
}

function applyPatch(draft: ScheduleDraft, patched: SchedulePatch): Rejection | undefined {
  const { head, now } = draft;
  const { triggerImmediately: trigger, backfillRequest: backfills = [], pause, unpause } = patched;
  if (trigger !== undefined) {
    if (draft.buffered.size >= MAX_BUFFERED) {
      return exhausted(`${MAX_BUFFERED} actions of schedule ${draft.scheduleId} wait already: trigger it later`);
    }
    const at = trigger.scheduledTime ?? now;
    const overlapPolicy = trigger.overlapPolicy ?? ScheduleOverlapPolicy.UNSPECIFIED;
    draft.buffer({ nominal: at, due: at, overlapPolicy, manual: true });
  }
  if (head.backfills.length + backfills.length > MAX_BACKFILLS) {
    return exhausted(
      `schedule ${draft.scheduleId} has ${head.backfills.length} backfills under way, at most ${MAX_BACKFILLS} fit: ask again later`,
    );
  }
  head.backfills = [...head.backfills, ...backfills];
  if (pause) head.state = { ...head.state, paused: true, notes: pause };
  if (unpause) head.state = { ...head.state, paused: false, notes: unpause };
  if (pause || unpause) head.version += 1;
  return undefined;
}

function times(address: Addressed, { definition }: ScheduleActor, message: ScheduleTimesMessage): Decision {
  if (definition === undefined) return notFound(address);
  const { startTime, endTime } = message;
  const found = timesOf(definition).between(startTime, endTime, MAX_MATCHING_TIMES, seedOf(address));
  return nothing({ type: 'scheduleTimes', startTime: found.map(({ due }) => due) });
}

/** The schedule as it is, to be changed; or what there is to say instead. */
function draftFor(
  address: Addressed,
  actor: ScheduleActor,
  requestId: string,
  context: TurnContext,
): ScheduleDraft | Decision {
  const { head, requests } = actor;
  if (head === undefined) return notFound(address);
  if (requestId !== '' && requests.has(requestId)) return nothing(changed(head));
  return refusedForRequests(address, actor, context) ?? new ScheduleDraft(address, actor, context);
}

/** Undefined when one more request can be remembered. */
function refusedForRequests(
  { workflowId }: Addressed,
  { requests }: ScheduleActor,
  { limits, now }: TurnContext,
): Rejection | undefined {
  const [oldest] = requests.values();
  if (requests.size < MAX_REQUESTS || oldest === undefined || oldest.at + limits.requestIdTtl <= now) return undefined;
  return exhausted(
    `schedule ${scheduleIdOf(workflowId)} was changed ${requests.size} times within minutes: retry later`,
  );
}

// ---------------------------------------------------------------- by time, and by its runs

function fire(address: Addressed, actor: ScheduleActor, context: TurnContext): Decision {
  if (actor.head === undefined) return forgotten(actor, context);
  const draft = new ScheduleDraft(address, actor, context);
  settle(draft);
  const { head, buffered, starting } = draft;
  const isIdle = head.state.paused !== true && (!draft.mayAct || draft.next(head.through) === undefined);
  const until = isIdle ? idleUntil({ ...actor, head, buffered, starting }) : undefined;
  return until !== undefined && until <= context.now ? draft.deleted(ACCEPTED) : draft.outcome(ACCEPTED);
}

/** The requests of the schedule that was deleted have been known long enough: they go, some in each turn, and in the end nothing is left. */
function forgotten({ requests }: ScheduleActor, { now }: TurnContext): Decision {
  for (const { at, until = at } of requests.values()) if (until > now) return nothing(ACCEPTED);
  const ids = [...requests.keys()].slice(0, FORGOTTEN_PER_TURN);
  const rows = ids.map((id) => gone(requestRowId(id)));
  if (ids.length > 0 && ids.length === requests.size) rows.push(gone(CHAIN));
  return { ...nothing(ACCEPTED), rows };
}

const isDeletion = (row: AppliedRow | undefined): boolean => row?.until !== undefined && row.earlier !== true;

const gone = (id: string): RowChange => ({ table: 'chain', runId: '', id, value: undefined });

/** Of another incarnation, or of one that is gone, nothing is to be heard. */
function heard(
  address: Addressed,
  actor: ScheduleActor,
  by: ScheduledBy,
  context: TurnContext,
  apply: (draft: ScheduleDraft) => void,
): Decision {
  if (actor.head?.incarnation !== by.incarnation) return nothing(ACCEPTED);
  const draft = new ScheduleDraft(address, actor, context);
  apply(draft);
  settle(draft);
  return draft.outcome(ACCEPTED);
}

// ---------------------------------------------------------------- small things

function kept(policies: SchedulePolicies): KeptPolicies {
  const { overlapPolicy, catchupWindow, pauseOnFailure, keepOriginalWorkflowId } = policies;
  return {
    overlapPolicy: overlapPolicy || ScheduleOverlapPolicy.SKIP,
    catchupWindow: Math.max(MIN_CATCHUP_WINDOW_MS, catchupWindow ?? DEFAULT_CATCHUP_WINDOW_MS),
    pauseOnFailure: pauseOnFailure ?? false,
    ...(keepOriginalWorkflowId === true && { keepOriginalWorkflowId }),
  };
}

const FIRST_VERSION = 1;

const changed = ({ version }: Pick<HeadRow, 'version'>): Reply => ({
  type: 'scheduleChanged',
  conflictToken: conflictToken(version),
});

const nothing = (reply: Reply): Outcome => ({
  ok: true,
  rows: [],
  events: [],
  effects: [],
  reply,
  visibility: [],
});

const notFound = ({ workflowId }: Addressed): Rejection => ({
  ok: false,
  status: {
    code: StatusCode.NOT_FOUND,
    message: `schedule not found: ${scheduleIdOf(workflowId).slice(0, 1000)}`,
    detail: { kind: 'NotFound' },
  },
});

const exhausted = (message: string): Rejection => ({
  ok: false,
  status: {
    code: StatusCode.RESOURCE_EXHAUSTED,
    message,
    detail: { kind: 'ResourceExhausted', cause: 'Schedule' },
  },
});
