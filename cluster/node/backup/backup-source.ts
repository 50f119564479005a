// A node's part in a backup: it lets messages stand still, cuts the shards it leads in one view of its store, and hands out that view's rows chunk
// by chunk as they are asked for. Keeps: a shard is cut only by who has led it, in one term, since before all nodes stood still. One backup at
// a time; what nobody asks for any more is let go. Called by cluster-backup.ts, here or through the link.

import type { Cancelable, Clock, Scheduler } from '../../../src/ports/clock.ts';
import type { ShardCut } from '../../../src/ports/cluster-backup.ts';
import { type Key, type ShardId, shardId } from '../../../src/ports/ids.ts';
import type { ReplicaStore, RowLayout, ShardSnapshot, StoreChunk } from '../../../src/ports/replica-store.ts';
import type { DeliveryPause } from './delivery-pause.ts';
import type { Led } from './methods.ts';

/** About so many bytes of rows in a chunk: what the link's other requests may wait behind. */
const CHUNK_BYTES = 256 * 1024;
/** A cut that nobody has read from for so long is let go, ms: it keeps the store from reclaiming what it shows. */
const IDLE_MS = 60_000;

export interface BackupSourceOptions {
  store: ReplicaStore;
  layout: RowLayout;
  pause: DeliveryPause;
  clock: Clock;
  scheduler: Scheduler;
  /** Shards served here, and since which term. */
  led(): readonly (Led & { readonly commit: number })[];
  /** Whether this node still leads: asked of the replicas. */
  confirm(shard: ShardId): Promise<boolean>;
  /** Everything committed is in rows when it resolves. */
  flush(): Promise<void>;
}

interface Session {
  readonly backup: string;
  readonly snapshot: ShardSnapshot;
  usedAtMs: number;
  timer: Cancelable | undefined;
}

/** Why a node cannot take part now, for people. Another attempt may succeed. */
export class NotNow extends Error {
  override readonly name = 'NotNow';
}

export class BackupSource {
  readonly #options: BackupSourceOptions;
  #session: Session | undefined;
  #cutting = false;

  constructor(options: BackupSourceOptions) {
    this.#options = options;
  }

  /** @throws NotNow while another backup is under way */
  pause(backup: string): Led[] {
    const { pause, led } = this.#options;
    if (this.#cutting || (this.#session !== undefined && this.#session.backup !== backup) || !pause.begin(backup))
      throw new NotNow('another backup is under way');
    return led().map(({ shard, term }) => ({ shard, term }));
  }

  /** @throws NotNow when the pause is over, or a shard is not led here as it was when it began */
  async cut(backup: string, shards: readonly Led[]): Promise<ShardCut[]> {
    if (this.#cutting || this.#session !== undefined) throw new NotNow('another backup is under way');
    this.#cutting = true;
    try {
      return await this.#cut(backup, shards);
    } finally {
      this.#cutting = false;
    }
  }

  resume(backup: string): void {
    this.#options.pause.end(backup);
  }

  /** @throws Error for a chunk that there is not, or of a backup that is over here */
  async chunk(backup: string, index: number): Promise<StoreChunk> {
    const session = this.#session;
    if (session === undefined || session.backup !== backup) throw new Error('the backup is over here');
    session.usedAtMs = this.#options.clock.monotonic();
    return session.snapshot.chunk(index);
  }

  /** Lets go of everything of this backup. */
  async end(backup: string): Promise<void> {
    this.#options.pause.end(backup);
    const session = this.#session;
    if (session?.backup === backup) await this.#close(session);
  }

  async close(): Promise<void> {
    if (this.#session !== undefined) await this.#close(this.#session);
  }

  // ---------------------------------------------------------------- inside

  async #cut(backup: string, shards: readonly Led[]): Promise<ShardCut[]> {
    const { confirm, flush, store } = this.#options;
    const commits = this.#check(backup, shards);
    // Confirmed, a leader has also applied what was committed before.
    const fresh = await Promise.all(shards.map(({ shard }) => confirm(shardId(shard))));
    const unsure = fresh.indexOf(false);
    if (unsure >= 0) throw new NotNow(`shard ${shards[unsure]?.shard} may have another leader by now`);
    this.#check(backup, shards);
    await flush();
    this.#check(backup, shards);
    const cuts = shards.map(({ shard, term }): ShardCut => {
      const { appliedLsn } = store.replicaPosition(shardId(shard));
      if (appliedLsn < (commits.get(shard) ?? 0)) throw new NotNow(`the rows of shard ${shard} are behind its log`);
      return { shard, term, lsn: appliedLsn };
    });
    const snapshot = await this.#open(shards);
    try {
      this.#check(backup, shards);
    } catch (error) {
      await snapshot.close();
      throw error;
    }
    const session = { backup, snapshot, usedAtMs: this.#options.clock.monotonic(), timer: undefined };
    this.#session = session;
    this.#watch(session);
    return cuts;
  }

  /** All of them in one pass over the store: rows of many shards lie together. */
  #open(shards: readonly Led[]): Promise<ShardSnapshot> {
    const { store, layout } = this.#options;
    const ids = shards.map(({ shard }) => shardId(shard));
    const [first] = ids;
    return store.snapshot(first ?? shardId(0), layoutOf(layout, ids), CHUNK_BYTES);
  }

  /** Returns the commit of each. */
  #check(backup: string, shards: readonly Led[]): Map<number, number> {
    const { pause, led } = this.#options;
    if (!pause.holds(backup)) throw new NotNow('it took too long: messages between workflows go on again');
    const now = new Map(led().map((one) => [one.shard, one]));
    for (const { shard, term } of shards) {
      if (now.get(shard)?.term !== term) throw new NotNow(`shard ${shard} is moving to another leader`);
    }
    return new Map([...now.values()].map(({ shard, commit }) => [shard, commit]));
  }

  #watch(session: Session): void {
    const { clock, scheduler } = this.#options;
    const left = session.usedAtMs + IDLE_MS - clock.monotonic();
    if (left <= 0) {
      void this.#close(session);
      return;
    }
    session.timer = scheduler.after(left, () => this.#watch(session));
  }

  #close(session: Session): Promise<void> {
    session.timer?.cancel();
    if (this.#session === session) this.#session = undefined;
    return session.snapshot.close();
  }
}

/** The rows of several shards as if they were one's. */
function layoutOf(layout: RowLayout, shards: readonly ShardId[]): RowLayout {
  const ranges = new Map<Key, { from: Key; to: Key }>();
  for (const shard of shards) for (const range of layout.ranges(shard)) ranges.set(range.from, range);
  const sorted = [...ranges.values()].sort((a, b) => (a.from < b.from ? -1 : 1));
  const ids = new Set<ShardId | undefined>(shards);
  const { ownerOf } = layout;
  return { ranges: () => sorted, owns: (_, k) => ids.has(ownerOf(k)), ownerOf };
}
