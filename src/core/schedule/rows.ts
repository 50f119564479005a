// The rows of a schedule's actor, all in the table `chain`, and the state they make: state = load(rows) (I4). What is rewritten at each action is
// small: definition, last result, buffered and starting actions are rows of their own.

import type { Memo, Payloads, SearchAttributes } from '../../wire/common.ts';
import type { ScheduleOverlapPolicy } from '../../wire/enums.ts';
import type { Failure } from '../../wire/failure.ts';
import type {
  BackfillRequest,
  ScheduleAction,
  ScheduleActionResult,
  SchedulePolicies,
  ScheduleState,
} from '../../wire/schedule.ts';
import type { RowChange } from '../workflow/outcome.ts';
import { type ChainRow, REQUEST_ROW_PREFIX, type StoredRow } from '../workflow/rows.ts';
import type { CanonicalSpec } from './spec.ts';
import type { DueTime } from './times.ts';

/** A run that actions of other policies than ALLOW_ALL wait for, or end. */
export interface RunningAction {
  action: number;
  workflowId: string;
  runId: string;
  /** Asked to end by an overlapping action; it is asked once. */
  asked?: 'cancel' | 'terminate' | undefined;
}

/** An action that was taken, with what is needed to find it again. */
export interface RecentAction extends ScheduleActionResult {
  action: number;
}

/** Id 'h': rewritten by nearly every turn. */
export interface HeadRow {
  incarnation: string;
  /** The request that made it. */
  requestId: string;
  createTime: number;
  updateTime?: number | undefined;
  /** Grows with each change that a conflict token guards. */
  version: number;
  state: ScheduleState;
  /** Nominal times up to here are dealt with. Epoch ms. */
  through: number;
  counts: { taken: number; missed: number; skipped: number; dropped: number };
  running: RunningAction[];
  recent: RecentAction[];
  /** Of the last action. */
  action: number;
  /** Rows of these kinds: a vanished one is noticed by load. */
  buffered: number;
  starting: number;
  backfills: BackfillRequest[];
}

/** Defaults filled in. */
type Complete<T> = { [K in keyof T]-?: Exclude<T[K], undefined> };
export type KeptPolicies = Complete<Omit<SchedulePolicies, 'keepOriginalWorkflowId'>> &
  Pick<SchedulePolicies, 'keepOriginalWorkflowId'>;

/** Id 'd'. */
export interface DefinitionRow {
  spec: CanonicalSpec;
  action: ScheduleAction;
  /** Defaults filled in. */
  policies: KeptPolicies;
  memo?: Memo | undefined;
  searchAttributes?: SearchAttributes | undefined;
}

/** Id 'l': what the last run that ended hands to the next one. */
export interface LastRow {
  result?: Payloads | undefined;
  failure?: Failure | undefined;
}

/** Ids 'b' + number: waits for its turn. */
export interface BufferedRow extends DueTime {
  /** UNSPECIFIED: the schedule's as of then. */
  overlapPolicy: ScheduleOverlapPolicy;
  /** Asked for by trigger or backfill: neither a pause nor a limit holds it up. */
  manual: boolean;
}

/** Ids 's' + number of the action: its start is on its way. */
export interface StartingRow {
  workflowId: string;
  due: number;
  /** By ALLOW_ALL: nothing waits for it. */
  overlaps: boolean;
}

/** Id 'r' + request id. */
export interface AppliedRow {
  at: number;
  /** Of a schedule that was deleted: how long its last requests are known, epoch ms. */
  until?: number | undefined;
  /** It came before the deletion; else, with an `until`, it is that. */
  earlier?: true | undefined;
}

/** How requests are kept: by their time. */
export const inOrder = ([a, x]: [string, AppliedRow], [b, y]: [string, AppliedRow]): number =>
  x.at - y.at || (a < b ? -1 : 1);

const BUFFERED = 'b';
const STARTING = 's';
/** By it an actor is known to be there; a schedule's says nothing more than its head, and has no run. */
export const CHAIN = '';
export const HEAD = 'h';
export const DEFINITION = 'd';
export const LAST = 'l';
export const bufferedId = (n: number): string => BUFFERED + n;
export const startingId = (n: number): string => STARTING + n;
export const requestRowId = (requestId: string): string => REQUEST_ROW_PREFIX + requestId;

export const chainRowOf = ({ incarnation, requestId, createTime }: HeadRow): ChainRow => ({
  currentRunId: '',
  start: { type: 'start', requestId, runId: incarnation, at: createTime, started: true },
});

export interface ScheduleActor {
  head: HeadRow | undefined;
  definition: DefinitionRow | undefined;
  last: LastRow | undefined;
  /** In order. */
  buffered: Map<number, BufferedRow>;
  starting: Map<number, StartingRow>;
  /** By request id, oldest first. */
  requests: Map<string, AppliedRow>;
  /** Derived: the first time after `head.through`; undefined: not looked for. */
  next?: { due: DueTime | undefined } | undefined;
}

export const emptySchedule = (): ScheduleActor => ({
  head: undefined,
  definition: undefined,
  last: undefined,
  buffered: new Map(),
  starting: new Map(),
  requests: new Map(),
});

/** One row, new or changed, or gone. The id determines the value's type: rows are written by this folder alone and checksummed. */
export function applyRow(actor: ScheduleActor, { id, value }: Pick<RowChange, 'id' | 'value'>): void {
  if (id === CHAIN) return;
  if (id === HEAD) actor.head = value as HeadRow | undefined;
  else if (id === DEFINITION) actor.definition = value as DefinitionRow | undefined;
  else if (id === LAST) actor.last = value as LastRow | undefined;
  else if (id.startsWith(BUFFERED)) put(actor.buffered, Number(id.slice(1)), value as BufferedRow | undefined);
  else if (id.startsWith(STARTING)) put(actor.starting, Number(id.slice(1)), value as StartingRow | undefined);
  else if (id.startsWith(REQUEST_ROW_PREFIX)) put(actor.requests, id.slice(1), value as AppliedRow | undefined);
  else throw new Error(`row ${id} of a schedule, which this version does not write`);
  if (id === HEAD || id === DEFINITION) actor.next = undefined;
}

function put<K, V>(map: Map<K, V>, key: K, value: V | undefined): void {
  if (value === undefined) map.delete(key);
  else map.set(key, value);
}

/** Throws when a row has vanished. */
export function loadSchedule(address: string, rows: Iterable<StoredRow>): ScheduleActor {
  const actor = emptySchedule();
  for (const row of rows) applyRow(actor, row);
  actor.buffered = new Map([...actor.buffered].sort(([a], [b]) => a - b));
  actor.starting = new Map([...actor.starting].sort(([a], [b]) => a - b));
  actor.requests = new Map([...actor.requests].sort(inOrder));
  const { head, definition, buffered, starting } = actor;
  const whole = head === undefined || (definition !== undefined && head.buffered === buffered.size);
  if (!whole || (head !== undefined && head.starting !== starting.size))
    throw new Error(`${address}: rows of the schedule are missing: the shard's rows are damaged`);
  return actor;
}
