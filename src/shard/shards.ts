// The shards this node keeps: made on first use, so that unused ones cost nothing. Alone (R = 1) it leads every one of them in one term;
// with others it keeps replicas, and leads those it is told to (I3: the replicas' log decides, this is only its word here).

import { type Lsn, lsn, type ShardId, shardId, type Term } from '../ports/ids.ts';
import type { ShardPosition } from '../ports/store.ts';
import { Shard } from './shard.ts';

export class Shards {
  readonly #shards = new Map<number, Shard>();
  #alone: Term | undefined;

  get size(): number {
    return this.#shards.size;
  }

  values(): IterableIterator<Shard> {
    return this.#shards.values();
  }

  /** What the store held when it was opened. */
  restore(positions: ReadonlyMap<ShardId, ShardPosition>): void {
    for (const [id, position] of positions) this.#shards.set(id, new Shard(id, position));
  }

  /** This node leads all there are and all there will be. */
  leadAlone(term: Term): void {
    this.#alone = term;
    for (const shard of this.#shards.values()) shard.lead(term);
  }

  get(id: number): Shard {
    let shard = this.#shards.get(id);
    if (shard === undefined) {
      shard = new Shard(shardId(id), { lastLsn: lsn(0), appliedLsn: lsn(0) });
      if (this.#alone !== undefined) shard.lead(this.#alone);
      this.#shards.set(id, shard);
    }
    return shard;
  }

  /** Its rows were replaced by those of another replica, as of `at`. */
  replace(id: ShardId, at: Lsn): Shard {
    const shard = new Shard(id, { lastLsn: at, appliedLsn: at });
    this.#shards.set(id, shard);
    return shard;
  }

  readonly isLed = (id: number): boolean => this.#shards.get(id)?.isLed ?? this.#alone !== undefined;
}
