// The run that a reset begins: the events before the point as they are, the task at the point failed, and what came to the old runs from outside
// since then once more. Pending activities wait anew, children and requests under way stay connected (relations.ts). Called by messages/reset.ts.

import {
  EventType,
  ResetReapplyExcludeType,
  UpdateAdmittedEventOrigin,
  WorkflowTaskFailedCause,
} from '../../wire/enums.ts';
import type { HistoryEvent } from '../../wire/event.ts';
import type { WorkflowExecutionStartedEventAttributes } from '../../wire/event-attributes.ts';
import { offerActivity } from './activity-task.ts';
import { settleLeft } from './callbacks.ts';
import { SERVER_IDENTITY } from './closing.ts';
import { initialFacts } from './fold.ts';
import type { ResetMessage } from './message.ts';
import { succeedTo, withoutInput } from './new-run.ts';
import type { OperationRow } from './operation-rows.ts';
import { offerOperation } from './operations.ts';
import { askForPermit } from './permits.ts';
import { operateAfterReset } from './post-reset.ts';
import { audienceOf } from './relations.ts';
import type { FormerRun, RunRow, StartRow } from './rows.ts';
import type { RunDraft } from './run-draft.ts';
import { sizeOf } from './size.ts';
import { isOpen, type RunState } from './state.ts';
import type { Turn } from './turn.ts';
import { scheduleTask } from './workflow-task.ts';

/** What happened after the point: in the run itself, and in those that continued it. */
export interface After {
  base: HistoryEvent[];
  later: HistoryEvent[];
}

/** A run reset again and again knows this many before it. */
const MAX_FORMER_RUNS = 100;

export function forkRun(
  turn: Turn,
  base: RunState,
  message: ResetMessage,
  prefix: readonly HistoryEvent[],
  after: After,
  /** The permit of flow control that the run which ended had. */
  held: string | undefined,
): RunDraft {
  const { runId, exclude, afterwards = [], identity } = message;
  const [started] = prefix;
  if (started?.eventType !== EventType.WORKFLOW_EXECUTION_STARTED) {
    throw new Error(`run ${base.runId} does not begin with its Started event`);
  }
  const former = formerRuns(base, prefix.length);
  const attributes = ownPermit(timeoutsFromNow(turn.now, started.attributes), base, runId, held);
  const start: StartRow = { attributes: withoutInput(attributes), startTime: turn.now, former };
  if (base.start.userMetadata !== undefined) start.userMetadata = base.start.userMetadata;
  inheritAudience(turn, runId, start);
  succeedTo(turn, runId);
  const run = turn.begin(runId, start, rowOf(turn.now, attributes));
  run.visible = true;
  if (attributes.flowControl !== undefined && attributes.flowControl.permit !== held) askAnew(run);
  for (const event of prefix) run.inherit(event);
  failTaskAtPoint(run, base.runId, message, prefix);
  for (const activity of run.activities()) {
    const again = { ...activity, scheduledTime: turn.now, countsFrom: turn.now };
    run.putActivity(again);
  }
  const reapply = new Reapply(run, exclude, prefix.length);
  for (const event of after.base) {
    reapply.own(event);
    reapply.outside(event);
  }
  for (const event of after.later) reapply.outside(event);
  settleLeft(run);
  operateAfterReset(run, afterwards, identity);
  // Where they wait depends on what the run is pinned to by now.
  for (const activity of [...run.activities()]) offerActivity(run, activity);
  for (const operation of [...run.operations.values()]) {
    const { startedTime, cancelRequestedEventId, cancelAnswered } = operation.facts;
    if (startedTime === undefined) offerOperation(run, operation, 'start');
    else if (cancelRequestedEventId !== 0 && cancelAnswered !== true) offerOperation(run, operation, 'cancel');
  }
  for (const { updateId, admitted: request } of run.updates.values()) {
    if (request === undefined) continue;
    turn.updates.set(updateId, {
      updateId,
      runId,
      stage: 'admitted',
      request,
      bytes: sizeOf(request),
      calls: [],
      kept: true,
    });
  }
  scheduleTask(run);
  return run;
}

/**
 * Who waits for the end of the run that the reset ends waits for the new one. Of a workflow that has closed everybody has heard, whoever began the run
 * that is done again.
 */
function inheritAudience({ state: { run: current } }: Turn, runId: string, start: StartRow): void {
  const ended = current !== undefined && isOpen(current) ? current : undefined;
  if (ended?.start.scheduledBy !== undefined) start.scheduledBy = ended.start.scheduledBy;
  const audience = ended === undefined ? [] : audienceOf(ended.start, ended.runId);
  const [link] = audience;
  const [own] = audienceOf(start, runId);
  const isOwn =
    link?.runId === own?.runId &&
    link?.initiatedEventId === own?.initiatedEventId &&
    link?.firstRunId === own?.firstRunId;
  if (!isOwn) start.reportsTo = audience;
}

function formerRuns(base: RunState, lastEventId: number): FormerRun[] {
  const before = (base.start.former ?? []).map((run) => ({
    ...run,
    lastEventId: Math.min(run.lastEventId, lastEventId),
  }));
  return [{ runId: base.runId, lastEventId }, ...before].slice(0, MAX_FORMER_RUNS);
}

/** The chain's permit goes on with the run that takes its place; where it was given back, there is another one to ask for. */
function ownPermit(
  attributes: WorkflowExecutionStartedEventAttributes,
  base: RunState,
  runId: string,
  held: string | undefined,
): WorkflowExecutionStartedEventAttributes {
  // Not as the event says: the run may itself be one that a reset began.
  const { flowControl } = base.start.attributes;
  if (flowControl === undefined) return attributes;
  if (flowControl.permit === held) return { ...attributes, flowControl };
  return { ...attributes, flowControl: { ...flowControl, permit: runId, accepted: true } };
}

function askAnew(run: RunDraft): void {
  run.row.permit = 'asked';
  run.row.runExpiration = undefined;
  askForPermit(run);
}

/** Timeouts count anew, and its first task comes at once. */
function timeoutsFromNow(
  now: number,
  attributes: WorkflowExecutionStartedEventAttributes,
): WorkflowExecutionStartedEventAttributes {
  const { firstWorkflowTaskBackoff: _backoff, workflowExecutionExpirationTime: _at, ...rest } = attributes;
  const execution = attributes.workflowExecutionTimeout ?? 0;
  return execution > 0 ? { ...rest, workflowExecutionExpirationTime: now + execution } : rest;
}

function rowOf(now: number, attributes: WorkflowExecutionStartedEventAttributes): RunRow {
  const row: RunRow = {
    facts: initialFacts(),
    nextAttempt: 1,
    bufferedBytes: 0,
    nextBufferedId: 1,
    counts: { activity: 0, timer: 0, buffered: 0 },
    transitions: 0,
  };
  const expiration = attributes.workflowExecutionExpirationTime;
  if (expiration !== undefined) row.executionExpiration = expiration;
  if (attributes.workflowRunTimeout) {
    row.runExpiration = Math.min(now + attributes.workflowRunTimeout, expiration ?? Number.POSITIVE_INFINITY);
  }
  return row;
}

/** The task that is done again ends as failed: a worker that replays the run begins there with another seed. */
function failTaskAtPoint(
  run: RunDraft,
  baseRunId: string,
  { runId, reason }: ResetMessage,
  prefix: readonly HistoryEvent[],
): void {
  const ids = { scheduledEventId: 0, startedEventId: 0 };
  for (const event of prefix) {
    if (event.eventType === EventType.WORKFLOW_TASK_SCHEDULED) {
      ids.scheduledEventId = event.eventId;
      ids.startedEventId = 0;
    } else if (event.eventType === EventType.WORKFLOW_TASK_STARTED) ids.startedEventId = event.eventId;
  }
  if (ids.startedEventId === 0) {
    const { scheduledEventId } = ids;
    const { historyBytes } = run.facts;
    ids.startedEventId = run.add(EventType.WORKFLOW_TASK_STARTED, {
      scheduledEventId,
      identity: SERVER_IDENTITY,
      requestId: '',
      historySizeBytes: historyBytes,
    });
  }
  run.add(EventType.WORKFLOW_TASK_FAILED, {
    ...ids,
    cause: WorkflowTaskFailedCause.RESET_WORKFLOW,
    failure: { message: reason, resetWorkflowFailureInfo: {} },
    identity: SERVER_IDENTITY,
    baseRunId,
    newRunId: runId,
  });
}

/** What happened to the old runs after the point, once more. */
class Reapply {
  readonly #run: RunDraft;
  readonly #exclude: ReadonlySet<ResetReapplyExcludeType>;
  readonly #lastEventId: number;

  constructor(run: RunDraft, exclude: readonly ResetReapplyExcludeType[], lastEventId: number) {
    this.#run = run;
    this.#exclude = new Set(exclude);
    this.#lastEventId = lastEventId;
  }

  /** From clients and other workflows. Not that they wanted the old run cancelled: the new one is there to go on. */
  outside(event: HistoryEvent): void {
    const run = this.#run;
    switch (event.eventType) {
      case EventType.WORKFLOW_EXECUTION_SIGNALED:
        if (!this.#exclude.has(ResetReapplyExcludeType.SIGNAL)) run.add(event.eventType, event.attributes);
        return;
      case EventType.WORKFLOW_EXECUTION_OPTIONS_UPDATED:
        run.add(event.eventType, event.attributes, undefined, run.now, event.links);
        return;
      case EventType.WORKFLOW_EXECUTION_UPDATE_ADMITTED:
        this.#update(event.attributes.request);
        return;
      case EventType.WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
        this.#update(event.attributes.acceptedRequest);
        return;
      default:
    }
  }

  #update(request: Parameters<RunDraft['updateAdmitted']>[0]['admitted']): void {
    const updateId = request?.meta?.updateId;
    if (request === undefined || !updateId || this.#exclude.has(ResetReapplyExcludeType.UPDATE)) return;
    if (this.#run.knowsUpdate(updateId)) return;
    const origin = UpdateAdmittedEventOrigin.REAPPLY;
    this.#run.add(EventType.WORKFLOW_EXECUTION_UPDATE_ADMITTED, { request, origin });
  }

  /** Answers to what the run had asked of others before the point: they are not given twice. */
  own(event: HistoryEvent): void {
    const run = this.#run;
    switch (event.eventType) {
      case EventType.CHILD_WORKFLOW_EXECUTION_STARTED: {
        const child = this.#pending(event.attributes, run.children);
        if (child !== undefined && child.startedEventId === 0) run.add(event.eventType, event.attributes);
        return;
      }
      case EventType.START_CHILD_WORKFLOW_EXECUTION_FAILED:
        if (this.#pending(event.attributes, run.children)) run.add(event.eventType, event.attributes);
        return;
      case EventType.CHILD_WORKFLOW_EXECUTION_COMPLETED:
      case EventType.CHILD_WORKFLOW_EXECUTION_FAILED:
      case EventType.CHILD_WORKFLOW_EXECUTION_CANCELED:
      case EventType.CHILD_WORKFLOW_EXECUTION_TIMED_OUT:
      case EventType.CHILD_WORKFLOW_EXECUTION_TERMINATED: {
        const child = this.#pending(event.attributes, run.children);
        if (child === undefined) return;
        const { startedEventId } = child;
        run.inherit({ ...event, ...this.#next(), attributes: { ...event.attributes, startedEventId } } as HistoryEvent);
        return;
      }
      case EventType.EXTERNAL_WORKFLOW_EXECUTION_SIGNALED:
      case EventType.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED:
      case EventType.EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED:
      case EventType.REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED:
        if (this.#pending(event.attributes, run.externals)) run.inherit({ ...event, ...this.#next() });
        return;
      case EventType.NEXUS_OPERATION_STARTED:
      case EventType.NEXUS_OPERATION_COMPLETED:
      case EventType.NEXUS_OPERATION_FAILED:
      case EventType.NEXUS_OPERATION_CANCELED:
      case EventType.NEXUS_OPERATION_TIMED_OUT:
        if (this.#operation(event.attributes)) run.inherit({ ...event, ...this.#next() });
        return;
      case EventType.NEXUS_OPERATION_CANCEL_REQUEST_COMPLETED:
      case EventType.NEXUS_OPERATION_CANCEL_REQUEST_FAILED:
        if (this.#operation(event.attributes)?.facts.cancelRequestedEventId) run.inherit({ ...event, ...this.#next() });
        return;
      default:
    }
  }

  #next(): { eventId: number; eventTime: number } {
    return { eventId: this.#run.facts.nextEventId, eventTime: this.#run.now };
  }

  /** Asked for before the point, and not left out. */
  #operation({ scheduledEventId: initiatedEventId }: { scheduledEventId: number }): OperationRow | undefined {
    if (this.#exclude.has(ResetReapplyExcludeType.NEXUS)) return undefined;
    return this.#pending({ initiatedEventId }, this.#run.operations);
  }

  /** The row of what an answer is about, when it was asked before the point and is open in the new run. */
  #pending<Row extends object>(
    { initiatedEventId }: { initiatedEventId: number },
    rows: { get(id: number): Row | undefined },
  ): Row | undefined {
    return initiatedEventId <= this.#lastEventId ? rows.get(initiatedEventId) : undefined;
  }
}
