// What begins waits for what has begun (I9). Past so many starts that are not durable, further ones wait their turn, a bounded number of them: turns of
// executions that run already are decided as they come, so a node that is offered more than it can do ends what it took on, instead of beginning
// everything and ending little. Starts that actors ask for (children, schedules) have begun with who asked and do not pass here.

import type { Message } from '../core/workflow/message.ts';
import type { Reply } from '../core/workflow/outcome.ts';
import { sizeOf } from '../core/workflow/size.ts';
import type { ActorAddress, Done } from '../ports/engine.ts';
import type { Actors } from './actors.ts';
import type { Gate } from './gate.ts';
import type { Inbound } from './inbound.ts';
import type { ShardLimits } from './limits.ts';

export interface IntakeOptions {
  gate: Gate;
  actors: Actors;
  bounds: ShardLimits;
  inbound(): Inbound;
}

/** Places of the queue that are given up together. */
const COMPACTED = 1_024;

interface Waiting {
  readonly to: ActorAddress;
  readonly message: Message;
  readonly done: Done<Reply>;
  readonly bytes: number;
}

export class Intake {
  readonly #options: IntakeOptions;
  /** First come, first served; those before `#first` are gone. */
  #queue: Waiting[] = [];
  #first = 0;
  /** Starts that are neither durable nor refused. */
  #open = 0;
  #serving = false;
  /** Rough bytes of those that wait. */
  bytes = 0;

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /** Starts that wait for their turn. */
  get waiting(): number {
    return this.#queue.length - this.#first;
  }

  submit(to: ActorAddress, message: Message, done: Done<Reply>): void {
    const { gate, bounds } = this.#options;
    const isStart = message.type === 'start';
    const refusal = gate.admit(message, isStart ? this.waiting : 0);
    if (refusal !== undefined) done(refusal, undefined);
    else if (!isStart) this.#speak(to, message, done);
    else if (this.#open < bounds.undurableStarts && this.waiting === 0) this.#start(to, message, done);
    else {
      const bytes = sizeOf(message);
      this.bytes += bytes;
      this.#queue.push({ to, message, done, bytes });
    }
  }

  #start(to: ActorAddress, message: Message, done: Done<Reply>): void {
    this.#open += 1;
    this.#speak(to, message, (error, reply) => {
      this.#open -= 1;
      done(error, reply);
      this.#serve();
    });
  }

  #speak(to: ActorAddress, message: Message, done: Done<Reply>): void {
    this.#options.actors.with(to.namespace, to.workflowId, {
      run: (actor) => this.#options.inbound().speak(actor, message, done),
      refuse: (why) => done(why, undefined),
    });
  }

  #serve(): void {
    // A start that is answered at once comes here again: the loop goes on instead of going deeper.
    if (this.#serving) return;
    this.#serving = true;
    const { gate, bounds } = this.#options;
    while (this.#open < bounds.undurableStarts) {
      const next = this.#queue[this.#first];
      if (next === undefined) break;
      this.#first += 1;
      this.bytes -= next.bytes;
      // It was let in when the node served, which may be over.
      const closed = gate.closed();
      if (closed === undefined) this.#start(next.to, next.message, next.done);
      else next.done(closed, undefined);
    }
    this.#serving = false;
    if (this.waiting === 0 || this.#first >= COMPACTED) {
      this.#queue = this.#queue.slice(this.#first);
      this.#first = 0;
    }
  }
}
