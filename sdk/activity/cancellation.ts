// The cancellation of one activity attempt, as its context shows it: a promise, an AbortSignal and the details behind them.
// The worker and MockActivityEnvironment make one per context and call `cancel` at most once with effect.

import type { ActivityCancellationDetails } from '../common/activity-options.ts';
import { CancelledFailure } from '../common/failure.ts';

/** The message of the CancelledFailure an activity sees. */
export type CancelReason =
  | 'CANCELLED'
  | 'NOT_FOUND'
  | 'TIMED_OUT'
  | 'WORKER_SHUTDOWN'
  | 'PAUSED'
  | 'RESET'
  | 'HEARTBEAT_DETAILS_CONVERSION_FAILED';

export class ActivityCancellation {
  /** Never resolves; rejects with the CancelledFailure. Not awaiting it is fine. */
  readonly cancelled: Promise<never>;
  readonly #controller = new AbortController();
  #reject: (reason: CancelledFailure) => void = () => {};
  #details: ActivityCancellationDetails | undefined;

  constructor() {
    this.cancelled = new Promise<never>((_resolve, reject) => {
      this.#reject = reject;
    });
    // Cancellation that nobody listens to is no unhandled rejection.
    this.cancelled.catch(() => {});
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Undefined until cancelled. */
  get details(): ActivityCancellationDetails | undefined {
    return this.#details;
  }

  /** The first call decides; later ones change nothing. */
  cancel(reason: CancelReason, details: ActivityCancellationDetails): void {
    if (this.#details !== undefined) return;
    this.#details = details;
    const failure = new CancelledFailure(reason);
    this.#reject(failure);
    this.#controller.abort(failure);
  }
}
