// Takes away what is left of a deleted namespace, step by step: batch jobs end its executions, and when none is left its search attributes and its
// name go. Driven by a timer row, so that it goes on after a crash or with another leader. Used by namespaces.ts.

import { isGone } from '../../core/namespace/record.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Engine, RegisteredAttributes } from '../../ports/engine.ts';
import type { JobAnswer } from '../../ports/jobs.ts';
import type { CountWorkflowExecutionsResponse, ListWorkflowExecutionsResponse } from '../../wire/api.ts';
import { BatchOperationState } from '../../wire/enums.ts';
import { asking } from '../asking.ts';
import type { DueTimer } from '../timers.ts';
import type { NamespaceRegistry } from './registry.ts';

/** ms until it looks again: while a job is under way, and while what is closed waits for its retention. */
const SOON_MS = 1_000;
const LATER_MS = 60_000;
const PER_SECOND = 500;
const JOBS_LOOKED_AT = 10;

export interface DeletionOptions {
  registry: NamespaceRegistry;
  clock: Clock;
  everywhere(): Pick<Engine, 'count' | 'list' | 'submit' | 'jobs' | 'searchAttributes' | 'changeSearchAttributes'>;
}

export class Deletion {
  readonly #options: DeletionOptions;

  constructor(options: DeletionOptions) {
    this.#options = options;
  }

  /** Decides the timer row's deletion, unless it rejects. */
  async step(name: string, timer: DueTimer): Promise<void> {
    const { registry, clock } = this.#options;
    const record = await registry.get(name);
    if (record === undefined || !isGone(record) || (await this.#isEmpty(name))) {
      await registry.forget(name, timer.key);
      return;
    }
    const pauseMs = await this.#end(name, record.id);
    await registry.rearm(name, timer.key, Math.max(clock.now() + pauseMs, timer.at + 1));
  }

  async #isEmpty(namespace: string): Promise<boolean> {
    const engine = this.#options.everywhere();
    for (const of of [undefined, 'activities'] as const) {
      const { count } = await asking<CountWorkflowExecutionsResponse>((done) =>
        engine.count({ namespace, query: '', of }, done),
      );
      if (count > 0) return false;
    }
    const attributes = await asking<RegisteredAttributes>((done) => engine.searchAttributes(namespace, done));
    const remove = Object.keys(attributes);
    if (remove.length > 0)
      await asking<RegisteredAttributes>((done) => engine.changeSearchAttributes(namespace, { add: {}, remove }, done));
    return true;
  }

  /** Some of the activities without a workflow that are open; no batch job finds those. Whether there were any. */
  async #endActivities(namespace: string, id: string): Promise<boolean> {
    const engine = this.#options.everywhere();
    const open = {
      ...{ namespace, of: 'activities' as const, query: "ExecutionStatus = 'Running'" },
      ...{ pageSize: PER_SECOND, nextPageToken: undefined },
    };
    const { executions } = await asking<ListWorkflowExecutionsResponse>((done) => engine.list(open, done));
    const reason = `namespace ${namespace} was deleted`;
    for (const { workflowId, runId } of executions) {
      const end = { type: 'terminate', target: { runId }, reason, identity: '', requestId: `${id}:${runId}` } as const;
      // One that is over by now is refused: what is left, the next look finds.
      engine.submit({ namespace, workflowId }, end, () => undefined);
    }
    return executions.length > 0;
  }

  /** How long to wait for what ends its executions, ms. */
  async #end(namespace: string, id: string): Promise<number> {
    const engine = this.#options.everywhere();
    if (await this.#endActivities(namespace, id)) return SOON_MS;
    const list = { type: 'list', pageSize: JOBS_LOOKED_AT } as const;
    const { jobs } = await asking<JobAnswer>((done) => engine.jobs(namespace, list, done));
    const own = jobs.filter(({ jobId }) => jobId.startsWith(id));
    if (own.some(({ state }) => state === BatchOperationState.RUNNING)) return SOON_MS;
    const now = this.#options.clock.now();
    // One has been through all: what is left is what began behind its back, or waits.
    if (own.some(({ startTime }) => startTime > now - LATER_MS)) return LATER_MS;
    const order = {
      ...{ jobId: `${id}:${now}`, requestId: `${id}:${now}`, identity: '', perSecond: PER_SECOND },
      ...{ reason: `namespace ${namespace} was deleted`, operation: { type: 'terminate' } as const },
      target: { query: 'WorkflowId IS NOT NULL' },
    };
    await asking<JobAnswer>((done) => engine.jobs(namespace, { type: 'start', order }, done));
    return SOON_MS;
  }
}
