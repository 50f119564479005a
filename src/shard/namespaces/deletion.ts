// Takes away what is left of a deleted namespace, step by step: its schedules and its activities without a workflow, then by batch jobs its
// executions, and when none is left its search attributes, the limits of its flow-control keys, its worker deployments and its name go. Driven by a
// timer row, so that it goes on after a crash or with another leader. Used by namespaces.ts.

import { isGone } from '../../core/namespace/record.ts';
import { scheduleAddress } from '../../core/schedule/address.ts';
import type { Message } from '../../core/workflow/message.ts';
import type { Reply } from '../../core/workflow/outcome.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Engine, RegisteredAttributes } from '../../ports/engine.ts';
import type { JobAnswer } from '../../ports/jobs.ts';
import { BatchOperationState } from '../../wire/enums.ts';
import { StatusCode } from '../../wire/status.ts';
import type { CountWorkflowExecutionsResponse, ListWorkflowExecutionsResponse } from '../../wire/visibility.ts';
import { asking } from '../asking.ts';
import type { Deployments } from '../deployments/registry.ts';
import { SettingRefusal } from '../settings-turns.ts';
import type { DueTimer } from '../timers.ts';
import type { NamespaceRegistry } from './registry.ts';

/** ms until it looks again: while there is something to do, and after a job that has been through all. */
const SOON_MS = 1_000;
const LATER_MS = 10_000;
const PER_SECOND = 500;
const JOBS_LOOKED_AT = 10;
/** Schedules or activities deleted in one step, one after the other. */
const ENDED_PER_STEP = 500;
const KEYS_PER_PAGE = 500;
/** What is listed apart from executions. */
const APART = ['schedules', 'activities'] as const;

/** A schedule's incarnation makes the request the same one in every step. */
const endOf = (of: (typeof APART)[number], runId: string): Message =>
  of === 'schedules'
    ? { type: 'deleteSchedule', requestId: `gone:${runId}` }
    : { type: 'deleteExecution', target: { runId }, identity: '' };

export interface DeletionOptions {
  registry: NamespaceRegistry;
  clock: Clock;
  deployments: Pick<Deployments, 'forget'>;
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
    const isOver = record === undefined || !isGone(record);
    if (isOver || (await this.#isEmpty(name))) {
      if (!isOver) await this.#endSettings(name);
      await registry.forget(name, timer.key);
      return;
    }
    // What they would start is not begun any more.
    const ended = (await this.#endSome('schedules', name)) || (await this.#endSome('activities', name));
    const pauseMs = ended ? SOON_MS : await this.#end(name, record.id);
    await registry.rearm(name, timer.key, Math.max(clock.now() + pauseMs, timer.at + 1));
  }

  async #isEmpty(namespace: string): Promise<boolean> {
    const engine = this.#options.everywhere();
    for (const of of [...APART, undefined]) {
      const request = { namespace, query: '', of };
      const { count } = await asking<CountWorkflowExecutionsResponse>((done) => engine.count(request, done));
      if (count > 0) return false;
    }
    const all = { add: {}, remove: 'everything' } as const;
    await asking<RegisteredAttributes>((done) => engine.changeSearchAttributes(namespace, all, done));
    await asking<JobAnswer>((done) => engine.jobs(namespace, { type: 'forget' }, done));
    return true;
  }

  /** Another namespace of this name begins with none. Keys without limits are forgotten by themselves. */
  async #endSettings(namespace: string): Promise<void> {
    const engine = this.#options.everywhere();
    let nextPageToken: Uint8Array | undefined;
    do {
      const request = { namespace, query: '', of: 'flowKeys', pageSize: KEYS_PER_PAGE, nextPageToken } as const;
      const page = await asking<ListWorkflowExecutionsResponse>((done) => engine.list(request, done));
      for (const { workflowId } of page.executions) {
        const to = { namespace, workflowId };
        const key = await asking<Reply>((done) => engine.submit(to, { type: 'describeFlow' }, done));
        if (key.type !== 'flowDescribed' || key.response.setLimits === undefined) continue;
        await asking<Reply>((done) => engine.submit(to, { type: 'setFlowLimits', limits: {} }, done));
      }
      nextPageToken = page.nextPageToken;
    } while (nextPageToken !== undefined && nextPageToken.length > 0);
    await this.#options.deployments.forget(namespace);
  }

  /** Those of one kind that no batch job finds. Whether there were any. One that is gone already is no fault: a step may be done twice. */
  async #endSome(of: (typeof APART)[number], namespace: string): Promise<boolean> {
    const engine = this.#options.everywhere();
    const request = { namespace, query: '', of, pageSize: ENDED_PER_STEP, nextPageToken: undefined };
    const { executions } = await asking<ListWorkflowExecutionsResponse>((done) => engine.list(request, done));
    for (const { workflowId: listedId, runId } of executions) {
      // A schedule is listed by its id, an activity by its actor's.
      const to = { namespace, workflowId: of === 'schedules' ? scheduleAddress(listedId) : listedId };
      await asking<Reply>((done) => engine.submit(to, endOf(of, runId), done)).catch((error: unknown) => {
        if (!(error instanceof SettingRefusal) || error.status.code !== StatusCode.NOT_FOUND) throw error;
      });
    }
    return executions.length > 0;
  }

  /** How long to wait for what ends its executions, ms. */
  async #end(namespace: string, id: string): Promise<number> {
    const engine = this.#options.everywhere();
    const list = { type: 'list', pageSize: JOBS_LOOKED_AT } as const;
    const { jobs } = await asking<JobAnswer>((done) => engine.jobs(namespace, list, done));
    const own = jobs.filter(({ jobId }) => jobId.startsWith(id));
    if (own.some(({ state }) => state === BatchOperationState.RUNNING)) return SOON_MS;
    const now = this.#options.clock.now();
    // One has been through all: what is left is what began behind its back, or waits.
    if (own.some(({ startTime }) => startTime > now - LATER_MS)) return LATER_MS;
    const order = {
      ...{ jobId: `${id}:${now}`, requestId: `${id}:${now}`, identity: '', perSecond: PER_SECOND },
      ...{ reason: `namespace ${namespace} was deleted`, operation: { type: 'delete' } as const },
      target: { query: 'WorkflowId IS NOT NULL' },
    };
    await asking<JobAnswer>((done) => engine.jobs(namespace, { type: 'start', order }, done));
    return SOON_MS;
  }
}
