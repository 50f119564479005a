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

  /** What the store holds. */
  restore(positions: ReadonlyMap<ShardId, ShardPosition>): void {
    for (const [id, position] of positions) this.#add(id, position);
  }

  /** This node leads all there will be. Called before any is there. */
  leadAlone(term: Term): void {
    this.#alone = term;
  }

  get(id: number): Shard {
    return this.#shards.get(id) ?? this.#add(shardId(id), { lastLsn: lsn(0), appliedLsn: lsn(0) });
  }

  #add(id: ShardId, position: { lastLsn: Lsn; appliedLsn: Lsn }): Shard {
    const shard = new Shard(id, position);
    if (this.#alone !== undefined) shard.lead(this.#alone);
    this.#shards.set(id, shard);
    return shard;
  }

  /** What the store holds of it, as of `at`, counts instead of what is known here. */
  replace(id: ShardId, at: Lsn): Shard {
    const shard = new Shard(id, { lastLsn: at, appliedLsn: at });
    this.#shards.set(id, shard);
    return shard;
  }

  /** It is kept elsewhere. */
  forget(id: ShardId): void {
    this.#shards.delete(id);
  }

  readonly isLed = (id: number): boolean => this.#shards.get(id)?.isLed ?? this.#alone !== undefined;
}
