// Several actors that send each other messages: an outbox that delivers when it is told to, in the order or out of it.

import type { Limits } from './limits.ts';
import type { Message } from './message.ts';
import type { Effect, Outcome } from './outcome.ts';
import { World } from './testing.ts';

type Sent = Extract<Effect, { type: 'send' }>;

/** One of several actors: what it sends goes to the others. */
export class Neighbour extends World {
  readonly #outbox: Sent[];
  #spares = 0;

  constructor(outbox: Sent[], limits: Partial<Limits>, workflowId: string, namespace: string) {
    super(limits, workflowId, namespace);
    this.#outbox = outbox;
  }

  override apply(outcome: Outcome): void {
    super.apply(outcome);
    this.#spares += 1;
    for (const effect of outcome.effects) if (effect.type === 'send') this.#outbox.push(effect);
  }

  /** Run ids tell whose run they are. */
  override spareRunId(): string {
    return `${this.workflowId}#${this.#spares}`;
  }
}

export class Neighbours {
  /** Sent and not delivered. */
  readonly outbox: Sent[] = [];
  readonly #limits: Partial<Limits>;
  readonly #worlds = new Map<string, Neighbour>();

  constructor(limits: Partial<Limits> = {}) {
    this.#limits = limits;
  }

  of(workflowId: string, namespace = 'default'): Neighbour {
    const id = `${namespace}/${workflowId}`;
    let world = this.#worlds.get(id);
    if (world === undefined) {
      world = new Neighbour(this.outbox, this.#limits, workflowId, namespace);
      this.#worlds.set(id, world);
    }
    return world;
  }

  /** A running workflow. */
  started(workflowId: string, over: Parameters<World['startMessage']>[0] = {}): Neighbour {
    const world = this.of(workflowId);
    world.start({ runId: `${workflowId}#first`, ...over });
    return world;
  }

  /** Everything that is under way, and what it leads to. */
  deliver(): void {
    while (this.outbox.length > 0) this.deliverOne(0);
  }

  deliverOne(index: number): Message {
    const [sent] = this.outbox.splice(index, 1);
    if (sent === undefined) throw new Error(`no message ${index} is under way`);
    this.of(sent.workflowId, sent.namespace).accept(sent.message);
    return sent.message;
  }

  /** Types of the messages under way. */
  get underWay(): string[] {
    return this.outbox.map(({ message }) => message.type);
  }
}
