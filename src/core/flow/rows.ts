// The rows of a key's actor, all in the table `chain`, and the state they make: state = load(rows) (I4). A permit that is given, taken back or
// waited for is one row; the head, which every turn rewrites, stays small. The indexes are derived from the rows.

import type { FlowLimits } from '../../wire/flow-control.ts';
import type { RowChange } from '../workflow/outcome.ts';
import type { ChainRow, StoredRow } from '../workflow/rows.ts';
import type { Claimant } from './message.ts';
import { StartLog } from './start-log.ts';

/** Id 'h'. */
export interface HeadRow {
  /** Names this life of the key in the list of them. */
  incarnation: string;
  createTime: number;
  /** Epoch ms of the last thing that happened. */
  touchedAt: number;
  /** As the latest start or activity asks for it. */
  asked: FlowLimits;
  /** As an operator has set it: holds instead. */
  set?: FlowLimits | undefined;
  /** Of the next waiter. */
  nextSeq: number;
  /** Starts that the throttle remembers, since the first one. */
  logged: number;
  /** Rows of these kinds: a vanished one is noticed by load. */
  holders: number;
  waiters: number;
  counts: { granted: number; superseded: number };
  /** Of those that take the place of others: the one that asked last. */
  latest?: { askedAt: number; claimant: Claimant } | undefined;
}

/** Ids 'p' + permit: it is given. */
export interface HolderRow {
  claimant: Claimant;
  /** Epoch ms. */
  at: number;
  /** A door has reserved it; until then its start must have confirmed it. */
  reserved?: { until: number; requestId: string } | undefined;
  /** It was told to end, once. */
  ending?: 'terminate' | 'cancel' | undefined;
}

/** Epoch ms. */
export interface Settling {
  firstAt: number;
  /** Its quiet period is over: who asks later does not follow it. */
  dueAt: number;
  /** The key was away then, and listens until this to those who asked before. */
  listensUntil?: number | undefined;
}

export const settledAt = ({ dueAt, listensUntil }: Settling): number => listensUntil ?? dueAt;

/** Ids 'w' + number: in order of arrival. */
export interface WaiterRow {
  permit: string;
  claimant: Claimant;
  /** Epoch ms. */
  at: number;
  /** 1 (first) .. 5. */
  priority: number;
  /** Waits for its quiet period, and is not in the queue yet. One at most. */
  settling?: Settling | undefined;
  /** Takes the place of whoever has the permit. */
  takeover?: 'terminate' | 'cancel' | undefined;
}

const HOLDER = 'p';
const WAITER = 'w';
const STARTS = 's';
/** By it an actor is known to be there. */
export const CHAIN = '';
export const HEAD = 'h';
export const holderId = (permit: string): string => HOLDER + permit;
export const waiterId = (seq: number): string => WAITER + seq;
/** Ids 's' + number: times of up to 64 starts, one after the other. */
export const startsId = (chunk: number): string => STARTS + chunk;

export const chainRowOf = ({ incarnation, createTime }: HeadRow): ChainRow => ({
  currentRunId: '',
  start: { type: 'start', requestId: '', runId: incarnation, at: createTime, started: true },
});

export interface FlowActor {
  head: HeadRow | undefined;
  /** By permit. */
  holders: Map<string, HolderRow>;
  waiters: Map<number, WaiterRow>;
  starts: StartLog;
  /** Derived: waiters by permit, those in the queue by priority and in order, the one that waits for its quiet period. */
  seqs: Map<string, number>;
  lines: Map<number, Map<number, WaiterRow>>;
  settling: number | undefined;
  /** Derived: reservations, and how many permits a workflow id has or waits for. */
  reserved: Map<string, HolderRow>;
  workflows: Map<string, number>;
}

export const emptyFlow = (): FlowActor => ({
  head: undefined,
  holders: new Map(),
  waiters: new Map(),
  starts: new StartLog(),
  seqs: new Map(),
  lines: new Map(),
  settling: undefined,
  reserved: new Map(),
  workflows: new Map(),
});

/** One row, new or changed, or gone. The id determines the value's type: rows are written by this folder alone and checksummed. */
export function applyRow(actor: FlowActor, { id, value }: Pick<RowChange, 'id' | 'value'>): void {
  if (id === CHAIN) return;
  const rest = id.slice(1);
  if (id === HEAD) actor.head = value as HeadRow | undefined;
  else if (id.startsWith(HOLDER)) putHolder(actor, rest, value as HolderRow | undefined);
  else if (id.startsWith(WAITER)) putWaiter(actor, Number(rest), value as WaiterRow | undefined);
  else if (id.startsWith(STARTS)) actor.starts.put(Number(rest), value as readonly number[] | undefined);
  else throw new Error(`row ${id} of a flow-control key, which this version does not write`);
}

function putHolder(actor: FlowActor, permit: string, row: HolderRow | undefined): void {
  count(actor, actor.holders.get(permit)?.claimant, -1);
  count(actor, row?.claimant, 1);
  put(actor.holders, permit, row);
  put(actor.reserved, permit, row?.reserved === undefined ? undefined : row);
}

function putWaiter(actor: FlowActor, seq: number, row: WaiterRow | undefined): void {
  const before = actor.waiters.get(seq);
  if (before !== undefined) {
    actor.seqs.delete(before.permit);
    const line = actor.lines.get(before.priority);
    line?.delete(seq);
    if (line?.size === 0) actor.lines.delete(before.priority);
    if (actor.settling === seq) actor.settling = undefined;
  }
  count(actor, before?.claimant, -1);
  count(actor, row?.claimant, 1);
  put(actor.waiters, seq, row);
  if (row === undefined) return;
  actor.seqs.set(row.permit, seq);
  if (row.settling !== undefined) actor.settling = seq;
  else lineOf(actor, row.priority).set(seq, row);
}

function lineOf({ lines }: FlowActor, priority: number): Map<number, WaiterRow> {
  let line = lines.get(priority);
  if (line === undefined) lines.set(priority, (line = new Map()));
  return line;
}

function count({ workflows }: FlowActor, claimant: Claimant | undefined, by: number): void {
  if (claimant === undefined || claimant.activity !== undefined) return;
  const { workflowId } = claimant;
  const now = (workflows.get(workflowId) ?? 0) + by;
  put(workflows, workflowId, now === 0 ? undefined : now);
}

function put<K, V>(map: Map<K, V>, key: K, value: V | undefined): void {
  if (value === undefined) map.delete(key);
  else map.set(key, value);
}

/** Throws when a row has vanished. */
export function loadFlow(address: string, rows: Iterable<StoredRow>): FlowActor {
  const actor = emptyFlow();
  const waiters: StoredRow[] = [];
  for (const row of rows) {
    if (row.id.startsWith(WAITER)) waiters.push(row);
    else applyRow(actor, row);
  }
  // As text '10' comes before '9'; a line is in the order of its numbers.
  waiters.sort((a, b) => Number(a.id.slice(1)) - Number(b.id.slice(1)));
  for (const row of waiters) applyRow(actor, row);
  const { head } = actor;
  if (actor.holders.size !== (head?.holders ?? 0) || actor.waiters.size !== (head?.waiters ?? 0)) {
    throw new Error(`${address}: rows of the flow-control key are missing: the shard's rows are damaged`);
  }
  return actor;
}

/** Order of holders is that of their permits, however they came to memory (I4). */
export function* inOrder(holders: ReadonlyMap<string, HolderRow>): Iterable<[string, HolderRow]> {
  yield* [...holders].sort(([a, x], [b, y]) => x.at - y.at || (a < b ? -1 : 1));
}
