// What begins waits for what has begun (I9). Past so many starts that are not durable, further ones wait their turn, a bounded number of them: turns of
// executions that run already are decided as they come, so a node that is offered more than it can do ends what it took on, instead of beginning
// everything and ending little. Starts that actors ask for (children, schedules) have begun with who asked and do not pass here. A shard whose log
// does not get on (its other replicas are away) holds back nobody but itself: what it has under way does not count.

import type { Message } from '../core/workflow/message.ts';
import type { Reply } from '../core/workflow/outcome.ts';
import { sizeOf } from '../core/workflow/size.ts';
import type { Clock, Scheduler } from '../ports/clock.ts';
import type { ActorAddress, Done } from '../ports/engine.ts';
import type { Actors } from './actors.ts';
import type { Gate } from './gate.ts';
import type { Inbound } from './inbound.ts';
import type { ShardLimits } from './limits.ts';
import type { Shard } from './shard.ts';

/** Places of the queue that are given up together. */
const COMPACTED = 1_024;
/** A shard of which no start ended for so many ms does not get on. */
const STUCK_MS = 500;
/** While starts wait, shards are looked at every so many ms. */
const LOOK_MS = 100;

export interface IntakeOptions {
  gate: Gate;
  actors: Actors;
  clock: Clock;
  scheduler: Scheduler;
  bounds: ShardLimits;
  shardOf(namespace: string, workflowId: string): Shard;
  inbound(): Inbound;
}

interface Waiting {
  readonly to: ActorAddress;
  readonly message: Message;
  readonly done: Done<Reply>;
  readonly bytes: number;
}

/** What a shard has under way. */
interface Lane {
  open: number;
  /** When a start of it ended last, or the first of these began; in monotonic ms. */
  movedAt: number;
  stuck: boolean;
}

export class Intake {
  readonly #options: IntakeOptions;
  /** First come, first served; those before `#first` are gone. */
  #queue: Waiting[] = [];
  #first = 0;
  /** Of shards with starts that are neither durable nor refused. */
  readonly #lanes = new Map<Shard, Lane>();
  /** Such starts, of shards that get on. */
  #open = 0;
  #serving = false;
  #looking = false;
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
    const { gate } = this.#options;
    const isStart = message.type === 'start';
    const refusal = gate.admit(message, isStart ? this.waiting : 0);
    if (refusal !== undefined) done(refusal, undefined);
    else if (!isStart) this.#speak(to, message, done);
    else if (this.#hasRoom && this.waiting === 0) this.#start(to, message, done);
    else this.#wait(to, message, done);
  }

  get #hasRoom(): boolean {
    return this.#open < this.#options.bounds.undurableStarts;
  }

  #wait(to: ActorAddress, message: Message, done: Done<Reply>): void {
    const bytes = sizeOf(message);
    this.bytes += bytes;
    this.#queue.push({ to, message, done, bytes });
    this.#lookLater();
  }

  #start(to: ActorAddress, message: Message, done: Done<Reply>): void {
    const { clock, shardOf } = this.#options;
    const shard = shardOf(to.namespace, to.workflowId);
    let lane = this.#lanes.get(shard);
    if (lane === undefined) {
      lane = { open: 0, movedAt: clock.monotonic(), stuck: false };
      this.#lanes.set(shard, lane);
    }
    lane.open += 1;
    if (!lane.stuck) this.#open += 1;
    this.#speak(to, message, (error, reply) => {
      this.#ended(shard);
      done(error, reply);
      this.#serve();
    });
  }

  #ended(shard: Shard): void {
    const lane = this.#lanes.get(shard);
    if (lane === undefined) return;
    // It gets on: what it has under way counts from now on.
    if (lane.stuck) this.#open += lane.open;
    lane.stuck = false;
    lane.open -= 1;
    this.#open -= 1;
    if (lane.open === 0) this.#lanes.delete(shard);
    else lane.movedAt = this.#options.clock.monotonic();
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
    while (this.#hasRoom) {
      const next = this.#queue[this.#first];
      if (next === undefined) break;
      this.#first += 1;
      this.bytes -= next.bytes;
      // It was let in when the node served, which may be over.
      const closed = this.#options.gate.closed();
      if (closed === undefined) this.#start(next.to, next.message, next.done);
      else next.done(closed, undefined);
    }
    this.#serving = false;
    if (this.waiting === 0 || this.#first >= COMPACTED) {
      this.#queue = this.#queue.slice(this.#first);
      this.#first = 0;
    }
  }

  #lookLater(): void {
    if (this.#looking) return;
    this.#looking = true;
    this.#options.scheduler.after(LOOK_MS, () => {
      this.#looking = false;
      if (this.waiting === 0) return;
      const since = this.#options.clock.monotonic() - STUCK_MS;
      for (const lane of this.#lanes.values()) {
        if (lane.stuck || lane.movedAt > since) continue;
        lane.stuck = true;
        this.#open -= lane.open;
      }
      this.#serve();
      if (this.waiting > 0) this.#lookLater();
    });
  }
}
