// What lives where settings do, put together for the engine: the batch jobs of namespaces, the namespaces themselves, worker deployments and Nexus
// endpoints. All are asked about by doors, the first two driven by timer rows.

import { Deployments } from './deployments/registry.ts';
import { Endpoints, type EndpointsOptions } from './endpoints/registry.ts';
import { Jobs, type JobsOptions } from './jobs/jobs.ts';
import { type NamespacesOptions, RegisteredNamespaces } from './namespaces/namespaces.ts';
import { Rerouter, type RerouterOptions } from './rerouter.ts';
import type { DueTimer } from './timers.ts';
import { Workers } from './workers.ts';

export class Settings {
  readonly jobs: Jobs;
  readonly namespaces: RegisteredNamespaces;
  readonly endpoints: Endpoints;
  readonly deployments: Deployments;
  readonly rerouter: Rerouter;
  readonly workers: Workers;

  constructor(options: JobsOptions & Omit<NamespacesOptions, 'deployments'> & RerouterOptions & EndpointsOptions) {
    this.jobs = new Jobs(options);
    this.deployments = new Deployments(options);
    this.namespaces = new RegisteredNamespaces({ ...options, deployments: this.deployments });
    this.rerouter = new Rerouter(options);
    this.workers = new Workers(options);
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
