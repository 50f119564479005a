// Which requests of a connection are sent at once, and which wait on this side for what would refuse them.

import type { Status } from '../../src/wire/status.ts';
import { BusyWorkflows } from './busy-workflows.ts';
import type { OpenRequest } from './request-table.ts';
import type { Scheduler } from './scheduler.ts';
import { StartWindow } from './start-window.ts';

export class Admission {
  readonly #starts = new StartWindow();
  readonly #busy: BusyWorkflows;
  readonly #send: (request: OpenRequest) => void;

  /** @param send sends a request, if it is admitted then */
  constructor(scheduler: Scheduler, send: (request: OpenRequest) => void) {
    this.#busy = new BusyWorkflows(scheduler, send);
    this.#send = send;
  }

  /** Whether the request may be sent now; else it is sent when it may. */
  admits(request: OpenRequest): boolean {
    return this.#starts.admits(request) && this.#busy.admits(request);
  }

  /** The server refused it. Returns whether it is seen to here that it comes again, if it does. */
  refused(request: OpenRequest, status: Status): boolean {
    this.#starts.refused(request, status);
    return this.#busy.refused(request, status);
  }

  /** It is over. @param taken it was answered */
  ended(request: OpenRequest, taken: boolean): void {
    this.#busy.ended(request, taken);
    this.#starts.ended(request);
    this.#starts.release(this.#send);
  }
}
