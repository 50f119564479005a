// A shard comes to this node, or goes, while the others serve on. What a leader keeps in memory beside the rows (actors, windows of the
// backlog, timers, outbox) is built from the rows when it is told to lead and dropped when it no longer leads; rows are kept by every
// replica alike. Keeps I1 (nothing undecided survives), I3 (a turn decided in one leadership never counts in another). Called by the engine.

import type { ActorAddress } from '../ports/engine.ts';
import type { Lsn, ShardId, Term } from '../ports/ids.ts';
import { type Actors, notLed } from './actors.ts';
import type { Backlog } from './backlog.ts';
import type { Committer } from './committer.ts';
import { decodeEntry } from './entry.ts';
import { shardOf } from './keys.ts';
import type { Materializer } from './materializer.ts';
import type { Outbox } from './outbox.ts';
import type { Overlay } from './overlay.ts';
import type { Queries } from './queries.ts';
import { ownerOf } from './row-layout.ts';
import type { Shards } from './shards.ts';
import type { Timers } from './timers.ts';
import type { UpdateCallers } from './update-callers.ts';
import type { Waiters } from './waiters.ts';

export interface LeadershipOptions {
  shardCount: number;
  overlay: Overlay;
  shards: Shards;
  committer: Committer;
  materializer: Materializer;
  actors: Actors;
  backlog: Backlog;
  timers: Timers;
  outbox: Outbox;
  queries: Queries;
  updates: UpdateCallers;
  waiters: Waiters;
  /** What a shard holds could not be read. */
  onFailed(error: unknown): void;
}

export class Leadership {
  readonly #options: LeadershipOptions;
  /** While what replaced a shard's rows is read: what is to be done once it is. */
  readonly #restoring = new Map<ShardId, (() => void)[]>();

  constructor(options: LeadershipOptions) {
    this.#options = options;
  }

  /** Throws when entries up to `lastLsn` have not all been applied: what would be decided would rest on the past. */
  lead(id: ShardId, term: Term, lastLsn: Lsn): void {
    if (this.#later(id, () => this.lead(id, term, lastLsn))) return;
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
    this.#later(id, () => void this.unlead(id));
    const { shards, committer, actors, backlog, timers, outbox, queries, updates, waiters, shardCount } = this.#options;
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
      const isOfShard = (to: ActorAddress): boolean => shardOf(to.namespace, to.workflowId, shardCount) === id;
      queries.refuse(isOfShard, why);
      updates.refuse(isOfShard, why);
      waiters.wakeShard(id);
    }
    return shard.commitLsn as Lsn;
  }

  /**
   * An entry that was committed: by another leader, or by this node in a leadership that ended before it knew. Those at or below the shard's lsn
   * are known already. `undefined`: one without content, such as a leader's barrier. Throws at a gap, and for a shard that is led here.
   */
  apply(id: ShardId, lsn: Lsn, entry: Uint8Array | undefined): void {
    if (this.#later(id, () => this.apply(id, lsn, entry))) return;
    const { shards, materializer } = this.#options;
    const shard = shards.get(id);
    if (lsn <= shard.commitLsn) return;
    if (shard.isLed && entry !== undefined)
      throw new Error(`shard ${id} is led here: entry ${lsn} of another leader cannot be applied`);
    if (lsn !== shard.commitLsn + 1)
      throw new Error(`shard ${id} is at lsn ${shard.commitLsn}: entry ${lsn} leaves a gap`);
    if (entry === undefined) shard.commit(0);
    else materializer.commit(shard, decodeEntry(entry));
  }

  /** While it leads, the log has taken this lsn, the next one, for an entry of its own: it comes back through `apply`, without content. */
  controlAppended(id: ShardId, lsn: Lsn): void {
    if (this.#later(id, () => this.controlAppended(id, lsn))) return;
    const shard = this.#options.shards.get(id);
    if (!shard.isLed) return;
    if (lsn !== shard.lastLsn + 1)
      throw new Error(`shard ${id}: an entry of the log took lsn ${lsn}, the last one given is ${shard.lastLsn}`);
    shard.lastLsn = lsn;
  }

  /** Rows of another replica, as of `lsn`, took the place of the shard's in the store: nothing of it in memory counts any more. */
  installed(id: ShardId, lsn: Lsn): void {
    const { shards, overlay, backlog, materializer, onFailed } = this.#options;
    this.unlead(id);
    // What waited for an installation before this one is about rows that are gone.
    const waiting: (() => void)[] = [];
    this.#restoring.set(id, waiting);
    const shard = shards.replace(id, lsn);
    overlay.discard(new Set([id]), ownerOf);
    backlog.forget(id);
    const isCurrent = (): boolean => this.#restoring.get(id) === waiting;
    const restored = (): void => {
      if (!isCurrent()) return;
      this.#restoring.delete(id);
      for (const errand of waiting) errand();
    };
    materializer.restoreOne(shard, isCurrent).then(restored).catch(onFailed);
  }

  /**
   * Shards of a store that several nodes share come to this node: what it knows of them, should it have led them before, gives way to their rows
   * in the store, as of these lsns. Once it resolves, `apply` brings what the log holds beyond, then they may be led. Rejects when they cannot be read.
   */
  async adopt(positions: ReadonlyMap<ShardId, Lsn>): Promise<void> {
    const { shards, materializer } = this.#options;
    this.release([...positions.keys()]);
    await materializer.restoreSome([...positions].map(([id, at]) => shards.replace(id, at)));
  }

  /** They go to other nodes, which read the store. Nothing of them stays here: what no flush has written is in their logs. */
  release(ids: readonly ShardId[]): void {
    const { shards, overlay, backlog } = this.#options;
    for (const id of ids) this.unlead(id);
    overlay.discard(new Set(ids), ownerOf);
    for (const id of ids) {
      backlog.forget(id);
      shards.forget(id);
    }
  }

  #later(id: ShardId, errand: () => void): boolean {
    const waiting = this.#restoring.get(id);
    waiting?.push(errand);
    return waiting !== undefined;
  }
}
