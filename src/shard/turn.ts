// One turn of one actor while it is being put together, and until it is durable: rows, events, what leaves after the commit (I1), and who
// waits for it. The rows of several outcomes (a start matched in the same turn) fall together: each key is encoded once.

import { added } from '../core/lists.ts';
import type {
  Effect,
  Outcome,
  Reply,
  RowChange,
  RunEvents,
  StartedActivityTask,
  StartedWorkflowTask,
  TaskOffer,
  VisibilityChange,
  VisibleSchedule,
} from '../core/workflow/outcome.ts';
import { isStateMarker } from '../core/workflow/published.ts';
import { packRow } from '../core/workflow/row-codec.ts';
import { chunkOf, START_ROW_ID } from '../core/workflow/rows.ts';
import type { Key } from '../ports/ids.ts';
import type { Claim, QueueKey } from '../ports/matching.ts';
import { encodeBriefly } from '../wire/codec.ts';
import type { Status } from '../wire/status.ts';
import { type Actor, type Place, taskId } from './actor.ts';
import { encodeBatches } from './batches.ts';
import type { BacklogDelta, Receipt } from './entry.ts';
import { eventsKey, eventsPrefix, passKey, startedKey } from './keys.ts';

/** Of a row whose key says everything. */
export const NOTHING = new Uint8Array(0);

/** A started task that a claim waits for. */
export interface Handover {
  claim: Claim;
  started: StartedWorkflowTask | StartedActivityTask;
}

export interface Waiter {
  durable(): void;
  failed(why: Status): void;
}

/** Effects that leave after the commit; the others become rows of the turn. */
export type LeavingEffect = Exclude<
  Effect,
  { type: 'offerTask' | 'withdrawTask' | 'taskSettled' | 'taskKept' | 'destinationNoted' | 'send' }
>;

/** Rows that are written again and again hold about what they held before; those of request ids are counted apart. */
const isRewritten = ({ table, id }: RowChange): boolean =>
  table === 'run' ? id !== START_ROW_ID : table === 'chain' && chunkOf(id) !== undefined;

export class Turn {
  readonly actor: Actor;
  /** Rows of outcomes as they were decided, until `seal`. */
  readonly #rows = new Map<Key, Uint8Array | RowChange | undefined>();
  effects: LeavingEffect[] | undefined;
  handovers: Handover[] | undefined;
  /** Tasks pushed ahead: declared durable after the commit. */
  ahead: { claim: Claim; token: Uint8Array }[] | undefined;
  /** By run; the last one said counts. */
  visibility: VisibilityChange[] | undefined;
  /** Of a schedule's actor; the last one said counts. */
  schedule: VisibleSchedule | undefined;
  /** Runs with new events. */
  grown: string[] | undefined;
  /** Those of them that published state. */
  published: string[] | undefined;
  /** Keys written of which an older row may be on disk: deleted just before, or by an actor that does not remember. */
  rewritten: Set<Key> | undefined;
  receipts: Receipt[] | undefined;
  counts: BacklogDelta[] | undefined;
  /** A message to another actor leaves with it. */
  sends = false;
  /** Offered and neither claimed nor withdrawn yet, by task. */
  offers: Map<string, TaskOffer> | undefined;
  /** Called once, after the commit. */
  settle: ((why: Status | undefined) => void) | undefined;
  #events: RunEvents[] | undefined;
  #tail: { committed: boolean }[] | undefined;
  #waiters: Waiter[] | undefined;
  bytes = 0;

  constructor(actor: Actor) {
    this.actor = actor;
  }

  /** Takes up an outcome's rows and events; its effects are for the executor. */
  take(outcome: Outcome): void {
    for (const change of outcome.rows) this.#rows.set(this.actor.rowKey(change), change);
    for (const { runId, events } of outcome.events) {
      if (events.length === 0) continue;
      const before = this.#events?.find((one) => one.runId === runId);
      // A copy: the outcome's own list is not ours to add to.
      if (before === undefined) this.#events = added(this.#events, { runId, events });
      else before.events = [...before.events, ...events];
    }
    if (outcome.schedule !== undefined) this.schedule = outcome.schedule;
    for (const change of outcome.visibility) {
      const earlier = this.visibility?.find(({ info }) => info.runId === change.info.runId);
      if (earlier === undefined) this.visibility = added(this.visibility, { ...change });
      else {
        // Against what was shown before the turn.
        earlier.info = change.info;
        earlier.gone = change.gone;
      }
    }
  }

  /** Of a sealed turn: encoded, all of them. */
  get rows(): Map<Key, Uint8Array | undefined> {
    // What else was in it `seal` has replaced.
    return this.#rows as Map<Key, Uint8Array | undefined>;
  }

  write(key: Key, value: Uint8Array | undefined): void {
    if (value !== undefined && this.#rows.size > 0 && this.#rows.has(key) && this.#rows.get(key) === undefined) {
      this.rewrite(key, value);
    } else this.#rows.set(key, value);
  }

  /** Writes a row of which an older one may be on disk: its deletion must be written too, however soon it comes. */
  rewrite(key: Key, value: Uint8Array): void {
    this.rewritten ??= new Set();
    this.rewritten.add(key);
    this.#rows.set(key, value);
  }

  count(queue: QueueKey, delta: number): void {
    this.counts = added(this.counts, { queue, delta });
  }

  started(session: string, started: StartedWorkflowTask | StartedActivityTask): void {
    const kind = started.type === 'workflowTaskStarted' ? 'workflow' : 'activity';
    const { runId, scheduledEventId } = started.ref;
    this.listed(session, kind, runId, scheduledEventId);
  }

  /** The task is in the session's list of started ones. */
  listed(session: string, kind: 'workflow' | 'activity', runId: string, scheduledEventId: number): void {
    this.write(startedKey(session, kind, this.actor.base, runId, scheduledEventId), NOTHING);
  }

  settled(session: string, kind: 'workflow' | 'activity', runId: string, scheduledEventId: number): void {
    this.write(startedKey(session, kind, this.actor.base, runId, scheduledEventId), undefined);
  }

  offer(offer: TaskOffer): void {
    this.offers ??= new Map();
    this.offers.set(taskId(offer.kind, offer.runId, offer.scheduledEventId), offer);
  }

  withdraw(offer: TaskOffer): void {
    const id = taskId(offer.kind, offer.runId, offer.scheduledEventId);
    if (this.offers?.delete(id) === true) return;
    const place = this.actor.leavesPlace(id);
    if (place !== undefined) this.leavePlace(offer, place);
  }

  /** A task waits there no more. */
  leavePlace({ kind, runId, scheduledEventId }: TaskOffer, place: Place): void {
    this.write(place.key, undefined);
    if (place.pass !== undefined) this.write(passKey(this.actor.base, kind, runId, scheduledEventId), undefined);
    this.count(place.queue, -1);
  }

  /** Encodes what the outcomes came to; nothing is added afterwards. */
  seal(): void {
    const { actor } = this;
    // Here and below by forEach: an iterator makes an object and a pair per row, and these loops are the hottest there are.
    this.#rows.forEach((row, key) => {
      if (row === undefined || row instanceof Uint8Array) return;
      const { table, id, value } = row;
      const bytes = value === undefined ? undefined : encodeBriefly(packRow(table, id, value));
      this.#rows.set(key, bytes);
      if (bytes !== undefined && !isRewritten(row)) actor.bytes += bytes.length;
    });
    actor.countRequests();
    for (const { runId, events } of this.#events ?? []) {
      for (const batch of encodeBatches(events)) {
        this.#rows.set(eventsKey(eventsPrefix(actor.base, runId), batch.first), batch.bytes);
        this.#tail = added(this.#tail, actor.tail.append(runId, batch));
      }
      this.grown = added(this.grown, runId);
      if (events.some(isStateMarker)) this.published = added(this.published, runId);
    }
    this.#events = undefined;
    this.rows.forEach((value, key) => {
      this.bytes += key.length + (value?.length ?? 0);
    });
  }

  get empty(): boolean {
    return this.#rows.size === 0 && this.receipts === undefined;
  }

  /** All that leaves with its commit, besides its reply, is the notice that what was pushed ahead is durable. */
  get onlyPushesAhead(): boolean {
    if (this.ahead === undefined || this.sends || this.receipts !== undefined) return false;
    return this.effects === undefined && (this.handovers === undefined || this.handovers.length === 0);
  }

  wait(waiter: Waiter): void {
    this.#waiters ??= [];
    this.#waiters.push(waiter);
  }

  /** Durable, or never going to be. */
  end(why: Status | undefined): void {
    if (this.actor.pending === this) this.actor.pending = undefined;
    for (const item of this.#tail ?? []) item.committed = true;
    this.settle?.(why);
    for (const waiter of this.#waiters ?? []) {
      if (why === undefined) waiter.durable();
      else waiter.failed(why);
    }
  }
}

export type Settle = (status: Status | undefined, reply: Reply | undefined) => void;
