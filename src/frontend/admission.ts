// How many calls a node has open at once, and how much they have sent (I9): queries, updates and polls wait with what they said. When it is full, clients are refused before workers: completions and heartbeats shrink
// the work in the system, starts and reads grow it (DESIGN §6).

import type { Status } from '../wire/status.ts';
import type { CallClass } from './door.ts';
import { exhausted } from './statuses.ts';

/** About what a value takes once it is decoded: an empty map in a list has a byte before, and eighty then. */
const VALUE_BYTES = 80;
/** An ordinary request has no more, and is as large as its bytes. */
const USUAL_VALUES = 200;

/** What a request takes beside its bytes once it is decoded. @param values maps, lists and what is in them */
export const decodedBytes = (values: number): number => VALUE_BYTES * Math.max(0, values - USUAL_VALUES);

/** The rest is room that clients may not take. */
const CLIENTS_SHARE = 0.8;

export class Admission {
  readonly #limit: number;
  readonly #limitBytes: number;
  #open = 0;
  #bytes = 0;

  /** `limit`: calls open at once, of all connections. `limitBytes`: of their requests, together. */
  constructor(limit: number, limitBytes: number) {
    this.#limit = limit;
    this.#limitBytes = limitBytes;
  }

  get open(): number {
    return this.#open;
  }

  /** A status refuses; undefined admits, and `ended` must follow, with as many bytes. */
  admit(callClass: CallClass, bytes: number): Status | undefined {
    const share = callClass === 'worker' ? 1 : CLIENTS_SHARE;
    if (this.#open >= Math.floor(this.#limit * share)) {
      return exhausted(`The node has ${this.#open} calls open, its limit: try again later.`, 'CONCURRENT_LIMIT');
    }
    // One that finds nothing open is taken, whatever its size.
    if (this.#bytes > 0 && this.#bytes + bytes > this.#limitBytes * share) return this.#full();
    this.#open += 1;
    this.#bytes += bytes;
    return undefined;
  }

  /** An admitted call has turned out to take more: it counts, and a status says that it is too much. `shrink` must follow. */
  grow(callClass: CallClass, bytes: number): Status | undefined {
    const others = this.#bytes;
    this.#bytes += bytes;
    const share = callClass === 'worker' ? 1 : CLIENTS_SHARE;
    return bytes > 0 && others > bytes && this.#bytes > this.#limitBytes * share ? this.#full() : undefined;
  }

  shrink(bytes: number): void {
    this.#bytes -= bytes;
  }

  #full(): Status {
    const message = `The node has calls with ${this.#bytes} bytes open, its limit: try again later.`;
    return exhausted(message, 'CONCURRENT_LIMIT');
  }

  ended(bytes: number): void {
    this.#open -= 1;
    this.#bytes -= bytes;
  }
}
