// Speculative workflow tasks that wait for a worker: beside the backlog, but in no row, since an update that is rejected leaves none. Each is its actor's,
// which says after every turn whether it still waits, and gives it a row when nobody has taken it in time; so a crash loses nothing but what was never
// promised (I4). Asked by backlog.ts, filled by executor.ts.

import type { Claim, QueueBacklog, QueueKey } from '../ports/matching.ts';
import type { WaitingTask } from './waiting-task.ts';

/** How many wait here at once (I9); further ones wait in rows. */
const MAX_WAITING = 10_000;
/** Where nobody says how urgent the best of the others is. */
const USUAL_PRIORITY = 3;

export interface SpeculativeTask extends Omit<WaitingTask, 'key' | 'fair'> {
  readonly actorBase: string;
  /** 1 (first) .. 5. */
  readonly priority: number;
  /** Epoch ms. */
  readonly scheduledTime: number;
  readonly shard: number;
}

export interface SpeculativeOptions {
  /** Starts a task for a claim; `gone` when it does not wait any more. */
  start(task: Omit<WaitingTask, 'key'>, claim: Claim, settled: (outcome: 'started' | 'gone' | 'later') => void): void;
  changed(queue: QueueKey): void;
  /** Another task, waiting in whichever way, for a claim whose task was gone. */
  again(queue: QueueKey, claim: Claim): void;
}

const idOf = ({ kind, namespace, name }: QueueKey): string => `${kind}\0${namespace}\0${name}`;

export class SpeculativeTasks {
  readonly #options: SpeculativeOptions;
  /** By queue, and there by priority; of each, oldest first. */
  readonly #queues = new Map<string, Map<number, Set<SpeculativeTask>>>();
  /** By the actor's base: a workflow has one task. */
  readonly #byActor = new Map<string, SpeculativeTask>();

  constructor(options: SpeculativeOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#byActor.size;
  }

  /** False when as many wait as may. */
  add(task: SpeculativeTask): boolean {
    this.remove(task.actorBase);
    if (this.#byActor.size >= MAX_WAITING) return false;
    const id = idOf(task.queue);
    let priorities = this.#queues.get(id);
    if (priorities === undefined) this.#queues.set(id, (priorities = new Map()));
    let waiting = priorities.get(task.priority);
    if (waiting === undefined) priorities.set(task.priority, (waiting = new Set()));
    waiting.add(task);
    this.#byActor.set(task.actorBase, task);
    this.#options.changed(task.queue);
    return true;
  }

  /** What waits of this actor; undefined: nothing. */
  of(actorBase: string): SpeculativeTask | undefined {
    return this.#byActor.get(actorBase);
  }

  remove(actorBase: string): void {
    const task = this.#byActor.get(actorBase);
    if (task === undefined) return;
    this.#forget(task);
    this.#options.changed(task.queue);
  }

  /** A shard is led elsewhere: its actors here are gone, and what was only in memory with them. */
  unlead(shard: number): void {
    for (const [actorBase, task] of [...this.#byActor]) if (task.shard === shard) this.remove(actorBase);
  }

  /** What waits in rows and what waits here, as one. */
  with(queue: QueueKey, stored: QueueBacklog): QueueBacklog {
    const best = this.#best(queue);
    if (best === undefined) return stored;
    let { count } = stored;
    for (const waiting of this.#queues.get(idOf(queue))?.values() ?? []) count += waiting.size;
    if (stored.count > 0 && !isBefore(best, stored)) return { ...stored, count };
    return { count, oldest: best.scheduledTime, priority: best.priority };
  }

  /** Takes claims for tasks that are better than the best in rows, and those that are more than wait there. Returns the others. */
  pull(queue: QueueKey, claims: readonly Claim[], stored: QueueBacklog): readonly Claim[] {
    let left = claims;
    for (;;) {
      const best = this.#best(queue);
      const [claim] = left;
      if (best === undefined || claim === undefined) break;
      if (left.length <= stored.count && !isBefore(best, stored)) break;
      left = left.slice(1);
      this.#start(best, claim);
    }
    if (left.length < claims.length) this.#options.changed(queue);
    return left;
  }

  #start(task: SpeculativeTask, claim: Claim): void {
    this.#forget(task);
    this.#options.start(task, claim, (outcome) => {
      // Later: its actor gives it a row when its time is over.
      if (outcome === 'later') claim.release();
      else if (outcome === 'gone') this.#options.again(task.queue, claim);
    });
  }

  #best(queue: QueueKey): SpeculativeTask | undefined {
    const priorities = this.#queues.get(idOf(queue));
    if (priorities === undefined) return undefined;
    const [oldest] = priorities.get(Math.min(...priorities.keys())) ?? [];
    return oldest;
  }

  #forget(task: SpeculativeTask): void {
    this.#byActor.delete(task.actorBase);
    const id = idOf(task.queue);
    const priorities = this.#queues.get(id);
    const waiting = priorities?.get(task.priority);
    waiting?.delete(task);
    if (waiting?.size === 0) priorities?.delete(task.priority);
    if (priorities?.size === 0) this.#queues.delete(id);
  }
}

const isBefore = (task: SpeculativeTask, { priority = USUAL_PRIORITY, oldest = 0 }: QueueBacklog): boolean =>
  task.priority < priority || (task.priority === priority && task.scheduledTime <= oldest);
