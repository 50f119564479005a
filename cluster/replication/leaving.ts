// Replicas that are no members of their shards any more: their logs and rows go, so that a disk is given back what was moved elsewhere. What they
// promised stays, and they add a promise to themselves in a term of their own: so what they said before, as members, counts for nothing with a leader
// that takes them in again, and it feeds them from the beginning (I1, I3). Survives a crash at any write. Called by the driver.

import { type ShardId, term } from '../../src/ports/ids.ts';
import type { ReplicaStore, RowLayout } from '../../src/ports/replica-store.ts';
import type { ReplicatedLogUser } from '../../src/ports/replicated-log.ts';
import { type Configuration, isMember } from './core/configuration.ts';
import type { Replica } from './core/replica.ts';
import type { ShardReplica } from './shard-replica.ts';

/** What a replica knows of its own membership. */
export type Standing =
  | 'member'
  /** A committed configuration leaves it out, and none that follows takes it in. */
  | 'removed'
  /** A member as far as it knows, but no leader speaks to it: it may have been removed while it was away. */
  | 'unheard';

const leavesOut = (configuration: Configuration, replica: Replica): boolean =>
  configuration.voters.length > 0 && !isMember(configuration, replica.self);

export function standingOf(replica: Replica, nowMs: number): Standing {
  const { log, commit } = replica;
  if (replica.role === 'leader') return 'member';
  if (leavesOut(log.configurationAt(commit), replica) && leavesOut(log.configuration.configuration, replica))
    return 'removed';
  return replica.hearsLeader(nowMs) ? 'member' : 'unheard';
}

export interface LeavingOptions {
  store: ReplicaStore;
  layout: RowLayout;
  /** The driver's: those that go are taken out. */
  shards: Map<ShardId, ShardReplica>;
  user: Pick<ReplicatedLogUser, 'dropped'>;
  failed(error: unknown): void;
}

export class Leaving {
  readonly #options: LeavingOptions;
  readonly #going = new Set<ShardId>();

  constructor(options: LeavingOptions) {
    this.#options = options;
  }

  /** Nothing may be written of it until it is gone: whoever takes it in again says everything again. */
  has(shard: ShardId): boolean {
    return this.#going.has(shard);
  }

  /** A crash has left rows of it: `drop` goes on. */
  found(shard: ShardId): void {
    this.#going.add(shard);
  }

  /** Those that are half gone. */
  get unfinished(): ShardId[] {
    return [...this.#going];
  }

  /** Resolves when nothing is left. Those that lead, or are no replicas here, are passed over. */
  async drop(shards: readonly ShardId[]): Promise<void> {
    const { store, layout, failed, user } = this.#options;
    const left = shards.flatMap((shard) => this.#takeOut(shard) ?? []);
    const going = [
      ...new Set([...left.map(({ shard }) => shard), ...shards.filter((shard) => this.#going.has(shard))]),
    ];
    if (going.length === 0) return;
    try {
      const promises = left.map(({ shard, replica }) => {
        const { term: inTerm, votedTerm } = store.replicaPosition(shard);
        return store.vote(shard, term(Math.max(replica.term, inTerm, votedTerm) + 1), store.directoryId);
      });
      await Promise.all(promises);
      await store.drop(going, layout);
    } catch (error) {
      failed(error);
      return;
    }
    for (const shard of going) {
      user.dropped(shard);
      this.#going.delete(shard);
    }
  }

  #takeOut(shard: ShardId): ShardReplica | undefined {
    const of = this.#options.shards.get(shard);
    // What takes more than one write is over in a moment: then it is asked again.
    if (of === undefined || of.replica.role === 'leader' || of.slow !== undefined || of.installing !== undefined)
      return undefined;
    this.#going.add(shard);
    this.#options.shards.delete(shard);
    of.leave();
    return of;
  }
}
