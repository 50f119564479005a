// Shards in a database that all nodes share: this node leads those whose first reachable member of the ring it is, by a term in the database
// (cluster/sql). Two nodes that see the cluster differently take a shard from one another; the database lets one at a time write, and pauses
// keep them from doing it often. Called by cluster-node.ts.

import type { CommitLog } from '../../src/ports/commit-log.ts';
import { type ShardId, shardId } from '../../src/ports/ids.ts';
import type { SharedShards } from '../../src/ports/led-shards.ts';
import type { Store } from '../../src/ports/store.ts';
import { MAX_REPLICAS } from '../ring/limits.ts';
import type { Ring } from '../ring/ring.ts';
import { SqlLeadership } from '../sql/leadership.ts';
import type { ClusterNodeOptions } from './options.ts';
import type { LedShardState, ShardKeeper } from './shard-keeper.ts';
import type { ShardView } from './shard-view.ts';

/**
 * Members of the ring that may lead a shard, one after the other as they go, whatever `cluster.replicas` says: none of them holds anything of it.
 * Who is gone stays in the plan for ten minutes.
 */
export const HEIRS = MAX_REPLICAS;

export interface SharedKeeperOptions {
  node: ClusterNodeOptions;
  store: Store;
  /** How this node is called in the ring. */
  self: string;
  view: ShardView;
  engine(): SharedShards;
  ring(): Ring | undefined;
  isUp(directoryId: string): boolean;
  /** Whether it says of itself that it drains or leaves. */
  drains(directoryId: string): boolean;
  changed(shard: ShardId): void;
  failed(error: unknown): void;
}

/** Of each shard the first member of the ring that is up: the others come to the same, as soon as they see the same. */
export function wantedBy(
  self: string,
  ring: Ring,
  { isUp, drains }: Pick<SharedKeeperOptions, 'isUp' | 'drains'>,
): ReadonlySet<ShardId> {
  const wanted = new Set<ShardId>();
  for (let n = 0; n < ring.shardCount; n += 1) {
    const shard = shardId(n);
    const up = ring
      .replicasOf(shard)
      .map(({ directoryId }) => directoryId)
      .filter(isUp);
    if ((up.find((directoryId) => !drains(directoryId)) ?? up[0]) === self) wanted.add(shard);
  }
  return wanted;
}

export class SharedKeeper implements ShardKeeper {
  readonly commitLog: CommitLog;
  readonly replicas = 0;
  readonly frames = 0;
  readonly #options: SharedKeeperOptions;
  readonly #leadership: SqlLeadership;
  #soon = false;
  #evacuating = false;
  #phase: 'new' | 'started' | 'stopped' = 'new';

  constructor(options: SharedKeeperOptions) {
    this.#options = options;
    const { clock, scheduler, random, log } = options.node;
    this.#leadership = new SqlLeadership({
      ...{ store: options.store, engine: options.engine, clock, scheduler, random, log },
      changed: (shard, term) => this.#changed(shard, term),
      onFailed: (error) => options.failed(error),
    });
    this.commitLog = this.#leadership.commitLog;
  }

  confirm(shard: ShardId): Promise<boolean> {
    return this.commitLog.confirm?.(shard) ?? Promise.resolve(this.#leadership.led.has(shard));
  }

  async open(): Promise<void> {}

  start(): void {
    this.#phase = 'started';
    this.wake();
  }

  ringChanged(): void {
    this.wake();
  }

  wake(): void {
    if (this.#soon || this.#phase !== 'started') return;
    this.#soon = true;
    this.#options.node.scheduler.soon(() => {
      this.#soon = false;
      if (this.#phase === 'started') this.#leadership.want(this.#wanted());
    });
  }

  led(): LedShardState[] {
    const { self } = this.#options;
    return [...this.#leadership.led].map(([shard, term]) => ({
      ...{ shard, term, commit: 0, slowest: 0, voters: [self], learners: [] },
    }));
  }

  /** The database fences each write, and nothing depends on where a shard was led. */
  async confirmed(): Promise<LedShardState[]> {
    return this.led();
  }

  /** They go where they belong by themselves, at once. */
  rebalance(): number {
    this.wake();
    return 0;
  }

  evacuate(): number {
    this.#evacuating = true;
    this.wake();
    return this.#leadership.led.size;
  }

  stop(): void {
    this.#phase = 'stopped';
  }

  close(): Promise<void> {
    return this.#leadership.close();
  }

  // ---------------------------------------------------------------- inside

  #wanted(): ReadonlySet<ShardId> {
    const { ring, self, isUp, drains } = this.#options;
    const placed = ring();
    return placed === undefined || this.#evacuating ? new Set() : wantedBy(self, placed, { isUp, drains });
  }

  #changed(shard: ShardId, term: number | undefined): void {
    const { view, changed } = this.#options;
    if (term === undefined) view.released(shard);
    else view.leading(shard, term);
    changed(shard);
  }
}
