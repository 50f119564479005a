// A shard comes to this node, or goes, while the others serve on. What a leader keeps in memory beside the rows (actors, windows of the
// backlog, timers, outbox) is built from the rows when it is told to lead and dropped when it no longer leads; rows are kept by every
// replica alike. Keeps I1 (nothing undecided survives), I3 (a turn decided in one leadership never counts in another). Called by the engine.

import type { Lsn, ShardId, Term } from '../ports/ids.ts';
import { type Actors, notLed } from './actors.ts';
import type { Backlog } from './backlog.ts';
import type { Committer } from './committer.ts';
import { decodeEntry } from './entry.ts';
import { shardOf } from './keys.ts';
import type { Materializer } from './materializer.ts';
import type { Outbox } from './outbox.ts';
import type { Queries } from './queries.ts';
import type { Shards } from './shards.ts';
import type { Timers } from './timers.ts';
import type { Waiters } from './waiters.ts';

export interface LeadershipOptions {
  shardCount: number;
  shards: Shards;
  committer: Committer;
  materializer: Materializer;
  actors: Actors;
  backlog: Backlog;
  timers: Timers;
  outbox: Outbox;
  queries: Queries;
  waiters: Waiters;
}

export class Leadership {
  readonly #options: LeadershipOptions;

  constructor(options: LeadershipOptions) {
    this.#options = options;
  }

  /** Throws when entries up to `lastLsn` have not all been applied: what would be decided would rest on the past. */
  lead(id: ShardId, term: Term, lastLsn: Lsn): void {
    const { shards, backlog, timers, outbox } = this.#options;
    const shard = shards.get(id);
    if (shard.commitLsn !== lastLsn) {
      throw new Error(
        `shard ${id} is to be led from lsn ${lastLsn} on, but its rows are those of lsn ${shard.commitLsn}`,
      );
    }
    if (shard.isLed) this.unlead(id);
    shard.lead(term);
    backlog.lead(id);
    timers.lead();
    outbox.lead();
  }

  /** Returns the lsn its rows are at: what the next leader commits beyond is to be applied. */
  unlead(id: ShardId): Lsn {
    const { shards, committer, actors, backlog, timers, outbox, queries, waiters, shardCount } = this.#options;
    const shard = shards.get(id);
    if (shard.isLed) {
      shard.follow();
      const why = notLed(shard);
      // What would be tried again is forgotten first: a refusal comes at once, and is no reason to try here.
      timers.unlead(id);
      backlog.unlead(id);
      committer.drop(shard);
      actors.drop(shard, why);
      outbox.unlead(id);
      queries.refuse(({ namespace, workflowId }) => shardOf(namespace, workflowId, shardCount) === id, why);
      waiters.wakeShard(id);
    }
    return shard.commitLsn as Lsn;
  }

  /**
   * An entry that was committed: by another leader, or by this node in a leadership that ended before it knew. Those at or below the shard's lsn
   * are known already. `undefined`: one without content, such as a leader's barrier. Throws at a gap, and for a shard that is led here.
   */
  apply(id: ShardId, lsn: Lsn, entry: Uint8Array | undefined): void {
    const { shards, materializer } = this.#options;
    const shard = shards.get(id);
    if (lsn <= shard.commitLsn) return;
    if (shard.isLed) throw new Error(`shard ${id} is led here: entry ${lsn} of another leader cannot be applied`);
    if (lsn !== shard.commitLsn + 1)
      throw new Error(`shard ${id} is at lsn ${shard.commitLsn}: entry ${lsn} leaves a gap`);
    if (entry === undefined) shard.commit(0);
    else materializer.commit(shard, decodeEntry(entry));
  }
}
