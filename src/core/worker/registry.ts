// The workers of one namespace as they said of themselves. Who says nothing for more than twice as long as it usually does is gone: after 50 s for a
// worker that speaks every 20 s, as ours do. Bounded; time comes from the caller. Used by src/shard/workers.ts.

import { type WorkerHeartbeat, WorkerStatus } from '../../wire/worker.ts';

/** Workers kept for one namespace: past it the one heard of longest ago makes room (I9). */
export const MAX_WORKERS = 10_000;
/** ms a worker is known after a heartbeat that does not say when the one before it was. */
const UNSAID_TTL_MS = 50_000;
/** The same, at least, whatever it says: a second without a processor is no death. */
const LEAST_TTL_MS = 5_000;
/** The same for one that has not said how often it speaks: workers of other SDKs do every minute. */
const FIRST_TTL_MS = 125_000;
const LONGEST_TTL_MS = 10 * 60_000;
/** One that has said goodbye is shown a little longer. */
const SHUTDOWN_TTL_MS = 10_000;

interface Known {
  heartbeat: WorkerHeartbeat;
  until: number;
  /** How often it speaks, ms, as far as it is known. */
  intervalMs: number;
}

/** One that is between two regular ones, as at a shutdown, halves it at most: the next regular one still comes in time. */
function intervalOf({ elapsedSinceLastHeartbeat = 0 }: WorkerHeartbeat, known: Known | undefined): number {
  return Math.max(elapsedSinceLastHeartbeat, (known?.intervalMs ?? 0) / 2);
}

function ttlOf({ status }: WorkerHeartbeat, intervalMs: number, hasSpoken: boolean): number {
  if (status === WorkerStatus.SHUTDOWN) return SHUTDOWN_TTL_MS;
  if (intervalMs <= 0) return hasSpoken ? UNSAID_TTL_MS : FIRST_TTL_MS;
  return Math.min(LONGEST_TTL_MS, Math.max(LEAST_TTL_MS, 2 * intervalMs + Math.min(intervalMs / 2, 10_000)));
}

export class WorkerRegister {
  /** The one heard of longest ago first. */
  readonly #workers = new Map<string, Known>();

  get size(): number {
    return this.#workers.size;
  }

  heard(heartbeat: WorkerHeartbeat, now: number): void {
    const key = heartbeat.workerInstanceKey;
    const known = this.#workers.get(key);
    this.#workers.delete(key);
    if (this.#workers.size >= MAX_WORKERS) {
      for (const oldest of this.#workers.keys()) {
        this.#workers.delete(oldest);
        break;
      }
    }
    const intervalMs = intervalOf(heartbeat, known);
    this.#workers.set(key, { heartbeat, intervalMs, until: now + ttlOf(heartbeat, intervalMs, known !== undefined) });
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
