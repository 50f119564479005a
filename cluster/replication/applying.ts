// What is committed goes to the user, each shard's entries in the order of its log, once per start; then appends and reads that waited for it are
// settled. What is no longer in memory is read from the store. Called by the driver at the end of each drain.

import { type Lsn, lsn } from '../../src/ports/ids.ts';
import type { ReplicaStore } from '../../src/ports/replica-store.ts';
import type { ReplicatedLogUser } from '../../src/ports/replicated-log.ts';
import type { LogEntry } from '../../src/ports/store.ts';
import { isData } from './core/entry.ts';
import type { ShardReplica } from './shard-replica.ts';

export interface ApplyingOptions {
  store: Pick<ReplicaStore, 'readLog'>;
  user: Pick<ReplicatedLogUser, 'applied'>;
  isOpen(): boolean;
  /** The shard is to be drained again. */
  wake(of: ShardReplica): void;
  failed(error: unknown): void;
}

export class Applying {
  readonly #options: ApplyingOptions;

  constructor(options: ApplyingOptions) {
    this.#options = options;
  }

  apply(of: ShardReplica): void {
    const { replica } = of;
    if (of.installing !== undefined || of.reading) return;
    if (of.applied < replica.commit) {
      const found = replica.log.entries(lsn(of.applied + 1), replica.commit, Number.POSITIVE_INFINITY);
      if (found === 'stored') {
        of.reading = true;
        void this.#applyStored(of, replica.commit);
        return;
      }
      for (const entry of found) this.#applyOne(of, entry);
    }
    for (const [id, { at, done }] of of.reads) {
      if (at === undefined || of.applied < at) continue;
      of.reads.delete(id);
      done(true);
    }
  }

  async #applyStored(of: ShardReplica, to: Lsn): Promise<void> {
    const { store, isOpen, wake, failed } = this.#options;
    try {
      for await (const entry of store.readLog(of.shard, lsn(of.applied + 1))) {
        // A snapshot may have been installed meanwhile, or the replica be none any more.
        if (entry.lsn > to || entry.lsn !== of.applied + 1 || !isOpen() || of.hasLeft) break;
        this.#applyOne(of, entry);
      }
    } catch (error) {
      failed(error);
    }
    of.reading = false;
    wake(of);
  }

  #applyOne(of: ShardReplica, { lsn: at, term, entry }: LogEntry): void {
    if (at !== of.applied + 1) throw new Error(`shard ${of.shard}: entry ${at} is applied after ${of.applied}`);
    of.applied = at;
    this.#options.user.applied(of.shard, { lsn: at, term, entry: isData(entry) ? entry : undefined });
    const append = of.appends.get(at);
    if (append === undefined) return;
    of.appends.delete(at);
    append.settled(append.term === term ? 'committed' : 'unknown');
  }
}
