// What lives where settings do, put together for the engine: the batch jobs of namespaces, and the namespaces themselves. Both are asked about by doors
// and driven by timer rows.

import { Jobs, type JobsOptions } from './jobs/jobs.ts';
import { type NamespacesOptions, RegisteredNamespaces } from './namespaces/namespaces.ts';
import type { DueTimer } from './timers.ts';

export class Settings {
  readonly jobs: Jobs;
  readonly namespaces: RegisteredNamespaces;

  constructor(options: JobsOptions & NamespacesOptions) {
    this.jobs = new Jobs(options);
    this.namespaces = new RegisteredNamespaces(options);
  }

  /** Whether the timer row drives one of them. `again`: try later; else its deletion has been decided. */
  fire(timer: DueTimer, again: () => void): boolean {
    if (timer.jobId !== undefined) this.jobs.fire(timer, again);
    else if (timer.goneNamespace !== undefined) this.namespaces.fire(timer.goneNamespace, timer, again);
    else return false;
    return true;
  }
}
