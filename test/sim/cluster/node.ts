// A node of the cluster in one process: the real ClusterNode, shards and matching, composed as src/node.ts and src/node-cluster.ts do, over the
// simulated world. Between them sits what the checkers listen to; nothing of it changes what passes.

import { gossipConfig, LAN } from '../../../cluster/gossip/core/config.ts';
import { ClusterNode } from '../../../cluster/node/cluster-node.ts';
import type { Durability } from '../../../cluster/node/options.ts';
import type { NodeState, StateStore } from '../../../cluster/node/state.ts';
import { MemoryCoordinator, type MemoryCoordinatorOptions } from '../../../cluster/ownership/memory/client.ts';
import type { ReplicaBounds, ReplicaTimes } from '../../../cluster/replication/core/options.ts';
import type { PlanSettings } from '../../../cluster/ring/plan.ts';
import { DEFAULT_LIMITS } from '../../../src/core/workflow/limits.ts';
import { Matcher } from '../../../src/matching/matcher.ts';
import type { CallbackSender } from '../../../src/ports/callbacks.ts';
import type { CommitLog } from '../../../src/ports/commit-log.ts';
import type { Coordinator } from '../../../src/ports/coordinator.ts';
import type { Engine } from '../../../src/ports/engine.ts';
import type { LedShards, ShardMessage } from '../../../src/ports/led-shards.ts';
import type { Log } from '../../../src/ports/log.ts';
import type { Store } from '../../../src/ports/store.ts';
import { ShardEngine } from '../../../src/shard/engine.ts';
import { shardOf } from '../../../src/shard/keys.ts';
import type { ShardLimits } from '../../../src/shard/limits.ts';
import { rowLayout } from '../../../src/shard/row-layout.ts';
import { pageTokenOf } from '../../../src/shard/search.ts';
import { openMemoryStore } from '../../../src/store/memory/store.ts';
import { Database } from '../../../src/store/postgres/database.ts';
import { holderOf } from '../../../src/store/postgres/holder.ts';
import type { PostgresOptions } from '../../../src/store/postgres/options.ts';
import { PostgresStore } from '../../../src/store/postgres/store.ts';
import type { Release } from '../../../src/wire/versions.ts';
import type { Kernel } from '../kernel.ts';
import { sqlClients } from '../sql/client.ts';
import type { SqlServer } from '../sql/server.ts';
import { withSlowReads } from '../store.ts';
import type { WatchedCore } from '../watched-core.ts';
import { wrapped } from '../wrapped.ts';
import type { LogWatch } from './log-watch.ts';
import type { Machine } from './machine.ts';
import type { ClusterNetwork } from './network.ts';
import { NodeProcess } from './node-process.ts';

export const NAMESPACE = 'sim';
export const CLUSTER = 'sim';
/** Whose its database is. */
export const HOLDER = holderOf(CLUSTER);
const RETENTION_MS = 72 * 3_600_000;
const GOSSIP_PORT = 7_946;
const LINK_PORT = 7_947;
const JOIN_RETRY_MS = 500;
/** ms in which a directory counts once. */
export const COUNT_MS = 1_000;

/** As LAN, but for what a minute has no time for. */
const GOSSIP = gossipConfig(LAN, {
  reclaimMs: 3_000,
  syncIntervalMs: 5_000,
  reconnectIntervalMs: 3_000,
  joinRetryMaxMs: 2_000,
});

/** Short bounds: a minute has no time for longer ones. A database that is away is waited for. */
const DATABASE: PostgresOptions = {
  url: 'postgres://simulated/tenuto',
  poolSize: 4,
  connectTimeoutMs: 1_000,
  statementTimeoutMs: 3_000,
  outageMs: 60_000,
};

const NO_STATES: StateStore = { read: async () => undefined, write: async () => undefined };

export interface ClusterSettings {
  readonly shardCount: number;
  readonly replicas: number;
  readonly firstMembers: number;
  readonly plans: Partial<PlanSettings>;
  readonly bounds: Partial<ReplicaBounds>;
  readonly times: Partial<ReplicaTimes>;
  readonly engine: Partial<ShardLimits>;
  /** ms a read of the store takes at most. */
  readonly readMs: number;
}

/** How a bug gets in: from outside, around the parts. */
export interface NodePlant {
  commitLog?(inner: CommitLog): CommitLog;
  /** The versions that a machine's node speaks: of another build. */
  spokenBy?(machine: string): Pick<Release['spoken'], 'link' | 'gossip'>;
}

export interface NodeWorld {
  readonly kernel: Kernel;
  readonly network: ClusterNetwork;
  readonly watch: LogWatch;
  readonly settings: ClusterSettings;
  readonly plant: NodePlant;
  /** Shared by all nodes; undefined: each replicates what it has. */
  readonly database: SqlServer | undefined;
  readonly seeds: readonly string[];
  coordinatorOf(process: NodeProcess, host: string): MemoryCoordinatorOptions;
  callbacksOf(process: NodeProcess): CallbackSender;
  watchedCore(directory: string): WatchedCore;
  /** A message of another shard's outbox has been applied here, and whoever sent it has not heard so yet. */
  applied(node: ClusterProcess, item: ShardMessage): void;
  reached(what: string): void;
  serves(node: ClusterProcess): void;
  onFatal(node: ClusterProcess, error: unknown): void;
}

export class ClusterProcess {
  readonly machine: Machine;
  readonly directoryId: string;
  readonly process: NodeProcess;
  readonly store: Store;
  /** The process that held the store is gone. */
  readonly #dropStore: () => void;
  readonly #durability: Durability;
  readonly #world: NodeWorld;
  #coordinator: Coordinator | undefined;
  cluster: ClusterNode | undefined;
  engine: ShardEngine | undefined;
  matcher: Matcher | undefined;
  readonly #core: WatchedCore;
  /** For doors: reaches every shard. */
  doors: Engine | undefined;
  state: 'starting' | 'serving' | 'stopping' | 'dead' = 'starting';

  constructor(world: NodeWorld, machine: Machine) {
    const { kernel, settings } = world;
    this.#world = world;
    this.machine = machine;
    machine.starts += 1;
    this.directoryId = machine.directoryId;
    this.process = new NodeProcess(kernel, `${machine.name}.${machine.starts}`, machine.clock);
    machine.disk.process = this.process;
    this.#core = world.watchedCore(this.directoryId);
    const { shardCount } = settings;
    const { database } = world;
    if (database === undefined) {
      const { directoryId } = this;
      const store = openMemoryStore({ disk: machine.disk.medium, directoryId, shardCount });
      this.store = store;
      this.#dropStore = () => store.crash();
      this.#durability = { type: 'replicated', store, layout: rowLayout };
    } else {
      const { host } = machine;
      const { name } = this.process;
      database.silent.delete(host);
      const clients = sqlClients(database, { host, process: this.process });
      const store = new PostgresStore(
        new Database(DATABASE, name, { newClient: clients }),
        { clusterId: CLUSTER, shardCount, holder: HOLDER },
        name,
      );
      this.store = store;
      this.#dropStore = () => store.abandon();
      this.#durability = { type: 'shared', store };
    }
  }

  /** How the ring calls it. */
  get self(): string {
    return this.#durability.type === 'shared' ? `node:${this.machine.name}` : this.directoryId;
  }

  async start(): Promise<void> {
    const { kernel } = this.#world;
    try {
      const state = await this.#learnCluster();
      await this.#open(state);
      this.state = 'serving';
      kernel.note(`${this.process.name} (${this.directoryId}) serves`);
      this.#world.serves(this);
    } catch (error) {
      if (this.process.alive) this.#world.onFatal(this, error);
    }
  }

  /** kill -9, or with `silently` a machine without power. */
  crash(how: 'told' | 'silently'): void {
    if (this.state === 'dead') return;
    this.state = 'dead';
    const { network, kernel, database } = this.#world;
    if (how === 'silently') database?.silent.add(this.machine.host);
    kernel.note(`${this.process.name} is killed${how === 'silently' ? ', its machine too' : ''}`);
    this.process.kill();
    this.machine.disk.crash();
    this.#dropStore();
    network.crash(this.machine.host, how);
  }

  /** As `tenuto server` on SIGTERM. */
  async stop(graceMs: number): Promise<void> {
    const { kernel, network } = this.#world;
    this.state = 'stopping';
    kernel.note(`${this.process.name} is asked to stop`);
    await this.cluster?.leave(graceMs);
    await this.engine?.close();
    await this.cluster?.close();
    await this.store.close();
    this.state = 'dead';
    kernel.note(`${this.process.name} has stopped`);
    this.process.kill();
    this.machine.disk.crash();
    network.crash(this.machine.host, 'told');
  }

  // ---------------------------------------------------------------- inside

  get #random() {
    const { random } = this.process;
    return { uuid: () => random.uuid(), next: () => random.next() };
  }

  /** As prepareCluster does. */
  async #learnCluster(): Promise<NodeState> {
    const { kernel, settings } = this.#world;
    const { process, machine } = this;
    const coordinator = new MemoryCoordinator(this.#world.coordinatorOf(process, machine.host));
    this.#coordinator = coordinator;
    if (this.#durability.type === 'shared') {
      // As prepareShared does: the database says which cluster this is, and the node keeps nothing.
      const { shardCount } = settings;
      const record = { clusterId: CLUSTER, incarnation: 'of the database', shardCount, createdAtMs: 1 };
      void coordinator.restoreCluster(record);
      return { record, plan: '', firstPlan: '', born: true, draining: 'no' };
    }
    const known = await machine.statesFor(process).read();
    if (known !== undefined) {
      void coordinator.restoreCluster(known.record);
      return known;
    }
    const record = {
      ...{ clusterId: CLUSTER, incarnation: process.random.uuid(), shardCount: settings.shardCount },
      createdAtMs: process.now(),
    };
    for (;;) {
      const outcome = await coordinator.createCluster(record);
      if (outcome.type === 'ok') return { record: outcome.value, plan: '', firstPlan: '', born: false, draining: 'no' };
      kernel.note(`${process.name} waits for Redis`);
      await new Promise<void>((resolve) => void process.after(JOIN_RETRY_MS, resolve));
    }
  }

  async #open(state: NodeState): Promise<void> {
    const { kernel, network, settings, plant, watch, seeds } = this.#world;
    const { process, machine, store } = this;
    const coordinator = this.#coordinator;
    if (coordinator === undefined) throw new Error('the coordinator is there first');
    const states = this.#durability.type === 'shared' ? NO_STATES : machine.statesFor(process);
    await states.write(state);
    const onFatal = (error: unknown): void => {
      // What a killed process still thinks of does not happen.
      if (process.alive) this.#world.onFatal(this, error);
    };
    const listen = { ip: machine.host, advertise: undefined };
    const cluster = new ClusterNode({
      config: {
        ...{ id: CLUSTER, name: machine.name, zone: machine.zone, weight: 1, roles: [] },
        seeds: seeds.filter((host) => host !== machine.host).map((host) => ({ host, port: GOSSIP_PORT })),
        ...{ replicas: settings.replicas, firstMembers: settings.firstMembers, keys: [] },
        gossip: { ...listen, port: GOSSIP_PORT },
        link: { ...listen, port: LINK_PORT },
      },
      ...{
        durability: this.#durability,
        self: this.self,
        state,
        states,
        coordinator,
      },
      network: network.linksOf(machine.host, process),
      security: { mode: 'none' },
      ...{ clock: process, scheduler: process, random: this.#random, log: this.#log(), pageTokenOf, onFatal },
      countMs: COUNT_MS,
      busy: () => (kernel.now % 1_000) / 1_000,
      randomBytes: (length) => Uint8Array.from({ length }, () => process.random.u32() & 0xff),
      shardOf: (namespace, workflowId) => shardOf(namespace, workflowId, settings.shardCount),
      onDraining: () => undefined,
      gossipTransport: network.gossipOf(machine.host, GOSSIP_PORT, process),
      gossipConfig: GOSSIP,
      ...{
        plans: settings.plans,
        bounds: settings.bounds,
        times: settings.times,
        spoken: this.#world.plant.spokenBy?.(machine.name),
      },
      departures: { afterMs: 2_000, unheardMs: 6_000, lookMs: 1_000 },
    });
    this.cluster = cluster;
    const matcher = new Matcher({
      ...{ clock: process, scheduler: process },
      onQueryLost: (to, queryId) => this.engine?.submit(to, { type: 'queryLost', queryId }, () => undefined),
    });
    this.matcher = matcher;
    const tapped = this.#tapCommits(cluster.commitLog, watch);
    const engine = new ShardEngine({
      store: withSlowReads(store, process, settings.readMs),
      ...{ clock: process, scheduler: process, random: this.#random, matching: matcher, onFatal },
      namespaces: new Map([[NAMESPACE, { id: `id of ${NAMESPACE}`, retention: RETENTION_MS }]]),
      limits: DEFAULT_LIMITS,
      // As clusterNode does: batch jobs reach what other nodes lead.
      everywhere: () => this.doors ?? engine,
      bounds: settings.engine,
      log: this.#log(),
      commitLog: plant.commitLog?.(tapped) ?? tapped,
      relay: cluster.relay,
      callbacks: this.#world.callbacksOf(process),
      core: this.#core.core,
    });
    this.engine = engine;
    matcher.attach(engine);
    this.doors = cluster.attach(this.#tapApplied(engine, watch), matcher);
    await engine.open();
    await cluster.open(`${machine.host}:7280`);
    kernel.note(`${process.name} is open`);
  }

  #check(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#world.kernel.fail(error);
    }
  }

  /** What the leader's engine is told is committed. */
  #tapCommits(inner: CommitLog, watch: LogWatch): CommitLog {
    return {
      ...inner,
      append: (entries, settled) =>
        inner.append(entries, (result) => {
          if ('fenced' in result) {
            const fenced = new Set(result.fenced.map(({ shard }) => shard));
            if (fenced.size > 0) this.#world.reached('fenced commit');
            this.#check(() => {
              for (const { shard, lsn, entry } of entries) {
                if (!fenced.has(shard)) watch.committed(this.directoryId, shard, lsn, entry);
              }
            });
          }
          settled(result);
        }),
    };
  }

  /** What the log tells this node's shards. */
  #tapApplied(engine: ShardEngine, watch: LogWatch): ShardEngine {
    const { directoryId } = this;
    const { shardCount } = this.#world.settings;
    const replaced: Partial<ShardEngine> & Partial<LedShards> = {
      lead: (shard, term, lsn) => {
        this.#check(() => watch.leads(directoryId, shard, term, lsn));
        this.#core.forget((...of) => shardOf(...of, shardCount) === shard);
        engine.lead(shard, term, lsn);
      },
      apply: (shard, lsn, entry) => {
        this.#check(() => watch.committed(directoryId, shard, lsn, entry));
        engine.apply(shard, lsn, entry);
      },
      controlAppended: (shard, lsn) => {
        watch.controlAppended(directoryId, shard, lsn);
        engine.controlAppended(shard, lsn);
      },
      receive: (item, done) => {
        const shard = shardOf(item.namespace, item.workflowId, shardCount);
        const term = watch.truth.receivedIn(shard, item.source, item.seq);
        if (term !== undefined) this.#world.reached('outbox repeat');
        if (term !== undefined && term < watch.truth.lastTerm(shard))
          this.#world.reached('outbox repeat to the next leader');
        engine.receive(item, (outcome) => {
          if (outcome === 'applied' && term === undefined) this.#world.applied(this, item);
          done(outcome);
        });
      },
    };
    return wrapped<ShardEngine>(engine, replaced);
  }

  #log(): Log {
    const { kernel } = this.#world;
    const say =
      (how: string) =>
      (fields: object, message: string): void => {
        if (!this.process.alive || !kernel.isWatched) return;
        const text = Object.entries(fields).map(
          ([name, value]) => `${name}=${value instanceof Error ? value.message : value}`,
        );
        kernel.note(`${this.process.name} ${how}: ${message} ${text.join(' ')}`);
      };
    return { debug: say('notes'), info: say('says'), warn: say('warns'), error: say('reports') };
  }
}
