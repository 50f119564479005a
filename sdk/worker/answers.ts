// Answers on their way to the servers: each is sent again until a server has taken or refused it (I6 makes a repeat harmless), to the node its
// task came from or, while that is away, to any other: a token says where it belongs. Used by the worker's session.

import type { Method, Methods } from '../../src/wire/api.ts';
import { encode } from '../../src/wire/codec.ts';
import { MAX_MESSAGE_BYTES } from '../../src/wire/frame.ts';
import { StatusCode } from '../../src/wire/status.ts';
import { isFault, isTransient, isUnsent, statusCodeOf } from './answer-errors.ts';
import type { NodeSession } from './node-session.ts';

/** Methods that end a task and give its credit back. */
export type AnswerMethod = Extract<Method, `respond${string}`>;

/** Learns how an answer ended: undefined when it was taken, else the server's final refusal. */
export interface AnswerOwner {
  /** The task's token as a key. */
  readonly key: string;
  /** Where the task came from. */
  readonly from: NodeSession;
  answered(refusal: unknown): void;
  /** The answer cannot be sent, e.g. being too large: what to send in its place. Undefined: nothing can be. */
  substitute(error: unknown): SubstituteAnswer | undefined;
}

export interface SubstituteAnswer {
  method: AnswerMethod;
  body: object;
}

interface Answer {
  method: AnswerMethod;
  body: { credit: number };
  readonly owner: AnswerOwner;
  /** Where it was sent and has not come back from. */
  via: NodeSession | undefined;
  /** It could not do anything with it just now: the next attempt goes by another, if there is one. */
  refusedBy: NodeSession | undefined;
  tries: number;
  substituted: boolean;
}

export interface AnswersHost {
  /** A node that takes answers now, rather another than this one; undefined: none does. */
  anyNode(but: NodeSession | undefined): NodeSession | undefined;
  settled(owner: AnswerOwner): void;
}

/** ms an answer's request may wait for its response before it is sent again. */
const ANSWER_TIMEOUT_MS = 30_000;
/** Back-off between repeats while there is a link: 50 ms doubling to 5 s. */
const FIRST_RETRY_MS = 50;
const MAX_RETRY_MS = 5_000;
/** What a request's frame adds to its body, at most. */
const FRAME_OVERHEAD_BYTES = 128;
/** Repeats of an answer that the server fails on with INTERNAL or UNKNOWN, or the connection does not take, before it is given up. */
const MAX_FAULTS = 5;

export class Answers {
  readonly #host: AnswersHost;
  /** Neither taken nor refused, in the order they were made. */
  readonly #open = new Set<Answer>();
  #retryTimer: NodeJS.Timeout | undefined;
  #retryDelayMs = FIRST_RETRY_MS;
  #drained: (() => void) | undefined;
  #closed = false;

  constructor(host: AnswersHost) {
    this.#host = host;
  }

  /**
   * @param request becomes this answer's own
   * @param credit What goes back with it to the node the task came from: 0 or 1.
   */
  add(method: AnswerMethod, request: object, credit: number, owner: AnswerOwner): void {
    const answer: Answer = {
      method,
      body: Object.assign(request, { credit }),
      owner,
      via: undefined,
      refusedBy: undefined,
      tries: 0,
      substituted: false,
    };
    this.#open.add(answer);
    this.#send(answer);
  }

  /** Credit that was to go to this node with answers still here is void: it is about to be stated anew, or the node was lost. */
  creditVoid(node: NodeSession): void {
    for (const answer of this.#open) if (answer.owner.from === node && answer.via === undefined) answer.body.credit = 0;
  }

  /** Sends what waits, as far as it has somewhere to go. */
  sendAll(): void {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    for (const answer of this.#open) if (answer.via === undefined) this.#send(answer);
  }

  /** Resolves when no answer is open. */
  async taken(): Promise<void> {
    if (this.#open.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#drained = resolve;
    });
  }

  /** Open answers are given up. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#retryTimer);
    this.#open.clear();
    this.#drained?.();
  }

  #send(answer: Answer): void {
    const via = this.#nodeFor(answer);
    if (via === undefined) return;
    answer.via = via;
    // The body was made by `add` for this very method.
    const body = answer.body as Methods[AnswerMethod]['request'];
    via.node.request(answer.method, body, { timeoutMs: ANSWER_TIMEOUT_MS }).then(
      () => {
        this.#retryDelayMs = FIRST_RETRY_MS;
        this.#settle(answer, undefined);
      },
      (error: unknown) => this.#failed(answer, via, error),
    );
  }

  #nodeFor({ owner: { from }, refusedBy }: Answer): NodeSession | undefined {
    // A registration that is on its way is over in a moment; its credit is counted without this answer's.
    if (from.state === 'registering') return undefined;
    return from.state === 'registered' && refusedBy !== from ? from : this.#host.anyNode(refusedBy);
  }

  #failed(answer: Answer, via: NodeSession, error: unknown): void {
    answer.via = undefined;
    if (!this.#open.has(answer)) return;
    const unsent = isUnsent(error);
    if (unsent || isFault(error)) answer.tries++;
    const tooLarge = unsent && encode(answer.body).length > MAX_MESSAGE_BYTES - FRAME_OVERHEAD_BYTES;
    const neverSent = unsent || statusCodeOf(error) === undefined;
    if (tooLarge || (neverSent && answer.tries >= MAX_FAULTS)) {
      this.#substitute(answer, error);
      return;
    }
    if (!isTransient(error) || answer.tries >= MAX_FAULTS) {
      this.#settle(answer, error);
      return;
    }
    // The server saw the credit, whatever it thought of the rest; and a link that was lost took its credit with it.
    if (!unsent) answer.body.credit = 0;
    // A node that does not reach the owner of the task's shard; another may.
    answer.refusedBy = statusCodeOf(error) === StatusCode.UNAVAILABLE ? via : undefined;
    if (via.state !== 'registered' && this.#host.anyNode(via) !== undefined) this.#send(answer);
    if (answer.via !== undefined || this.#retryTimer !== undefined || this.#closed) return;
    this.#retryTimer = setTimeout(() => this.sendAll(), this.#retryDelayMs);
    this.#retryDelayMs = Math.min(this.#retryDelayMs * 2, MAX_RETRY_MS);
  }

  #substitute(answer: Answer, error: unknown): void {
    const substitute = answer.substituted ? undefined : answer.owner.substitute(error);
    if (substitute === undefined) {
      this.#settle(answer, error);
      return;
    }
    answer.substituted = true;
    answer.tries = 0;
    answer.method = substitute.method;
    answer.body = { ...substitute.body, credit: answer.body.credit };
    this.#send(answer);
  }

  #settle(answer: Answer, refusal: unknown): void {
    if (!this.#open.delete(answer)) return;
    this.#host.settled(answer.owner);
    answer.owner.answered(refusal);
    if (this.#open.size === 0) this.#drained?.();
  }
}
