// Goes on with batch jobs whose timer row is due: finds the next page of executions and keeps it, comes to some of them at the job's rate, and notes
// how far it has come, which arms the next step. A crash, or another leader, begins such a step again: operations done before are known by their
// request ids, and are counted when the step is noted. Operations go wherever the execution is (`everywhere`). Called by jobs.ts.

import {
  countedIn,
  ended,
  isRunning,
  type Job,
  type JobProgress,
  needsPage,
  nextSlice,
  PAGE,
  settled,
  withPage,
} from '../../core/batch/job.ts';
import { searchedFor } from '../../core/batch/operations.ts';
import type { Clock, Scheduler } from '../../ports/clock.ts';
import type { CountRequest, Engine, RegisteredAttributes } from '../../ports/engine.ts';
import { StatusCode } from '../../wire/status.ts';
import type { CountWorkflowExecutionsResponse, ListWorkflowExecutionsResponse } from '../../wire/visibility.ts';
import { asking } from '../asking.ts';
import { SettingRefusal } from '../settings-turns.ts';
import type { DueTimer } from '../timers.ts';
import { type JobEngine, Operations } from './operate.ts';
import { paced } from './pace.ts';
import type { JobRegistry } from './registry.ts';

/** Jobs of a node under way at once; the others wait their turn. */
const MAX_STEPS = 64;

export interface JobRunnerOptions {
  registry: JobRegistry;
  clock: Clock;
  scheduler: Scheduler;
  /** The engine as doors see it: in a cluster it reaches the shards of all nodes. */
  everywhere(): JobEngine & Pick<Engine, 'list' | 'count' | 'searchAttributes'>;
  /** Whether this node serves, and leads where the namespace's jobs are. */
  leads(namespace: string): boolean;
  onFault(error: unknown): void;
}

/** What a step is about. */
interface Due {
  readonly namespace: string;
  readonly jobId: string;
  readonly timer: DueTimer;
}

export class JobRunner {
  readonly #options: JobRunnerOptions;
  readonly #stopped = new Set<string>();
  #steps = 0;

  constructor(options: JobRunnerOptions) {
    this.#options = options;
  }

  /** A step under way begins nothing more. */
  stop(namespace: string, jobId: string): void {
    if (this.#steps > 0) this.#stopped.add(nameOf({ namespace, jobId }));
  }

  /** `again`: try later. Otherwise the timer row's deletion has been decided. */
  fire(timer: DueTimer, again: () => void): void {
    const { namespace, jobId } = timer;
    if (jobId === undefined || this.#steps >= MAX_STEPS || !this.#options.leads(namespace)) {
      again();
      return;
    }
    const due = { namespace, jobId, timer };
    this.#steps += 1;
    this.#step(due)
      .catch((error: unknown) => {
        // Refusals pass: another node leads, or the store is away for a while.
        if (!(error instanceof SettingRefusal)) this.#options.onFault(error);
        return 'later' as const;
      })
      .then((outcome) => {
        this.#steps -= 1;
        if (this.#steps === 0) this.#stopped.clear();
        else this.#stopped.delete(nameOf(due));
        if (outcome === 'later') again();
      });
  }

  async #step(due: Due): Promise<'noted' | 'later'> {
    const { registry, clock } = this.#options;
    const { namespace, jobId, timer } = due;
    let job = await registry.get(namespace, jobId);
    if (job === undefined || !isRunning(job.progress)) {
      await registry.expire(namespace, jobId, timer.key);
      return 'noted';
    }
    if (needsPage(job.progress)) job = await this.#turnPage(due, job);
    if (job === undefined || !isRunning(job.progress)) return 'noted';
    const { spec, progress } = job;
    const began = clock.now();
    const counted = countedIn(progress);
    const slice = nextSlice(progress, spec);
    const operations = new Operations(this.#options.everywhere(), namespace, spec);
    await operations.prepare();
    const came = await paced(slice, {
      ...{ clock, scheduler: this.#options.scheduler, perSecond: spec.perSecond },
      operate: (target, done) => operations.run(target, done),
      stopped: () => this.#stopped.has(nameOf(due)),
      abandoned: () => !this.#options.leads(namespace),
    });
    if (came === undefined) return 'later';
    const pauseMs = ((came.complete + came.failure) * 1_000) / spec.perSecond;
    const next = Math.ceil(began + pauseMs);
    await registry.change(namespace, jobId, (before, now) => settled(before, counted, came, now), next);
    return 'noted';
  }

  /** Keeps the next page of executions before any of them is touched. The job ends here when its filter has become wrong. */
  async #turnPage({ namespace, jobId }: Due, { spec, progress }: Job): Promise<Job | undefined> {
    const { registry } = this.#options;
    const { target } = spec;
    if (!('query' in target)) throw new Error(`batch job ${jobId} has a list of executions, and no page of it`);
    let step: (before: JobProgress, now: number) => JobProgress;
    try {
      step = await this.#find({ namespace, query: target.query, of: searchedFor(spec.operation) }, progress);
    } catch (error) {
      if (!(error instanceof SettingRefusal) || error.status.code !== StatusCode.INVALID_ARGUMENT) throw error;
      // Such as a search attribute that is not registered any more.
      const why = `its query cannot be answered any more: ${error.status.message}`;
      step = (before, now) => (isRunning(before) ? ended(before, why, now) : before);
    }
    return registry.change(namespace, jobId, step);
  }

  async #find(
    sought: Pick<CountRequest, 'namespace' | 'query' | 'of'>,
    progress: JobProgress,
  ): Promise<(before: JobProgress, now: number) => JobProgress> {
    const { page } = progress;
    const engine = this.#options.everywhere();
    const attributes = await asking<RegisteredAttributes>((done) => engine.searchAttributes(sought.namespace, done));
    const request = { ...sought, attributes };
    const list = { ...request, pageSize: PAGE, nextPageToken: page?.next };
    const { executions, nextPageToken: next } = await asking<ListWorkflowExecutionsResponse>((done) =>
      engine.list(list, done),
    );
    const targets = executions.map(({ workflowId, runId }) => ({ workflowId, runId }));
    let total: number | undefined;
    if (page === undefined && next === undefined) total = targets.length;
    else if (page === undefined)
      total = (await asking<CountWorkflowExecutionsResponse>((done) => engine.count(request, done))).count;
    return (before) => withPage(before, countedIn(progress), { targets, next }, total);
  }
}

const nameOf = ({ namespace, jobId }: { namespace: string; jobId: string }): string => `${namespace}\0${jobId}`;
