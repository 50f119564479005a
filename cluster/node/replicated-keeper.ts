// Shards as logs that several nodes keep in directories of their own: the driver replicates, the mover brings replicas and leaders to where the
// ring wants them, and the first shards are made once (birth.ts). Called by cluster-node.ts.

import type { CommitLog } from '../../src/ports/commit-log.ts';
import { type ShardId, shardId } from '../../src/ports/ids.ts';
import type { LedShards } from '../../src/ports/led-shards.ts';
import type { ReplicaStore, RowLayout } from '../../src/ports/replica-store.ts';
import type { RemoteNode } from '../link/identity.ts';
import type { Links } from '../link/links.ts';
import type { Rpc } from '../link/rpc.ts';
import { committerLog } from '../replication/committer-log.ts';
import { DamagedError, ReplicationDriver } from '../replication/driver.ts';
import type { RingPlan } from '../ring/plan.ts';
import { encodePlan } from '../ring/plan-codec.ts';
import type { Ring } from '../ring/ring.ts';
import { Birth, type BirthState } from './birth.ts';
import { coordinatedTerms } from './coordinated-terms.ts';
import { DEFAULT_DEPARTURE_TIMES, Departures } from './departures.ts';
import { LogUser } from './log-user.ts';
import { Mover } from './mover.ts';
import type { ClusterNodeOptions } from './options.ts';
import { ReplicationLink } from './replication-link.ts';
import type { Roster } from './roster.ts';
import type { LedShardState, ShardKeeper } from './shard-keeper.ts';
import type { ShardView } from './shard-view.ts';
import type { NodeState } from './state.ts';

export interface ReplicatedKeeperOptions {
  node: ClusterNodeOptions;
  store: ReplicaStore;
  layout: RowLayout;
  links: Links;
  rpc: Rpc;
  roster: Roster;
  view: ShardView;
  engine(): LedShards;
  ring(): Ring | undefined;
  /** A node with which entries and votes may be exchanged. */
  trusts(remote: RemoteNode): boolean;
  /** In force; version 0: none yet. */
  plan(): RingPlan;
  state(): BirthState;
  save(state: Partial<NodeState>): Promise<void>;
  /** Who leads a shard, or holds it, has changed. */
  changed(shard: ShardId): void;
  failed(error: unknown): void;
}

export class ReplicatedKeeper implements ShardKeeper {
  readonly commitLog: CommitLog;
  readonly #options: ReplicatedKeeperOptions;
  readonly #driver: ReplicationDriver;
  readonly #mover: Mover;
  readonly #birth: Birth;
  readonly #departures: Departures;

  constructor(options: ReplicatedKeeperOptions) {
    this.#options = options;
    const { store, layout, links, rpc, roster, view } = options;
    const { config, coordinator, clock, scheduler, random, log, times, bounds } = options.node;
    const { shardCount, directoryId: self } = store;
    const transport = new ReplicationLink(options.trusts, (directoryId) => this.#mover.connected(directoryId));
    links.use('replication', transport);
    links.use('snapshot', { up: () => {}, down: () => {}, message: () => {} });
    this.#driver = new ReplicationDriver({
      ...{ store, transport, clock, scheduler, random, layout },
      terms: coordinatedTerms(coordinator),
      user: new LogUser({
        ...{ view, engine: options.engine },
        changed: (shard) => options.changed(shard),
        failed: (error) => this.#failed(error),
      }),
      ...(times && { times }),
      ...(bounds && { bounds }),
      onTransferEnded: (shard, to, outcome) => this.#mover.transferEnded(shard, to, outcome),
      onRefused: (from, why) => log.warn({ from }, `a replication frame was refused: ${why}`),
    });
    this.commitLog = committerLog(this.#driver);
    this.#mover = new Mover({
      ...{ self, shardCount, driver: this.#driver, scheduler, log },
      ring: () => options.ring(),
      reaches: (directoryId) => transport.peerOf(directoryId) !== undefined,
      drains: (directoryId) => roster.drains(directoryId),
    });
    this.#departures = new Departures({
      ...{ shardCount, driver: this.#driver, rpc, clock, scheduler, log },
      times: { ...DEFAULT_DEPARTURE_TIMES, ...options.node.departures },
      leaderOf: (shard) => transport.peerOf(view.leaderOf(shard)?.directoryId ?? '')?.name,
      directoryOf: (node) => roster.directoryOf(node),
    });
    this.#birth = new Birth({
      ...{ self, shardCount, replicas: config.replicas, rpc, scheduler, log },
      nameOf: (directoryId) => transport.peerOf(directoryId)?.name,
      peers: () => roster.connected(),
      state: () => options.state(),
      save: (birth) => options.save(birth),
      has: (shard) => this.#driver.replicaOf(shard) !== undefined,
      holdsAny: () => this.replicas > 0,
      create: (shard, voters) => this.#driver.createShard(shard, voters),
    });
  }

  get replicas(): number {
    let replicas = 0;
    for (let n = 0; n < this.#options.store.shardCount; n += 1)
      if (this.#driver.replicaOf(shardId(n)) !== undefined) replicas += 1;
    return replicas;
  }

  get frames(): number {
    return this.#driver.frames;
  }

  confirm(shard: ShardId): Promise<boolean> {
    return this.#driver.confirm(shard);
  }

  open(): Promise<void> {
    return this.#driver.open();
  }

  start(): void {
    this.#birth.begin();
    this.#mover.start();
    this.#departures.start();
  }

  ringChanged(): void {
    this.#birth.planned(encodePlan(this.#options.plan())).catch((error: unknown) => this.#options.failed(error));
    this.#mover.wake();
  }

  wake(): void {
    this.#mover.wake();
  }

  led(): LedShardState[] {
    return this.#mover.led().flatMap((shard) => {
      const replica = this.#driver.replicaOf(shard);
      if (replica === undefined) return [];
      const { term, commit, needed, leadership } = replica;
      const slowest = leadership?.slowestMatch() ?? commit;
      return [{ shard, term, commit, slowest, voters: needed.voters, learners: needed.learners }];
    });
  }

  async confirmed(): Promise<LedShardState[]> {
    const led = this.led();
    const are = await Promise.all(led.map(({ shard }) => this.#driver.confirm(shard)));
    return led.filter((_, i) => are[i]);
  }

  rebalance(): number {
    return this.#mover.rebalance();
  }

  evacuate(): number {
    return this.#mover.evacuate();
  }

  stop(): void {
    this.#mover.stop();
    this.#departures.stop();
    this.#birth.stop();
  }

  close(): Promise<void> {
    return this.#driver.close();
  }

  #failed(error: unknown): void {
    const { save, failed } = this.#options;
    // A restart would take part with what it has, until a leader's log showed the difference again.
    if (error instanceof DamagedError) save({ damaged: error.message }).catch(failed);
    failed(error);
  }
}
