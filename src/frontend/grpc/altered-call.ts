// A call as one method hands it on to another: the same, but for what becomes of its end.

import type { Waiting } from '../../ports/engine.ts';
import type { Status } from '../../wire/status.ts';
import { Refused } from '../validate/check.ts';
import type { RpcCall } from './rpc.ts';
import type { RpcError } from './status.ts';

/** What is done instead. What is absent is the call's. */
export interface Ways {
  readonly reply?: (body: object) => void;
  readonly refuse?: (status: Status) => void;
  readonly fail?: (error: RpcError) => void;
  readonly waits?: (waiting: Waiting) => void;
}

export const altered = (call: RpcCall, ways: Ways): RpcCall => new AlteredCall(call, ways);

/** Somebody reads its reply, who answers it or asks on. `Reply`: that of the native method it is run with. */
export const reading = <Reply>(call: RpcCall, read: (reply: Reply) => void): RpcCall =>
  // Replies are plain data: what they hold is said by their method's type.
  altered(call, { reply: (body) => read(body as Reply) });

/** Its answer has another shape. `Reply`: as above. */
export const answering = <Reply>(call: RpcCall, answer: (reply: Reply) => object): RpcCall =>
  reading(call, (reply: Reply) => {
    let answered: object;
    try {
      answered = answer(reply);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      call.refuse(error.status);
      return;
    }
    call.reply(answered);
  });

class AlteredCall implements RpcCall {
  readonly #call: RpcCall;
  readonly #ways: Ways;

  constructor(call: RpcCall, ways: Ways) {
    this.#call = call;
    this.#ways = ways;
  }

  get timeoutMs(): number {
    return this.#call.timeoutMs;
  }

  get isOpen(): boolean {
    return this.#call.isOpen;
  }

  header(name: string): string | undefined {
    return this.#call.header(name);
  }

  reply(body: object): void {
    if (this.#ways.reply === undefined) this.#call.reply(body);
    else this.#ways.reply(body);
  }

  refuse(status: Status): void {
    if (this.#ways.refuse === undefined) this.#call.refuse(status);
    else this.#ways.refuse(status);
  }

  fail(error: RpcError): void {
    if (this.#ways.fail === undefined) this.#call.fail(error);
    else this.#ways.fail(error);
  }

  waits(waiting: Waiting): void {
    if (this.#ways.waits === undefined) this.#call.waits(waiting);
    else this.#ways.waits(waiting);
  }

  atDeadline(answer: () => void): void {
    this.#call.atDeadline(answer);
  }
}
