// How many calls a node has open at once (I9). When it is full, clients are refused before workers: completions and heartbeats shrink
// the work in the system, starts and reads grow it (DESIGN §6).

import type { Status } from '../wire/status.ts';
import type { CallClass } from './door.ts';
import { exhausted } from './statuses.ts';

export class Admission {
  readonly #limit: number;
  /** Room that clients may not take. */
  readonly #clientLimit: number;
  #open = 0;

  /** `limit`: calls open at once, of all connections. */
  constructor(limit: number) {
    this.#limit = limit;
    this.#clientLimit = Math.floor(limit * 0.8);
  }

  get open(): number {
    return this.#open;
  }

  /** A status refuses; undefined admits, and `ended` must follow. */
  admit(callClass: CallClass): Status | undefined {
    const limit = callClass === 'worker' ? this.#limit : this.#clientLimit;
    if (this.#open >= limit) {
      return exhausted(`The node has ${this.#open} calls open, its limit: try again later.`, 'CONCURRENT_LIMIT');
    }
    this.#open += 1;
    return undefined;
  }

  ended(): void {
    this.#open -= 1;
  }
}
