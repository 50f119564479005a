// A node that has just started is sent clients once every shard has a leader it knows of: before, their requests would wait for elections. Asked
// by each readiness probe through cluster-node.ts. It ends for good with the first time all are known, or when its time is over: a shard that has
// lost its majority is no reason to keep clients from the others, and later elections are none to send them away.

import type { Clock } from '../../src/ports/clock.ts';
import { shardId } from '../../src/ports/ids.ts';
import type { ShardView } from './shard-view.ts';

/** How long leaders are waited for once there is a ring, ms: several elections. */
export const FIRST_LEADERS_MS = 15_000;

export class FirstLeaders {
  readonly #view: Pick<ShardView, 'shardCount' | 'leaderOf'>;
  readonly #clock: Clock;
  #sinceMs: number | undefined;
  #isOver = false;

  constructor(view: Pick<ShardView, 'shardCount' | 'leaderOf'>, clock: Clock) {
    this.#view = view;
    this.#clock = clock;
  }

  /** There is a ring. Idempotent. */
  begin(): void {
    this.#sinceMs ??= this.#clock.monotonic();
  }

  /** Why the node is not ready; undefined: it is, as far as this goes. */
  missing(): string | undefined {
    if (this.#isOver || this.#sinceMs === undefined) return undefined;
    const { shardCount } = this.#view;
    let without = 0;
    for (let n = 0; n < shardCount; n += 1) if (this.#view.leaderOf(shardId(n)) === undefined) without += 1;
    this.#isOver = without === 0 || this.#clock.monotonic() - this.#sinceMs >= FIRST_LEADERS_MS;
    return this.#isOver
      ? undefined
      : `${without} of ${shardCount} shards have no leader yet, as far as this node knows`;
  }
}
