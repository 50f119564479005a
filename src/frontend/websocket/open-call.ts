// One open request of one connection: answered exactly once, by the engine, by its deadline, or not at all when its caller gave up.

import type { Waiting } from '../../ports/engine.ts';
import type { Status } from '../../wire/status.ts';
import type { Call, Parts } from '../door.ts';

export interface CallOwner {
  answered(call: OpenCall, body: object): void;
  refused(call: OpenCall, status: Status): void;
  /** As `Parts.send`. */
  part(call: OpenCall, part: Uint8Array, again: () => void): boolean;
}

export class OpenCall implements Call, Parts {
  readonly id: number;
  readonly method: string;
  readonly timeoutMs: number;
  /** Of its request, as it came and decoded. */
  readonly bytes: number;
  /** Monotonic ms. */
  readonly startedAt: number;
  readonly deadline: number;
  readonly #owner: CallOwner;
  #waiting: Waiting | undefined;
  #lateAnswer: (() => void) | undefined;
  #ended = false;
  /** Its answer at the deadline is being made: the next deadline is final. */
  late = false;

  constructor(owner: CallOwner, id: number, method: string, timeoutMs: number, now: number, bytes: number) {
    this.#owner = owner;
    this.id = id;
    this.bytes = bytes;
    this.method = method;
    this.timeoutMs = timeoutMs;
    this.startedAt = now;
    this.deadline = now + timeoutMs;
  }

  /** It waits for something to happen, not for work to be done. */
  get longWait(): boolean {
    return this.#waiting !== undefined;
  }

  get parts(): Parts {
    return this;
  }

  send(part: Uint8Array, again: () => void): boolean {
    return !this.#ended && this.#owner.part(this, part, again);
  }

  reply(body: object): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#owner.answered(this, body);
  }

  refuse(status: Status): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#owner.refused(this, status);
  }

  waits(waiting: Waiting): void {
    if (this.#ended) waiting.abandon();
    else this.#waiting = waiting;
  }

  atDeadline(answer: () => void): void {
    this.#lateAnswer = answer;
  }

  /** Its time is over. True when a late answer is on its way instead of DEADLINE_EXCEEDED. */
  answerLate(): boolean {
    const answer = this.#lateAnswer;
    if (answer === undefined || this.late) return false;
    this.late = true;
    this.#abandonWait();
    answer();
    return true;
  }

  /** Nobody waits for the answer any more. False when it had ended. */
  giveUp(): boolean {
    if (this.#ended) return false;
    this.#ended = true;
    this.#abandonWait();
    return true;
  }

  /** Ends the engine's wait of a call that was refused at its deadline. */
  abandon(): void {
    this.#abandonWait();
  }

  #abandonWait(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.abandon();
  }
}
