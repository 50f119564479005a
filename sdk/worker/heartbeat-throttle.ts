// Heartbeats of one activity, as seldom as the official SDK sends them: the first at once, then at most one per interval, always
// with the latest details.

export interface HeartbeatThrottleLimits {
  /** ms; cap of the interval. */
  maxIntervalMs: number;
  /** ms; interval of activities without a heartbeat timeout. */
  defaultIntervalMs: number;
}

/** ms between heartbeats: 80 % of the heartbeat timeout, within the limits. */
export function throttleInterval(heartbeatTimeoutMs: number, limits: HeartbeatThrottleLimits): number {
  return Math.min(heartbeatTimeoutMs > 0 ? heartbeatTimeoutMs * 0.8 : limits.defaultIntervalMs, limits.maxIntervalMs);
}

export class HeartbeatThrottle<Details> {
  private readonly intervalMs: number;
  private readonly send: (details: Details) => void;
  private timer: NodeJS.Timeout | undefined;
  private waiting: { details: Details } | undefined;

  constructor(intervalMs: number, send: (details: Details) => void) {
    this.intervalMs = intervalMs;
    this.send = send;
  }

  record(details: Details): void {
    if (this.timer !== undefined) {
      this.waiting = { details };
      return;
    }
    this.timer = setTimeout(this.elapsed, this.intervalMs);
    this.send(details);
  }

  /** A heartbeat did not reach the server: `details` go with the next one, unless newer ones already wait. */
  undelivered(details: Details): void {
    if (this.timer !== undefined) this.waiting ??= { details };
  }

  /** Ends it. @returns The details not sent yet, if any. */
  stop(): { details: Details } | undefined {
    clearTimeout(this.timer);
    this.timer = undefined;
    const { waiting } = this;
    this.waiting = undefined;
    return waiting;
  }

  private readonly elapsed = (): void => {
    this.timer = undefined;
    const { waiting } = this;
    if (waiting === undefined) return;
    this.waiting = undefined;
    this.record(waiting.details);
  };
}
