// The state of one actor: its rows, decoded, with indexes over them, and what is volatile (volatile.ts). state = load(rows) (I4).
// Only load and evolve write to it; decide reads it through a turn's draft.

import { isOpenStatus } from '../../wire/enums.ts';
import type { HistoryEvent } from '../../wire/event.ts';
import type { WorkflowQuery } from '../../wire/workflow-task.ts';
import type { FlowActor } from '../flow/rows.ts';
import type { ScheduleActor } from '../schedule/rows.ts';
import { type ActivityInputRow, inputRowOf, withInput } from './activity-rows.ts';
import { CALLBACK_ROW_PREFIX, type CallbackRow, callbackDeadline } from './callbacks.ts';
import { activityOffer, workflowOffer } from './offers.ts';
import { operationsDue } from './operation-deadlines.ts';
import { isWaiting, OPERATION_TASKS, type OperationRow, operationTask, taskEventId } from './operation-rows.ts';
import { operationOffer, startedOperationTask } from './operations.ts';
import type { StartedActivityTask, StartedWorkflowTask, TaskOffer } from './outcome.ts';
import { isPaused } from './paused.ts';
import { applyRemembered } from './remembered.ts';
import { RequestIds } from './request-ids.ts';
import type { RequestPace } from './request-pace.ts';
import { NO_ROWS, rowsOf, withoutRow, withRow } from './row-maps.ts';
import {
  type ActivityRow,
  type BufferedRow,
  type ChainRow,
  type ChildRow,
  chunkOf,
  type ExternalRow,
  type RequestChunkRow,
  type RequestRow,
  type RunRow,
  START_ROW_ID,
  type StartRow,
  type StoredRow,
  type TimerRow,
  type UpdateRow,
  type WorkflowTaskRow,
} from './rows.ts';
import { sizeOf } from './size.ts';
import { startedActivityTask, startedWorkflowTask, unwrittenEvents } from './started.ts';
import { activityDeadline, isOffered, runDeadline, speculativeDeadline } from './timeouts.ts';
import type { PendingUpdate } from './volatile.ts';

export type { StoredRow } from './rows.ts';

export interface RunState {
  readonly runId: string;
  start: StartRow;
  row: RunRow;
  activities: ReadonlyMap<number, ActivityRow>;
  timers: ReadonlyMap<number, TimerRow>;
  children: ReadonlyMap<number, ChildRow>;
  externals: ReadonlyMap<number, ExternalRow>;
  operations: ReadonlyMap<number, OperationRow>;
  /** In order of arrival. */
  buffered: ReadonlyMap<number, BufferedRow>;
  /** Accepted updates, in the order of their acceptance; absent while there are none. */
  updates?: Map<number, UpdateRow> | undefined;
  updateIds?: Map<string, number> | undefined;
  /** Callbacks that need no more calling, by number; absent while there are none. */
  callbacks?: Map<number, CallbackRow> | undefined;
  /** Volatile (I4): a task for updates alone, while `row.task` is absent. */
  speculative?: WorkflowTaskRow | undefined;
  /** Indexes over the above. */
  activityIds: ReadonlyMap<string, number>;
  timerIds: ReadonlyMap<string, number>;
  /** Earliest deadline among activities and among timers, epoch ms; Infinity: none, undefined: to be computed. */
  activityDue: number | undefined;
  timerDue: number | undefined;
}

export interface WaitingQuery {
  queryId: string;
  runId: string;
  query: WorkflowQuery;
  /** `waiting`: for a workflow task to ride on; `riding`: on the started one; `direct`: handed to a worker by itself. */
  mode: 'waiting' | 'riding' | 'direct';
}

export interface ActorState {
  readonly namespace: string;
  readonly workflowId: string;
  chain: ChainRow | undefined;
  /** Starts of earlier runs by request id, oldest first. */
  requests: ReadonlyMap<string, RequestRow>;
  /** The other requests that were applied. */
  applied: RequestIds;
  /** How fast they came. */
  pace: RequestPace | undefined;
  /** The current run; closed or open. */
  run: RunState | undefined;
  /** Closed earlier runs that the shard loaded to answer about them. Never written. */
  earlier: ReadonlyMap<string, RunState>;
  /** Volatile (I4): an actor holding any is not passivated. */
  queries: ReadonlyMap<string, WaitingQuery>;
  /** Volatile likewise; by update id, of the current run. */
  updates: ReadonlyMap<string, PendingUpdate>;
  /** Callbacks of the open run, and of closed ones that have not answered yet; by row id. */
  callbacks: ReadonlyMap<string, CallbackRow>;
  /** The actor is a schedule's (src/core/schedule): all else here is empty. */
  schedule?: ScheduleActor | undefined;
  /** The actor is a flow-control key's (src/core/flow), likewise. */
  flow?: FlowActor | undefined;
}

export const emptyState = (namespace: string, workflowId: string): ActorState => ({
  namespace,
  workflowId,
  chain: undefined,
  requests: NO_ROWS,
  applied: new RequestIds(),
  pace: undefined,
  run: undefined,
  earlier: NO_ROWS,
  queries: NO_ROWS,
  updates: NO_ROWS,
  callbacks: NO_ROWS,
});

export const newRunState = (runId: string, start: StartRow, row: RunRow): RunState => ({
  runId,
  start,
  row,
  activities: NO_ROWS,
  timers: NO_ROWS,
  children: NO_ROWS,
  externals: NO_ROWS,
  operations: NO_ROWS,
  buffered: NO_ROWS,
  activityIds: NO_ROWS,
  timerIds: NO_ROWS,
  activityDue: undefined,
  timerDue: undefined,
});

interface LoosePieces {
  start?: StartRow;
  row?: RunRow;
  activities: [number, ActivityRow][];
  /** Of the activities that are stored without: by scheduledEventId. */
  inputs: Map<number, ActivityInputRow>;
  timers: [number, TimerRow][];
  children: [number, ChildRow][];
  externals: [number, ExternalRow][];
  buffered: [number, BufferedRow][];
  updates: [number, UpdateRow][];
  callbacks: [number, CallbackRow][];
  operations: [number, OperationRow][];
}

const noPieces = (): LoosePieces => ({
  activities: [],
  inputs: new Map(),
  timers: [],
  children: [],
  externals: [],
  buffered: [],
  updates: [],
  callbacks: [],
  operations: [],
});

const COUNTED = ['activity', 'timer', 'buffered', 'child', 'signal', 'cancel', 'update', 'operation'] as const;

function assemble(workflowId: string, runId: string, pieces: LoosePieces): RunState {
  const where = `workflow ${workflowId}, run ${runId}`;
  if (pieces.start === undefined || pieces.row === undefined) {
    throw new Error(
      `${where}: the ${pieces.row === undefined ? 'execution' : 'start'} row is missing: the shard's rows are damaged`,
    );
  }
  const state = newRunState(runId, pieces.start, pieces.row);
  const byId = (a: [number, unknown], b: [number, unknown]) => a[0] - b[0];
  for (const piece of pieces.activities) {
    const [id, row] = piece;
    if (row.apart !== true) continue;
    const input = pieces.inputs.get(id);
    if (input === undefined) {
      throw new Error(`${where}: the input row of activity ${id} is missing: the shard's rows are damaged`);
    }
    piece[1] = withInput(row, input);
  }
  state.activities = rowsOf(pieces.activities.sort(byId));
  state.timers = rowsOf(pieces.timers.sort(byId));
  state.children = rowsOf(pieces.children.sort(byId));
  state.externals = rowsOf(pieces.externals.sort(byId));
  state.operations = rowsOf(pieces.operations.sort(byId));
  state.buffered = rowsOf(pieces.buffered.sort(byId));
  for (const [, row] of pieces.updates.sort(byId)) putUpdate(state, row);
  if (pieces.callbacks.length > 0) state.callbacks = new Map(pieces.callbacks.sort(byId));
  for (const [id, row] of state.activities) state.activityIds = withRow(state.activityIds, row.facts.activityId, id);
  for (const [id, row] of state.timers) state.timerIds = withRow(state.timerIds, row.timerId, id);
  const { counts } = pieces.row;
  let signals = 0;
  for (const { kind } of state.externals.values()) if (kind === 'signal') signals += 1;
  const found = {
    activity: state.activities.size,
    timer: state.timers.size,
    buffered: state.buffered.size,
    child: state.children.size,
    signal: signals,
    cancel: state.externals.size - signals,
    update: pieces.updates.length,
    operation: pieces.operations.length,
  };
  for (const what of COUNTED) {
    const counted = counts[what] ?? 0;
    if (counted !== found[what]) {
      throw new Error(
        `${where}: ${found[what]} ${what} rows where the execution row counts ${counted}: the shard's rows are damaged`,
      );
    }
  }
  return state;
}

/**
 * The state that these rows hold: the chain rows and those of the current run, and of any earlier runs that are wanted. With rows of
 * earlier runs only (no row of the current one), the state answers describe for them and nothing else.
 * Throws when a row has vanished.
 */
export function load(namespace: string, workflowId: string, rows: Iterable<StoredRow>): ActorState {
  const state = emptyState(namespace, workflowId);
  const runs = new Map<string, LoosePieces>();
  const requests: [string, RequestRow][] = [];
  const chunks: [string, RequestChunkRow][] = [];
  const callbacks: [string, CallbackRow][] = [];
  for (const { table, runId, id, value } of rows) {
    if (table === 'chain') {
      // The table's name and the id determine the value's type; rows are written by this module alone and carry a checksum.
      if (id === '') state.chain = currentChain(value as ChainRow);
      else if (chunkOf(id) !== undefined) chunks.push([id, value as RequestChunkRow]);
      else if (id.startsWith(CALLBACK_ROW_PREFIX)) callbacks.push([id, value as CallbackRow]);
      else requests.push([id, value as RequestRow]);
      continue;
    }
    let pieces = runs.get(runId);
    if (pieces === undefined) runs.set(runId, (pieces = noPieces()));
    if (table === 'run') {
      if (id === START_ROW_ID) pieces.start = value as StartRow;
      else pieces.row = value as RunRow;
    } else if (table === 'activity') {
      const inputOf = inputRowOf(id);
      if (inputOf === undefined) pieces.activities.push([Number(id), value as ActivityRow]);
      else pieces.inputs.set(inputOf, value as ActivityInputRow);
    } else if (table === 'timer') pieces.timers.push([Number(id), value as TimerRow]);
    else if (table === 'child') pieces.children.push([Number(id), value as ChildRow]);
    else if (table === 'external') pieces.externals.push([Number(id), value as ExternalRow]);
    else if (table === 'update') pieces.updates.push([Number(id), value as UpdateRow]);
    else if (table === 'operation') pieces.operations.push([Number(id), value as OperationRow]);
    else if (table === 'callback') pieces.callbacks.push([Number(id), value as CallbackRow]);
    else if (table === 'buffered') pieces.buffered.push([Number(id), value as BufferedRow]);
    else throw new Error(`workflow ${workflowId}: row of table ${table}, which this version does not write`);
  }
  state.callbacks = rowsOf(callbacks);
  // Their ids are in the order of their numbers.
  for (const [id, row] of chunks.sort(byText)) applyRemembered(state, id, row);
  for (const [id, row] of requests.sort((a, b) => a[1].at - b[1].at || byText(a, b))) applyRemembered(state, id, row);
  for (const [runId, pieces] of runs) {
    const run = assemble(workflowId, runId, pieces);
    if (state.chain?.currentRunId === runId) state.run = run;
    else state.earlier = withRow(state.earlier, runId, run);
  }
  for (const row of state.run?.updates?.values() ?? []) keepAdmitted(state, state.run?.runId ?? '', row);
  if (state.chain !== undefined && state.run === undefined && state.earlier.size === 0) {
    throw new Error(`workflow ${workflowId}: the rows of its current run ${state.chain.currentRunId} are missing`);
  }
  return state;
}

const byText = ([a]: readonly [string, object], [b]: readonly [string, object]): number => (a < b ? -1 : 1);

/** Undefined: the current run was deleted. */
export const currentChain = (row: ChainRow | undefined): ChainRow | undefined =>
  row?.currentRunId === '' ? undefined : row;

/** What waits for a workflow task though nobody's call does: it is in rows. */
export function keepAdmitted(state: ActorState, runId: string, { updateId, admitted: request }: UpdateRow): void {
  if (request === undefined) return;
  const update = { updateId, runId, request, bytes: sizeOf(request), calls: [], kept: true } as const;
  state.updates = withRow(state.updates, updateId, { ...update, stage: 'admitted' });
}

export function dropUpdate(run: RunState, id: number): void {
  const row = run.updates?.get(id);
  run.updates?.delete(id);
  if (row !== undefined && run.updateIds?.get(row.updateId) === id) run.updateIds.delete(row.updateId);
}

export function putUpdate(run: RunState, row: UpdateRow): void {
  run.updates ??= new Map();
  run.updateIds ??= new Map();
  run.updates.set(row.acceptedEventId, row);
  run.updateIds.set(row.updateId, row.acceptedEventId);
}

/** An accepted one. */
export function updateById(run: RunState, updateId: string): UpdateRow | undefined {
  const id = run.updateIds?.get(updateId);
  const row = id === undefined ? undefined : run.updates?.get(id);
  return row?.admitted === undefined ? row : undefined;
}

/** The workflow task that waits or runs, whether it is in rows or speculative. */
export const taskOf = (run: RunState): WorkflowTaskRow | undefined => run.row.task ?? run.speculative;

/** Earlier runs an actor keeps in memory at once. */
const MAX_EARLIER_RUNS = 4;

/** Adds a closed earlier run to a live state, so that query, cancel and describe can speak of it. */
export function adopt(state: ActorState, runId: string, rows: Iterable<StoredRow>): void {
  const loaded = load(state.namespace, state.workflowId, rows).earlier.get(runId);
  if (loaded === undefined || runId === state.run?.runId) return;
  for (const oldest of state.earlier.keys()) {
    if (state.earlier.size < MAX_EARLIER_RUNS) break;
    state.earlier = withoutRow(state.earlier, oldest);
  }
  state.earlier = withRow(state.earlier, runId, loaded);
}

export const currentRunId = (state: ActorState): string | undefined => state.chain?.currentRunId;

export const isOpen = (run: RunState): boolean => isOpenStatus(run.row.facts.status);

export function findRun(state: ActorState, runId: string | undefined): RunState | undefined {
  if (runId === undefined || runId === '' || runId === state.run?.runId) return state.run;
  return state.earlier.get(runId);
}

/** The run that its chain began with. */
export const firstOf = ({ runId, start }: RunState): string => start.attributes.firstExecutionRunId ?? runId;

/** Epoch ms at which a `timer` message is due; undefined: never. Deadlines are data: asking again after any turn is enough (I7). */
export function nextDeadline(state: ActorState): number | undefined {
  const due = Math.min(openDeadline(state.run), state.callbacks.size === 0 ? NEVER : callbackDeadline(state));
  return due === NEVER ? undefined : due;
}

const NEVER = Number.POSITIVE_INFINITY;

/** Infinity: nothing of the run falls due. */
function openDeadline(run: RunState | undefined): number {
  if (run === undefined || !isOpen(run)) return NEVER;
  if (run.activityDue === undefined) {
    run.activityDue = NEVER;
    for (const activity of run.activities.values())
      run.activityDue = Math.min(run.activityDue, activityDeadline(activity).at);
  }
  if (run.timerDue === undefined) {
    run.timerDue = NEVER;
    for (const timer of run.timers.values()) run.timerDue = Math.min(run.timerDue, timer.fireTime);
  }
  return Math.min(runDeadline(run.row), run.activityDue, run.timerDue, operationsDue(run.operations.values()));
}

/** Epoch ms at which a `timer` message is due that no row asks for: that of a speculative task. */
export const volatileDeadline = ({ run }: ActorState): number | undefined =>
  run?.speculative === undefined ? undefined : speculativeDeadline(run.speculative);

/** False while it holds what rows do not. */
export const isPassivatable = (state: ActorState): boolean =>
  state.queries.size === 0 && !holdsUpdates(state) && state.run?.speculative === undefined;

function holdsUpdates({ updates }: ActorState): boolean {
  for (const { kept, stage, calls } of updates.values())
    if (kept !== true || stage !== 'admitted' || calls.length > 0) return true;
  return false;
}

/** The tasks that wait for a worker: what the shard offers again after a recovery. */
export function waitingOffers(state: ActorState): TaskOffer[] {
  const { run } = state;
  if (run === undefined || !isOpen(run) || isPaused(run)) return [];
  const offers: TaskOffer[] = [];
  const task = taskOf(run);
  if (task !== undefined && task.startId === undefined && task.notBefore === undefined) {
    offers.push(workflowOffer(state, run.runId, run.start, task));
  }
  for (const activity of run.activities.values()) {
    if (isOffered(activity)) offers.push(activityOffer(state, run.runId, run.start, activity));
  }
  for (const { row, kind, task } of operationTasks(run)) {
    if (isWaiting(task)) offers.push(operationOffer(state, run.runId, run.start, row, kind, task));
  }
  return offers;
}

export interface StartedTaskRef {
  kind: 'workflow' | 'activity';
  session: string;
  runId: string;
  scheduledEventId: number;
  attempt: number;
  startId: { term: number; seq: number };
}

/** The tasks that are started, with the session each is started for: what a resuming worker's list is compared with. */
export function startedTasks(state: ActorState): StartedTaskRef[] {
  const { run } = state;
  if (run === undefined || !isOpen(run)) return [];
  const tasks: StartedTaskRef[] = [];
  const { runId } = run;
  const task = taskOf(run);
  if (task?.startId !== undefined) {
    const { scheduledEventId, attempt, startId, session = '' } = task;
    tasks.push({ kind: 'workflow', session, runId, scheduledEventId, attempt, startId });
  }
  for (const [scheduledEventId, { attempt, startId, session = '' }] of run.activities) {
    if (startId !== undefined) tasks.push({ kind: 'activity', session, runId, scheduledEventId, attempt, startId });
  }
  for (const { row, kind, task } of operationTasks(run)) {
    const { startId, attempt, session = '' } = task;
    const scheduledEventId = taskEventId(row, kind);
    if (startId !== undefined) tasks.push({ kind: 'activity', session, runId, scheduledEventId, attempt, startId });
  }
  return tasks;
}

function* operationTasks(run: RunState) {
  for (const row of run.operations.values()) {
    for (const kind of OPERATION_TASKS) {
      const task = row[kind];
      if (task !== undefined) yield { row, kind, task };
    }
  }
}

/** Events of the current run's workflow task that are not in history yet. */
export function unwrittenOf({ run }: ActorState): HistoryEvent[] {
  return run === undefined || !isOpen(run) ? [] : unwrittenEvents(run.start, run.row, taskOf(run));
}

/**
 * What was, or is to be, pushed for a started task; the same every time it is asked. Undefined when it is not started (any more), or
 * not for this session, if one is named.
 */
export function startedTask(
  state: ActorState,
  kind: 'workflow' | 'activity',
  runId: string,
  scheduledEventId: number,
  session?: string,
): StartedWorkflowTask | StartedActivityTask | undefined {
  const { run } = state;
  if (run === undefined || run.runId !== runId || !isOpen(run)) return undefined;
  if (kind === 'activity') {
    const operation = operationTask(run.operations.values(), scheduledEventId);
    if (operation !== undefined) {
      const { row, kind: of, task } = operation;
      const isMeant = session === undefined || task.session === session;
      return isMeant ? startedOperationTask(state, runId, run.start, row, of, task) : undefined;
    }
    const activity = run.activities.get(scheduledEventId);
    return activity?.startId === undefined || (session !== undefined && activity.session !== session)
      ? undefined
      : startedActivityTask(runId, run.start, run.row, activity, activity.startId);
  }
  const task = taskOf(run);
  if (task?.startId === undefined || task.scheduledEventId !== scheduledEventId) return undefined;
  if (session !== undefined && task.session !== session) return undefined;
  const riding = [...state.queries.values()].filter((query) => query.mode === 'riding');
  const sent = [...state.updates.values()].filter((update) => update.stage === 'sent');
  return startedWorkflowTask(runId, run.start, run.row, task, task.startId, { queries: riding, updates: sent });
}
