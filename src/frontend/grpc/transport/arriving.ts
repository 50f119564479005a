// Requests that have begun and are not whole yet. Nobody has said who sends them, and no deadline of a call runs before there is one: so they have a bound
// in bytes, all together, and each one in time (I9). Used by transport.ts.

import type { Scheduler } from '../../../ports/clock.ts';
import { StatusCode } from '../../../wire/status.ts';
import { RpcError } from '../status.ts';

/** How often it is looked who is late, as a part of the time they have. */
const LOOKS = 4;

interface Call {
  end(error: RpcError): void;
}

interface Arrival {
  bytes: number;
  /** Looks that it has seen. */
  looks: number;
}

export class Arriving {
  readonly #scheduler: Scheduler;
  readonly #maxBytes: number;
  readonly #timeoutMs: number;
  /** In the order in which they began. */
  readonly #calls = new Map<Call, Arrival>();
  #bytes = 0;
  #isLooking = false;

  /** @param timeoutMs by then a request is whole, or a quarter of it later */
  constructor(scheduler: Scheduler, maxBytes: number, timeoutMs: number) {
    this.#scheduler = scheduler;
    this.#maxBytes = maxBytes;
    this.#timeoutMs = timeoutMs;
  }

  /** Its request has to be whole within the time. */
  began(call: Call): void {
    this.#calls.set(call, { bytes: 0, looks: 0 });
    if (this.#isLooking) return;
    this.#isLooking = true;
    this.#scheduler.after(this.#timeoutMs / LOOKS, this.#look);
  }

  /** Of a call that is not watched (a stream) it is the bytes alone. Whoever began first is refused when it is too much: who sends what he began is not him. */
  keeps(call: Call, bytes: number): void {
    let arrival = this.#calls.get(call);
    if (arrival === undefined) {
      if (bytes === 0) return;
      arrival = { bytes: 0, looks: Number.NEGATIVE_INFINITY };
      this.#calls.set(call, arrival);
    }
    this.#bytes += bytes - arrival.bytes;
    arrival.bytes = bytes;
    for (const [oldest, { bytes: held }] of this.#calls) {
      if (this.#bytes <= this.#maxBytes) return;
      if (held === 0) continue;
      this.ended(oldest);
      const message = `Requests that are not whole yet take more than ${this.#maxBytes} bytes: this one began first.`;
      oldest.end(new RpcError(StatusCode.RESOURCE_EXHAUSTED, message));
    }
  }

  /** It is whole, refused, or its client gone. */
  ended(call: Call): void {
    const arrival = this.#calls.get(call);
    if (arrival === undefined) return;
    this.#bytes -= arrival.bytes;
    this.#calls.delete(call);
  }

  readonly #look = (): void => {
    for (const [call, arrival] of this.#calls) {
      arrival.looks += 1;
      if (arrival.looks <= LOOKS) continue;
      this.ended(call);
      const message = `The request did not arrive within ${this.#timeoutMs} ms.`;
      call.end(new RpcError(StatusCode.DEADLINE_EXCEEDED, message));
    }
    this.#isLooking = this.#calls.size > 0;
    if (this.#isLooking) this.#scheduler.after(this.#timeoutMs / LOOKS, this.#look);
  };
}
