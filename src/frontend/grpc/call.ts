// One RPC as a call of the doors: answered exactly once, by a method, at its deadline, or not at all when its client gave up. And the clock that all
// of them share: one timer for however many polls wait.

import type { Cancelable, Clock, Scheduler } from '../../ports/clock.ts';
import type { Waiting } from '../../ports/engine.ts';
import type { Status } from '../../wire/status.ts';
import type { RpcCall } from './rpc.ts';
import type { RpcError } from './status.ts';

export interface CallEnd {
  answered(call: OpenRpc, body: object): void;
  refused(call: OpenRpc, status: Status): void;
  failed(call: OpenRpc, error: RpcError): void;
  /** The client gave up. */
  gone(call: OpenRpc): void;
  /** It waits for something to happen from now on. */
  waits?(call: OpenRpc): void;
}

/** `timeoutMs` is what the client or the method said; the rest is monotonic ms. */
export interface CallTiming {
  /** Of the method. */
  readonly name: string;
  readonly timeoutMs: number;
  readonly dueAt: number;
  readonly endsAt: number;
}

/** Whose metadata it came with. */
export interface CallSource {
  /** Lower case names. */
  header(name: string): string | undefined;
}

export class OpenRpc implements RpcCall {
  readonly name: string;
  readonly timeoutMs: number;
  /** Monotonic ms: when what waits is answered with what there is. */
  dueAt: number;
  /** Monotonic ms: when its time is over. */
  readonly endsAt: number;
  readonly #end: CallEnd;
  readonly #source: CallSource;
  #waiting: Waiting | undefined;
  #lateAnswer: (() => void) | undefined;
  #ended = false;

  constructor(timing: CallTiming, source: CallSource, end: CallEnd) {
    this.name = timing.name;
    this.timeoutMs = timing.timeoutMs;
    this.dueAt = timing.dueAt;
    this.endsAt = timing.endsAt;
    this.#source = source;
    this.#end = end;
  }

  get isOpen(): boolean {
    return !this.#ended;
  }

  header(name: string): string | undefined {
    return this.#source.header(name);
  }

  reply(body: object): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#end.answered(this, body);
  }

  refuse(status: Status): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#end.refused(this, status);
  }

  fail(error: RpcError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#end.failed(this, error);
  }

  waits(waiting: Waiting): void {
    if (this.#ended) waiting.abandon();
    else {
      this.#waiting = waiting;
      this.#end.waits?.(this);
    }
  }

  atDeadline(answer: () => void): void {
    this.#lateAnswer = answer;
  }

  /** Ends its wait with what there is, if its method has such an answer. */
  answerLate(): void {
    const answer = this.#lateAnswer;
    if (answer === undefined || this.#ended) return;
    this.#lateAnswer = undefined;
    this.dueAt = Number.POSITIVE_INFINITY;
    this.#abandon();
    answer();
  }

  /** The client gave up or went away. */
  giveUp(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#abandon();
    this.#end.gone(this);
  }

  /** Its time is over without an answer. */
  expire(status: Status): void {
    this.#abandon();
    this.refuse(status);
  }

  #abandon(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.abandon();
  }
}

/** Deadlines are looked at no more often than this, ms: calls end at most this much late. */
const LOOK_EVERY_MS = 10;

/** The calls that are open, and one timer: for the one of them that is due next. */
export class OpenRpcs {
  readonly #clock: Clock;
  readonly #scheduler: Scheduler;
  readonly #onExpired: (call: OpenRpc) => void;
  readonly #open = new Set<OpenRpc>();
  #timer: Cancelable | undefined;
  /** Monotonic ms: when it fires. */
  #looksAt = Number.POSITIVE_INFINITY;

  constructor(clock: Clock, scheduler: Scheduler, onExpired: (call: OpenRpc) => void) {
    this.#clock = clock;
    this.#scheduler = scheduler;
    this.#onExpired = onExpired;
  }

  get size(): number {
    return this.#open.size;
  }

  add(call: OpenRpc): void {
    this.#open.add(call);
    this.#lookAt(nextOf(call), this.#clock.monotonic());
  }

  /** The timer stays: most calls end long before they are due, and what it then finds is the next. */
  remove(call: OpenRpc): void {
    this.#open.delete(call);
  }

  /** Every call that can be answered with what there is, is: the node goes. */
  answerWaiting(): void {
    for (const call of [...this.#open]) call.answerLate();
  }

  #lookAt(at: number, now: number): void {
    if (at >= this.#looksAt) return;
    this.#timer?.cancel();
    this.#looksAt = at;
    this.#timer = this.#scheduler.after(Math.max(0, at - now), this.#look);
  }

  readonly #look = (): void => {
    this.#looksAt = Number.POSITIVE_INFINITY;
    const now = this.#clock.monotonic();
    let next = Number.POSITIVE_INFINITY;
    for (const call of this.#open) {
      if (call.endsAt <= now) this.#onExpired(call);
      else {
        if (call.dueAt <= now) call.answerLate();
        if (call.isOpen) next = Math.min(next, nextOf(call));
      }
    }
    if (this.#open.size > 0) this.#lookAt(Math.max(next, now + LOOK_EVERY_MS), now);
  };
}

const nextOf = ({ dueAt, endsAt }: OpenRpc): number => Math.min(dueAt, endsAt);
