// What this node knows of the namespaces that were registered, kept fresh: it asks for changes every second, and at once when a request names one that
// is not known here. So what was registered at any node is known at every node to the first who asks for it, and what was deleted is gone
// within a second. Asking costs a number, unless something has changed.

import type { Cancelable, Clock, Scheduler } from '../ports/clock.ts';
import type { Engine } from '../ports/engine.ts';
import type { NamespaceRecord } from '../wire/namespace.ts';
import type { ConfiguredTaskQueue } from '../wire/task-queue.ts';
import type { Namespaces } from './namespaces.ts';

/** ms between two questions. */
const REFRESH_MS = 1_000;
/** Unknown names are not asked about more often than so, ms: those that ask meanwhile wait. */
const LOOK_AGAIN_MS = 50;

export interface NamespaceDirectoryOptions {
  engine: Pick<Engine, 'namespaces'>;
  clock: Clock;
  scheduler: Scheduler;
  namespaces: Pick<Namespaces, 'learn'>;
  /** Hears of all configured task queues; absent where nothing is matched. */
  configure?: ((queues: readonly ConfiguredTaskQueue[]) => void) | undefined;
}

type Told = () => void;

export class NamespaceDirectory {
  readonly #options: NamespaceDirectoryOptions;
  #revision: number | undefined;
  #askedAt = Number.NEGATIVE_INFINITY;
  /** Who waits for the answer under way, and who for the next one. */
  #underWay: Told[] | undefined;
  #next: Told[] = [];
  #timer: Cancelable | undefined;
  #records: readonly NamespaceRecord[] = [];
  #queues: readonly ConfiguredTaskQueue[] = [];
  #isStopped = false;

  constructor(options: NamespaceDirectoryOptions) {
    this.#options = options;
  }

  /** Whether it has been answered once. */
  get isKnown(): boolean {
    return this.#revision !== undefined;
  }

  /** Asks every second from now on. Resolves with the first answer, of whatever kind. */
  start(): Promise<void> {
    return new Promise((resolve) => {
      this.lookAgain(resolve);
      const tick = (): void => {
        if (this.#isStopped) return;
        if (this.#underWay === undefined) this.lookAgain(() => undefined);
        this.#timer = this.#options.scheduler.after(REFRESH_MS, tick);
      };
      this.#timer = this.#options.scheduler.after(REFRESH_MS, tick);
    });
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  /** Asks now, not before. */
  lookAgain(told: Told): void {
    this.#next.push(told);
    if (this.#underWay !== undefined || this.#next.length > 1) return;
    const pauseMs = this.#askedAt + LOOK_AGAIN_MS - this.#options.clock.monotonic();
    if (pauseMs > 0) this.#options.scheduler.after(pauseMs, () => this.#ask());
    else this.#ask();
  }

  /** This node has just changed one: it need not ask. */
  learn(record: NamespaceRecord): void {
    this.#records = [...this.#records.filter(({ name }) => name !== record.name), record];
    this.#options.namespaces.learn(this.#records);
  }

  /** The same of a task queue. */
  learnQueue(queue: ConfiguredTaskQueue): void {
    const isOther = (one: ConfiguredTaskQueue): boolean =>
      one.namespace !== queue.namespace || one.taskQueue !== queue.taskQueue || one.kind !== queue.kind;
    this.#queues = [...this.#queues.filter(isOther), queue];
    this.#options.configure?.(this.#queues);
  }

  #ask(): void {
    this.#askedAt = this.#options.clock.monotonic();
    const waiting = this.#next;
    this.#underWay = waiting;
    this.#next = [];
    this.#options.engine.namespaces({ type: 'list', since: this.#revision }, (_error, answer) => {
      this.#underWay = undefined;
      // An error: what is known stays; a second later it is asked again.
      if (answer !== undefined) this.#revision = answer.revision;
      if (answer?.records !== undefined) {
        this.#records = answer.records;
        this.#options.namespaces.learn(answer.records);
      }
      if (answer?.queues !== undefined) {
        this.#queues = answer.queues;
        this.#options.configure?.(answer.queues);
      }
      for (const tell of waiting) tell();
      const more = this.#next;
      this.#next = [];
      for (const told of more) this.lookAgain(told);
    });
  }
}
