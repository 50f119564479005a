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

/** What they have said, together, in bytes; past it the same. */
export const MAX_WORKERS_BYTES = 32 * 1024 * 1024;

interface Known {
  heartbeat: WorkerHeartbeat;
  bytes: number;
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
  #bytes = 0;

  get size(): number {
    return this.#workers.size;
  }

  /** Of all that is kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** `bytes`: what it takes. */
  heard(heartbeat: WorkerHeartbeat, now: number, bytes: number): void {
    const key = heartbeat.workerInstanceKey;
    const known = this.#workers.get(key);
    this.#forget(key);
    for (const oldest of this.#workers.keys()) {
      if (this.#workers.size < MAX_WORKERS && this.#bytes + bytes <= MAX_WORKERS_BYTES) break;
      this.#forget(oldest);
    }
    const intervalMs = intervalOf(heartbeat, known);
    const until = now + ttlOf(heartbeat, intervalMs, known !== undefined);
    this.#workers.set(key, { heartbeat, bytes, intervalMs, until });
    this.#bytes += bytes;
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
      else this.#forget(key);
    }
    return living.sort((a, b) => (a.workerInstanceKey < b.workerInstanceKey ? -1 : 1));
  }

  #forget(key: string): void {
    const known = this.#workers.get(key);
    if (known === undefined) return;
    this.#workers.delete(key);
    this.#bytes -= known.bytes;
  }
}
