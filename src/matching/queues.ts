// The queues of a node's workers: normal ones by kind, and the workers' own. A queue exists while a worker serves it, so that a name nobody serves costs
// nothing (I9). Used by matcher.ts.

import { familyOf } from '../core/deployment/versioned-queue.ts';
import type { Clock } from '../ports/clock.ts';
import type { QueueKey, TaskKind, WorkerSession } from '../ports/matching.ts';
import { Directory } from './directory.ts';
import { NormalQueue, type RegisteredWorker, type ServedQueue, WorkersOwnQueue } from './serving.ts';

export interface QueuesOptions {
  clock: Clock;
  /** A queue has come. */
  normal(queue: NormalQueue): void;
  own(queue: WorkersOwnQueue): void;
}

export class Queues {
  readonly #options: QueuesOptions;
  readonly #workflow = new Directory<NormalQueue>();
  readonly #activity = new Directory<NormalQueue>();
  readonly #sticky = new Directory<WorkersOwnQueue>();

  constructor(options: QueuesOptions) {
    this.#options = options;
  }

  get({ namespace, name, kind }: QueueKey): NormalQueue | undefined {
    return this.of(kind).get(namespace, name);
  }

  /** Of all versions of a task queue's workers. */
  family({ namespace, name, kind }: QueueKey): NormalQueue[] {
    return [...this.of(kind).of(namespace)].filter(({ key }) => familyOf(key.name).taskQueue === name);
  }

  of(kind: TaskKind): Directory<NormalQueue> {
    return kind === 'workflow' ? this.#workflow : this.#activity;
  }

  own(namespace: string, name: string): WorkersOwnQueue | undefined {
    return this.#sticky.get(namespace, name);
  }

  /** A worker's own queue of this name, else the normal one. */
  served(key: QueueKey): ServedQueue | undefined {
    const own = key.kind === 'workflow' ? this.own(key.namespace, key.name) : undefined;
    return own ?? this.get(key);
  }

  /** The queue of what a worker does not take is its own: nobody finds it, so nothing is ever matched on it. */
  serveFor({ namespace, taskQueue, stickyQueue, only }: WorkerSession, kind: TaskKind): NormalQueue {
    const takes = (only ?? kind) === kind && taskQueue !== stickyQueue;
    const key = { namespace, name: taskQueue, kind };
    return takes ? this.#serve(key) : new NormalQueue(key, this.#now());
  }

  #serve(key: QueueKey): NormalQueue {
    const queues = this.of(key.kind);
    let queue = queues.get(key.namespace, key.name);
    if (queue === undefined) {
      queue = new NormalQueue(key, this.#now());
      queues.set(key.namespace, key.name, queue);
      this.#options.normal(queue);
    }
    return queue;
  }

  #now(): { wall: number; monotonic: number } {
    return { wall: this.#options.clock.now(), monotonic: this.#options.clock.monotonic() };
  }

  serveSticky(namespace: string, name: string): WorkersOwnQueue {
    let queue = this.#sticky.get(namespace, name);
    if (queue === undefined) {
      queue = new WorkersOwnQueue({ namespace, name, kind: 'workflow' });
      this.#sticky.set(namespace, name, queue);
      this.#options.own(queue);
    }
    return queue;
  }

  /** The worker leaves the queue, and the last one takes it along. */
  leave(queue: NormalQueue, worker: RegisteredWorker): void {
    queue.workers.delete(worker);
    const { namespace, name, kind } = queue.key;
    if (queue.workers.size === 0 && this.of(kind).get(namespace, name) === queue) this.of(kind).delete(namespace, name);
  }

  forgetSticky(queue: WorkersOwnQueue): void {
    const { namespace, name } = queue.key;
    if (queue.alive(this.#options.clock.monotonic()) || this.#sticky.get(namespace, name) !== queue) return;
    this.#sticky.delete(namespace, name);
  }
}
