// One turn of a schedule: a copy of its state that messages write to, and the outcome that comes of it. The state itself is never touched.

import type { Effect, Outcome, Reply, RowChange, TurnContext, VisibleSchedule } from '../workflow/outcome.ts';
import { scheduleIdOf } from './address.ts';
import { MAX_BUFFERED } from './limits.ts';
import {
  type AppliedRow,
  type BufferedRow,
  bufferedId,
  CHAIN,
  chainRowOf,
  DEFINITION,
  type DefinitionRow,
  HEAD,
  type HeadRow,
  inOrder,
  LAST,
  type LastRow,
  requestRowId,
  type ScheduleActor,
  type StartingRow,
  startingId,
} from './rows.ts';
import { type DueTime, Effort, SpecTimes } from './times.ts';
import { listed } from './view.ts';

/** About this many remembered requests whose time is over go with one turn. */
const MAX_EXPIRIES_PER_TURN = 4;

export interface Addressed {
  namespace: string;
  workflowId: string;
}

export class ScheduleDraft {
  readonly actor: ScheduleActor;
  readonly address: Addressed;
  readonly context: TurnContext;
  readonly effects: Effect[] = [];
  /** Of looking for times in this turn; the timer fires again for the rest. */
  readonly effort = new Effort();
  head: HeadRow;
  definition: DefinitionRow;
  last: LastRow | undefined;
  readonly buffered: Map<number, BufferedRow>;
  readonly starting: Map<number, StartingRow>;
  readonly #rows: RowChange[] = [];

  constructor(address: Addressed, actor: ScheduleActor, context: TurnContext, made?: [HeadRow, DefinitionRow]) {
    const [head = actor.head, definition = actor.definition] = made ?? [];
    if (head === undefined || definition === undefined) throw new Error(`${address.workflowId} is no schedule`);
    this.actor = actor;
    this.address = address;
    this.context = context;
    this.head = { ...head, counts: { ...head.counts }, state: { ...head.state } };
    this.definition = definition;
    this.last = actor.last;
    this.buffered = new Map(actor.buffered);
    this.starting = new Map(actor.starting);
  }

  get now(): number {
    return this.context.now;
  }

  get scheduleId(): string {
    return scheduleIdOf(this.address.workflowId);
  }

  /** Whether an action that is due by the spec may be taken. */
  get mayAct(): boolean {
    return isActing(this.head);
  }

  next(after: number): DueTime | undefined {
    return timesOf(this.definition).next(after, seedOf(this.address), this.effort);
  }

  between(after: number, until: number, most: number): DueTime[] {
    return timesOf(this.definition).between(after, until, most, seedOf(this.address), this.effort);
  }

  /** Nobody hears of one that finds no room, so it is counted. */
  buffer(row: BufferedRow): void {
    if (this.buffered.size >= MAX_BUFFERED) {
      this.head.counts.dropped += 1;
      return;
    }
    let last = 0;
    for (const n of this.buffered.keys()) last = n;
    this.buffered.set(last + 1, row);
  }

  remember(requestId: string): void {
    if (requestId !== '') this.#put(requestRowId(requestId), { at: this.now });
  }

  outcome(reply: Reply): Outcome {
    const { actor, head, definition } = this;
    this.#expire();
    head.buffered = this.buffered.size;
    head.starting = this.starting.size;
    if (actor.head === undefined) this.#put(CHAIN, chainRowOf(head));
    this.#put(HEAD, head);
    if (definition !== actor.definition) this.#put(DEFINITION, definition);
    if (this.last !== actor.last) this.#put(LAST, this.last);
    this.#putChanged(actor.buffered, this.buffered, bufferedId);
    this.#putChanged(actor.starting, this.starting, startingId);
    const shown = listed(this.address, head, definition);
    return this.#outcome(reply, { startTime: head.createTime, runId: head.incarnation, info: shown });
  }

  /**
   * The schedule is no more; what it started goes on. For a while the requests that made, changed and deleted it are known: one that comes late, from
   * a node that stood still meanwhile, is not applied to the next schedule of this id, and makes none (I5).
   */
  deleted(reply: Reply, requestId = ''): Outcome {
    const { actor } = this;
    for (const id of [HEAD, DEFINITION, LAST]) this.#put(id, undefined);
    for (const n of actor.buffered.keys()) this.#put(bufferedId(n), undefined);
    for (const n of actor.starting.keys()) this.#put(startingId(n), undefined);
    if (!this.#keepRequests(requestId)) this.#put(CHAIN, undefined);
    const { createTime, incarnation } = this.head;
    return this.#outcome(reply, { startTime: createTime, runId: incarnation, info: undefined });
  }

  /** @returns whether there are any, one of which says how long. */
  #keepRequests(deletedBy: string): boolean {
    const { head, now } = this;
    const { requests } = this.actor;
    const { requestIdTtl } = this.context.limits;
    const until = now + requestIdTtl;
    const rows = new Map<string, AppliedRow>();
    const isYoung = head.createTime + requestIdTtl > now;
    if (isYoung && head.requestId !== '') rows.set(head.requestId, { at: now, until, earlier: true });
    if (deletedBy !== '') rows.set(deletedBy, { at: now, until });
    if (rows.size === 0) {
      let newest: [string, AppliedRow] | undefined;
      for (const request of requests) if (newest === undefined || inOrder(newest, request) < 0) newest = request;
      if (newest === undefined) return false;
      const [id, row] = newest;
      rows.set(id, { ...row, until: row.at + requestIdTtl, earlier: true });
    }
    for (const [id, row] of [...rows].sort(inOrder)) {
      // It comes last then, as load has it.
      if (requests.has(id)) this.#put(requestRowId(id), undefined);
      this.#put(requestRowId(id), row);
    }
    return true;
  }

  /** A few of those whose time is over go with each turn. */
  #expire(): void {
    let expired = 0;
    for (const [id, { at }] of this.actor.requests) {
      if (expired === MAX_EXPIRIES_PER_TURN || at + this.context.limits.requestIdTtl > this.now) return;
      expired += 1;
      this.#put(requestRowId(id), undefined);
    }
  }

  #outcome(reply: Reply, schedule: VisibleSchedule): Outcome {
    return { ok: true, rows: this.#rows, events: [], effects: this.effects, reply, visibility: [], schedule };
  }

  #putChanged<T extends object>(before: Map<number, T>, after: Map<number, T>, idOf: (n: number) => string): void {
    for (const n of before.keys()) if (!after.has(n)) this.#put(idOf(n), undefined);
    for (const [n, row] of after) if (before.get(n) !== row) this.#put(idOf(n), row);
  }

  #put(id: string, value: object | undefined): void {
    this.#rows.push({ table: 'chain', runId: '', id, value });
  }
}

const compiled = new WeakMap<object, SpecTimes>();

/** Compiled once for as long as the definition is in memory. */
export function timesOf({ spec }: Pick<DefinitionRow, 'spec'>): SpecTimes {
  let times = compiled.get(spec);
  if (times === undefined) compiled.set(spec, (times = new SpecTimes(spec)));
  return times;
}

/** Schedules that are due together are spread by it. */
export const seedOf = ({ namespace, workflowId }: Addressed): string => `${namespace}/${workflowId}`;

export const isActing = ({ state }: Pick<HeadRow, 'state'>): boolean =>
  state.paused !== true && (state.limitedActions !== true || (state.remainingActions ?? 0) > 0);
