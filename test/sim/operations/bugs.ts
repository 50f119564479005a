// Bugs planted around the core, one for each of the watches beside this file: each has to be found, and by what it is there for.

import type { Routes } from '../../../src/core/deployment/routes.ts';
import { versionKey } from '../../../src/core/deployment/versioned-queue.ts';
import type { Message } from '../../../src/core/workflow/message.ts';
import type { Decision } from '../../../src/core/workflow/outcome.ts';
import type { ActorCore, ActorState } from '../../../src/shard/core.ts';
import { EventType, ResetReapplyExcludeType } from '../../../src/wire/enums.ts';
import type { WorkflowExecutionInfo } from '../../../src/wire/execution-info.ts';
import type { Plant } from '../node.ts';

type HeadRow = NonNullable<NonNullable<ActorState['schedule']>['head']>;

/** The core, with what it is told or what it says changed on the way. */
const around = (decide: (inner: ActorCore, ...args: Parameters<ActorCore['decide']>) => Decision): Plant => ({
  core: (inner) => ({ ...inner, decide: (...args) => decide(inner, ...args) }),
});

/** The schedule as if its head were another. */
function withHead(state: ActorState, change: (head: HeadRow) => HeadRow): ActorState {
  const { schedule } = state;
  if (schedule?.head === undefined) return state;
  return { ...state, schedule: { ...schedule, head: change(schedule.head), next: undefined } };
}

const changedHead = (decision: Decision, change: (head: HeadRow) => HeadRow): Decision =>
  decision.ok
    ? {
        ...decision,
        // Row 'h' of a schedule is its head.
        rows: decision.rows.map((row) =>
          row.id === 'h' && row.value ? { ...row, value: change(row.value as HeadRow) } : row,
        ),
      }
    : decision;

let fresh = 0;

export const OPERATION_BUGS = {
  /** A schedule does not note that a time is dealt with. */
  'schedule-time-twice': around((inner, state, message, context) => {
    const through = state.schedule?.head?.through;
    const decision = inner.decide(state, message, context);
    if (message.type !== 'timer' || through === undefined) return decision;
    return changedHead(decision, (head) => (head.action > 1 ? { ...head, through } : head));
  }),
  /** A schedule that wakes up begins a second further on. */
  'schedule-time-lost': around((inner, state, message, context) => {
    if (message.type !== 'timer') return inner.decide(state, message, context);
    return inner.decide(
      withHead(state, (head) => ({ ...head, through: head.through + 1_000 })),
      message,
      context,
    );
  }),
  /** A schedule that is paused takes what is due whenever something else comes to it. */
  'schedule-acts-while-paused': around((inner, state, message, context) => {
    if (
      state.schedule?.head?.state.paused !== true ||
      message.type === 'updateSchedule' ||
      message.type === 'patchSchedule'
    )
      return inner.decide(state, message, context);
    const awake = withHead(state, (head) => ({ ...head, state: { ...head.state, paused: false } }));
    return changedHead(inner.decide(awake, message, context), (head) => ({
      ...head,
      state: { ...head.state, paused: true },
    }));
  }),
  /** A schedule forgets the run that goes on. */
  'schedule-overlaps': around((inner, state, message, context) => {
    if (message.type !== 'timer') return inner.decide(state, message, context);
    return inner.decide(
      withHead(state, (head) => ({ ...head, running: [] })),
      message,
      context,
    );
  }),
  /** What was missed is not counted. */
  'schedule-miscounts': around((inner, state, message, context) => {
    const before = state.schedule?.head?.counts;
    const decision = inner.decide(state, message, context);
    return before === undefined
      ? decision
      : changedHead(decision, (head) => ({ ...head, counts: { ...head.counts, skipped: before.skipped } }));
  }),
  /** A reset does not apply again what came after its point. */
  'reset-loses-signals': around((inner, state, message, context) =>
    inner.decide(
      state,
      message.type === 'reset' ? { ...message, exclude: [ResetReapplyExcludeType.SIGNAL] } : message,
      context,
    ),
  ),
  /** A batch job that comes to an execution again is not known to have been there. */
  'batch-twice': around((inner, state, message, context) => {
    if (!isOfBatch(message)) return inner.decide(state, message, context);
    fresh += 1;
    return inner.decide(state, { ...message, requestId: `fresh-${fresh}` }, context);
  }),
  /** What a batch job does is answered and not done. */
  'batch-counts-undone': around((inner, state, message, context) => {
    const nothing = {
      ok: true,
      rows: [],
      events: [],
      effects: [],
      visibility: [],
      reply: { type: 'accepted' },
    } as const;
    return isOfBatch(message)
      ? { ...nothing, rows: [], events: [], effects: [], visibility: [] }
      : inner.decide(state, message, context);
  }),
  /** An attempt that fails is followed by another, although the activity is paused. */
  'paused-activity-begins': around((inner, state, message, context) => {
    const { run } = state;
    if (message.type !== 'failActivityTask' || run === undefined) return inner.decide(state, message, context);
    const activities = new Map([...run.activities].map(([id, row]) => [id, { ...row, pause: undefined }]));
    return inner.decide({ ...state, run: { ...run, activities } }, message, context);
  }),
  /** A run by cron is said to be due when the one before it was. */
  'cron-time-twice': around((inner, state, message, context) => {
    const decision = inner.decide(state, message, context);
    if (!decision.ok) return decision;
    for (const event of decision.events.flatMap(({ events }) => events)) {
      if (event.eventType !== EventType.WORKFLOW_EXECUTION_STARTED || !event.attributes.cronSchedule) continue;
      if (event.attributes.firstExecutionRunId === event.attributes.originalExecutionRunId) continue;
      event.attributes.firstWorkflowTaskBackoff = (event.attributes.firstWorkflowTaskBackoff ?? 0) - 5_000;
    }
    return decision;
  }),
  /** A deletion takes the run that is there, whichever it was to take. */
  'deletes-another-run': around((inner, state, message, context) =>
    inner.decide(state, message.type === 'deleteExecution' ? { ...message, target: {} } : message, context),
  ),
  /** A run that was deleted is listed as before. */
  'deleted-stays-listed': around((inner, state, message, context) => {
    const decision = inner.decide(state, message, context);
    if (!decision.ok || message.type !== 'deleteExecution') return decision;
    return { ...decision, visibility: decision.visibility.map(({ gone: _gone, ...change }) => change) };
  }),
  /** Each attempt to begin a Nexus operation is another request to its handler. */
  'operation-begun-twice': around((inner, state, message, context) => {
    const decision = inner.decide(state, message, context);
    if (!decision.ok || decision.reply.type !== 'activityTaskStarted') return decision;
    const { attempt, nexus } = decision.reply.task;
    if (nexus?.startOperation !== undefined) nexus.startOperation.requestId += `-${attempt}`;
    return decision;
  }),
  /** A run forgets which version it is pinned to. */
  'pin-forgotten': around((inner, state, message, context) =>
    inner.decide(message.type === 'completeWorkflowTask' ? state : withoutVersion(state), message, context),
  ),
  /** A run that moves stays where its last task was, whatever is current. */
  'upgrade-stays': around((inner, state, message, context) => {
    const { version } = state.run?.row.facts.versioning ?? {};
    const { routes } = context;
    if (version === undefined || routes === undefined) return inner.decide(state, message, context);
    const stays: Routes = {
      target: () => versionKey(version),
      ramping: (...args) => routes.ramping(...args),
      serves: (...args) => routes.serves(...args),
    };
    const { now, limits, namespaces, endpoints, breakers } = context;
    const changed = {
      ...{ now, limits, namespaces, endpoints, breakers, routes: stays },
      // Made when it is read.
      get spareRunId() {
        return context.spareRunId;
      },
    };
    return inner.decide(state, message, changed);
  }),
  /** Lists, and so counts, do not say which version a run is pinned to. */
  'pinned-not-counted': around((inner, state, message, context) => {
    const decision = inner.decide(state, message, context);
    if (!decision.ok) return decision;
    const visibility = decision.visibility.map((change) => ({ ...change, info: withoutVersionAttribute(change.info) }));
    return { ...decision, visibility };
  }),
} as const satisfies Record<string, Plant>;

/** What the watch says that has to find it, and a seed not far before one that does. */
export const FOUND_BY: { readonly [B in keyof typeof OPERATION_BUGS]: { says: RegExp; from: number } } = {
  'schedule-time-twice': { says: /schedule op-\d+ takes .*(a second time|which is not due now)/, from: 8 },
  'schedule-time-lost': { says: /schedule op-\d+ has lost/, from: 8 },
  'schedule-acts-while-paused': { says: /schedule op-\d+ takes .* and is paused/, from: 24 },
  'schedule-overlaps': { says: /schedule op-\d+ begins action \d+ while that of action/, from: 8 },
  'schedule-miscounts': { says: /schedule op-\d+ has lost/, from: 70 },
  'reset-loses-signals': { says: /has signal .* where add .* came before/, from: 57 },
  'batch-twice': { says: /the signal .* batched .* is there 2 times/, from: 130 },
  'batch-counts-undone': { says: /batch job op-\d+-job counts .* which got no/, from: 21 },
  'paused-activity-begins': { says: /is paused, and attempt \d+ begins/, from: 68 },
  'deletes-another-run': { says: /^deletion: run .* is gone, and nobody asked for that/, from: 6 },
  'deleted-stays-listed': { says: /^deletion: run .* is gone, and its row .* stays/, from: 2 },
  'operation-begun-twice': { says: /operation \d+ of .* is begun a second time/, from: 22 },
  'pin-forgotten': { says: /^version: .* is pinned to/, from: 5 },
  'upgrade-stays': { says: /^version: .*, which was not due/, from: 50 },
  'pinned-not-counted': { says: /^version: .* is said to be drained, and run/, from: 212 },
  'cron-time-twice': { says: /is due at \d+, the one before it was at/, from: 33 },
};

function withoutVersion(state: ActorState): ActorState {
  const { run } = state;
  if (run?.row.facts.versioning === undefined) return state;
  const facts = { ...run.row.facts, versioning: undefined };
  return { ...state, run: { ...run, row: { ...run.row, facts } } };
}

function withoutVersionAttribute(info: WorkflowExecutionInfo): WorkflowExecutionInfo {
  const { TemporalWorkerDeploymentVersion: _version, ...others } = info.searchAttributes?.indexedFields ?? {};
  return { ...info, searchAttributes: { ...info.searchAttributes, indexedFields: others } };
}

const isOfBatch = (message: Message): message is Extract<Message, { type: 'signal' | 'requestCancel' | 'terminate' }> =>
  (message.type === 'signal' || message.type === 'requestCancel' || message.type === 'terminate') &&
  message.requestId.startsWith('batch:');
