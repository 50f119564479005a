// A node of a cluster, put together: gossip says who is there, the ring what should be where, the replicated log who leads, the router where a
// request goes, and the engine serves what it is told to. Everything that touches the world comes in from outside, so the simulator runs the same
// composition on a virtual clock. Built by src/node.ts.

import type { Cancelable, Clock, Random, Scheduler } from '../../src/ports/clock.ts';
import type { ClusterControl, Draining } from '../../src/ports/cluster.ts';
import type { BackupTarget, ClusterBackupReport } from '../../src/ports/cluster-backup.ts';
import type { CommitLog } from '../../src/ports/commit-log.ts';
import type { Coordinator, CoordinatorState, HostPort } from '../../src/ports/coordinator.ts';
import type { Engine } from '../../src/ports/engine.ts';
import { type ShardId, shardId } from '../../src/ports/ids.ts';
import type { LedShards } from '../../src/ports/led-shards.ts';
import type { Log } from '../../src/ports/log.ts';
import type { ReplicaStore, RowLayout } from '../../src/ports/replica-store.ts';
import { VERSION } from '../../src/version.ts';
import type * as api from '../../src/wire/api.ts';
import { formatAddress } from '../gossip/core/address.ts';
import { Gossip, type GossipConfig, Keyring } from '../gossip/index.ts';
import type { Transport as GossipTransport } from '../gossip/transport.ts';
import { PROTOCOL_MAX, PROTOCOL_MIN } from '../link/identity.ts';
import { type LinkEvent, Links } from '../link/links.ts';
import { Rpc } from '../link/rpc.ts';
import type { LinkSecurity } from '../link/security.ts';
import type { LinkNetwork } from '../link/transport.ts';
import { SessionKeeper } from '../ownership/session.ts';
import { committerLog } from '../replication/committer-log.ts';
import type { ReplicaBounds, ReplicaTimes } from '../replication/core/options.ts';
import { ReplicationDriver } from '../replication/driver.ts';
import { DEFAULT_PLAN_SETTINGS, type PlanSettings } from '../ring/plan.ts';
import { decodePlan, encodePlan } from '../ring/plan-codec.ts';
import type { RoutingLimits } from '../routing/limits.ts';
import { Router } from '../routing/router.ts';
import { ClusterBackup } from './backup/cluster-backup.ts';
import { DeliveryPause } from './backup/delivery-pause.ts';
import { Birth } from './birth.ts';
import { Control } from './control.ts';
import { coordinatedTerms } from './coordinated-terms.ts';
import { freshEngine } from './fresh-engine.ts';
import { LeaderNews } from './leader-news.ts';
import { LogUser } from './log-user.ts';
import { Mover } from './mover.ts';
import { OutboxRelay } from './outbox-relay.ts';
import { coordinatorDirectory } from './peer-directory.ts';
import { Placement } from './placement.ts';
import { ReplicationLink } from './replication-link.ts';
import { Roster } from './roster.ts';
import { ShardView } from './shard-view.ts';
import type { NodeState, StateStore } from './state.ts';

/** How this node takes part, as configured. */
export interface ClusterNodeConfig {
  readonly id: string;
  readonly name: string;
  readonly zone: string;
  readonly weight: number;
  readonly roles: readonly string[];
  readonly seeds: readonly HostPort[];
  readonly replicas: number;
  readonly firstMembers: number;
  readonly gossip: ListenAt;
  readonly link: ListenAt;
  readonly keys: readonly Uint8Array[];
}

interface ListenAt {
  readonly ip: string;
  readonly port: number;
  readonly advertise: HostPort | undefined;
}

export interface ClusterNodeOptions {
  config: ClusterNodeConfig;
  store: ReplicaStore;
  layout: RowLayout;
  /** What the directory knows of its cluster, and where that is kept. */
  state: NodeState;
  states: StateStore;
  coordinator: Coordinator;
  network: LinkNetwork;
  security: LinkSecurity;
  clock: Clock;
  scheduler: Scheduler;
  random: Random;
  randomBytes(length: number): Uint8Array;
  log: Log;
  shardOf(namespace: string, workflowId: string): number;
  pageTokenOf(info: api.WorkflowExecutionInfo, shard: number): Uint8Array;
  /** Nothing of this node's shards may be served any more. */
  onFatal(error: unknown): void;
  /** The node was told to drain, or to serve again. */
  onDraining(how: Draining): void;
  gossipTransport?: GossipTransport | undefined;
  gossipConfig?: GossipConfig | undefined;
  plans?: Partial<PlanSettings> | undefined;
  times?: Partial<ReplicaTimes> | undefined;
  bounds?: Partial<ReplicaBounds> | undefined;
  routing?: Partial<RoutingLimits> | undefined;
}

const hostPort = ({ host, port }: HostPort): string => formatAddress(host, port);
/** How often a leaving node looks whether its leaderships are gone, ms. */
const LOOK_MS = 20;
/** How often it is looked whether the coordinator is back, ms. */
const WATCH_MS = 500;

export class ClusterNode {
  readonly #options: ClusterNodeOptions;
  readonly #driver: ReplicationDriver;
  readonly #links: Links;
  readonly #gossip: Gossip;
  readonly #roster: Roster;
  readonly #view: ShardView;
  readonly #placement: Placement;
  readonly #mover: Mover;
  readonly #news: LeaderNews;
  readonly #birth: Birth;
  readonly #session: SessionKeeper;
  readonly #control: Control;
  readonly #rpc: Rpc;
  readonly #relay: OutboxRelay;
  readonly #backup: ClusterBackup;
  #state: NodeState;
  #local: LedShards | undefined;
  #router: Router | undefined;
  #leaving: Promise<void> | undefined;
  #lastCoordinator: CoordinatorState = 'connecting';
  #watch: Cancelable | undefined;
  readonly commitLog: CommitLog;

  constructor(options: ClusterNodeOptions) {
    this.#options = options;
    this.#state = options.state;
    const { config, store, clock, scheduler, random, coordinator, log } = options;
    const { shardCount, directoryId: self } = store;
    const bootId = random.uuid();
    const clusterId = `${config.id}/${options.state.record.incarnation}`;
    const transport = new ReplicationLink();
    this.#links = new Links({
      identity: {
        ...{ clusterId, nodeName: config.name, directoryId: self, bootId, version: VERSION },
        protocol: { min: PROTOCOL_MIN, max: PROTOCOL_MAX },
      },
      ...{ security: options.security, network: options.network, clock, scheduler, random },
      randomBytes: options.randomBytes,
      onEvent: (event) => this.#onLink(event),
    });
    this.#rpc = new Rpc({
      ...{ links: this.#links, clock, scheduler },
      onFault: (error, peer) => log.error({ error: asError(error), peer }, 'a node-to-node request failed by a fault'),
    });
    this.#rpc.serve('cluster.plan', (call, bytes) => {
      this.#placement.hear(Buffer.from(bytes).toString('utf8'));
      call.answer(new Uint8Array(0));
    });
    this.#links.use('replication', transport);
    this.#links.use('snapshot', { up: () => {}, down: () => {}, message: () => {} });
    this.#roster = new Roster({ self: config.name, links: this.#links, log, members: () => this.#gossip.members() });
    this.#view = new ShardView({
      ...{ shardCount, self },
      locate: (directoryId) => this.#roster.locate(directoryId),
      desiredLeader: (shard) => this.#placement.ring?.leaderOf(shard)?.directoryId,
    });
    this.#driver = new ReplicationDriver({
      ...{ store, transport, clock, scheduler, random, layout: options.layout },
      terms: coordinatedTerms(coordinator),
      user: new LogUser({
        engine: () => this.#engine(),
        view: this.#view,
        changed: (shard) => this.#shardChanged(shard),
        failed: (error) => options.onFatal(error),
      }),
      ...(options.times && { times: options.times }),
      ...(options.bounds && { bounds: options.bounds }),
      onRefused: (from, why) => log.warn({ from }, `a replication frame was refused: ${why}`),
    });
    this.commitLog = committerLog(this.#driver);
    this.#placement = new Placement({
      ...{ self, shardCount, coordinator, clock, scheduler, log },
      replicas: config.replicas,
      settings: { ...DEFAULT_PLAN_SETTINGS, firstMembers: config.firstMembers, ...options.plans },
      present: () => this.#roster.placeable(),
      heard: (plan) => this.#planHeard(plan),
      changed: () => this.#ringChanged(),
    });
    this.#mover = new Mover({
      ...{ self, shardCount, driver: this.#driver, scheduler },
      ring: () => this.#placement.ring,
      reaches: (directoryId) => transport.peerOf(directoryId) !== undefined,
    });
    this.#news = new LeaderNews({
      ...{ self, view: this.#view, rpc: this.#rpc, coordinator, scheduler },
      peers: () => this.#roster.connected(),
      directoryOf: (node) => this.#roster.directoryOf(node),
      led: () => this.#led(),
    });
    this.#birth = new Birth({
      ...{ self, shardCount, replicas: config.replicas, rpc: this.#rpc, scheduler, log },
      nameOf: (directoryId) => transport.peerOf(directoryId)?.name,
      peers: () => this.#roster.connected(),
      state: () => this.#state,
      save: (birth) => this.#save(birth),
      has: (shard) => this.#driver.replicaOf(shard) !== undefined,
      holdsAny: () => this.#holdsAny(),
      create: (shard, voters) => this.#driver.createShard(shard, voters),
    });
    this.#session = new SessionKeeper({
      ...{ coordinator, clock, scheduler, log },
      session: { node: config.name, directoryId: self, sessionId: bootId },
    });
    const pause = new DeliveryPause(clock);
    this.#relay = new OutboxRelay({
      ...{ view: this.#view, rpc: this.#rpc, scheduler, shardOf: options.shardOf, pause },
      engine: () => this.#engine(),
      connect: ({ node, address }) => void this.#connect(node, address),
    });
    this.#backup = new ClusterBackup({
      ...{ self: config.name, rpc: this.#rpc, store, layout: options.layout, pause, clock, scheduler, log },
      peers: () => this.#roster.connected(),
      head: () => ({ clusterId: config.id, incarnation: this.#state.record.incarnation, shardCount }),
      newId: () => random.uuid(),
      led: () => this.#led(),
      confirm: (shard) => this.#driver.confirm(shard),
      flush: () => this.#engine().flush(),
    });
    this.#control = new Control({
      ...{ clusterId: config.id, self: config.name, shardCount, replicas: config.replicas, coordinator, scheduler },
      ...{ roster: this.#roster, placement: this.#placement, view: this.#view, mover: this.#mover, rpc: this.#rpc },
      incarnation: () => this.#state.record.incarnation,
      members: () => this.#gossip.members(),
      session: () => this.#session.state.type,
      led: () =>
        this.#led().map(({ shard, term, commit, voters, learners }) => ({
          ...{ shard, term, committedLsn: commit, voters, learners },
        })),
      setDraining: (how) => void this.#setDraining(how),
    });
    this.#gossip = new Gossip({
      ...{ clusterId, clock, scheduler, random, log },
      node: {
        ...{ name: config.name, directoryId: self, roles: config.roles, zone: config.zone, weight: config.weight },
      },
      listen: { ip: config.gossip.ip, port: config.gossip.port },
      advertise: config.gossip.advertise && hostPort(config.gossip.advertise),
      seeds: config.seeds.map(hostPort),
      directory: coordinatorDirectory(coordinator, () => this.#linkAddress()),
      ...(config.keys.length > 0 && { keyring: new Keyring(config.keys) }),
      ...(options.gossipConfig && { config: options.gossipConfig }),
      ...(options.gossipTransport && { transport: options.gossipTransport }),
    });
    this.#gossip.onChange(() => this.#membersChanged());
    this.#gossip.onNotice((notice) => {
      if (notice.kind === 'refused' && notice.severity === 'stop') options.onFatal(new Error(notice.message));
    });
  }

  /** The engine that serves what this node leads. Once, before `open`. Returns the one for doors: it reaches every shard. */
  attach(engine: LedShards): Engine {
    const { shardOf, pageTokenOf, clock, scheduler, config, routing } = this.#options;
    this.#local = engine;
    const local = freshEngine({
      ...{ engine, shardOf },
      confirm: (shard) => this.#driver.confirm(shard),
      led: () => new Set(this.#led().map(({ shard }) => shard as number)),
    });
    this.#router = new Router({
      ...{ self: config.name, local, view: this.#view, rpc: this.#rpc, clock, scheduler, shardOf, pageTokenOf },
      connect: (node, address) => void this.#links.connect(node, address),
      ...(routing && { limits: routing }),
    });
    return this.#router;
  }

  get relay(): OutboxRelay['relay'] {
    return this.#relay.relay;
  }

  get control(): ClusterControl {
    return this.#control;
  }

  get rpc(): Rpc {
    return this.#rpc;
  }

  /** The whole cluster, as one consistent cut, into `target`. @throws StoreError for people; the target keeps nothing then. */
  backup(target: BackupTarget): Promise<ClusterBackupReport> {
    return this.#backup.run(target);
  }

  /** Shards led here. */
  get leads(): number {
    return this.#mover.led().length;
  }

  /** Why no shard can be served yet, or undefined. */
  notReady(): string | undefined {
    if (this.#leaving !== undefined) return 'the node is leaving the cluster';
    if (this.#state.draining !== 'no') return `the node drains (${this.#state.draining})`;
    if (this.#placement.ring === undefined) return `the cluster has no ring plan yet: ${this.#placement.why}`;
    return undefined;
  }

  /**
   * Takes part from now on. The engine, and with it the store, is open.
   *
   * @param clientAddress where clients and workers reach this node; '' for nowhere
   * @throws errors for people when an address cannot be had, or the cluster does not take this node in.
   */
  async open(clientAddress: string): Promise<void> {
    const { config } = this.#options;
    await this.#session.start();
    const { state } = this.#session;
    // The last run of this very node may still have its lease: LevelDB's lock and the links' handshakes keep two runs apart.
    if (state.type === 'taken' && (state.by.node !== config.name || state.by.directoryId !== this.#driver.self)) {
      throw new Error(
        state.by.node === config.name
          ? `another node of cluster ${config.id} is called ${config.name}: give this one another cluster.name`
          : `the data directory of this node is in use by node ${state.by.node}: a copy of a directory cannot take part, give this node an empty one`,
      );
    }
    await this.#links.listen({ host: config.link.ip, port: config.link.port });
    await this.#driver.open();
    await this.#gossip.start();
    this.#gossip.setMeta({ clientAddress, linkAddress: this.#linkAddress(), draining: this.#state.draining });
    this.#roster.refresh();
    this.#placement.start(this.#state.plan);
    this.#birth.begin();
    this.#mover.start();
    void this.#news.learn();
    this.#watchCoordinator();
  }

  /**
   * Gives its leaderships to others, within `boundMs`: afterwards their requests are answered there, and this node still forwards. Idempotent.
   * Returns how many it could not give away.
   */
  async leave(boundMs: number): Promise<number> {
    this.#leaving ??= this.#evacuate(boundMs);
    await this.#leaving;
    return this.leads;
  }

  /** The engine is closed: ends everything. The store stays the caller's. */
  async close(): Promise<void> {
    this.#watch?.cancel();
    this.#mover.stop();
    this.#placement.stop();
    this.#birth.stop();
    this.#news.stop();
    this.#router?.close();
    await this.#backup.close();
    await this.#driver.close();
    await this.#gossip.leave();
    await this.#links.close();
    await this.#session.stop();
    await this.#options.coordinator.close();
  }

  // ---------------------------------------------------------------- inside

  #engine(): LedShards {
    if (this.#local === undefined) throw new Error('the cluster node is used before attach()');
    return this.#local;
  }

  #linkAddress(): string {
    const { advertise } = this.#options.config.link;
    const at = this.#links.address;
    if (at === undefined) return '';
    return advertise === undefined ? hostPort(at) : hostPort({ host: advertise.host, port: advertise.port || at.port });
  }

  #led() {
    return this.#mover.led().flatMap((shard) => {
      const replica = this.#driver.replicaOf(shard);
      if (replica === undefined) return [];
      const { term, commit, configuration } = replica;
      return [{ shard, term, commit, voters: configuration.voters, learners: configuration.learners }];
    });
  }

  #holdsAny(): boolean {
    const { shardCount } = this.#options.store;
    for (let n = 0; n < shardCount; n += 1) if (this.#driver.replicaOf(shardId(n)) !== undefined) return true;
    return false;
  }

  #connect(node: string, address: HostPort): void {
    try {
      this.#links.connect(node, address);
    } catch (error) {
      this.#options.log.warn({ node, error: asError(error) }, 'a node cannot be reached');
    }
  }

  async #save(change: Partial<NodeState>): Promise<void> {
    this.#state = { ...this.#state, ...change };
    await this.#options.states.write(this.#state);
  }

  #saveSoon(change: Partial<NodeState>): void {
    this.#save(change).catch((error: unknown) => this.#options.onFatal(error));
  }

  /** A coordinator that comes back may have forgotten everything: it is told what this node knows. */
  #watchCoordinator(): void {
    const { coordinator, scheduler, config } = this.#options;
    const { state } = coordinator;
    if (state === 'ready' && this.#lastCoordinator === 'away') {
      void coordinator.restoreCluster(this.#state.record);
      const plan = this.#placement.newest();
      const version = decodePlan(plan)?.version;
      if (version !== undefined) void coordinator.publishPlan({ version, body: plan });
      const { addresses } = this.#gossip.member(config.name) ?? {};
      if (addresses !== undefined)
        void coordinator.announce({ name: config.name, directoryId: this.#driver.self, ...addresses });
      for (const { shard, term } of this.#led()) this.#news.leading(shard, term);
    }
    this.#lastCoordinator = state;
    this.#watch = scheduler.after(WATCH_MS, () => this.#watchCoordinator());
  }

  async #setDraining(how: Draining): Promise<void> {
    if (how === this.#state.draining) return;
    this.#options.log.info({ draining: how }, how === 'no' ? 'this node serves again' : 'this node drains');
    this.#gossip.setMeta({ draining: how });
    this.#options.onDraining(how);
    this.#saveSoon({ draining: how });
  }

  async #evacuate(boundMs: number): Promise<void> {
    const { clock, scheduler } = this.#options;
    const until = clock.monotonic() + boundMs;
    this.#gossip.setMeta({ draining: 'leadership' });
    while (this.leads > 0 && clock.monotonic() < until) {
      this.#mover.evacuate();
      await new Promise<void>((resolve) => void scheduler.after(LOOK_MS, resolve));
      if (this.#roster.connected().length === 0) return;
    }
  }

  #membersChanged(): void {
    this.#roster.refresh();
    this.#placement.observe();
    this.#view.refresh();
    this.#control.changed();
  }

  #shardChanged(shard: ShardId): void {
    const replica = this.#driver.replicaOf(shard);
    if (replica?.isServing === true) this.#news.leading(shard, replica.term);
    this.#mover.wake();
    this.#control.changed();
  }

  #ringChanged(): void {
    this.#birth.planned(encodePlan(this.#placement.plan)).catch((error: unknown) => this.#options.onFatal(error));
    this.#mover.wake();
    this.#view.refresh();
    this.#control.changed();
  }

  #planHeard(plan: string): void {
    this.#saveSoon({ plan });
    for (const node of this.#roster.connected()) this.#sayPlan(node, plan);
  }

  #sayPlan(node: string, plan: string): void {
    if (plan !== '') this.#rpc.call(node, 'cluster.plan', Buffer.from(plan), 5_000, () => undefined);
  }

  #onLink(event: LinkEvent): void {
    const { log } = this.#options;
    switch (event.type) {
      case 'up':
        log.info({ peer: event.peer, address: event.address, version: event.version }, 'node connected');
        this.#options.scheduler.soon(() => {
          this.#sayPlan(event.peer, this.#placement.newest());
          this.#news.greet(event.peer);
          this.#mover.wake();
          this.#view.refresh();
        });
        return;
      case 'down':
        log.info({ peer: event.peer, address: event.address, why: event.why }, 'node disconnected');
        return;
      case 'unreachable':
        if (event.attempts === 1) log.debug({ peer: event.peer, address: event.address }, event.message);
        return;
      case 'refused': {
        const fields = { peer: event.peer, address: event.address, by: event.by };
        if (event.kind === 'duplicateLink') log.debug(fields, event.message);
        else log.warn(fields, event.message);
        return;
      }
      case 'clockSkew':
        log.warn({ peer: event.peer, skewMs: event.skewMs }, event.message);
        return;
      case 'suppressed':
        log.warn({ count: event.count }, 'so many refused links were not logged');
        return;
    }
  }
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));
