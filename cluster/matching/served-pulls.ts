// Fetches of other nodes: each credit they lend becomes a claim for the shards here, and the answer says which of them found no task. Used by
// cluster-matching.ts.

import type { BacklogSource, QueueKey } from '../../src/ports/matching.ts';
import type { ServedCall } from '../link/rpc.ts';
import type { MatchingLimits } from './limits.ts';
import { type Deliveries, LinkClaim } from './link-claim.ts';
import { encodePulled, type Mode, type Pull, waitingOf } from './messages.ts';

export interface ServedPullsOptions {
  limits: MatchingLimits;
  engine: BacklogSource;
  deliveries: Deliveries;
  /** So many credits were given to tasks of this queue. */
  fetched(queue: QueueKey, mode: Mode, credits: number): void;
}

export class ServedPulls {
  readonly #options: ServedPullsOptions;
  /** Claims that have no task yet, by node. */
  readonly #open = new Map<string, number>();

  constructor(options: ServedPullsOptions) {
    this.#options = options;
  }

  /** Claims that wait for a task. */
  get size(): number {
    let sum = 0;
    for (const n of this.#open.values()) sum += n;
    return sum;
  }

  serve(call: ServedCall, { queue, mode, boot, credits }: Pull): void {
    const { engine, deliveries, limits, fetched } = this.#options;
    const { from } = call;
    const released: number[] = [];
    const open = new Set<LinkClaim>();
    let isComplete = false;
    const answerIfDone = (): void => {
      if (!isComplete || open.size > 0) return;
      const left = mode === 'task' ? waitingOf(engine.backlog(queue)) : undefined;
      call.answer(encodePulled({ released, left }));
    };
    call.onAbandoned = () => {
      for (const claim of open) claim.lost();
    };
    const room = Math.max(0, limits.claims - (this.#open.get(from) ?? 0));
    released.push(...credits.slice(room).map(({ id }) => id));
    const claims = credits.slice(0, room).map(({ id, taker }) => {
      const claim = new LinkClaim(deliveries, from, { boot, by: 'credit', id, part: 0 }, taker, (outcome) => {
        open.delete(claim);
        this.#count(from, -1);
        if (outcome === 'released') released.push(id);
        answerIfDone();
      });
      open.add(claim);
      this.#count(from, 1);
      return claim;
    });
    fetched(queue, mode, credits.length);
    if (mode === 'task') engine.pull(queue, [...claims]);
    else {
      const left = [...claims];
      engine.pullQueries(queue, () => left.shift());
      for (const claim of left) claim.release();
    }
    isComplete = true;
    answerIfDone();
  }

  #count(node: string, delta: number): void {
    const n = (this.#open.get(node) ?? 0) + delta;
    if (n === 0) this.#open.delete(node);
    else this.#open.set(node, n);
  }
}
