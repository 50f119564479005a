// What the replicated log says, passed on to the engine that serves the shards and to the view that says where they are. Order is everything
// here: entries before leadership, the end of a leadership before what the next leader commits. Called by the driver, synchronously.

import type { Lsn, ShardId, Term } from '../../src/ports/ids.ts';
import type { LedShards } from '../../src/ports/led-shards.ts';
import type { AppliedEntry, ReplicatedLogUser } from '../../src/ports/replicated-log.ts';
import type { ShardView } from './shard-view.ts';

export interface LogUserOptions {
  engine(): LedShards;
  view: ShardView;
  /** A shard's replica set, or its leader, is another than before. */
  changed(shard: ShardId): void;
  failed(error: unknown): void;
}

export class LogUser implements ReplicatedLogUser {
  readonly #options: LogUserOptions;
  readonly #led = new Set<ShardId>();

  constructor(options: LogUserOptions) {
    this.#options = options;
  }

  applied(shard: ShardId, { lsn, entry }: AppliedEntry): void {
    // Its own entries the engine's committer applies by itself, as they are settled.
    if (entry !== undefined && this.#led.has(shard)) return;
    this.#options.engine().apply(shard, lsn, entry);
  }

  leading(shard: ShardId, term: Term, lsn: Lsn): void {
    this.#led.add(shard);
    this.#options.engine().lead(shard, term, lsn);
    this.#options.view.leading(shard, term);
    this.#options.changed(shard);
  }

  controlAppended(shard: ShardId, lsn: Lsn): void {
    if (this.#led.has(shard)) this.#options.engine().controlAppended(shard, lsn);
  }

  following(shard: ShardId, term: Term, leader: string | undefined): void {
    if (this.#led.delete(shard)) this.#options.engine().unlead(shard);
    this.#options.view.following(shard, term, leader);
    this.#options.changed(shard);
  }

  installed(shard: ShardId, lsn: Lsn): void {
    this.#options.engine().installed(shard, lsn);
  }

  dropped(shard: ShardId): void {
    this.#options.engine().release([shard]);
    this.#options.changed(shard);
  }

  configured(shard: ShardId): void {
    this.#options.changed(shard);
  }

  failed(error: unknown): void {
    // Nothing is answered from here any more, and whoever asks is not sent here.
    for (const shard of this.#led) {
      this.#options.engine().unlead(shard);
      this.#options.view.released(shard);
    }
    this.#led.clear();
    this.#options.failed(error);
  }
}
