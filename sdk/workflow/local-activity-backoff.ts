/** Thrown into a local activity's loop: wait, then schedule it again. */
export class LocalActivityBackoff extends Error {
  readonly nextAttempt: number;
  readonly backoffMs: number;
  readonly originalScheduledTime: number;

  constructor(nextAttempt: number, backoffMs: number, originalScheduledTime: number) {
    super('The local activity is tried again after a timer');
    this.nextAttempt = nextAttempt;
    this.backoffMs = backoffMs;
    this.originalScheduledTime = originalScheduledTime;
  }
}
