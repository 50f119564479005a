// One turn's draft: a copy-on-write overlay over the state. Messages and commands write through it; `outcome` collects rows, events,
// effects and visibility. The state itself is never touched, so a draft can be thrown away (a refused completion is).

import type { Status } from '../../wire/status.ts';
import { added } from '../lists.ts';
import { enforceBounds } from './bounds.ts';
import type { CallbackRow } from './callbacks.ts';
import type { Limits } from './limits.ts';
import type { Effect, Outcome, Reply, RowChange, RunEvents, TurnContext, VisibilityChange } from './outcome.ts';
import {
  type ChainRow,
  chunkRowId,
  REQUEST_ROW_PREFIX,
  type RequestRow,
  type RunRow,
  type StartRow,
  type WorkflowTaskRow,
} from './rows.ts';
import { RunDraft } from './run-draft.ts';
import { concludeStandalone } from './standalone.ts';
import type { ActorState, RunState, WaitingQuery } from './state.ts';
import { executionInfo, shownBefore } from './visibility.ts';
import { MapOverlay, type PendingUpdate, type VolatileChanges } from './volatile.ts';

/** About this many expired rows of either kind are deleted in one turn, so that no turn pays for all. */
const MAX_EXPIRIES_PER_TURN = 4;

export class Turn {
  readonly state: ActorState;
  readonly context: TurnContext;
  readonly effects: Effect[] = [];
  readonly #rows: RowChange[] = [];
  #drafts: RunDraft[] | undefined;
  /** One whose run is gone when this turn ends, and when what was asked of its workflow id may be forgotten. */
  #removed: RunDraft | undefined;
  forgetAt: number | undefined;
  readonly #queries: MapOverlay<WaitingQuery>;
  /** By update id. */
  readonly updates: MapOverlay<PendingUpdate>;
  /** Callbacks that are not called yet or not answered, by row id. */
  readonly callbacks: MapOverlay<CallbackRow>;
  #speculative: VolatileChanges<WaitingQuery>['speculative'];

  constructor(state: ActorState, context: TurnContext) {
    this.state = state;
    this.context = context;
    this.#queries = new MapOverlay(state.queries);
    this.updates = new MapOverlay(state.updates);
    this.callbacks = new MapOverlay(state.callbacks);
  }

  get now(): number {
    return this.context.now;
  }

  get limits(): Limits {
    return this.context.limits;
  }

  /** The draft of a run that exists; one per run and turn. */
  open(run: RunState): RunDraft {
    const draft = RunDraft.of(this, run);
    this.#drafts = added(this.#drafts, draft);
    return draft;
  }

  /** The draft of a run that begins in this turn. */
  begin(runId: string, start: StartRow, row: RunRow): RunDraft {
    const draft = RunDraft.begin(this, runId, start, row);
    this.#drafts = added(this.#drafts, draft);
    this.#rows.push({ table: 'run', runId, id: 'start', value: start });
    return draft;
  }

  /** The run is gone when this turn ends: nothing of it is written, and nothing is shown. */
  remove(draft: RunDraft): void {
    this.#removed = draft;
    draft.visible = true;
  }

  setChain(row: ChainRow): void {
    this.#rows.push({ table: 'chain', runId: '', id: '', value: row });
  }

  /**
   * Whether one more request may come that has to be remembered: none is forgotten before its time (never a second application).
   *
   * @param share of limits.requestIdsAtOnce that there may be
   */
  canRemember(share: number): boolean {
    const { pace } = this.state;
    const { requestIdsAtOnce, requestIdsPerTtl, requestIdTtl } = this.limits;
    const most = share * requestIdsAtOnce;
    return pace === undefined || pace.cost < most || pace.level(this.now, requestIdsPerTtl / requestIdTtl) < most;
  }

  /** Once a turn: this request id was applied to this run. */
  remember(requestId: string, runId: string): void {
    if (requestId === '') return;
    const [number, row] = this.state.applied.with(requestId, runId, this.now, this.limits.requestIdTtl);
    this.#rows.push({ table: 'chain', runId: '', id: chunkRowId(number), value: row });
    this.#forget(number, undefined);
  }

  /** In a turn that remembers nothing else: these were applied to this run. */
  rememberAll(requestIds: readonly string[], runId: string): void {
    const rows = this.state.applied.withAll(requestIds, runId, this.now);
    for (const [number, value] of rows) this.#rows.push({ table: 'chain', runId: '', id: chunkRowId(number), value });
    // As many go as come: a chain that closes run after run keeps no more than those of its last minutes.
    if (rows.length > 0) this.#forget(undefined, undefined, rows.length);
  }

  /** Once a turn: this start began a run that is not the current one any more. */
  rememberStart(requestId: string, row: RequestRow): void {
    if (requestId === '') return;
    this.#rows.push({ table: 'chain', runId: '', id: REQUEST_ROW_PREFIX + requestId, value: row });
    this.#forget(undefined, requestId);
  }

  /** Whether requests that were applied before this turn are still to be remembered. */
  get remembers(): boolean {
    const { applied, requests } = this.state;
    const isNotOver = (row: { at: number }): boolean => !this.#isOver(row);
    return [...requests.values()].some(isNotOver) || Array.from(applied.entries(), ([, row]) => row).some(isNotOver);
  }

  /** Of a workflow id without a run: all whose time is over go, and with the last of them the row that led to them. */
  forgetOver(): void {
    const { applied, requests } = this.state;
    const chunks = Array.from(applied.entries()).filter(([, row]) => this.#isOver(row));
    const starts = [...requests].filter(([, row]) => this.#isOver(row));
    for (const [number] of chunks) this.deleteRow({ table: 'chain', runId: '', id: chunkRowId(number) });
    for (const [id] of starts.sort(([a], [b]) => (a < b ? -1 : 1)))
      this.deleteRow({ table: 'chain', runId: '', id: REQUEST_ROW_PREFIX + id });
    const gone = chunks.length + starts.length;
    if (gone > 0 && gone === applied.chunks + requests.size && !this.hasCallbacks)
      this.deleteRow({ table: 'chain', runId: '', id: '' });
  }

  /** A few of the oldest whose time is over go; not what this turn writes. */
  #forget(writtenChunk: number | undefined, writtenStart: string | undefined, written = 0): void {
    let left = MAX_EXPIRIES_PER_TURN + written;
    for (const [number, row] of this.state.applied.entries()) {
      if (left === 0 || !this.#isOver(row)) break;
      left -= 1;
      if (number !== writtenChunk) this.deleteRow({ table: 'chain', runId: '', id: chunkRowId(number) });
    }
    for (const id of this.#expiredStarts()) {
      if (id !== writtenStart) this.deleteRow({ table: 'chain', runId: '', id: REQUEST_ROW_PREFIX + id });
    }
  }

  /** A few of the oldest, and whatever is as old as they are: the same ones however the map is ordered (I4). */
  #expiredStarts(): string[] {
    const expired: string[] = [];
    let newest = Number.NEGATIVE_INFINITY;
    for (const [id, row] of this.state.requests) {
      if (!this.#isOver(row)) break;
      if (expired.length >= MAX_EXPIRIES_PER_TURN && row.at > newest) break;
      newest = row.at;
      expired.push(id);
    }
    return expired.sort();
  }

  #isOver({ at }: { at: number }): boolean {
    return at + this.limits.requestIdTtl <= this.now;
  }

  putRow(change: RowChange): void {
    this.#rows.push(change);
  }

  deleteRow(change: Omit<RowChange, 'value'>): void {
    this.#rows.push({ ...change, value: undefined });
  }

  setQuery(query: WaitingQuery): void {
    this.#queries.set(query.queryId, query);
  }

  removeQuery(queryId: string): void {
    this.#queries.set(queryId, undefined);
  }

  /** Waiting queries of a run as of this turn, oldest first. */
  queriesOf(runId: string): WaitingQuery[] {
    if (this.#queries.isEmpty) return [];
    return [...this.#queries.values()].filter((query) => query.runId === runId);
  }

  /** Updates of a run that are not accepted yet, or that somebody waits for, oldest first. */
  updatesOf(runId: string): PendingUpdate[] {
    if (this.updates.isEmpty) return [];
    return [...this.updates.values()].filter((update) => update.runId === runId);
  }

  /** The run's task exists in memory only, or not any more. */
  setSpeculative(runId: string, task: WorkflowTaskRow | undefined): void {
    this.#speculative = { runId, task };
  }

  /** The run that the one which begins in this turn takes the place of. */
  #previous(): VisibilityChange['previous'] {
    const { run } = this.state;
    return run && { runId: run.runId, startTime: run.start.startTime };
  }

  outcome(reply: Reply, refusal?: Status): Outcome {
    const rows = this.#rows;
    let events: RunEvents[] | undefined;
    let visibility: VisibilityChange[] | undefined;
    // A started task is on its way to a worker: its run ends with a later turn, if it must.
    const started = reply.type === 'workflowTaskStarted' || reply.type === 'activityTaskStarted';
    for (const draft of this.#drafts ?? []) {
      concludeStandalone(draft);
      if (!started) enforceBounds(draft);
      const gone = draft === this.#removed;
      const written: RowChange[] = [];
      const happened = draft.finish(gone ? written : rows);
      if (happened !== undefined) events = added(events, happened);
      if (gone) rows.push(...written.filter(({ value }) => value === undefined));
      if (draft.visible) {
        const info = executionInfo(this.state, draft.runId, draft.start, draft.row);
        const before = shownBefore(info, draft.row, draft.before);
        const previous = before === undefined ? this.#previous() : undefined;
        const change: VisibilityChange = gone
          ? { info, before, previous, gone, forgetAt: this.forgetAt }
          : { info, before, previous };
        visibility = added(visibility, change);
      }
    }
    this.#finishCallbacks();
    const outcome: Outcome = {
      ok: true,
      rows,
      events: events ?? [],
      effects: this.effects,
      reply,
      visibility: visibility ?? [],
    };
    if (refusal !== undefined) outcome.refusal = refusal;
    const volatile = this.#volatile();
    if (volatile !== undefined) outcome.volatile = volatile;
    return outcome;
  }

  get hasCallbacks(): boolean {
    const [one] = this.callbacks.values();
    return one !== undefined;
  }

  #finishCallbacks(): void {
    const changes = this.callbacks.changes();
    if (changes === undefined) return;
    const { chain, callbacks, requests, applied } = this.state;
    // The last one that a workflow id without a current run was kept for.
    if (chain === undefined && callbacks.size > 0 && !this.hasCallbacks && requests.size + applied.size === 0)
      this.deleteRow({ table: 'chain', runId: '', id: '' });
    for (const id of changes.remove)
      if (this.state.callbacks.has(id)) this.deleteRow({ table: 'chain', runId: '', id });
    for (const [id, value] of changes.set) this.#rows.push({ table: 'chain', runId: '', id, value });
  }

  #volatile(): VolatileChanges<WaitingQuery> | undefined {
    const queries = this.#queries.changes();
    const updates = this.updates.changes();
    const speculative = this.#speculative;
    if (queries === undefined && updates === undefined && speculative === undefined) return undefined;
    return { queries, updates, speculative };
  }
}

/** A turn that changes nothing. */
export const nothing = (reply: Reply): Outcome => ({
  ok: true,
  rows: [],
  events: [],
  effects: [],
  reply,
  visibility: [],
});
