// The one way to the disk: at most one synced batch under way; what is asked for meanwhile forms the next. So the order on disk is the order
// of calls, a commit, a flush and any number of votes share one fsync, and the first failure is the last write (DESIGN §5).

import type { StoreError } from '../ports/store.ts';
import type { Backend, Write } from './backend.ts';
import { deletion, frame } from './framing.ts';
import { tallyKey } from './layout.ts';

/** A batch takes waiting jobs until it is this big, so that a commit never waits for an endless one. A single job may be bigger. */
const MAX_BATCH_BYTES = 4 * 1024 * 1024;
const NOTHING = new Uint8Array(0);

interface Job {
  writes: readonly Write[];
  bytes: number;
  resolve(): void;
  reject(error: StoreError): void;
}

export class WriteQueue {
  readonly #backend: Backend;
  readonly #failed: (cause: unknown) => StoreError;
  #waiting: Job[] = [];
  #busy = false;
  #batch: number;
  #failure: StoreError | undefined;
  #idle: (() => void)[] = [];
  fsyncs = 0;

  /** `batch`: the tally found on disk. `failed` is told of the first failure and makes the error of every job from then on. */
  constructor(backend: Backend, batch: number, failed: (cause: unknown) => StoreError) {
    this.#backend = backend;
    this.#batch = batch;
    this.#failed = failed;
  }

  /** The number of the last batch begun. */
  get batch(): number {
    return this.#batch;
  }

  /** Durable when it resolves, with everything pushed before. */
  push(writes: readonly Write[]): Promise<void> {
    let bytes = 0;
    for (const [key, value] of writes) bytes += key.length + (value?.length ?? 0);
    return new Promise((resolve, reject) => {
      if (this.#failure) {
        reject(this.#failure);
        return;
      }
      this.#waiting.push({ writes, bytes, resolve, reject });
      if (!this.#busy) this.#start();
    });
  }

  /** Resolves when everything pushed so far is durable; rejects when it never will be. */
  settled(): Promise<void> {
    return this.#busy ? this.push([]) : this.#failure ? Promise.reject(this.#failure) : Promise.resolve();
  }

  /** Resolves when nothing is under way any more, however it ended. */
  drained(): Promise<void> {
    if (!this.#busy) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idle.push(resolve);
    });
  }

  #start(): void {
    const jobs = this.#take();
    const writes = jobs.flatMap((job) => job.writes);
    this.#busy = true;
    if (writes.length === 0) {
      // Waiters only: what they wait for is done.
      queueMicrotask(() => this.#done(jobs));
      return;
    }
    this.#batch += 1;
    writes.push(frame(tallyKey(this.#batch), NOTHING), deletion(tallyKey(this.#batch - 1)));
    this.#backend.write(writes, 'sync').then(
      () => {
        this.fsyncs += 1;
        this.#done(jobs);
      },
      (cause: unknown) => this.#fail(jobs, cause),
    );
  }

  #take(): Job[] {
    let bytes = 0;
    let count = 0;
    for (const job of this.#waiting) {
      bytes += job.bytes;
      if (count > 0 && bytes > MAX_BATCH_BYTES) break;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  #done(jobs: readonly Job[]): void {
    this.#busy = false;
    for (const job of jobs) job.resolve();
    if (this.#waiting.length > 0) this.#start();
    else this.#wakeIdle();
  }

  #fail(jobs: readonly Job[], cause: unknown): void {
    const failure = this.#failed(cause);
    this.#failure = failure;
    this.#busy = false;
    for (const job of jobs) job.reject(failure);
    for (const job of this.#waiting.splice(0)) job.reject(failure);
    this.#wakeIdle();
  }

  #wakeIdle(): void {
    for (const resolve of this.#idle.splice(0)) resolve();
  }
}
