// Applies an outcome to the state: rows by table, and what is volatile. Reuses its argument; row values are shared with
// the outcome and never mutated afterwards.

import { type ActivityInputRow, inputRowOf, withInput } from './activity-rows.ts';
import { CALLBACK_ROW_PREFIX, type CallbackRow } from './callbacks.ts';
import type { OperationRow } from './operation-rows.ts';
import type { Outcome, RowChange } from './outcome.ts';
import { applyRemembered } from './remembered.ts';
import { withoutRow, withRow } from './row-maps.ts';
import {
  type ActivityRow,
  type BufferedRow,
  type ChainRow,
  type ChildRow,
  type ExternalRow,
  type RunRow,
  START_ROW_ID,
  type StartRow,
  type TimerRow,
  type UpdateRow,
} from './rows.ts';
import {
  type ActorState,
  currentChain,
  dropUpdate,
  findRun,
  newRunState,
  putUpdate,
  type RunState,
  type WaitingQuery,
} from './state.ts';
import { activityDeadline } from './timeouts.ts';
import type { MapChanges, VolatileChanges } from './volatile.ts';

/** Rows that go into others of the same outcome: few have any. */
interface Aside {
  starts?: Map<string, StartRow>;
  /** By scheduledEventId. */
  inputs?: Map<number, ActivityInputRow>;
}

export function evolve(state: ActorState, outcome: Outcome): ActorState {
  // The chain first: it says which of the runs below is the current one.
  const chain = outcome.rows.find(({ table, id }) => table === 'chain' && id === '');
  if (chain !== undefined) applyChain(state, currentChain(chain.value as ChainRow | undefined));
  const aside: Aside = {};
  for (const change of outcome.rows) {
    if (change.table === 'chain') {
      if (change.id !== '') applyRequest(state, change);
    } else if (change.table === 'run' && change.id === START_ROW_ID) {
      if (change.value !== undefined) (aside.starts ??= new Map()).set(change.runId, change.value as StartRow);
    } else if (change.value === undefined && change.table === 'run') {
      state.earlier = withoutRow(state.earlier, change.runId);
      if (state.run?.runId === change.runId) state.run = undefined;
    } else {
      applyRunRow(state, change, aside);
    }
  }
  if (outcome.volatile !== undefined) applyVolatile(state, outcome.volatile);
  return state;
}

function applyVolatile(state: ActorState, changes: object): void {
  // Only turn.ts makes this value.
  const { queries, updates, speculative } = changes as VolatileChanges<WaitingQuery>;
  state.queries = applied(state.queries, queries);
  state.updates = applied(state.updates, updates);
  if (speculative !== undefined && state.run?.runId === speculative.runId) state.run.speculative = speculative.task;
}

function applyChain(state: ActorState, chain: ChainRow | undefined): void {
  state.chain = chain;
  if (chain?.currentRunId !== state.run?.runId) state.run = undefined;
}

function applyRequest(state: ActorState, { id, value }: RowChange): void {
  if (id.startsWith(CALLBACK_ROW_PREFIX)) {
    state.callbacks = changed(state.callbacks, id, value as CallbackRow | undefined);
    return;
  }
  applyRemembered(state, id, value);
}

/** Row values are what decide wrote for this table: the casts below name the table's type. */
function applyRunRow(state: ActorState, change: RowChange, aside: Aside): void {
  const { table, runId, id, value } = change;
  if (table === 'callback') {
    // Of an earlier run as often as of the current one; those that are not in memory have it on disk.
    const of = findRun(state, runId);
    if (of !== undefined && value !== undefined) (of.callbacks ??= new Map()).set(Number(id), value as CallbackRow);
    return;
  }
  if (runId !== state.chain?.currentRunId) return; // A run that closed in this turn and has a successor.
  if (table === 'run') {
    const start = aside.starts?.get(runId);
    if (state.run === undefined) {
      if (start === undefined) throw new Error(`run ${runId} appears without a start row`);
      state.run = newRunState(runId, start, value as RunRow);
    } else {
      state.run.row = value as RunRow;
    }
    return;
  }
  const { run } = state;
  if (run === undefined) throw new Error(`a ${table} row of run ${runId} came before its execution row`);
  if (table === 'activity') {
    const inputOf = inputRowOf(id);
    const input = aside.inputs?.get(Number(id));
    if (inputOf === undefined) applyActivity(run, Number(id), value as ActivityRow | undefined, input);
    else if (value !== undefined) (aside.inputs ??= new Map()).set(inputOf, value as ActivityInputRow);
  } else if (table === 'timer') applyTimer(run, Number(id), value as TimerRow | undefined);
  else if (table === 'child') run.children = changed(run.children, Number(id), value as ChildRow | undefined);
  else if (table === 'operation')
    run.operations = changed(run.operations, Number(id), value as OperationRow | undefined);
  else if (table === 'external') run.externals = changed(run.externals, Number(id), value as ExternalRow | undefined);
  else if (table === 'update') {
    if (value === undefined) dropUpdate(run, Number(id));
    else putUpdate(run, value as UpdateRow);
  } else if (table === 'buffered') run.buffered = changed(run.buffered, Number(id), value as BufferedRow | undefined);
}

const changed = <Id, Row>(rows: ReadonlyMap<Id, Row>, id: Id, row: Row | undefined): ReadonlyMap<Id, Row> =>
  row === undefined ? withoutRow(rows, id) : withRow(rows, id, row);

function applied<Value>(
  to: ReadonlyMap<string, Value>,
  changes: MapChanges<Value> | undefined,
): ReadonlyMap<string, Value> {
  let rows = to;
  for (const id of changes?.remove ?? []) rows = withoutRow(rows, id);
  for (const [id, value] of changes?.set ?? []) rows = withRow(rows, id, value);
  return rows;
}

/** `input`: that of an activity scheduled in this very turn. */
function applyActivity(
  run: RunState,
  id: number,
  stored: ActivityRow | undefined,
  input: ActivityInputRow | undefined,
): void {
  const before = run.activities.get(id);
  const row = stored?.apart === true ? withInput(stored, input ?? before?.facts ?? {}) : stored;
  if (before !== undefined && run.activityDue !== undefined && activityDeadline(before).at <= run.activityDue) {
    run.activityDue = undefined; // The earliest changed: computed again when asked.
  }
  if (row === undefined) {
    run.activities = withoutRow(run.activities, id);
    if (before !== undefined && run.activityIds.get(before.facts.activityId) === id) {
      run.activityIds = withoutRow(run.activityIds, before.facts.activityId);
    }
    return;
  }
  run.activities = withRow(run.activities, id, row);
  run.activityIds = withRow(run.activityIds, row.facts.activityId, id);
  if (run.activityDue !== undefined) run.activityDue = Math.min(run.activityDue, activityDeadline(row).at);
}

function applyTimer(run: RunState, id: number, row: TimerRow | undefined): void {
  const before = run.timers.get(id);
  if (before !== undefined && run.timerDue !== undefined && before.fireTime <= run.timerDue) run.timerDue = undefined;
  if (row === undefined) {
    run.timers = withoutRow(run.timers, id);
    if (before !== undefined && run.timerIds.get(before.timerId) === id)
      run.timerIds = withoutRow(run.timerIds, before.timerId);
    return;
  }
  run.timers = withRow(run.timers, id, row);
  run.timerIds = withRow(run.timerIds, row.timerId, id);
  if (run.timerDue !== undefined) run.timerDue = Math.min(run.timerDue, row.fireTime);
}
