// One actor in memory: the state of a workflow id, the messages that wait for it, and what the shard keeps beside the rows: its
// latest uncommitted turn, the tail of its history, where its waiting tasks stand in the backlog, and its armed timer.

import type { RowTable } from '../core/workflow/outcome.ts';
import type { Key, Term } from '../ports/ids.ts';
import type { QueueKey } from '../ports/matching.ts';
import type { Status } from '../wire/status.ts';
import type { EventBatch } from './batches.ts';
import { cut } from './batches.ts';
import type { ActorState } from './core.ts';
import { base, rowKey, runPrefix, runRowKey } from './keys.ts';
import type { Shard } from './shard.ts';
import type { Turn } from './turn.ts';

/** History kept in memory per actor: what a warm worker's next task needs, and a little more. */
const TAIL_BYTES = 64 * 1024;

/** The newest batches of the current run. Those not yet committed are only here. */
export class EventTail {
  runId = '';
  bytes = 0;
  #batches: { batch: EventBatch; committed: boolean }[] = [];

  append(runId: string, batch: EventBatch): { committed: boolean } {
    if (runId !== this.runId) {
      this.runId = runId;
      this.#batches = [];
      this.bytes = 0;
    }
    const item = { batch, committed: false };
    this.#batches.push(item);
    this.bytes += batch.bytes.length;
    let drop = 0;
    for (const { batch: old, committed } of this.#batches) {
      if (!committed || this.bytes <= TAIL_BYTES) break;
      this.bytes -= old.bytes.length;
      drop += 1;
    }
    if (drop > 0) this.#batches.splice(0, drop);
    return item;
  }

  /** The run has closed, durably: nobody is pushed its history any more. */
  forget(runId: string): void {
    if (runId !== this.runId) return;
    this.#batches = [];
    this.bytes = 0;
  }

  /** Events [from, to] of this run, or undefined when some are not here. */
  read(runId: string, from: number, to: number): Uint8Array[] | undefined {
    if (to < from) return [];
    const first = this.#batches[0];
    const last = this.#batches[this.#batches.length - 1];
    if (runId !== this.runId || first === undefined || last === undefined) return undefined;
    if (first.batch.first > from || last.batch.last < to) return undefined;
    const found: Uint8Array[] = [];
    for (const { batch } of this.#batches) {
      const bytes = cut(batch, from, to);
      if (bytes !== undefined) found.push(bytes);
    }
    return found;
  }
}

/** A task's place in the backlog. */
export interface Place {
  key: Key;
  queue: QueueKey;
  /** Where it waits by fairness. */
  pass?: number | undefined;
}

export type Armed =
  /** A timer row at this time, written at `setAt`. */
  | { key: Key; at: number; setAt: number }
  /** Read from rows: some timer row exists at or before this time. */
  | { key: undefined; at: number };

/** Something to do with an actor once it can be done. */
export interface Errand {
  run(actor: Actor): void;
  /** It will not be done, and changed nothing. */
  refuse(why: Status): void;
}

export class Actor {
  readonly shard: Shard;
  /** Of the leadership in which it came to life: it does not outlive that. */
  readonly term: Term;
  readonly namespace: string;
  readonly workflowId: string;
  readonly base: string;
  state: ActorState;
  phase: 'loading' | 'ready' | 'gone' = 'loading';
  /** What waits until the rows are read, or until the turn under way has ended; in order. Absent: nothing. */
  mailbox: Errand[] | undefined;
  busy = false;
  /** The latest turn that is not durable yet. */
  pending: Turn | undefined;
  readonly tail = new EventTail();
  /** Absent while none waits. */
  places: Map<string, Place> | undefined;
  /** Its rows were read back: timer rows it wrote in an earlier life may be on disk, at any time to come. */
  wasRead = false;
  armed: Armed | undefined;
  /** Starts decided whose frame is not written yet, by task. */
  delivering: Set<string> | undefined;
  /** The run whose rows were named last, and what their keys begin with. */
  #runId = '';
  #runPrefix = '';
  /** Rough bytes in memory. */
  bytes = 0;
  /** Those among them that are of request ids. */
  #requestBytes = 0;
  /** Monotonic ms of the last message. */
  touchedAt = 0;
  newer: Actor | undefined;
  older: Actor | undefined;

  constructor(shard: Shard, namespace: string, workflowId: string, state: ActorState) {
    this.shard = shard;
    this.term = shard.term;
    this.namespace = namespace;
    this.workflowId = workflowId;
    this.base = flat(base(shard.id, namespace, workflowId));
    this.state = state;
  }

  rowKey({ table, runId, id }: { table: RowTable; runId: string; id: string }): Key {
    if (table === 'chain') return rowKey(this.base, table, runId, id);
    if (runId !== this.#runId) {
      this.#runId = runId;
      this.#runPrefix = flat(runPrefix(this.base, runId));
    }
    return runRowKey(this.#runPrefix, table, id);
  }

  startsDelivery(id: string): void {
    this.delivering ??= new Set();
    this.delivering.add(id);
  }

  /** Delivered, or it never will be. */
  endsDelivery(id: string): void {
    this.delivering?.delete(id);
    if (this.delivering?.size === 0) this.delivering = undefined;
  }

  waitsAt(id: string, place: Place): void {
    this.places ??= new Map();
    this.places.set(id, place);
  }

  /** Where it waited until now. */
  leavesPlace(id: string): Place | undefined {
    const place = this.places?.get(id);
    if (place === undefined) return undefined;
    this.places?.delete(id);
    if (this.places?.size === 0) this.places = undefined;
    return place;
  }

  /** Request ids come and go by the thousand, in rows that are written with each of them. */
  countRequests(): void {
    const { bytes } = this.state.applied;
    this.bytes += bytes - this.#requestBytes;
    this.#requestBytes = bytes;
  }
}

/** The same text in one piece: keys begin with it by the dozen, and would each put it together again. */
const flat = (binary: string): string => Buffer.from(binary, 'latin1').toString('latin1');

export const taskId = (kind: 'workflow' | 'activity', runId: string, scheduledEventId: number): string =>
  `${kind.charAt(0)}${scheduledEventId}:${runId}`;
