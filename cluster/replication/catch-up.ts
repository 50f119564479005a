// What a leader reads from its store for followers that are behind: entries no longer in memory, and snapshots chunk by chunk. A snapshot pins
// the files it reads from, so each is closed when its follower has it, or the core gives it up. Called by the driver.

import type { Random } from '../../src/ports/clock.ts';
import { type Lsn, lsn, type ShardId } from '../../src/ports/ids.ts';
import type { ReplicaStore, RowLayout } from '../../src/ports/replica-store.ts';
import type { LogEntry } from '../../src/ports/store.ts';
import { isMember } from './core/configuration.ts';
import type { DirectoryId } from './core/ids.ts';
import type { Replica } from './core/replica.ts';
import { configurationIn, type Export, type ShardReplica } from './shard-replica.ts';

/** Snapshots read at once on a node; the other followers ask again with a later heartbeat (I9). */
export const SNAPSHOTS_AT_ONCE = 8;
/** About so many bytes of rows in a chunk of a snapshot. */
const CHUNK_BYTES = 256 * 1024;

export interface CatchUpOptions {
  store: ReplicaStore;
  layout: RowLayout;
  random: Random;
  /** Gives a shard's core what was read; does nothing once the node has stopped. */
  answer: (shard: ShardId, work: (replica: Replica) => void) => void;
  snapshotsAtOnce: number;
  refused: (by: DirectoryId, why: string) => void;
  failed: (error: unknown) => void;
}

export class CatchUp {
  readonly #options: CatchUpOptions;
  #closed = false;
  #open = 0;

  constructor(options: CatchUpOptions) {
    this.#options = options;
  }

  async load(of: ShardReplica, to: DirectoryId, from: Lsn, maxBytes: number): Promise<void> {
    const { store, answer, failed } = this.#options;
    const entries: LogEntry[] = [];
    let size = 0;
    try {
      for await (const entry of store.readLog(of.shard, lsn(from))) {
        if (size > 0 && size + entry.entry.length > maxBytes) break;
        entries.push(entry);
        size += entry.entry.length;
      }
    } catch (error) {
      failed(error);
      return;
    }
    answer(of.shard, (replica) => replica.loaded(to, entries));
  }

  async begin(of: ShardReplica, to: DirectoryId): Promise<void> {
    const { store, layout, random, answer, failed, snapshotsAtOnce } = this.#options;
    if (this.#open >= snapshotsAtOnce) {
      answer(of.shard, (replica) => replica.snapshotFailed(to));
      return;
    }
    this.#open += 1;
    try {
      const snapshot = await store.snapshot(of.shard, layout, CHUNK_BYTES);
      const { configuration, ...position } = snapshot.position;
      const meta = { ...position, id: random.uuid(), configuration: configurationIn(configuration) };
      // Nothing was ever flushed: nothing was trimmed either, and the log has it all.
      const usable = meta.configuration.voters.length > 0 && isMember(of.replica.configuration, to);
      const before = of.exports.get(to);
      of.exports.delete(to);
      if (before !== undefined) await this.#close(before);
      const found = { meta, snapshot };
      if (usable && !this.#closed) of.exports.set(to, found);
      else await this.#close(found);
      answer(of.shard, (replica) => (usable ? replica.snapshotReady(to, meta) : replica.snapshotFailed(to)));
    } catch (error) {
      failed(error);
    }
  }

  async chunk(of: ShardReplica, to: DirectoryId, id: string, index: number): Promise<void> {
    const { answer, refused } = this.#options;
    const found = of.exports.get(to);
    if (found?.meta.id !== id) return;
    try {
      const chunk = await found.snapshot.chunk(index);
      answer(of.shard, (replica) => replica.chunkRead(to, id, { index, ...chunk }));
    } catch (error) {
      // Ended while it was being read: the follower has it by now, or the core has given it up.
      if (of.exports.get(to) !== found) return;
      // A follower may ask for a chunk that there is not; a disk that fails shows elsewhere too.
      refused(to, error instanceof Error ? error.message : String(error));
      answer(of.shard, (replica) => replica.snapshotFailed(to));
    }
  }

  end(of: ShardReplica, to: DirectoryId, id: string): void {
    const found = of.exports.get(to);
    if (found?.meta.id !== id) return;
    of.exports.delete(to);
    this.#close(found).catch(this.#options.failed);
  }

  async close(shards: Iterable<ShardReplica>): Promise<void> {
    this.#closed = true;
    const found = [...shards].flatMap(({ exports }) => [...exports.values()]);
    await Promise.allSettled(found.map((one) => this.#close(one)));
  }

  #close({ snapshot }: Export): Promise<void> {
    this.#open -= 1;
    return snapshot.close();
  }
}
