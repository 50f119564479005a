// The batch jobs of namespaces as rows: what each is to do, written once, and how far it has come. They live where a namespace's settings do, and
// change one after the other, through that actor's turns. A job that runs has a timer row, due when it may go on: so whoever leads the shard next goes on
// with it (runner.ts). One that is over has another, due when it is forgotten. Used by jobs.ts.

import { firstProgress, infoOf, isRunning, type Job, type JobProgress, type JobSpec } from '../../core/batch/job.ts';
import { type Key, key } from '../../ports/ids.ts';
import type { JobAnswer } from '../../ports/jobs.ts';
import type { BatchOperationInfo } from '../../wire/batch.ts';
import { decode, encode } from '../../wire/codec.ts';
import { type Status, StatusCode } from '../../wire/status.ts';
import type { Actor } from '../actor.ts';
import { after, jobProgressKey, jobSpecKey, jobsPrefix, jobTimerKey } from '../keys.ts';
import type { ServedNamespace } from '../options.ts';
import type { Reader } from '../reader.ts';
import { type RowWrites, SettingRefusal, SettingsTurns, type SettingsTurnsOptions } from '../settings-turns.ts';
import { exhausted, notFound } from '../status.ts';
import { NOTHING } from '../turn.ts';

/** Jobs of one namespace that run at once. */
export const MAX_RUNNING = 10;
/** Jobs of one namespace that are kept; the oldest that is over gives way to a new one. */
export const MAX_KEPT = 1_000;
/** How long a job that is over is known where its namespace does not say, ms. */
const DEFAULT_RETENTION_MS = 72 * 3_600_000;

export interface JobRegistryOptions extends SettingsTurnsOptions {
  reader: Reader;
  namespaces: ReadonlyMap<string, ServedNamespace>;
}

/** A job with the timer row that drives it. */
interface Kept extends Job {
  /** When its timer row is due. */
  timerAt: number;
}

export class JobRegistry {
  readonly #options: JobRegistryOptions;
  readonly #turns: SettingsTurns;

  constructor(options: JobRegistryOptions) {
    this.#options = options;
    this.#turns = new SettingsTurns(options);
  }

  /** The repeat of a request is answered like the first. */
  start(namespace: string, spec: Omit<JobSpec, 'startTime'>): Promise<JobAnswer> {
    return this.#turns.inTurn(namespace, async (actor) => {
      const jobs = await this.#all(actor);
      const known = jobs.find((job) => job.spec.jobId === spec.jobId);
      if (known?.spec.requestId === spec.requestId) return { jobs: [infoOf(known)] };
      if (known !== undefined) throw new SettingRefusal(alreadyStarted(namespace, spec.jobId));
      const running = jobs.filter(({ progress }) => isRunning(progress));
      if (running.length >= MAX_RUNNING) throw new SettingRefusal(tooMany(namespace));
      const startTime = this.#turns.now(actor);
      const job = { spec: { ...spec, startTime }, progress: firstProgress({ ...spec, startTime }) };
      const rows: RowWrites = [
        [jobSpecKey(actor.base, spec.jobId), encode(job.spec)],
        ...this.#progressed(actor, job, undefined),
      ];
      const oldest = jobs.filter(({ progress }) => !isRunning(progress)).at(-1);
      if (jobs.length >= MAX_KEPT && oldest !== undefined) rows.push(...gone(actor, oldest));
      await this.#turns.write(actor, rows);
      return { jobs: [infoOf(job)] };
    });
  }

  async describe(namespace: string, jobId: string): Promise<JobAnswer> {
    const job = await this.#turns.inTurn(namespace, (actor) => this.#read(actor, jobId));
    if (job === undefined) throw new SettingRefusal(unknownJob(jobId));
    return { jobs: [infoOf(job)] };
  }

  /** Newest first. */
  async list(namespace: string, pageSize: number, token: Uint8Array | undefined): Promise<JobAnswer> {
    const all = await this.#turns.inTurn(namespace, (actor) => this.#all(actor));
    const place = token === undefined ? undefined : placeOf(token);
    const rest = place === undefined ? all : all.filter((job) => comesAfter(infoOf(job), place));
    const jobs = rest.slice(0, pageSize).map(infoOf);
    const last = jobs.at(-1);
    return { jobs, ...(rest.length > pageSize && last && { next: encode([last.startTime, last.jobId]) }) };
  }

  /** All jobs of a namespace go, and their timer rows; a step under way finds its job gone. */
  forget(namespace: string): Promise<JobAnswer> {
    return this.#turns.inTurn(namespace, async (actor) => {
      const jobs = await this.#all(actor);
      if (jobs.length > 0)
        await this.#turns.write(
          actor,
          jobs.flatMap((job) => gone(actor, job)),
        );
      return { jobs: jobs.map(infoOf) };
    });
  }

  /** What the job is and how far it has come, for who drives it; undefined when it is not kept any more. */
  get(namespace: string, jobId: string): Promise<Job | undefined> {
    return this.#turns.inTurn(namespace, (actor) => this.#read(actor, jobId));
  }

  /**
   * Moves a job on, by a step of src/core/batch; one that gives the same progress changes nothing. While it runs its timer row moves to `next`, epoch
   * ms; absent: it stays as it is. Undefined when the job is not kept any more.
   */
  change(
    namespace: string,
    jobId: string,
    step: (progress: JobProgress, now: number) => JobProgress,
    next?: number,
  ): Promise<Job | undefined> {
    return this.#turns.inTurn(namespace, async (actor) => {
      const before = await this.#read(actor, jobId);
      if (before === undefined) return undefined;
      const job = { spec: before.spec, progress: step(before.progress, this.#turns.now(actor)) };
      if (job.progress === before.progress) return before;
      await this.#turns.write(actor, this.#progressed(actor, job, before.timerAt, next));
      return job;
    });
  }

  /** Its timer row is due, and there is nothing to go on with: a job that is over is forgotten; a timer row without one goes. */
  expire(namespace: string, jobId: string, timer: Key): Promise<void> {
    return this.#turns.inTurn(namespace, async (actor) => {
      const job = await this.#read(actor, jobId);
      const isItsOwn = job !== undefined && timer === jobTimerKey(job.timerAt, actor.base, jobId);
      await this.#turns.write(actor, isItsOwn ? gone(actor, job) : [[timer, undefined]]);
    });
  }

  // ---------------------------------------------------------------- rows

  #progressed(actor: Actor, job: Job, timerBefore: number | undefined, next?: number): RowWrites {
    const { jobId } = job.spec;
    const { closeTime } = job.progress;
    const retention = this.#options.namespaces.get(actor.namespace)?.retention ?? DEFAULT_RETENTION_MS;
    const wanted = closeTime === undefined ? (next ?? timerBefore ?? this.#turns.now(actor)) : closeTime + retention;
    const stays = wanted === timerBefore;
    // A timer row is written once: never again at a time at which it has been.
    const timerAt = timerBefore === undefined || stays ? wanted : Math.max(wanted, timerBefore + 1);
    const rows: RowWrites = [[jobProgressKey(actor.base, jobId), encode([timerAt, job.progress])]];
    if (stays) return rows;
    rows.push([jobTimerKey(timerAt, actor.base, jobId), NOTHING]);
    if (timerBefore !== undefined) rows.push([jobTimerKey(timerBefore, actor.base, jobId), undefined]);
    return rows;
  }

  async #all(actor: Actor): Promise<Kept[]> {
    const prefix = jobsPrefix(actor.base);
    // Two rows a job.
    const rows = await this.#options.reader.range(key(prefix), after(prefix), 2 * MAX_KEPT);
    const jobs: Kept[] = [];
    for (let i = 0; i + 1 < rows.length; i += 2) {
      const [progress, spec] = [rows[i], rows[i + 1]];
      if (progress !== undefined && spec !== undefined) jobs.push(kept(spec[1], progress[1]));
    }
    return jobs.sort((a, b) => b.spec.startTime - a.spec.startTime || (a.spec.jobId < b.spec.jobId ? -1 : 1));
  }

  async #read(actor: Actor, jobId: string): Promise<Kept | undefined> {
    const [spec, progress] = await this.#options.reader.getMany([
      jobSpecKey(actor.base, jobId),
      jobProgressKey(actor.base, jobId),
    ]);
    return spec === undefined || progress === undefined ? undefined : kept(spec, progress);
  }
}

// Written above and checksummed by the store.
function kept(spec: Uint8Array, progress: Uint8Array): Kept {
  const [timerAt, state] = decode(progress) as [number, JobProgress];
  return { spec: decode(spec) as JobSpec, progress: state, timerAt };
}

const gone = ({ base }: Actor, { spec: { jobId }, timerAt }: Kept): RowWrites => [
  [jobSpecKey(base, jobId), undefined],
  [jobProgressKey(base, jobId), undefined],
  [jobTimerKey(timerAt, base, jobId), undefined],
];

type Place = readonly [startTime: number, jobId: string];

function placeOf(token: Uint8Array): Place {
  try {
    const place = decode(token);
    if (Array.isArray(place) && typeof place[0] === 'number' && typeof place[1] === 'string')
      return [place[0], place[1]];
  } catch {
    // Said below, like all that is no token.
  }
  throw new SettingRefusal({ code: StatusCode.INVALID_ARGUMENT, message: 'Invalid NextPageToken.' });
}

const comesAfter = ({ startTime, jobId }: BatchOperationInfo, [time, id]: Place): boolean =>
  startTime < time || (startTime === time && jobId > id);

export const unknownJob = (jobId: string): Status => notFound(`batch job not found: ${jobId.slice(0, 100)}`);

const alreadyStarted = (namespace: string, jobId: string): Status => ({
  code: StatusCode.ALREADY_EXISTS,
  message: `Batch job ${jobId} of namespace ${namespace} is there already: choose another id.`,
  detail: { kind: 'WorkflowExecutionAlreadyStarted', runId: '' },
});

const tooMany = (namespace: string): Status =>
  exhausted(
    'CONCURRENT_LIMIT',
    `Namespace ${namespace} has ${MAX_RUNNING} batch jobs running, as many as may at once: stop one, or wait.`,
  );
