// One RPC as a call of the doors: answered exactly once, by a method, at its deadline, or not at all when its client gave up. And the clock that all
// of them share: one timer for however many polls wait.

import type { Cancelable, Clock, Scheduler } from '../../ports/clock.ts';
import type { Waiting } from '../../ports/engine.ts';
import type { Status } from '../../wire/status.ts';
import type { RpcCall } from './rpc.ts';
import type { RpcError } from './status.ts';

export interface CallEnd {
  answered(body: object): void;
  refused(status: Status): void;
  failed(error: RpcError): void;
  /** The client gave up. */
  gone(): void;
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

export class OpenRpc implements RpcCall {
  readonly name: string;
  readonly timeoutMs: number;
  /** Monotonic ms: when what waits is answered with what there is. */
  dueAt: number;
  /** Monotonic ms: when its time is over. */
  readonly endsAt: number;
  readonly #end: CallEnd;
  readonly #header: (name: string) => string | undefined;
  #waiting: Waiting | undefined;
  #lateAnswer: (() => void) | undefined;
  #ended = false;

  constructor(timing: CallTiming, header: (name: string) => string | undefined, end: CallEnd) {
    this.name = timing.name;
    this.timeoutMs = timing.timeoutMs;
    this.dueAt = timing.dueAt;
    this.endsAt = timing.endsAt;
    this.#header = header;
    this.#end = end;
  }

  get isOpen(): boolean {
    return !this.#ended;
  }

  header(name: string): string | undefined {
    return this.#header(name);
  }

  reply(body: object): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#end.answered(body);
  }

  refuse(status: Status): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#end.refused(status);
  }

  fail(error: RpcError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#end.failed(error);
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
    this.#end.gone();
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

/** How often deadlines are looked at, ms: calls end at most this much late. */
const LOOK_EVERY_MS = 50;

export class OpenRpcs {
  readonly #clock: Clock;
  readonly #scheduler: Scheduler;
  readonly #onExpired: (call: OpenRpc) => void;
  readonly #open = new Set<OpenRpc>();
  #timer: Cancelable | undefined;

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
    this.#timer ??= this.#scheduler.after(LOOK_EVERY_MS, this.#look);
  }

  remove(call: OpenRpc): void {
    this.#open.delete(call);
  }

  /** Every call that can be answered with what there is, is: the node goes. */
  answerWaiting(): void {
    for (const call of [...this.#open]) call.answerLate();
  }

  readonly #look = (): void => {
    const now = this.#clock.monotonic();
    for (const call of this.#open) {
      if (call.endsAt <= now) this.#onExpired(call);
      else if (call.dueAt <= now) call.answerLate();
    }
    this.#timer = this.#open.size === 0 ? undefined : this.#scheduler.after(LOOK_EVERY_MS, this.#look);
  };
}
