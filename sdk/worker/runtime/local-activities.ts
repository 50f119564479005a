// The local activities of one execution: asked for by the code, run by the main thread within the workflow task, recorded as markers.
// On replay the marker gives the result and nothing runs.

import { CommandType } from '../../../src/wire/enums.ts';
import type { Failure } from '../../../src/wire/failure.ts';
import { SeldomMap } from '../../common/seldom-map.ts';
import type { Intent, Job, LocalActivityIntent } from '../../workflow/activation.ts';
import type { LocalActivityResult } from '../thread-protocol.ts';
import type { Drafts } from './drafts.ts';
import { activityCancelled } from './failures.ts';
import { encodeLocalActivityMarker, type LocalActivityMarker } from './markers.ts';

type ScheduleIntent = Extract<Intent, { kind: 'scheduleLocalActivity' }>;

interface LocalActivity {
  intent: ScheduleIntent;
  /** The main thread has it. */
  running: boolean;
  cancelRequested: boolean;
}

export class LocalActivities {
  readonly #drafts: Drafts;
  /** Not resolved yet, by seq. */
  readonly #pending = new SeldomMap<number, LocalActivity>();
  #jobs: Job[] = [];
  #cancellations: number[] = [];

  constructor(drafts: Drafts) {
    this.#drafts = drafts;
  }

  get pending(): number {
    return this.#pending.size;
  }

  schedule(intent: ScheduleIntent): void {
    this.#pending.set(intent.seq, { intent, running: false, cancelRequested: false });
  }

  cancel(seq: number): void {
    const activity = this.#pending.get(seq);
    if (activity === undefined || activity.cancelRequested) return;
    activity.cancelRequested = true;
    if (activity.running) this.#cancellations.push(seq);
    if (activity.running && activity.intent.cancellationType === 'WAIT_CANCELLATION_COMPLETED') return;
    const { activityId, activityType } = activity.intent;
    const failure = activityCancelled({ activityId, activityType, scheduledEventId: undefined }, undefined);
    // Not waited for: its outcome is decided here and now, and nothing need be recorded.
    this.#pending.delete(seq);
    this.#jobs.push({ kind: 'activityResolved', seq, outcome: { kind: 'failed', failure } });
  }

  /** Those the main thread is to run now. */
  takeStarts(): LocalActivityIntent[] {
    const starts: LocalActivityIntent[] = [];
    for (const activity of this.#pending.values()) {
      if (activity.running) continue;
      activity.running = true;
      starts.push(activity.intent);
    }
    return starts;
  }

  /** Running ones the main thread is to cancel. */
  takeCancellations(): number[] {
    const cancellations = this.#cancellations;
    this.#cancellations = [];
    return cancellations;
  }

  takeJobs(): Job[] {
    const jobs = this.#jobs;
    this.#jobs = [];
    return jobs;
  }

  /** Running ones of an execution that is given up. */
  abandon(): number[] {
    const running = [...this.#pending].filter(([, activity]) => activity.running).map(([seq]) => seq);
    this.#pending.clear();
    return running;
  }

  /** The main thread is done with one: writes the marker. @returns what to tell the code, and the workflow's time then. */
  resolved(seq: number, result: LocalActivityResult, now: number): { job: Job; now: number } | undefined {
    const activity = this.#pending.get(seq);
    if (activity === undefined) return undefined;
    const { activityId, activityType } = activity.intent;
    const marker: LocalActivityMarker = {
      seq,
      attempt: result.attempt,
      activityId,
      activityType,
      completedTime: Math.max(now, result.completedTime ?? now),
      originalScheduledTime: result.originalScheduledTime,
      backoffMs: result.kind === 'backoff' ? result.backoffMs : undefined,
      result: result.kind === 'completed' ? result.result : undefined,
      failure: result.kind === 'completed' ? undefined : result.failure,
    };
    this.#drafts.add(
      { commandType: CommandType.RECORD_MARKER, attributes: encodeLocalActivityMarker(marker) },
      activity.intent,
    );
    return this.#tell(marker);
  }

  /** A marker of the history that is replayed. Undefined: the code never asked for it. */
  replayed(marker: LocalActivityMarker): { job: Job; now: number } | undefined {
    const activity = this.#pending.get(marker.seq);
    if (activity === undefined || activity.intent.activityType !== marker.activityType) return undefined;
    return this.#tell(marker);
  }

  #tell(marker: LocalActivityMarker): { job: Job; now: number } {
    const { seq, attempt, backoffMs, originalScheduledTime, completedTime: now } = marker;
    this.#pending.delete(seq);
    if (backoffMs !== undefined) {
      const job: Job = {
        kind: 'localActivityBackoff',
        seq,
        nextAttempt: attempt + 1,
        backoffMs,
        originalScheduledTime,
      };
      return { job, now };
    }
    const failure: Failure | undefined = marker.failure;
    const outcome =
      failure === undefined
        ? ({ kind: 'completed', result: marker.result } as const)
        : ({ kind: 'failed', failure } as const);
    return { job: { kind: 'activityResolved', seq, outcome }, now };
  }
}
