// The workers of one namespace as they said of themselves. Who says nothing for more than twice as long as it usually does is gone: after 50 s for a
// worker that speaks every 20 s, as ours do. Bounded; time comes from the caller. Used by src/shard/workers.ts.

import { type WorkerHeartbeat, WorkerStatus } from '../../wire/worker.ts';

/** Workers kept for one namespace: past it the one heard of longest ago makes room (I9). */
export const MAX_WORKERS = 10_000;
/** ms a worker is known after a heartbeat, at least: a lost one is no death. */
const LEAST_TTL_MS = 50_000;
/** The same for one that has not said how often it speaks: workers of other SDKs do every minute. */
const FIRST_TTL_MS = 125_000;
const LONGEST_TTL_MS = 10 * 60_000;
/** One that has said goodbye is shown a little longer. */
const SHUTDOWN_TTL_MS = 10_000;

interface Known {
  heartbeat: WorkerHeartbeat;
  until: number;
}

function ttlOf({ status, elapsedSinceLastHeartbeat = 0 }: WorkerHeartbeat, hasSpoken: boolean): number {
  if (status === WorkerStatus.SHUTDOWN) return SHUTDOWN_TTL_MS;
  if (elapsedSinceLastHeartbeat <= 0) return hasSpoken ? LEAST_TTL_MS : FIRST_TTL_MS;
  return Math.min(LONGEST_TTL_MS, Math.max(LEAST_TTL_MS, 2 * elapsedSinceLastHeartbeat + 5_000));
}

export class WorkerRegister {
  /** The one heard of longest ago first. */
  readonly #workers = new Map<string, Known>();

  get size(): number {
    return this.#workers.size;
  }

  heard(heartbeat: WorkerHeartbeat, now: number): void {
    const key = heartbeat.workerInstanceKey;
    const known = this.#workers.delete(key);
    if (this.#workers.size >= MAX_WORKERS) {
      for (const oldest of this.#workers.keys()) {
        this.#workers.delete(oldest);
        break;
      }
    }
    this.#workers.set(key, { heartbeat, until: now + ttlOf(heartbeat, known) });
  }

  get(key: string, now: number): WorkerHeartbeat | undefined {
    const known = this.#workers.get(key);
    return known !== undefined && known.until > now ? known.heartbeat : undefined;
  }

  /** Those that live, by instance key. Forgets the others. */
  living(now: number): WorkerHeartbeat[] {
    const living: WorkerHeartbeat[] = [];
    for (const [key, { heartbeat, until }] of this.#workers) {
      if (until > now) living.push(heartbeat);
      else this.#workers.delete(key);
    }
    return living.sort((a, b) => (a.workerInstanceKey < b.workerInstanceKey ? -1 : 1));
  }
}
