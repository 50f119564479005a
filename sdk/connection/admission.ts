// Which requests of a connection are sent at once, and which wait on this side for what would refuse them.

import type { Status } from '../../src/wire/status.ts';
import { BusyWorkflows } from './busy-workflows.ts';
import type { OpenRequest } from './request-table.ts';
import type { Scheduler } from './scheduler.ts';
import { StartWindow } from './start-window.ts';

export class Admission {
  readonly #starts = new StartWindow();
  readonly #busy: BusyWorkflows;
  readonly #scheduler: Scheduler;
  readonly #send: (request: OpenRequest) => void;

  /** @param send sends a request, if it is admitted then */
  constructor(scheduler: Scheduler, send: (request: OpenRequest) => void) {
    this.#busy = new BusyWorkflows(scheduler, send);
    this.#scheduler = scheduler;
    this.#send = send;
  }

  /** Whether the request may be sent now; else it is sent when it may. */
  admits(request: OpenRequest): boolean {
    // What waits for a workflow is not under way as a start.
    return this.#busy.admits(request) && this.#starts.admits(request);
  }

  /** The server refused it, whether it comes again or not. */
  refused(request: OpenRequest, status: Status): void {
    this.#starts.refused(request, status);
  }

  /** It was refused, and is to come again. Returns whether it is kept here until then. */
  keeps(request: OpenRequest, status: Status): boolean {
    return this.#busy.refused(request, status);
  }

  /** It is over. @param answered by the server; else somebody has given it up, and may be giving up others: none is sent for that */
  ended(request: OpenRequest, answered: boolean): void {
    this.#busy.ended(request, answered);
    this.#starts.ended(request);
    if (answered) this.#starts.release(this.#send);
    else if (this.#starts.waiting > 0) this.#scheduler.soon(() => this.#starts.release(this.#send));
  }
}
