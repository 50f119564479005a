// Tasks that wait where they were offered though routes have changed since: each is offered again, by a turn of its actor, if it belongs elsewhere now.
// Looked for by reading the queues of the same family; those that are right already cost a read and no turn. Whoever leads a shard does it
// for that shard's tasks: on every change, and when it has become their leader.

import type { RoutedKind, Routes } from '../core/deployment/routes.ts';
import { familyOf } from '../core/deployment/versioned-queue.ts';
import type { Scheduler } from '../ports/clock.ts';
import type { Engine } from '../ports/engine.ts';
import { type Key, key } from '../ports/ids.ts';
import type { QueueKey } from '../ports/matching.ts';
import { after, backlogPrefix, backlogShard } from './keys.ts';
import type { Reader } from './reader.ts';
import { decodeWaitingTask } from './waiting-task.ts';

export interface ChangedRoute {
  namespace: string;
  taskQueue: string;
  kind: RoutedKind;
}

/** Rows read at a time, and turns under way at most. */
const CHUNK = 128;
/** Leaderships that come within so many ms are looked at together. */
const GATHER_MS = 200;

export interface RerouterOptions {
  reader: Reader;
  scheduler: Scheduler;
  routes: Routes | undefined;
  /** With tasks that wait. */
  queues(): QueueKey[];
  isLed(shard: number): boolean;
  submit: Engine['submit'];
  /** Resolves when what is decided by now has come to its end. */
  settled(): Promise<void>;
  onReadFailed(error: unknown): void;
}

const idOf = ({ namespace, taskQueue, kind }: ChangedRoute): string => `${kind}\0${namespace}\0${taskQueue}`;

export class Rerouter {
  readonly #options: RerouterOptions;
  /** Families to look at; 'all': every one there is. */
  #wanted: Map<string, ChangedRoute> | 'all' = new Map();
  #underWay = false;
  #gathering = false;
  /** Turns asked for so far. */
  moved = 0;

  constructor(options: RerouterOptions) {
    this.#options = options;
  }

  /** Their routes have changed. */
  changed(routes: readonly ChangedRoute[]): void {
    if (this.#wanted !== 'all') for (const route of routes) this.#wanted.set(idOf(route), route);
    this.#begin();
  }

  /** More shards are led here: their leader before may not have heard of every change. */
  led(): void {
    if (this.#options.routes === undefined) return;
    this.#wanted = 'all';
    if (this.#gathering) return;
    this.#gathering = true;
    this.#options.scheduler.after(GATHER_MS, () => {
      this.#gathering = false;
      this.#begin();
    });
  }

  #begin(): void {
    if (this.#underWay) return;
    this.#underWay = true;
    this.#run().then(
      () => this.#ended(),
      (error: unknown) => {
        this.#options.onReadFailed(error);
        this.#ended();
      },
    );
  }

  #ended(): void {
    this.#underWay = false;
    if (this.#wanted === 'all' || this.#wanted.size > 0) this.#begin();
  }

  async #run(): Promise<void> {
    const wanted = this.#wanted;
    this.#wanted = new Map();
    // Tasks of turns that were decided by the routes as they were, and are not seen before they are durable.
    await this.#options.settled();
    for (const queue of this.#options.queues()) {
      const { taskQueue } = familyOf(queue.name);
      if (wanted === 'all' || wanted.has(idOf({ ...queue, taskQueue }))) await this.#look(queue);
    }
  }

  async #look(queue: QueueKey): Promise<void> {
    const { reader, routes, isLed } = this.#options;
    const { taskQueue, version } = familyOf(queue.name);
    const prefix = backlogPrefix(queue);
    const to = after(prefix);
    let at: Key | undefined = key(prefix);
    while (at !== undefined) {
      const { rows, next }: Awaited<ReturnType<Reader['chunk']>> = await reader.chunk(at, to, CHUNK);
      const astray = rows
        .filter(([k]) => isLed(backlogShard(k, prefix)))
        .map(([k, bytes]) => decodeWaitingTask(k, bytes))
        // Pinned ones are where they are pinned to, and turn out so in their turn.
        .filter(({ workflowId }) => routes?.target(queue.namespace, taskQueue, queue.kind, workflowId) !== version);
      await Promise.all(astray.map(({ namespace, workflowId }) => this.#move(namespace, workflowId)));
      at = next;
    }
  }

  #move(namespace: string, workflowId: string): Promise<void> {
    this.moved += 1;
    // A refusal: the shard is led elsewhere by now, or its actor's mailbox is full and looks at its task soon.
    return new Promise((done) => this.#options.submit({ namespace, workflowId }, { type: 'reroute' }, () => done()));
  }
}
