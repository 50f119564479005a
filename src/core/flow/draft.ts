// One turn of a key: what messages change of it, over a state that is never touched, and the outcome that comes of it. Costs what it changes, not
// what waits: a queue of thousands is not copied.

import { WorkflowExecutionStatus } from '../../wire/enums.ts';
import type { WorkflowExecutionInfo } from '../../wire/execution-info.ts';
import type { FlowLimits } from '../../wire/flow-control.ts';
import type { Effect, Outcome, Reply, RowChange, TurnContext, VisibleSchedule } from '../workflow/outcome.ts';
import { flowKeyOf } from './address.ts';
import { LOWEST_PRIORITY, SENT_PER_TURN } from './limits.ts';
import type { Claimant, FlowAnswer } from './message.ts';
import {
  CHAIN,
  chainRowOf,
  type FlowActor,
  HEAD,
  type HeadRow,
  type HolderRow,
  holderId,
  inOrder,
  type Settling,
  startsId,
  type WaiterRow,
  waiterId,
} from './rows.ts';
import { STARTS_PER_ROW } from './start-log.ts';

export interface Addressed {
  namespace: string;
  workflowId: string;
}

type Without<T extends { claimant: Claimant; from: string }> = T extends unknown ? Omit<T, 'from'> : never;

export interface Waiter<Row extends WaiterRow = WaiterRow> {
  seq: number;
  row: Row;
}

type SettlingRow = WaiterRow & { settling: Settling };

export class FlowDraft {
  readonly actor: FlowActor;
  readonly context: TurnContext;
  readonly head: HeadRow;
  readonly #address: Addressed;
  readonly #effects: Effect[] = [];
  readonly #holders = new Map<string, HolderRow | undefined>();
  readonly #waiters = new Map<number, WaiterRow | undefined>();
  readonly #starts = new Map<number, readonly number[] | undefined>();

  constructor(address: Addressed, actor: FlowActor, context: TurnContext) {
    this.#address = address;
    this.actor = actor;
    this.context = context;
    const { head } = actor;
    this.head = head === undefined ? newHead(context) : { ...head, counts: { ...head.counts } };
    this.head.touchedAt = context.now;
  }

  get now(): number {
    return this.context.now;
  }

  /** What holds now. */
  get limits(): FlowLimits {
    return limitsOf(this.head);
  }

  /** No more messages fit in this turn: the timer goes on. */
  get isFull(): boolean {
    return this.#effects.length >= SENT_PER_TURN;
  }

  send(message: Without<FlowAnswer>): void {
    const { namespace, workflowId: from } = this.#address;
    // The union's members differ in nothing that is spread here.
    const answer = { ...message, from } as FlowAnswer;
    this.#effects.push({ type: 'send', namespace, workflowId: message.claimant.workflowId, message: answer });
  }

  // ---------------------------------------------------------------- permits that are given

  holder(permit: string): HolderRow | undefined {
    return this.#holders.has(permit) ? this.#holders.get(permit) : this.actor.holders.get(permit);
  }

  setHolder(permit: string, row: HolderRow | undefined): void {
    this.head.holders += Number(row !== undefined) - Number(this.holder(permit) !== undefined);
    this.#holders.set(permit, row);
  }

  *holders(): Iterable<[string, HolderRow]> {
    const all = new Map(this.actor.holders);
    for (const [permit, row] of this.#holders) {
      if (row === undefined) all.delete(permit);
      else all.set(permit, row);
    }
    yield* inOrder(all);
  }

  // ---------------------------------------------------------------- those that wait

  waiter(seq: number): WaiterRow | undefined {
    return this.#waiters.has(seq) ? this.#waiters.get(seq) : this.actor.waiters.get(seq);
  }

  waiterOf(permit: string): Waiter | undefined {
    for (const [seq, row] of this.#waiters) if (row?.permit === permit) return { seq, row };
    const seq = this.actor.seqs.get(permit);
    const row = seq === undefined ? undefined : this.waiter(seq);
    return seq === undefined || row === undefined ? undefined : { seq, row };
  }

  addWaiter(row: WaiterRow): void {
    const seq = this.head.nextSeq;
    this.head.nextSeq = seq + 1;
    this.head.waiters += 1;
    this.#waiters.set(seq, row);
  }

  setWaiter(seq: number, row: WaiterRow): void {
    this.#waiters.set(seq, row);
  }

  removeWaiter(seq: number): void {
    if (this.waiter(seq) === undefined) return;
    this.head.waiters -= 1;
    this.#waiters.set(seq, undefined);
  }

  /** The one that waits for its quiet period. */
  settling(): Waiter<SettlingRow> | undefined {
    for (const [seq, row] of this.#waiters) if (isSettling(row)) return { seq, row };
    const seq = this.actor.settling;
    const row = seq === undefined ? undefined : this.waiter(seq);
    return seq !== undefined && isSettling(row) ? { seq, row } : undefined;
  }

  /** Those in the queue, in order: by priority, then by arrival. */
  *line(): Iterable<Waiter> {
    for (let priority = 1; priority <= LOWEST_PRIORITY; priority += 1) {
      for (const [seq, row] of this.actor.lines.get(priority) ?? []) if (!this.#waiters.has(seq)) yield { seq, row };
      for (const [seq, row] of this.#waiters) {
        if (row !== undefined && row.priority === priority && row.settling === undefined) yield { seq, row };
      }
    }
  }

  next(): Waiter | undefined {
    for (const first of this.line()) return first;
    return undefined;
  }

  // ---------------------------------------------------------------- the throttle

  #startAt(index: number): number | undefined {
    const chunk = Math.floor(index / STARTS_PER_ROW);
    return this.#starts.has(chunk) ? this.#starts.get(chunk)?.[index % STARTS_PER_ROW] : this.actor.starts.at(index);
  }

  /** Epoch ms at which the throttle lets the next one through; undefined: at once, or never. */
  get throttledUntil(): number | undefined {
    const { throttle } = this.limits;
    if (throttle === undefined || throttle.limit === 0) return undefined;
    const before = this.#startAt(this.head.logged - throttle.limit);
    const until = before === undefined ? 0 : before + throttle.periodMs;
    return until > this.now ? until : undefined;
  }

  logStart(): void {
    const { throttle } = this.limits;
    if (throttle === undefined) return;
    const chunk = Math.floor(this.head.logged / STARTS_PER_ROW);
    const times = this.#starts.get(chunk) ?? this.actor.starts.row(chunk) ?? [];
    this.#starts.set(chunk, [...times, this.now]);
    this.head.logged += 1;
    for (const over of this.actor.starts.over(this.now, throttle.periodMs)) {
      if (over !== chunk) this.#starts.set(over, undefined);
    }
  }

  // ---------------------------------------------------------------- the outcome

  outcome(reply: Reply): Outcome {
    const rows: RowChange[] = [];
    const put = (id: string, value: object | undefined): void => {
      rows.push({ table: 'chain', runId: '', id, value });
    };
    const isNew = this.actor.head === undefined;
    if (isNew) put(CHAIN, chainRowOf(this.head));
    put(HEAD, this.head);
    for (const [permit, row] of this.#holders) put(holderId(permit), row);
    for (const [seq, row] of this.#waiters) put(waiterId(seq), row);
    for (const [chunk, times] of this.#starts) put(startsId(chunk), times);
    return outcomeOf(rows, this.#effects, reply, isNew ? listed(this.#address, this.head) : undefined);
  }

  /** Nothing has happened to the key for a while, and nobody has or wants a permit of it. */
  forgotten(reply: Reply): Outcome {
    const rows: RowChange[] = [];
    const ids = [CHAIN, HEAD, ...Array.from(this.actor.starts.chunks, startsId)];
    for (const id of ids) rows.push({ table: 'chain', runId: '', id, value: undefined });
    return outcomeOf(rows, [], reply, { ...listed(this.#address, this.head), info: undefined });
  }
}

const isSettling = (row: WaiterRow | undefined): row is SettlingRow => row?.settling !== undefined;

const outcomeOf = (
  rows: RowChange[],
  effects: Effect[],
  reply: Reply,
  schedule: VisibleSchedule | undefined,
): Outcome => ({ ok: true, rows, events: [], effects, reply, visibility: [], schedule });

export const limitsOf = ({ asked, set }: HeadRow): FlowLimits => ({
  concurrency: set?.concurrency ?? asked.concurrency,
  throttle: set?.throttle ?? asked.throttle,
});

const newHead = ({ now, spareRunId }: TurnContext): HeadRow => ({
  incarnation: spareRunId,
  createTime: now,
  touchedAt: now,
  asked: {},
  nextSeq: 1,
  logged: 0,
  holders: 0,
  waiters: 0,
  counts: { granted: 0, superseded: 0 },
});

/** In the shape of an execution, since lists are of those. It says only that the key is there, so that it is written once. */
function listed({ workflowId }: Addressed, { incarnation, createTime }: HeadRow): VisibleSchedule {
  const info: WorkflowExecutionInfo = {
    workflowId,
    runId: incarnation,
    workflowType: '',
    taskQueue: flowKeyOf(workflowId)?.taskQueue ?? '',
    status: WorkflowExecutionStatus.RUNNING,
    startTime: createTime,
    executionTime: createTime,
    historyLength: 0,
    historySizeBytes: 0,
    firstRunId: incarnation,
  };
  return { of: 'flowKeys', startTime: createTime, runId: incarnation, info };
}
