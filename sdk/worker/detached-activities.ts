// Activities whose function has ended and that someone else completes. The server still counts them as this worker's: one that a
// registration does not list was never received, so it would be sent again and run twice (DESIGN §5). So their tokens are kept until
// the attempt is over by its timeouts, or the server says so. Bounded (I9).

import type { ActivityTask } from '../../src/wire/activity-task.ts';

/** Past it the oldest is forgotten; it would run again only after a reconnect. */
const MAX_DETACHED = 10_000;

type Timeouts = Pick<ActivityTask, 'scheduleToCloseTimeout' | 'startToCloseTimeout'>;

export class DetachedActivities {
  /** By token; `until` in monotonic ms. */
  private readonly activities = new Map<string, { token: Uint8Array; until: number }>();

  add(key: string, token: Uint8Array, { scheduleToCloseTimeout, startToCloseTimeout }: Timeouts): void {
    const limit = Math.min(scheduleToCloseTimeout || Infinity, startToCloseTimeout || Infinity);
    this.activities.set(key, { token, until: performance.now() + limit });
    if (this.activities.size <= MAX_DETACHED) return;
    for (const oldest of this.activities.keys()) {
      this.activities.delete(oldest);
      break;
    }
  }

  has(key: string): boolean {
    return this.activities.has(key);
  }

  delete(key: string): void {
    this.activities.delete(key);
  }

  tokens(): Uint8Array[] {
    const now = performance.now();
    for (const [key, { until }] of this.activities) if (until <= now) this.activities.delete(key);
    return Array.from(this.activities.values(), ({ token }) => token);
  }
}
