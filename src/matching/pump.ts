// Turns credit that appears into pulls of waiting tasks. Queues to look at are collected and looked at once per tick, so a
// thousand grants cost one look; rate limits and fruitless pulls look again later, on the injected scheduler. Of several sources the one with the
// best task comes first.

import type { Clock, Scheduler } from '../ports/clock.ts';
import type { BacklogSource, Claim, QueueKey } from '../ports/matching.ts';
import type { ServedQueue } from './serving.ts';

/** Claims of one pull: bounds the work of one tick; the next look takes more. */
const PULL_BATCH = 256;
/** After a pull that found nothing although backlog was announced. */
const FRUITLESS_PAUSE_MS = 10;
/** A limit may be raised meanwhile. */
const LONGEST_PAUSE_MS = 1_000;
/** Of a best task that is not in memory. */
const USUAL_PRIORITY = 3;

export interface PumpOptions {
  clock: Clock;
  scheduler: Scheduler;
  sources: ReadonlySet<BacklogSource>;
  lend(queue: ServedQueue, now: number, source: BacklogSource): Claim | undefined;
  claimQuery(key: QueueKey): Claim | undefined;
}

export class Pump {
  readonly #options: PumpOptions;
  #dirty: ServedQueue[] = [];
  readonly #run = (): void => this.#lookAtAll();

  constructor(options: PumpOptions) {
    this.#options = options;
  }

  /** What waits in the shards for this queue has changed. */
  refresh(queue: ServedQueue): void {
    let backlog = 0;
    for (const source of this.#options.sources) backlog += source.backlog(queue.key).count;
    queue.backlog = backlog;
    if (backlog === 0) {
      queue.fruitless = false;
      this.#makesWay(queue);
    } else this.look(queue);
  }

  /** Credit or backlog may allow a pull: look at it in this tick. */
  look(queue: ServedQueue): void {
    if (queue.dirty || (queue.backlog === 0 && !queue.queriesWait)) return;
    queue.dirty = true;
    if (this.#dirty.push(queue) === 1) this.#options.scheduler.soon(this.#run);
  }

  /** A pause may be over sooner than was thought. */
  lookAgain(queue: ServedQueue): void {
    queue.later?.cancel();
    queue.later = undefined;
    this.look(queue);
  }

  #lookAtAll(): void {
    const queues = this.#dirty;
    this.#dirty = [];
    // Sticky queues first: they draw on their worker's credit before the normal queue does.
    for (const queue of queues) if ('lane' in queue) this.#lookAt(queue);
    for (const queue of queues) if (!('lane' in queue)) this.#lookAt(queue);
  }

  #lookAt(queue: ServedQueue): void {
    queue.dirty = false;
    if (queue.queriesWait) this.#askForQueries(queue);
    if (queue.fruitless) {
      queue.fruitless = false;
      this.#lookLater(queue, FRUITLESS_PAUSE_MS);
      return;
    }
    const { sources, clock } = this.#options;
    // One instant for all of the look: a limit that lets nothing through at first and says soon after that there is nothing to wait for would not be
    // looked at again.
    const now = clock.monotonic();
    if (sources.size === 1) for (const source of sources) this.#pull(queue, source, queue.backlog, now);
    else for (const { source, count } of this.#bestFirst(queue)) if (!this.#pull(queue, source, count, now)) break;
    if ('lane' in queue) {
      this.#makesWay(queue);
      return;
    }
    const wait = queue.waitMs(now);
    if (wait !== undefined && wait > 0) this.#lookLater(queue, Math.min(wait, LONGEST_PAUSE_MS));
  }

  /** A worker's own queue that waits no more holds its normal queue back no more. */
  #makesWay(queue: ServedQueue): void {
    if ('lane' in queue && queue.lane !== undefined && !queue.waiting) this.look(queue.lane.worker.workflowQueue);
  }

  /** False when there is no credit. */
  #pull(queue: ServedQueue, source: BacklogSource, limit: number, now: number): boolean {
    const claims = this.#lend(queue, Math.min(limit, PULL_BATCH), source, now);
    if (claims.length === 0) return false;
    source.pull(queue.key, claims);
    if (claims.length === PULL_BATCH) this.look(queue);
    return true;
  }

  /** Sources with tasks, by the best one of each: priority, then age. */
  #bestFirst(queue: ServedQueue): { source: BacklogSource; count: number }[] {
    return [...this.#options.sources]
      .map((source) => ({ source, ...source.backlog(queue.key) }))
      .filter(({ count }) => count > 0)
      .sort(
        (a, b) => (a.priority ?? USUAL_PRIORITY) - (b.priority ?? USUAL_PRIORITY) || (a.oldest ?? 0) - (b.oldest ?? 0),
      );
  }

  #lend(queue: ServedQueue, limit: number, source: BacklogSource, now: number): Claim[] {
    const claims: Claim[] = [];
    while (claims.length < limit) {
      const claim = this.#options.lend(queue, now, source);
      if (claim === undefined) break;
      claims.push(claim);
    }
    return claims;
  }

  #askForQueries(queue: ServedQueue): void {
    queue.queriesWait = false;
    for (const source of this.#options.sources) {
      source.pullQueries(queue.key, () => this.#options.claimQuery(queue.key));
    }
  }

  #lookLater(queue: ServedQueue, delayMs: number): void {
    queue.later ??= this.#options.scheduler.after(delayMs, () => {
      queue.later = undefined;
      this.look(queue);
    });
  }
}
