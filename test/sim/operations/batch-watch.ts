// Batch jobs as their durable rows tell it: counts never fall, what is counted as done is durably done, and a job that has completed counts every
// execution of its pages once. That each got the operation once, the truth knows of the signals themselves.

import type { JobProgress, JobSpec } from '../../../src/core/batch/job.ts';
import { readPart } from '../../../src/shard/keys.ts';
import type { BatchOperationInfo, BatchTarget } from '../../../src/wire/batch.ts';
import { decode } from '../../../src/wire/codec.ts';
import { BatchOperationState, EventType } from '../../../src/wire/enums.ts';
import type { HistoryEvent } from '../../../src/wire/event.ts';
import { Violation } from '../kernel.ts';
import { textOf } from '../relations.ts';
import type { TrueRun } from '../truth.ts';
import type { DeletionWatch } from './deletion-watch.ts';
import type { ActorsRow } from './watches.ts';

export interface KnownTargets {
  run(runId: string): TrueRun | undefined;
  buffered(workflowId: string, runId: string): HistoryEvent[];
}

interface Watched {
  spec: JobSpec | undefined;
  progress: JobProgress | undefined;
  /** Executions of all its pages, in order. */
  readonly targets: BatchTarget[];
}

export class BatchWatch {
  readonly #known: KnownTargets;
  readonly #deletions: DeletionWatch;
  readonly #jobs = new Map<string, Watched>();
  #touched: { name: string; progress: JobProgress }[] = [];
  readonly seen = new Set<string>();
  /** A page is durable, and about to be gone through: faults aim at it. */
  onPage: ((jobId: string) => void) | undefined;

  constructor(known: KnownTargets, deletions: DeletionWatch) {
    this.#known = known;
    this.#deletions = deletions;
  }

  /** A row of the entry that is being applied, under a namespace's own address. */
  row({ key, value, address, end }: ActorsRow): void {
    if (address !== '' || value === undefined) return;
    const { text: jobId, next: kind } = readPart(key, end + 1);
    let job = this.#jobs.get(jobId);
    if (job === undefined) this.#jobs.set(jobId, (job = { spec: undefined, progress: undefined, targets: [] }));
    // Both written by src/shard/jobs.
    if (key.charAt(kind) === 's') job.spec = decode(value) as JobSpec;
    else this.#touched.push({ name: jobId, progress: (decode(value) as [number, JobProgress])[1] });
  }

  entered(): void {
    if (this.#touched.length === 0) return;
    const touched = this.#touched;
    this.#touched = [];
    for (const { name, progress } of touched) this.#moved(name, progress);
  }

  /** A client was told so. */
  described({ jobId, completeOperationCount, failureOperationCount, state }: BatchOperationInfo): void {
    const durable = this.#jobs.get(jobId)?.progress;
    const told = completeOperationCount + failureOperationCount;
    if (
      durable === undefined ||
      told > doneOf(durable) ||
      (state !== durable.state && state !== BatchOperationState.RUNNING)
    )
      throw new Violation(
        'I1',
        `batch job ${jobId} was told to have done ${told} (${state}); durable is ${JSON.stringify(durable)}`,
      );
  }

  progressOf(jobId: string): JobProgress | undefined {
    return this.#jobs.get(jobId)?.progress;
  }

  #moved(jobId: string, is: JobProgress): void {
    const job = this.#jobs.get(jobId);
    if (job === undefined) return;
    const { progress: was } = job;
    const where = `batch job ${jobId}`;
    const [before, now] = [doneOf(was), doneOf(is)];
    if (now < before) throw new Violation('end', `${where} counted ${before} and now ${now}`);
    if (was !== undefined && was.state !== BatchOperationState.RUNNING && is.state !== was.state)
      throw new Violation('end', `${where} was over and is ${is.state} now`);
    // A page is kept before any of it is touched; a page after it begins at its beginning.
    if (is.page !== undefined && (was?.page === undefined || (is.page.at === 0 && was.page.at > 0))) {
      job.targets.push(...is.page.targets);
      if (job.spec?.operation.type === 'delete')
        for (const { runId = '' } of is.page.targets) this.#deletions.asked(runId);
    }
    const counted = job.targets.slice(before, now);
    // A failure does not say which it was.
    if (is.failure === (was?.failure ?? 0)) for (const target of counted) this.#mustBeDone(job, target, where);
    job.progress = is;
    if (is.page !== undefined && is.page !== was?.page && is.page.at === 0) this.onPage?.(jobId);
    if (is.state !== BatchOperationState.COMPLETED) return;
    this.seen.add('a batch job completed');
    if (now !== job.targets.length || is.total !== now)
      throw new Violation(
        'end',
        `${where} completed and counts ${is.complete} + ${is.failure} of ${is.total}; it came to ${job.targets.length} executions`,
      );
  }

  #mustBeDone({ spec }: Watched, { workflowId, runId = '' }: BatchTarget, where: string): void {
    if (spec?.operation.type === 'delete') {
      this.#deletions.answered(runId);
      return;
    }
    const run = this.#known.run(runId);
    if (spec === undefined || run === undefined || run.closed !== undefined) return;
    const events = [...run.events, ...this.#known.buffered(workflowId, runId)];
    const { operation } = spec;
    const isIt = (event: HistoryEvent): boolean => {
      if (operation.type === 'signal')
        return (
          event.eventType === EventType.WORKFLOW_EXECUTION_SIGNALED &&
          event.attributes.signalName === operation.signalName &&
          textOf(event.attributes.input) === textOf(operation.input)
        );
      const isCancel = operation.type === 'cancel' || operation.type === 'cancelStandalone';
      return isCancel && event.eventType === EventType.WORKFLOW_EXECUTION_CANCEL_REQUESTED;
    };
    if (!events.some(isIt))
      throw new Violation('end', `${where} counts ${workflowId}, run ${runId}, which got no ${operation.type}`);
  }
}

const doneOf = (progress: JobProgress | undefined): number => (progress?.complete ?? 0) + (progress?.failure ?? 0);
