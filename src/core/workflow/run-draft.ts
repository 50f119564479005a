// A run within one turn: assigns event ids (I5), buffers what arrives while a workflow task is started, and overlays what is pending:
// activities, timers, updates; what it has with others is in related-draft.ts. Every event goes through fold.ts's applyEvent, here as in a fold of the history (I4).

import { isActivityAddress } from '../../wire/activity-address.ts';
import type { Annotations, Link } from '../../wire/common.ts';
import { EventType, isOpenStatus } from '../../wire/enums.ts';
import type { EventAttributes, HistoryEvent, KnownEventType } from '../../wire/event.ts';
import { activityChanges, isApart } from './activity-rows.ts';

import { annotate, type BufferEntry, goesLast, wireStartedEventId, withIgnorance } from './buffering.ts';

import { applyEvent, countEvent, type FactSink, placeAttached, sizeOfEvent } from './fold.ts';
import { workflowOffer } from './offers.ts';
import type { RowChange, RunEvents } from './outcome.ts';
import { isPaused, pausedTypesOf } from './paused.ts';
import { PendingRows } from './pending-rows.ts';
import { RelatedDraft } from './related-draft.ts';
import { isRewritten } from './row-change.ts';
import type {
  ActivityFacts,
  ActivityRow,
  RunFacts,
  RunRow,
  StartRow,
  TimerRow,
  UpdateRow,
  WorkflowTaskRow,
} from './rows.ts';
import { scheduledAttributes, startedAttributes } from './started.ts';
import type { RunState } from './state.ts';
import type { Turn } from './turn.ts';
import { routeOfRun } from './versioning.ts';

function somePaused(rows: Iterable<ActivityRow | undefined>): boolean {
  for (const row of rows) if (row?.pause !== undefined) return true;
  return false;
}

export class RunDraft extends RelatedDraft implements FactSink {
  readonly turn: Turn;
  readonly runId: string;
  readonly start: StartRow;
  /** The draft's own copies: mutable until the turn ends. */
  readonly row: RunRow;
  readonly facts: RunFacts;
  readonly events: HistoryEvent[] = [];
  /** Visibility shows something new. */
  visible = false;
  /** Commands are being applied: events that are no command's own wait until all are (as if a task were started). */
  holding = false;
  /** Nobody awaits how the run ends: its parent closed and ends it. */
  orphaned = false;
  /** The run that takes over from this one, which a reset ends: children, and who waits for updates, are its own. */
  resetTo: string | undefined;
  /** Session whose worker gets the workflow task that this turn schedules, if it has room. */
  eagerFor: string | undefined;
  #updates: PendingRows<UpdateRow> | undefined;
  /** Of those accepted in this turn, by their ids. */
  #updateIds: Map<string, number> | undefined;
  readonly #base: RunState | undefined;
  /** What the turn made of them; made when there is something: most turns touch neither. */
  #activities: Map<number, ActivityRow | undefined> | undefined;
  #timers: Map<number, TimerRow | undefined> | undefined;
  /** Of those scheduled and started in this turn, by their names. */
  #activityIds: Map<string, number> | undefined;
  #timerIds: Map<string, number> | undefined;
  #buffer: BufferEntry[] | undefined;
  #dropped: number[] = [];

  private constructor(turn: Turn, runId: string, start: StartRow, row: RunRow, base: RunState | undefined) {
    super(base);
    this.turn = turn;
    this.runId = runId;
    this.start = start;
    this.#base = base;
    this.facts = { ...row.facts };
    // Written after the copy, not in it: with rows of many shapes that is a call of the runtime (docs/decisions/0089).
    this.row = { ...row };
    this.row.facts = this.facts;
    this.row.counts = { ...row.counts };
    if (base?.speculative !== undefined) this.row.task = base.speculative;
  }

  static of(turn: Turn, run: RunState): RunDraft {
    return new RunDraft(turn, run.runId, run.start, run.row, run);
  }

  static begin(turn: Turn, runId: string, start: StartRow, row: RunRow): RunDraft {
    return new RunDraft(turn, runId, start, row, undefined);
  }

  /** The run as visibility shows it until this turn ends; undefined: it begins in it. */
  get before(): RunRow | undefined {
    return this.#base?.row;
  }

  get isOpen(): boolean {
    return isOpenStatus(this.facts.status);
  }

  get now(): number {
    return this.turn.now;
  }

  /** A started task's answer is awaited: everything else that happens waits for it. */
  get isBuffering(): boolean {
    return this.holding || (this.row.task !== undefined && this.row.task.startedEventId !== 0);
  }

  // ---------------------------------------------------------------- events

  #event<T extends KnownEventType>(
    eventId: number,
    eventType: T,
    attributes: EventAttributes[T],
    annotations: Annotations | undefined,
    eventTime: number,
    links: readonly Link[] | undefined,
  ): HistoryEvent {
    const event = { eventId, eventTime, eventType, attributes };
    // Type and attributes agree by the generic parameter, which TypeScript does not carry through the union.
    const typed = withIgnorance(event as unknown as HistoryEvent);
    if (annotations !== undefined) annotate(typed, annotations);
    if (links !== undefined && links.length > 0) typed.links = [...links];
    return typed;
  }

  #append(event: HistoryEvent): void {
    this.events.push(event);
    countEvent(this.facts, event);
  }

  /** Writes an event now: command events, the workflow task's own, and the closing one. Returns its id. */
  add<T extends KnownEventType>(
    eventType: T,
    attributes: EventAttributes[T],
    annotations?: Annotations,
    eventTime = this.now,
    links?: readonly Link[],
  ): number {
    const event = this.#event(this.facts.nextEventId, eventType, attributes, annotations, eventTime, links);
    applyEvent(this, event);
    this.#append(event);
    return event.eventId;
  }

  /** An event of the run that this one is reset from. */
  inherit(event: HistoryEvent): void {
    applyEvent(this, event);
    this.#append(event);
  }

  /** Writes an event that came from outside: now, or buffered while a task is started. Returns its id, 0 when buffered. */
  record<T extends KnownEventType>(
    eventType: T,
    attributes: EventAttributes[T],
    eventTime = this.now,
    links?: readonly Link[],
  ): number {
    // It has promised the next ids; and what waits in a row for a task's end must find that task after a crash.
    this.keepTask();
    if (!this.isBuffering) return this.add(eventType, attributes, undefined, eventTime, links);
    const event = this.#event(0, eventType, attributes, undefined, eventTime, links);
    applyEvent(this, event);
    const id = this.row.nextBufferedId;
    this.row.nextBufferedId = id + 1;
    this.row.bufferedBytes += sizeOfEvent(event);
    this.#entries().push({ id, row: { event }, stored: false });
    return 0;
  }

  #entries(): BufferEntry[] {
    if (this.#buffer === undefined) {
      this.#buffer = [];
      for (const [id, row] of this.#base?.buffered ?? []) this.#buffer.push({ id, row, stored: true });
    }
    return this.#buffer;
  }

  get bufferedCount(): number {
    return this.#buffer?.length ?? this.#base?.buffered.size ?? 0;
  }

  /** Gives the buffered events their ids, closings of activities and children last. True when there were any. */
  flushBuffered(): boolean {
    if (this.bufferedCount === 0) return false;
    const entries = this.#takeBuffer();
    const startedIds = new Map<number, number>();
    const closings: HistoryEvent[] = [];
    const write = (event: HistoryEvent): void => {
      // The row's event is shared with the state: the one with an id is a copy.
      const written = { ...event, eventId: this.facts.nextEventId };
      // A child's row names this event.
      if (written.eventType === EventType.CHILD_WORKFLOW_EXECUTION_STARTED) applyEvent(this, written);
      placeAttached(this.facts, written);
      this.#append(wireStartedEventId(written, startedIds));
    };
    for (const { row } of entries) {
      if (goesLast(row.event)) closings.push(row.event);
      else write(row.event);
    }
    closings.forEach(write);
    return true;
  }

  #takeBuffer(): BufferEntry[] {
    const entries = this.#entries();
    this.#buffer = [];
    for (const entry of entries) if (entry.stored) this.#dropped.push(entry.id);
    this.row.bufferedBytes = 0;
    return entries;
  }

  /** A run that closes leaves behind what its last commands caused. */
  dropBuffered(): void {
    if (this.bufferedCount > 0) this.#takeBuffer();
  }

  /** Takes one buffered event out, as a cancelled timer does with its firing. */
  takeBuffered(matches: (event: HistoryEvent) => boolean): HistoryEvent | undefined {
    const entries = this.#entries();
    const index = entries.findIndex(({ row }) => matches(row.event));
    const entry = entries[index];
    if (entry === undefined) return undefined;
    entries.splice(index, 1);
    if (entry.stored) this.#dropped.push(entry.id);
    this.row.bufferedBytes -= sizeOfEvent(entry.row.event);
    return entry.row.event;
  }

  hasBuffered(matches: (event: HistoryEvent) => boolean): boolean {
    return this.bufferedCount > 0 && this.#entries().some(({ row }) => matches(row.event));
  }

  // ---------------------------------------------------------------- activities

  activity(scheduledEventId: number): ActivityRow | undefined {
    return this.#activities?.has(scheduledEventId) === true
      ? this.#activities.get(scheduledEventId)
      : this.#base?.activities.get(scheduledEventId);
  }

  activityByName(activityId: string): ActivityRow | undefined {
    const id = this.#activityIds?.get(activityId) ?? this.#base?.activityIds.get(activityId);
    return id === undefined ? undefined : this.activity(id);
  }

  putActivity(row: ActivityRow): void {
    this.#changeActivity(row.facts.scheduledEventId, row);
  }

  #changeActivity(scheduledEventId: number, row: ActivityRow | undefined): void {
    this.#activities ??= new Map();
    this.#activities.set(scheduledEventId, row);
  }

  get activityCount(): number {
    return this.row.counts.activity;
  }

  /** Pending activities as of this turn. */
  activities(): Iterable<ActivityRow> {
    return this.#activities === undefined ? (this.#base?.activities.values() ?? []) : this.#currentActivities();
  }

  *#currentActivities(): Iterable<ActivityRow> {
    for (const [id, row] of this.#base?.activities ?? []) {
      const current = this.#activities?.has(id) === true ? this.#activities.get(id) : row;
      if (current !== undefined) yield current;
    }
    for (const [id, row] of this.#activities ?? []) {
      if (row !== undefined && this.#base?.activities.has(id) !== true) yield row;
    }
  }

  activityScheduled(facts: ActivityFacts): void {
    this.row.counts.activity += 1;
    this.#activityIds ??= new Map();
    this.#activityIds.set(facts.activityId, facts.scheduledEventId);
    const row: ActivityRow = { facts, attempt: 1, scheduledTime: facts.scheduledTime, inBackoff: false };
    if (isApart(facts)) row.apart = true;
    this.putActivity(row);
  }

  activityCancelRequested(scheduledEventId: number, eventId: number): void {
    const row = this.activity(scheduledEventId);
    if (row !== undefined) this.putActivity({ ...row, facts: { ...row.facts, cancelRequestedEventId: eventId } });
  }

  activityClosed(scheduledEventId: number): void {
    if (this.activity(scheduledEventId) === undefined) return;
    this.row.counts.activity -= 1;
    this.#changeActivity(scheduledEventId, undefined);
  }

  /** Activities were paused, unpaused, or ended while they were. */
  #showPauses(changed: Iterable<ActivityRow | undefined>): void {
    const { pausedTypes = [] } = this.row;
    if (pausedTypes.length === 0 && !somePaused(changed)) return;
    const types = pausedTypesOf(this.activities(), !isActivityAddress(this.turn.state.workflowId));
    if (types.join('\0') === pausedTypes.join('\0')) return;
    this.row.pausedTypes = types.length === 0 ? undefined : types;
    this.visible = true;
  }

  // ---------------------------------------------------------------- timers

  timerByName(timerId: string): TimerRow | undefined {
    const id = this.#timerIds?.get(timerId) ?? this.#base?.timerIds.get(timerId);
    if (id === undefined) return undefined;
    return this.#timer(id);
  }

  #timer(startedEventId: number): TimerRow | undefined {
    return this.#timers?.has(startedEventId) === true
      ? this.#timers.get(startedEventId)
      : this.#base?.timers.get(startedEventId);
  }

  #changeTimer(startedEventId: number, row: TimerRow | undefined): void {
    this.#timers ??= new Map();
    this.#timers.set(startedEventId, row);
  }

  get timerCount(): number {
    return this.row.counts.timer;
  }

  timers(): Iterable<TimerRow> {
    return this.#timers === undefined ? (this.#base?.timers.values() ?? []) : this.#currentTimers();
  }

  *#currentTimers(): Iterable<TimerRow> {
    for (const [id, row] of this.#base?.timers ?? []) if (this.#timers?.has(id) !== true) yield row;
    for (const row of this.#timers?.values() ?? []) if (row !== undefined) yield row;
  }

  timerStarted(row: TimerRow): void {
    this.row.counts.timer += 1;
    this.#timerIds ??= new Map();
    this.#timerIds.set(row.timerId, row.startedEventId);
    this.#changeTimer(row.startedEventId, row);
  }

  timerClosed(startedEventId: number): void {
    if (this.#timer(startedEventId) === undefined) return;
    this.row.counts.timer -= 1;
    this.#changeTimer(startedEventId, undefined);
  }

  // ---------------------------------------------------------------- updates

  get updates(): PendingRows<UpdateRow> {
    this.#updates ??= new PendingRows(this.#base?.updates);
    return this.#updates;
  }

  #updateByName(updateId: string): UpdateRow | undefined {
    const id = this.#updateIds?.get(updateId) ?? this.#base?.updateIds?.get(updateId);
    return id === undefined ? undefined : this.updates.get(id);
  }

  /** An accepted one. */
  updateByName(updateId: string): UpdateRow | undefined {
    const row = this.#updateByName(updateId);
    return row?.admitted === undefined ? row : undefined;
  }

  /** Accepted or admitted. */
  knowsUpdate(updateId: string): boolean {
    return this.#updateByName(updateId) !== undefined;
  }

  #putUpdate(row: UpdateRow): void {
    this.row.counts.update = (this.row.counts.update ?? 0) + 1;
    this.#updateIds ??= new Map();
    this.#updateIds.set(row.updateId, row.acceptedEventId);
    this.updates.set(row.acceptedEventId, row);
  }

  updateAdmitted(row: UpdateRow): void {
    if (this.#updateByName(row.updateId) === undefined) this.#putUpdate(row);
  }

  updateAccepted(row: UpdateRow): void {
    this.dropAdmitted(row.updateId);
    this.#putUpdate(row);
  }

  /** It is answered, or never will be. */
  dropAdmitted(updateId: string): void {
    const row = this.#updateByName(updateId);
    if (row?.admitted === undefined) return;
    this.row.counts.update = (this.row.counts.update ?? 0) - 1;
    this.updates.set(row.acceptedEventId, undefined);
  }

  updateCompleted(acceptedEventId: number, completedEventId: number): void {
    const update = this.updates.get(acceptedEventId);
    if (update !== undefined) this.updates.set(acceptedEventId, { ...update, completedEventId });
  }

  // ---------------------------------------------------------------- the rest

  /** A speculative task gets the events it was promised, and is one like any other from now on. Returns the task as it is then. */
  keepTask(): WorkflowTaskRow | undefined {
    const { task } = this.row;
    if (task?.speculative !== true) return task;
    const { speculative: _not, ...rest } = task;
    // Routes may have changed since it was offered.
    const kept = task.startedEventId === 0 ? { ...rest, version: routeOfRun(this) } : rest;
    const scheduled = scheduledAttributes(this.start, kept);
    const id = this.add(EventType.WORKFLOW_TASK_SCHEDULED, scheduled, undefined, task.scheduledTime);
    if (id !== task.scheduledEventId) {
      throw new Error(`run ${this.runId}: event ${id} was promised as ${task.scheduledEventId} to a speculative task`);
    }
    if (task.startedEventId !== 0) {
      this.add(EventType.WORKFLOW_TASK_STARTED, startedAttributes(kept), undefined, task.startedTime);
      const { session, scheduledEventId } = kept;
      if (session !== undefined && kept.startId !== undefined) {
        this.turn.effects.push({ type: 'taskKept', session, kind: 'workflow', runId: this.runId, scheduledEventId });
      }
    } else if (!isPaused(this)) {
      const offerOf = (of: WorkflowTaskRow) => workflowOffer(this.turn.state, this.runId, this.start, of);
      if (task.version !== kept.version) this.turn.effects.push({ type: 'withdrawTask', offer: offerOf(task) });
      this.turn.effects.push({ type: 'offerTask', offer: offerOf(kept) });
    }
    this.setTask(kept);
    return kept;
  }

  setTask(task: WorkflowTaskRow | undefined): void {
    this.row.task = task;
  }

  /** A closed run has no pending rows: they go in the turn that closes it. */
  dropPending(): void {
    for (const { facts } of this.activities()) this.activityClosed(facts.scheduledEventId);
    for (const { startedEventId } of this.timers()) this.timerClosed(startedEventId);
    this.dropRelated();
    for (const { updateId, admitted } of this.#updates?.values() ?? this.#base?.updates?.values() ?? [])
      if (admitted !== undefined) this.dropAdmitted(updateId);
    this.dropBuffered();
  }

  /** Heartbeats and starts of activities touch the activity's row alone, a speculative task none. */
  #rowChanged(): boolean {
    const before = this.#base?.row;
    if (before === undefined || this.events.length > 0 || this.#dropped.length > 0) return true;
    return isRewritten(this.row, before);
  }

  /** Adds its rows; returns its events, if there are any. */
  finish(rows: RowChange[]): RunEvents | undefined {
    const { runId } = this;
    if (this.isOpen && this.asked.length > 0) this.turn.effects.push(...this.asked);
    this.row.counts.buffered = this.bufferedCount;
    if (this.#activities !== undefined) this.#showPauses(this.#activities.values());
    const speculative = this.row.task?.speculative === true ? this.row.task : undefined;
    if (speculative !== undefined) this.row.task = undefined;
    if (speculative !== this.#base?.speculative) this.turn.setSpeculative(runId, speculative);
    if (this.#rowChanged()) {
      this.row.transitions += 1;
      rows.push({ table: 'run', runId, id: '', value: this.row });
    }
    for (const [id, value] of this.#activities ?? []) {
      const before = this.#base?.activities.get(id);
      if (value !== undefined || before !== undefined) rows.push(...activityChanges(runId, id, before, value));
    }
    for (const [id, value] of this.#timers ?? []) {
      if (value !== undefined || this.#base?.timers.has(id) === true) {
        rows.push({ table: 'timer', runId, id: String(id), value });
      }
    }
    this.finishRelated(runId, rows);
    this.#updates?.finish('update', runId, rows);
    for (const id of this.#dropped) rows.push({ table: 'buffered', runId, id: String(id), value: undefined });
    for (const entry of this.#buffer ?? []) {
      if (!entry.stored) rows.push({ table: 'buffered', runId, id: String(entry.id), value: entry.row });
    }
    return this.events.length === 0 ? undefined : { runId, events: this.events };
  }
}
