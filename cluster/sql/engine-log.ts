// The log of a database that several nodes share, as the engine's committer and flusher use it (ports/commit-log.ts): one append takes the
// entries of all shards led here; of those that a newer term has taken nothing is written (I3). Whoever took them is told to `onFenced`, once the
// engine has ended their turns. Reads of one tick are confirmed by one round trip.

import type { CommitLog } from '../../src/ports/commit-log.ts';
import type { ShardId, Term } from '../../src/ports/ids.ts';
import type { Fenced, Store } from '../../src/ports/store.ts';

export interface EngineLogOptions {
  store: Pick<Store, 'append' | 'flush' | 'confirm'>;
  /** In which term the shard is led here; undefined: it is not. */
  termOf(shard: ShardId): Term | undefined;
  /** The leads of these shards, in these terms or older ones, are over. */
  onFenced(fenced: readonly Lost[]): void;
}

export interface Lost {
  readonly shard: ShardId;
  /** In which it was led here. */
  readonly term: Term;
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

export function engineLog({ store, termOf, onFenced }: EngineLogOptions): CommitLog {
  const lostOf = (fenced: readonly Fenced[], calls: readonly Lost[]): Lost[] => {
    const shards = new Set<number>(fenced.map(({ shard }) => shard));
    return calls.filter(({ shard }) => shards.has(shard)).map(({ shard, term }) => ({ shard, term }));
  };
  const tell = (fenced: readonly Fenced[], calls: readonly Lost[]): void => {
    if (fenced.length > 0) onFenced(lostOf(fenced, calls));
  };
  return {
    appends: 'together',
    append: (entries, settled) => {
      store.append(entries).then(
        (result) => {
          settled(result);
          tell(result.fenced, entries);
        },
        (error: unknown) => settled(asError(error)),
      );
      return 'taken';
    },
    flush: async (flushes) => {
      const result = await store.flush(flushes);
      tell(result.fenced, flushes);
      return result;
    },
    confirm: async (shard) => {
      const term = termOf(shard);
      if (term === undefined) return false;
      const lead = { shard, term };
      try {
        const fenced = await store.confirm([lead]);
        tell(fenced, [lead]);
        return fenced.length === 0 && termOf(shard) === term;
      } catch {
        // A database that stays away ends the handle, and the next write says so. Until then nothing is known to be fresh.
        return false;
      }
    },
  };
}
