// Signals to a workflow that has refused one for now: it is about to continue as new, and takes more when its worker has answered; or it has taken so many
// that it takes them at an even rate only. They wait here in a line, where they cost the node nothing: after each pause one is sent to see, and once it is
// answered the others follow, a bounded number at a time. A crowd that came again one by one would take from the node the time in which it could end the task
// that all wait for.

import type { Status } from '../../src/wire/status.ts';
import { Queue } from './queue.ts';
import { causeOf, isOfOneWorkflow, isPaced, pauseMs } from './repeats.ts';
import type { OpenRequest } from './request-table.ts';
import type { Cancelable, Scheduler } from './scheduler.ts';

/**
 * Signals under way to a workflow that others wait for: 10,000 a second where an answer takes 25 ms, and a wave of so many is refused at most when it is busy
 * again.
 */
const UNDER_WAY = 256;

interface Line {
  /** Why the others wait. */
  refusal: Status;
  /** How many may be under way: none in a pause, then one, then all that may. */
  room: 0 | 1 | typeof UNDER_WAY;
  /** In a row, for one reason: the next pause is longer. */
  refusals: number;
  pause: Cancelable | undefined;
  readonly underWay: Set<OpenRequest>;
  /** Were sent before those that wait. */
  readonly refused: Queue<OpenRequest>;
  readonly waiting: Queue<OpenRequest>;
  releasing: boolean;
}

export class BusyWorkflows {
  /** By the workflow that is signalled. */
  readonly #lines = new Map<string, Line>();
  readonly #scheduler: Scheduler;
  readonly #send: (request: OpenRequest) => void;

  /** @param send sends a request that was admitted */
  constructor(scheduler: Scheduler, send: (request: OpenRequest) => void) {
    this.#scheduler = scheduler;
    this.#send = send;
  }

  /** Signals that wait here. */
  get waiting(): number {
    return [...this.#lines.values()].reduce((sum, { refused, waiting }) => sum + refused.size + waiting.size, 0);
  }

  /** Whether the request may be sent now; else it waits here, and is sent when it may. */
  admits(request: OpenRequest): boolean {
    const line = this.#lineOf(request);
    if (line === undefined || line.underWay.has(request)) return true;
    if (line.underWay.size >= line.room) {
      request.lastRefusal ??= line.refusal;
      if (!line.refused.has(request)) line.waiting.add(request);
      return false;
    }
    line.refused.delete(request);
    line.waiting.delete(request);
    line.underWay.add(request);
    return true;
  }

  /** It was refused, and is to come again. Returns whether it waits here for that: its workflow is busy, or was and is not to be had now. */
  refused(request: OpenRequest, status: Status): boolean {
    const { signalled } = request;
    if (signalled === undefined) return false;
    const known = this.#lineOf(request);
    if (known === undefined && !isOfOneWorkflow(status)) return false;
    const line = known ?? this.#begin(signalled, status);
    if (line.refusal.code !== status.code || causeOf(line.refusal) !== causeOf(status)) line.refusals = 0;
    line.refusal = status;
    line.underWay.delete(request);
    line.refused.add(request);
    // Those that were sent with it may be refused with it.
    if (line.room > 0) this.#pause(line, status);
    return true;
  }

  /** It is over. @param answered by its workflow, which so is not busy; else somebody has given it up */
  ended(request: OpenRequest, answered: boolean): void {
    const { signalled } = request;
    const line = this.#lineOf(request);
    if (signalled === undefined || line === undefined) return;
    line.underWay.delete(request);
    line.refused.delete(request);
    line.waiting.delete(request);
    // A pause for a workflow that takes some all the while goes on.
    if (answered && !(line.room === 0 && isPaced(line.refusal))) this.#open(line);
    if (line.underWay.size + line.refused.size + line.waiting.size === 0) {
      line.pause?.cancel();
      this.#lines.delete(signalled);
    } else if (answered) {
      this.#release(line);
    } else {
      // Who gives up one may be giving up all of them: none is sent for that.
      this.#scheduler.soon(() => this.#release(line));
    }
  }

  #lineOf({ signalled }: OpenRequest): Line | undefined {
    return signalled === undefined || this.#lines.size === 0 ? undefined : this.#lines.get(signalled);
  }

  #begin(signalled: string, refusal: Status): Line {
    const line: Line = {
      refusal,
      room: 1,
      refusals: 0,
      pause: undefined,
      underWay: new Set(),
      refused: new Queue(),
      waiting: new Queue(),
      releasing: false,
    };
    this.#lines.set(signalled, line);
    return line;
  }

  #pause(line: Line, status: Status): void {
    line.room = 0;
    const pause = pauseMs(status, line.refusals, this.#scheduler.random()) ?? 0;
    line.pause = this.#scheduler.after(pause, () => {
      line.room = 1;
      this.#release(line);
    });
    line.refusals += 1;
  }

  #open(line: Line): void {
    line.pause?.cancel();
    line.refusals = 0;
    line.room = UNDER_WAY;
  }

  #release(line: Line): void {
    // One that cannot be sent at all ends at once and comes here again: the loop goes on instead of going deeper.
    if (line.releasing) return;
    line.releasing = true;
    while (line.underWay.size < line.room) {
      const again = line.refused.shift();
      const request = again ?? line.waiting.shift();
      if (request === undefined) break;
      // What the others were refused for is not why this one has no answer.
      if (again === undefined) request.lastRefusal = undefined;
      this.#send(request);
    }
    line.releasing = false;
  }
}
