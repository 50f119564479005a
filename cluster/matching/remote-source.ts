// Other nodes' tasks as this node's matcher sees them: one more source, whose backlog is what the queues' homes have assigned to this node, and whose pull
// fetches it over links (DESIGN §6). A fetch lends credit: its end is a delivery, a release, or time (lent-credits.ts). Built by cluster-matching.ts.

import type { Cancelable, Clock, Scheduler } from '../../src/ports/clock.ts';
import type { BacklogSource, Claim, QueueBacklog, QueueKey, ResumingWorker } from '../../src/ports/matching.ts';
import type { Waiting } from './home-queue.ts';
import type { LentCredits } from './lent-credits.ts';
import type { MatchingLimits } from './limits.ts';
import { type AssignedFetch, idOf, type Mode } from './messages.ts';

interface Held {
  readonly from: string;
  count: number;
  priority: number;
  oldest: number;
  /** Monotonic ms. */
  readonly at: number;
}

interface HeldQueue {
  readonly queue: QueueKey;
  readonly task: Held[];
  readonly query: Held[];
}

export interface RemoteSourceOptions {
  clock: Clock;
  scheduler: Scheduler;
  limits: MatchingLimits;
  lent: LentCredits;
  /** Asks a node to fill these credits. `ended`: with those that found no task (undefined: what became of them is not known), and what is left there. */
  ask(
    from: string,
    queue: QueueKey,
    mode: Mode,
    credits: readonly { id: number; claim: Claim }[],
    ended: (released: readonly number[] | undefined, left: Waiting | undefined) => void,
  ): void;
  /** What is to be fetched has changed. */
  changed(queue: QueueKey, mode: Mode): void;
  resume(worker: ResumingWorker): void;
}

const NOTHING: QueueBacklog = { count: 0, oldest: undefined };

export class RemoteSource implements BacklogSource {
  readonly #options: RemoteSourceOptions;
  readonly #held = new Map<string, HeldQueue>();
  #sweeper: Cancelable | undefined;
  #closed = false;

  constructor(options: RemoteSourceOptions) {
    this.#options = options;
  }

  /** The home of a queue has assigned a fetch. Its credit may go there from now on, before what is younger here. */
  assigned({ queue, mode, from, count, priority, oldest }: AssignedFetch): void {
    if (this.#closed || count === 0) return;
    const id = idOf(queue);
    let held = this.#held.get(id);
    if (held === undefined) {
      held = { queue, task: [], query: [] };
      this.#held.set(id, held);
    }
    held[mode].push({ from, count, priority, oldest, at: this.#options.clock.monotonic() });
    held[mode].sort(byRank);
    this.#sweepLater();
    this.#options.changed(queue, mode);
  }

  /** To be fetched, and not asked for yet. */
  heldOf(queue: QueueKey, mode: Mode): number {
    const held = this.#held.size === 0 ? undefined : this.#held.get(idOf(queue));
    return held === undefined ? 0 : total(held[mode]);
  }

  /** It has nothing for us any more. */
  nodeGone(from: string): void {
    for (const held of [...this.#held.values()]) this.#drop(held, (item) => item.from === from);
  }

  close(): void {
    this.#closed = true;
    this.#sweeper?.cancel();
    this.#held.clear();
  }

  // ---------------------------------------------------------------- BacklogSource

  backlog(queue: QueueKey): QueueBacklog {
    const held = this.#held.size === 0 ? undefined : this.#held.get(idOf(queue))?.task;
    const best = held?.[0];
    if (held === undefined || best === undefined) return NOTHING;
    return { count: total(held), oldest: best.oldest, priority: best.priority };
  }

  pull(queue: QueueKey, claims: Claim[]): void {
    const held = this.#held.get(idOf(queue));
    const left = [...claims];
    if (held !== undefined) {
      this.#fetch(held, 'task', () => left.shift());
      this.#options.changed(queue, 'task');
    }
    for (const claim of left) claim.release();
  }

  waitingQueries(queue: QueueKey): number {
    return this.heldOf(queue, 'query');
  }

  pullQueries(queue: QueueKey, claim: () => Claim | undefined): void {
    const held = this.#held.size === 0 ? undefined : this.#held.get(idOf(queue));
    if (held !== undefined) this.#fetch(held, 'query', claim);
  }

  resume(worker: ResumingWorker): void {
    if (!this.#closed) this.#options.resume(worker);
  }

  // ---------------------------------------------------------------- inside

  #fetch(held: HeldQueue, mode: Mode, next: () => Claim | undefined): void {
    const { lent, limits, ask } = this.#options;
    const items = held[mode];
    for (let item = items[0]; item !== undefined; item = items[0]) {
      const { from } = item;
      const credits: { id: number; claim: Claim }[] = [];
      while (item.count > 0 && credits.length < limits.pull && !lent.isFull) {
        const claim = next();
        if (claim === undefined) break;
        item.count -= 1;
        credits.push({ id: lent.lend(claim, from), claim });
      }
      if (item.count === 0) items.shift();
      if (credits.length === 0) {
        // Nothing more may be lent for now: the homes will assign again.
        if (lent.isFull) items.length = 0;
        break;
      }
      const ids = credits.map(({ id }) => id);
      ask(from, held.queue, mode, credits, (released, left) => {
        if (left !== undefined) this.#ranked(held.queue, from, left);
        if (released !== undefined) lent.release(released, from);
        lent.ending(ids);
      });
    }
    this.#tidy(held);
  }

  /** What is still to be fetched from a node is as good as its best task now. */
  #ranked(queue: QueueKey, from: string, { priority, oldest }: Waiting): void {
    const held = this.#held.get(idOf(queue));
    if (held === undefined) return;
    for (const item of held.task) if (item.from === from) Object.assign(item, { priority, oldest });
    held.task.sort(byRank);
  }

  #drop(held: HeldQueue, which: (item: Held) => boolean): void {
    for (const mode of ['task', 'query'] as const) {
      const kept = held[mode].filter((item) => !which(item));
      if (kept.length === held[mode].length) continue;
      held[mode].splice(0, held[mode].length, ...kept);
      this.#tidy(held);
      this.#options.changed(held.queue, mode);
    }
  }

  #tidy(held: HeldQueue): void {
    if (held.task.length === 0 && held.query.length === 0) this.#held.delete(idOf(held.queue));
  }

  #sweepLater(): void {
    this.#sweeper ??= this.#options.scheduler.after(this.#options.limits.holdMs / 4, () => {
      this.#sweeper = undefined;
      const before = this.#options.clock.monotonic() - this.#options.limits.holdMs;
      for (const held of [...this.#held.values()]) this.#drop(held, ({ at }) => at <= before);
      if (this.#held.size > 0) this.#sweepLater();
    });
  }
}

const byRank = (a: Held, b: Held): number => a.priority - b.priority || a.oldest - b.oldest;

const total = (items: readonly Held[]): number => items.reduce((sum, { count }) => sum + count, 0);
