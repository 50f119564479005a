// Local activities: run in the worker's process, tried again here, known to the server only by the marker their result becomes.
//
// A retry farther away than `localRetryThreshold` is handed back as a back-off: the workflow waits with a durable timer. Slots bound
// how many run at once; how many wait is bounded by the workflow tasks that may run and the server's limit of commands in one.

import type { TimeoutType as WireTimeoutType } from '../../src/wire/enums.ts';
import { TimeoutType } from '../../src/wire/enums.ts';
import type { Failure } from '../../src/wire/failure.ts';
import { FAILURE_SOURCE } from '../common/failure.ts';
import type { ActivityCancelReason, ActivityOutcome } from './activity-execution.ts';
import { nextRetryDelay } from './local-retry.ts';
import type { Slots } from './slots/slots.ts';
import type { LocalActivitySlotInfo } from './slots/tuner.ts';
import type { LocalActivityResult, LocalActivityTask } from './thread-protocol.ts';

/** One attempt under way. */
export interface LocalAttempt {
  /** Never rejects. Settles when the function has really ended, also after a cancellation. */
  outcome: Promise<ActivityOutcome>;
  cancel(reason: ActivityCancelReason): void;
}

export interface LocalAttemptInfo {
  attempt: number;
  /** Epoch ms; of the first attempt, and of this one. */
  originalScheduledTime: number;
  attemptScheduledTime: number;
}

export interface LocalActivitiesOptions {
  /** @param onSlot To call when a slot that was asked for is there. */
  slots(onSlot: () => void): Slots<LocalActivitySlotInfo>;
  run(task: LocalActivityTask, info: LocalAttemptInfo): LocalAttempt;
  resolved(runId: string, seq: number, result: LocalActivityResult): void;
  /** `inFlight` may have changed. */
  onCount?: (() => void) | undefined;
}

/** Slots that are reserved ahead for those that wait. */
const MAX_RESERVED = 10;
/** setTimeout's bound; a longer timeout cannot fire within a worker's life. */
const MAX_TIMER_MS = 2 ** 31 - 1;

class LocalRun {
  readonly task: LocalActivityTask;
  attempt: number;
  readonly originalScheduledTime: number;
  attemptScheduledTime: number;
  running: LocalAttempt | undefined;
  /** Resolved or abandoned: what its attempt ends with is of no interest. */
  done = false;
  cancelRequested = false;
  scheduleToClose: NodeJS.Timeout | undefined;
  scheduleToStart: NodeJS.Timeout | undefined;
  startToClose: NodeJS.Timeout | undefined;
  backoff: NodeJS.Timeout | undefined;

  constructor(task: LocalActivityTask, now: number) {
    this.task = task;
    this.attempt = task.attempt;
    this.originalScheduledTime = task.originalScheduledTime ?? now;
    this.attemptScheduledTime = now;
  }

  clearTimers(): void {
    clearTimeout(this.scheduleToClose);
    clearTimeout(this.scheduleToStart);
    clearTimeout(this.startToClose);
    clearTimeout(this.backoff);
  }
}

export class LocalActivities {
  private readonly options: LocalActivitiesOptions;
  private readonly runs = new Map<string, Map<number, LocalRun>>();
  private readonly queue: LocalRun[] = [];
  private readonly slots: Slots<LocalActivitySlotInfo>;
  private idle: (() => void) | undefined;

  constructor(options: LocalActivitiesOptions) {
    this.options = options;
    this.slots = options.slots(() => this.next());
  }

  /** Functions running now. */
  get inFlight(): number {
    return this.slots.used;
  }

  /** Slots there are now, in use or not, and what hands them out. */
  get slotsInfo(): { readonly total: number; readonly kind: string } {
    return this.slots;
  }

  /** Unresolved local activities of a run, waiting ones included. */
  countOf(runId: string): number {
    return this.runs.get(runId)?.size ?? 0;
  }

  start(task: LocalActivityTask): void {
    const now = Date.now();
    const run = new LocalRun(task, now);
    let bySeq = this.runs.get(task.runId);
    if (bySeq === undefined) {
      bySeq = new Map();
      this.runs.set(task.runId, bySeq);
    }
    if (bySeq.has(task.seq)) return;
    bySeq.set(task.seq, run);
    if (task.scheduleToCloseTimeout !== undefined && task.scheduleToCloseTimeout > 0) {
      const leftMs = Math.max(0, run.originalScheduledTime + task.scheduleToCloseTimeout - now);
      run.scheduleToClose = later(leftMs, () => this.timedOut(run, TimeoutType.SCHEDULE_TO_CLOSE));
    }
    if (task.scheduleToStartTimeout !== undefined && task.scheduleToStartTimeout > 0) {
      run.scheduleToStart = later(task.scheduleToStartTimeout, () => this.timedOut(run, TimeoutType.SCHEDULE_TO_START));
    }
    this.enqueue(run);
  }

  /** Asks a running one to stop; one that waits (for a slot or its next attempt) is cancelled at once. */
  cancel(runId: string, seq: number): void {
    const run = this.runs.get(runId)?.get(seq);
    if (run === undefined || run.cancelRequested) return;
    run.cancelRequested = true;
    if (run.running === undefined) this.resolveCancelled(run);
    else run.running.cancel('cancelRequested');
  }

  /** The run's workflow is gone from this worker: its local activities are stopped, their results dropped. */
  abandon(runId: string): void {
    this.drop(runId, 'notFound');
  }

  /** {@link abandon} for all runs. */
  abandonAll(reason: ActivityCancelReason): void {
    for (const runId of [...this.runs.keys()]) this.drop(runId, reason);
  }

  /** Resolves when no function runs. */
  async ended(): Promise<void> {
    if (this.slots.used === 0) return;
    await new Promise<void>((resolve) => {
      this.idle = resolve;
    });
  }

  /** Nothing begins any more. */
  close(): void {
    this.slots.stop();
  }

  private drop(runId: string, reason: ActivityCancelReason): void {
    const bySeq = this.runs.get(runId);
    if (bySeq === undefined) return;
    for (const run of bySeq.values()) {
      this.forget(run);
      run.running?.cancel(reason);
    }
  }

  private enqueue(run: LocalRun): void {
    this.queue.push(run);
    this.next();
  }

  /** @param slot What its slot is taken for. */
  private begin(run: LocalRun, slot: object): void {
    clearTimeout(run.scheduleToStart);
    const { task } = run;
    const attempt = this.options.run(task, {
      attempt: run.attempt,
      originalScheduledTime: run.originalScheduledTime,
      attemptScheduledTime: run.attemptScheduledTime,
    });
    run.running = attempt;
    const startToClose = task.startToCloseTimeout;
    if (startToClose !== undefined && startToClose > 0) {
      run.startToClose = later(startToClose, () => {
        attempt.cancel('timedOut');
        // The function may go on for a while and keeps its slot; the attempt is over.
        run.running = undefined;
        this.attemptFailed(run, timeoutFailure(TimeoutType.START_TO_CLOSE));
      });
    }
    void attempt.outcome.then((outcome) => {
      this.slots.release(slot, 'unwanted');
      if (run.running === attempt && !run.done) this.attemptEnded(run, outcome);
      this.next();
    });
  }

  private next(): void {
    for (let [run] = this.queue; run !== undefined; [run] = this.queue) {
      const slot = {};
      const { activityType } = run.task;
      if (!run.done && !this.slots.tryUse(slot, { type: 'local-activity', activityType })) break;
      this.queue.shift();
      if (!run.done) this.begin(run, slot);
    }
    this.options.onCount?.();
    this.slots.keepFree(Math.min(this.queue.length, MAX_RESERVED), 0);
    if (this.slots.used === 0) this.idle?.();
  }

  private attemptEnded(run: LocalRun, outcome: ActivityOutcome): void {
    clearTimeout(run.startToClose);
    run.running = undefined;
    switch (outcome.kind) {
      case 'completed':
        this.resolve(run, { kind: 'completed', result: outcome.result, ...this.stamp(run) });
        return;
      case 'cancelled':
        this.resolve(run, { kind: 'cancelled', failure: outcome.failure, ...this.stamp(run) });
        return;
      case 'failed':
        this.attemptFailed(run, outcome.failure);
        return;
      case 'completeAsync':
        this.attemptFailed(run, {
          message: 'A local activity cannot complete asynchronously',
          source: FAILURE_SOURCE,
          applicationFailureInfo: { type: 'CompleteAsyncError', nonRetryable: true },
        });
        return;
    }
  }

  private attemptFailed(run: LocalRun, failure: Failure): void {
    const { task } = run;
    const delayMs = run.cancelRequested ? undefined : nextRetryDelay(task.retryPolicy, run.attempt, failure);
    const closesAt = run.originalScheduledTime + (task.scheduleToCloseTimeout || Number.POSITIVE_INFINITY);
    if (delayMs === undefined || Date.now() + delayMs >= closesAt) {
      this.resolve(run, { kind: 'failed', failure, ...this.stamp(run) });
    } else if (delayMs > task.localRetryThreshold) {
      this.resolve(run, { kind: 'backoff', backoffMs: delayMs, failure, ...this.stamp(run) });
    } else {
      run.attempt++;
      run.attemptScheduledTime = Date.now() + delayMs;
      run.backoff = later(delayMs, () => this.enqueue(run));
    }
  }

  private timedOut(run: LocalRun, type: WireTimeoutType): void {
    run.running?.cancel('timedOut');
    this.resolve(run, { kind: 'failed', failure: timeoutFailure(type), ...this.stamp(run) });
  }

  private resolveCancelled(run: LocalRun): void {
    this.resolve(run, { kind: 'cancelled', failure: cancelledFailure(), ...this.stamp(run) });
  }

  private stamp(run: LocalRun): { attempt: number; originalScheduledTime: number; completedTime: number } {
    return { attempt: run.attempt, originalScheduledTime: run.originalScheduledTime, completedTime: Date.now() };
  }

  private resolve(run: LocalRun, result: LocalActivityResult): void {
    this.forget(run);
    this.options.resolved(run.task.runId, run.task.seq, result);
  }

  private forget(run: LocalRun): void {
    run.done = true;
    run.clearTimers();
    const { runId, seq } = run.task;
    const bySeq = this.runs.get(runId);
    bySeq?.delete(seq);
    if (bySeq?.size === 0) this.runs.delete(runId);
  }
}

/** The result of one that was cancelled before it was given to `start`. */
export function neverStarted(task: LocalActivityTask): LocalActivityResult {
  const now = Date.now();
  const originalScheduledTime = task.originalScheduledTime ?? now;
  const { attempt } = task;
  return { kind: 'cancelled', failure: cancelledFailure(), attempt, originalScheduledTime, completedTime: now };
}

function cancelledFailure(): Failure {
  return { message: 'Local activity cancelled', source: FAILURE_SOURCE, canceledFailureInfo: {} };
}

function later(ms: number, fire: () => void): NodeJS.Timeout {
  return setTimeout(fire, Math.min(ms, MAX_TIMER_MS));
}

function timeoutFailure(timeoutType: WireTimeoutType): Failure {
  return { message: 'Activity timed out', timeoutFailureInfo: { timeoutType } };
}
