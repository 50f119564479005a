// What lives where settings do, put together for the engine: the batch jobs of namespaces, the namespaces themselves, Nexus endpoints. All are asked
// about by doors; the first two are driven by timer rows.

import { Endpoints, type EndpointsOptions } from './endpoints/registry.ts';
import { Jobs, type JobsOptions } from './jobs/jobs.ts';
import { type NamespacesOptions, RegisteredNamespaces } from './namespaces/namespaces.ts';
import type { DueTimer } from './timers.ts';

export class Settings {
  readonly jobs: Jobs;
  readonly namespaces: RegisteredNamespaces;
  readonly endpoints: Endpoints;

  constructor(options: JobsOptions & NamespacesOptions & EndpointsOptions) {
    this.jobs = new Jobs(options);
    this.namespaces = new RegisteredNamespaces(options);
    this.endpoints = new Endpoints(options);
  }

  /** Whether the timer row drives one of them. `again`: try later; else its deletion has been decided. */
  fire(timer: DueTimer, again: () => void): boolean {
    if (timer.jobId !== undefined) this.jobs.fire(timer, again);
    else if (timer.goneNamespace !== undefined) this.namespaces.fire(timer.goneNamespace, timer, again);
    else return false;
    return true;
  }
}
