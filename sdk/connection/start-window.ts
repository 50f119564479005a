// How many starts a connection has under way at once. No bound, until a node that has too much to do refuses one: then as many as it bears, found as
// TCP finds what a path carries (half as many after a refusal, one more for each whole window that was answered), and the others wait here, in order,
// where they cost the node nothing. Without this a crowd of starts that are refused and come again takes the time in which they could be served.

import type { Method } from '../../src/wire/api.ts';
import { type Status, StatusCode } from '../../src/wire/status.ts';
import { Queue } from './queue.ts';
import type { OpenRequest } from './request-table.ts';

/** What begins something new, and is answered as soon as that is durable. */
const STARTS: ReadonlySet<Method> = new Set([
  'startWorkflowExecution',
  'signalWithStartWorkflowExecution',
  'startActivityExecution',
]);

const LEAST = 16;

export class StartWindow {
  #size = Number.POSITIVE_INFINITY;
  /** Starts under way. */
  #open = 0;
  readonly #waiting = new Queue<OpenRequest>();
  /** Of the last one that was sent. */
  #number = 0;
  /** Of the last one that was sent before the window shrank: of those, many may be refused for the same moment's crowd. */
  #shrunkAt = 0;
  /** Why others wait. */
  #refusal: Status | undefined;
  #releasing = false;

  /** At most so many starts under way. */
  get size(): number {
    return this.#size;
  }

  /** Starts that wait here. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Whether the request may be sent now; else it waits here until `release` gives it. */
  admits(request: OpenRequest): boolean {
    if (!STARTS.has(request.method) || request.startNumber > 0) return true;
    if (this.#open >= this.#size) {
      request.lastRefusal ??= this.#refusal;
      this.#waiting.add(request);
      return false;
    }
    this.#waiting.delete(request);
    this.#number += 1;
    request.startNumber = this.#number;
    this.#open += 1;
    return true;
  }

  /** The server refused it, with that status: it comes again after a pause, or never. */
  refused(request: OpenRequest, status: Status): void {
    const { code, detail } = status;
    const number = request.startNumber;
    if (number === 0) return;
    const isTooMuch = detail?.kind === 'ResourceExhausted' && detail.cause === 'OVERLOADED';
    if (code === StatusCode.RESOURCE_EXHAUSTED && isTooMuch && number > this.#shrunkAt) {
      this.#size = Math.max(LEAST, Math.floor(Math.min(this.#size, this.#open) / 2));
      this.#shrunkAt = this.#number;
      this.#refusal = status;
    }
    this.#close(request);
  }

  /** It is over: answered, or given up. */
  ended(request: OpenRequest): void {
    if (this.#waiting.size > 0) this.#waiting.delete(request);
    if (request.startNumber === 0) return;
    this.#close(request);
    if (this.#waiting.size > 0) this.#size += 1 / this.#size;
  }

  /** Gives out those that may be sent now. */
  release(send: (request: OpenRequest) => void): void {
    // One that cannot be sent at all ends at once and comes here again: the loop goes on instead of going deeper.
    if (this.#releasing || this.#waiting.size === 0) return;
    this.#releasing = true;
    while (this.#open < this.#size) {
      const request = this.#waiting.shift();
      if (request === undefined) break;
      send(request);
    }
    this.#releasing = false;
  }

  #close(request: OpenRequest): void {
    request.startNumber = 0;
    this.#open -= 1;
  }
}
