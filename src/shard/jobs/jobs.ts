// The batch jobs of the namespaces whose settings are in shards led here: asked about by doors, driven by timer rows. Put together for the engine.

import { ended, infoOf, isRunning } from '../../core/batch/job.ts';
import type { Clock, Scheduler } from '../../ports/clock.ts';
import type { Done } from '../../ports/engine.ts';
import type { JobAnswer, JobAsk } from '../../ports/jobs.ts';
import type { Status } from '../../wire/status.ts';
import { answered, SettingRefusal } from '../settings-turns.ts';
import { notFound } from '../status.ts';
import type { DueTimer } from '../timers.ts';
import { JobRegistry, type JobRegistryOptions, unknownJob } from './registry.ts';
import { JobRunner, type JobRunnerOptions } from './runner.ts';

export interface JobsOptions
  extends Omit<JobRegistryOptions, 'clock'>,
    Pick<JobRunnerOptions, 'everywhere' | 'leads' | 'onFault'> {
  clock: Clock;
  scheduler: Scheduler;
  /** Why nothing is served, or undefined. */
  refusal(): Status | undefined;
}

export class Jobs {
  readonly #options: JobsOptions;
  readonly #registry: JobRegistry;
  readonly #runner: JobRunner;

  constructor(options: JobsOptions) {
    this.#options = options;
    this.#registry = new JobRegistry(options);
    this.#runner = new JobRunner({ ...options, registry: this.#registry });
  }

  ask(namespace: string, asked: JobAsk, done: Done<JobAnswer>): void {
    answered(this.#options, done, () => this.#answer(namespace, asked));
  }

  fire(timer: DueTimer, again: () => void): void {
    this.#runner.fire(timer, again);
  }

  #answer(namespace: string, asked: JobAsk): Promise<JobAnswer> {
    switch (asked.type) {
      case 'start':
        return this.#registry.start(namespace, asked.order);
      case 'describe':
        return this.#registry.describe(namespace, asked.jobId);
      case 'list':
        return this.#registry.list(namespace, asked.pageSize, asked.after);
      case 'stop':
        return this.#stop(namespace, asked);
      case 'forget':
        return this.#registry.forget(namespace);
      default:
        return asked satisfies never;
    }
  }

  async #stop(namespace: string, { jobId, reason, identity }: Extract<JobAsk, { type: 'stop' }>): Promise<JobAnswer> {
    // What is under way is over before it is noted, and then counted.
    this.#runner.stop(namespace, jobId);
    const why = closeReason(reason, identity);
    let isOver = false;
    const stopped = await this.#registry.change(namespace, jobId, (progress, now) => {
      if (isRunning(progress)) return ended(progress, why, now);
      // Else a request that was repeated.
      isOver = progress.closeReason !== why;
      return progress;
    });
    if (stopped === undefined) throw new SettingRefusal(unknownJob(jobId));
    if (isOver) throw new SettingRefusal(notFound(`Batch job ${jobId} is over already.`));
    return { jobs: [infoOf(stopped)] };
  }
}

const closeReason = (reason: string, identity: string): string =>
  identity === '' ? `stopped: ${reason}` : `stopped by ${identity}: ${reason}`;
