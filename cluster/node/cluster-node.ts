// A node of a cluster, put together: gossip says who is there, the ring what should be where, the replicated log who leads, the router where a
// request goes, and the engine serves what it is told to. Everything that touches the world comes in from outside, so the simulator runs the same
// composition on a virtual clock. Built by src/node.ts.

import type { ClusterControl, ClusterStats, Draining } from '../../src/ports/cluster.ts';
import type { BackupTarget, ClusterBackupReport } from '../../src/ports/cluster-backup.ts';
import type { CommitLog } from '../../src/ports/commit-log.ts';
import type { HostPort } from '../../src/ports/coordinator.ts';
import type { Engine } from '../../src/ports/engine.ts';
import type { ShardId } from '../../src/ports/ids.ts';
import type { LedShards, SharedShards } from '../../src/ports/led-shards.ts';
import type { BacklogSource, QueueKey } from '../../src/ports/matching.ts';
import { StoreError } from '../../src/ports/store.ts';
import { VERSION } from '../../src/version.ts';
import { formatAddress } from '../gossip/core/address.ts';
import { Gossip, Keyring, type MemberChange } from '../gossip/index.ts';
import { PROTOCOL_MAX, PROTOCOL_MIN } from '../link/identity.ts';
import { Links } from '../link/links.ts';
import { Rpc } from '../link/rpc.ts';
import { ClusterMatching, type LocalMatcher } from '../matching/cluster-matching.ts';
import { homeShard } from '../ring/home.ts';
import { DEFAULT_PLAN_SETTINGS } from '../ring/plan.ts';
import { isRemote } from '../routing/ownership.ts';
import { Router } from '../routing/router.ts';
import { ClusterBackup } from './backup/cluster-backup.ts';
import { DeliveryPause } from './backup/delivery-pause.ts';
import { Contact } from './contact.ts';
import { Control } from './control.ts';
import { CoordinatorWatch } from './coordinator-watch.ts';
import { freshEngine } from './fresh-engine.ts';
import { LeaderNews } from './leader-news.ts';
import { logLinkEvent } from './link-log.ts';
import type { ClusterNodeOptions } from './options.ts';
import { OutboxRelay } from './outbox-relay.ts';
import { coordinatorDirectory } from './peer-directory.ts';
import { Placement } from './placement.ts';
import { ReplicatedKeeper } from './replicated-keeper.ts';
import { Roster } from './roster.ts';
import { SessionGuard } from './session-guard.ts';
import type { ShardKeeper } from './shard-keeper.ts';
import { ShardView } from './shard-view.ts';
import { SharedKeeper } from './shared-keeper.ts';
import type { NodeState } from './state.ts';
import { statsOf } from './stats.ts';

/** The engine: led as the log says, or as the database does. */
type ServedShards = LedShards & SharedShards;

const hostPort = ({ host, port }: HostPort): string => formatAddress(host, port);
/** How often a leaving node looks whether its leaderships are gone, ms. */
const LOOK_MS = 20;

export class ClusterNode {
  readonly #options: ClusterNodeOptions;
  readonly #links: Links;
  readonly #gossip: Gossip;
  readonly #roster: Roster;
  readonly #view: ShardView;
  readonly #placement: Placement;
  readonly #keeper: ShardKeeper;
  readonly #news: LeaderNews;
  readonly #session: SessionGuard;
  readonly #control: Control;
  readonly #rpc: Rpc;
  readonly #relay: OutboxRelay;
  readonly #watch: CoordinatorWatch;
  readonly #contact: Contact;
  readonly #backup: ClusterBackup | undefined;
  #state: NodeState;
  #local: ServedShards | undefined;
  #router: Router | undefined;
  #matching: ClusterMatching | undefined;
  #leaving: Promise<void> | undefined;
  #phase: 'new' | 'open' | 'closed' = 'new';
  #failure: string | undefined;

  constructor(options: ClusterNodeOptions) {
    this.#options = options;
    this.#state = options.state;
    const { config, self, clock, scheduler, random, coordinator, log } = options;
    const { shardCount } = options.durability.store;
    const bootId = random.uuid();
    const clusterId = `${config.id}/${options.state.record.incarnation}`;
    this.#links = new Links({
      identity: {
        ...{ clusterId, nodeName: config.name, directoryId: self, bootId, version: VERSION },
        protocol: { min: PROTOCOL_MIN, max: PROTOCOL_MAX },
      },
      ...{ security: options.security, network: options.network, clock, scheduler, random },
      randomBytes: options.randomBytes,
      onEvent: (event) => {
        logLinkEvent(log, event);
        if (event.type === 'up') this.#greet(event.peer);
      },
    });
    this.#rpc = new Rpc({
      ...{ links: this.#links, clock, scheduler },
      onFault: (error, peer) => log.error({ error: asError(error), peer }, 'a node-to-node request failed by a fault'),
    });
    this.#rpc.serve('cluster.plan', (call, bytes) => {
      this.#placement.hear(Buffer.from(bytes).toString('utf8'));
      call.answer(new Uint8Array(0));
    });
    this.#roster = new Roster({ self: config.name, links: this.#links, log, members: () => this.#gossip.members() });
    this.#view = new ShardView({
      ...{ shardCount, self },
      locate: (directoryId) => this.#roster.locate(directoryId),
      desiredLeader: (shard) => this.#placement.ring?.leaderOf(shard)?.directoryId,
    });
    this.#keeper = this.#makeKeeper();
    this.#placement = new Placement({
      ...{ self, shardCount, coordinator, clock, scheduler, log },
      replicas: config.replicas,
      settings: {
        ...DEFAULT_PLAN_SETTINGS,
        replicas: config.replicas,
        firstMembers: config.firstMembers,
        ...options.plans,
      },
      present: () => this.#roster.placeable(),
      isBorn: () => this.#state.born,
      heard: (plan) => this.#planHeard(plan),
      changed: () => this.#ringChanged(),
      forgotten: () => this.#watch.tell(),
    });
    this.#news = new LeaderNews({
      ...{ self, view: this.#view, rpc: this.#rpc, coordinator, scheduler },
      peers: () => this.#roster.connected(),
      directoryOf: (node) => this.#roster.directoryOf(node),
      led: () => this.#keeper.led(),
    });
    this.#session = new SessionGuard({
      ...{ clusterId: config.id, coordinator, clock, scheduler, log, onFatal: options.onFatal },
      session: { node: config.name, directoryId: self, sessionId: bootId },
      scope: options.durability.type === 'shared' ? 'shared database' : 'directory',
      lead: (what) => {
        if (this.#phase !== 'open' || this.#leaving !== undefined) return;
        this.#gossip.setMeta({ draining: what === 'nothing' ? 'leadership' : this.#state.draining });
      },
    });
    this.#watch = new CoordinatorWatch({
      ...{ coordinator, scheduler, log, news: this.#news },
      record: () => this.#state.record,
      plan: () => this.#placement.newest(),
      peer: () => {
        const { addresses } = this.#gossip.member(config.name) ?? {};
        return addresses && { name: config.name, directoryId: self, ...addresses };
      },
      led: () => this.#keeper.led(),
    });
    this.#contact = new Contact({
      ...{ clock, self },
      planned: () => this.#placement.plan.members.map(({ directoryId }) => directoryId),
      quietMs: (directoryId) => this.#roster.quietMs(directoryId),
    });
    const pause = new DeliveryPause(clock);
    this.#relay = new OutboxRelay({
      ...{ view: this.#view, rpc: this.#rpc, scheduler, shardOf: options.shardOf, pause },
      engine: () => this.#engine(),
      connect: ({ node, address }) => void this.#connect(node, address),
    });
    const { durability } = options;
    this.#backup =
      durability.type === 'shared'
        ? undefined
        : new ClusterBackup({
            ...{ self: config.name, rpc: this.#rpc, store: durability.store, layout: durability.layout },
            ...{ pause, clock, scheduler, random, log },
            peers: () => this.#roster.connected(),
            head: () => ({ clusterId: config.id, incarnation: this.#state.record.incarnation, shardCount }),
            led: () => this.#keeper.led(),
            confirm: (shard) => this.#keeper.confirm(shard),
            flush: () => this.#engine().flush(),
          });
    this.#control = new Control({
      ...{ clusterId: config.id, self: config.name, shardCount, replicas: this.#copies(), coordinator, scheduler },
      ...{ roster: this.#roster, placement: this.#placement, view: this.#view, mover: this.#keeper, rpc: this.#rpc },
      incarnation: () => this.#state.record.incarnation,
      members: () => this.#gossip.members(),
      session: () => this.#session.state.type,
      led: () =>
        this.#keeper.led().map(({ shard, term, commit, voters, learners }) => ({
          ...{ shard, term, committedLsn: commit, voters, learners },
        })),
      draining: () => this.#state.draining,
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
    this.#gossip.onChange((change) => this.#memberChanged(change));
    this.#gossip.onNotice((notice) => {
      if (notice.kind === 'refused' && notice.severity === 'stop') options.onFatal(new Error(notice.message));
    });
  }

  /** The engine that serves what this node leads, and who pairs its tasks. Once, before `open`. Returns the engine for doors: it reaches every shard. */
  attach(engine: ServedShards & BacklogSource, matcher: LocalMatcher): Engine {
    const { shardOf, pageTokenOf, clock, scheduler, config, routing } = this.#options;
    this.#local = engine;
    this.#view.subscribe(() => this.#matching?.homesMoved());
    this.#matching = new ClusterMatching({
      ...{ self: config.name, boot: this.#links.identity.bootId, rpc: this.#rpc, clock, scheduler, matcher, engine },
      homeOf: (queue, partition) => this.#homeOf(queue, partition),
      nodes: () => this.#roster.connected(),
      log: this.#options.log,
    });
    const local = freshEngine({
      ...{ engine, shardOf },
      confirm: (shard) => this.#keeper.confirm(shard),
      led: () => new Map(this.#keeper.led().map(({ shard, term }) => [shard as number, term])),
      onFault: (error) => this.#options.log.error({ error: asError(error) }, 'a read failed by a fault of the server'),
    });
    this.#router = new Router({
      ...{ self: config.name, local, view: this.#view, rpc: this.#rpc, clock, scheduler, shardOf, pageTokenOf },
      connect: (node, address) => void this.#links.connect(node, address),
      // A node of a shared database needs no other to lead.
      cutOff: () => (this.#options.durability.type === 'shared' ? undefined : this.#contact.cutOff()),
      ...(routing && { limits: routing }),
    });
    return this.#router;
  }

  get commitLog(): CommitLog {
    return this.#keeper.commitLog;
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
  async backup(target: BackupTarget): Promise<ClusterBackupReport> {
    if (this.#backup !== undefined) return this.#backup.run(target);
    throw new StoreError('misuse', 'the shards of this cluster are in a database, not in directories', {
      hint: 'Back up the database: tenuto data backup postgres://… TO',
    });
  }

  /** Shards led here. */
  get leads(): number {
    return this.#keeper.led().length;
  }

  /** For metrics. */
  stats(): ClusterStats {
    const { coordinator, self } = this.#options;
    return statsOf({
      ...{ self, copies: this.#copies(), keeper: this.#keeper, placement: this.#placement },
      members: this.#gossip.members(),
      connected: this.#roster.connected().length,
      coordinatorReady: coordinator.state === 'ready',
      draining: this.#state.draining !== 'no' || this.#leaving !== undefined,
      parked: this.#router?.waiting ?? 0,
    });
  }

  /** Why no shard can be served yet, or undefined. */
  notReady(): string | undefined {
    if (this.#failure !== undefined) return this.#failure;
    if (this.#leaving !== undefined) return 'the node is leaving the cluster';
    const namesake = this.#session.why();
    if (namesake !== undefined) return namesake;
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
    await this.#links.listen({ host: config.link.ip, port: config.link.port });
    await this.#keeper.open();
    await this.#gossip.start();
    if (this.#phase !== 'new') throw new Error('the cluster node was closed while it opened');
    this.#phase = 'open';
    this.#gossip.setMeta({ clientAddress, linkAddress: this.#linkAddress(), draining: this.#state.draining });
    this.#roster.refresh();
    this.#placement.start(this.#state.plan);
    this.#keeper.start();
    this.#matching?.start();
    void this.#news.learn();
    this.#watch.start();
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
    this.#phase = 'closed';
    this.#watch.stop();
    this.#keeper.stop();
    this.#placement.stop();
    this.#news.stop();
    this.#relay.stop();
    this.#router?.close();
    this.#matching?.close();
    await this.#backup?.close();
    await this.#keeper.close();
    await this.#gossip.leave();
    await this.#links.close();
    await this.#session.stop();
    await this.#options.coordinator.close();
  }

  // ---------------------------------------------------------------- inside

  /** Nothing can be written any more. The engine learns it from its own next write, which may be long in coming. */
  #failed(error: unknown): void {
    this.#failure = `the replicated log failed: ${asError(error).message}`;
    this.#options.onFatal(error);
  }

  /** Copies of a shard at nodes: one where they share a database, which keeps its own. */
  #copies(): number {
    const { durability, config } = this.#options;
    return durability.type === 'shared' ? 1 : config.replicas;
  }

  #engine(): ServedShards {
    if (this.#local === undefined) throw new Error('the cluster node is used before attach()');
    return this.#local;
  }

  #makeKeeper(): ShardKeeper {
    const { durability, self } = this.#options;
    const common = {
      ...{ node: this.#options, view: this.#view },
      engine: () => this.#engine(),
      ring: () => this.#placement.ring,
      changed: (shard: ShardId) => this.#shardChanged(shard),
      failed: (error: unknown) => this.#failed(error),
    };
    if (durability.type === 'shared') {
      return new SharedKeeper({
        ...{ ...common, self, store: durability.store },
        isUp: (directoryId) => this.#roster.isUp(directoryId),
        drains: (directoryId) => this.#roster.drains(directoryId),
      });
    }
    return new ReplicatedKeeper({
      ...{ ...common, store: durability.store, layout: durability.layout },
      ...{ links: this.#links, rpc: this.#rpc, roster: this.#roster },
      plan: () => this.#placement.plan,
      state: () => this.#state,
      save: (birth) => this.#save(birth),
    });
  }

  #linkAddress(): string {
    const { advertise } = this.#options.config.link;
    const at = this.#links.address;
    if (at === undefined) return '';
    return advertise === undefined ? hostPort(at) : hostPort({ host: advertise.host, port: advertise.port || at.port });
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

  async #setDraining(how: Draining): Promise<void> {
    if (how === this.#state.draining) return;
    this.#options.log.info({ draining: how }, how === 'no' ? 'this node serves again' : 'this node drains');
    this.#gossip.setMeta({ draining: how });
    this.#options.onDraining(how);
    this.#saveSoon({ draining: how });
  }

  async #evacuate(boundMs: number): Promise<void> {
    const { clock, scheduler } = this.#options;
    // Before it took part there is nothing to give, and nobody to tell.
    if (this.#phase !== 'open') return;
    const until = clock.monotonic() + boundMs;
    this.#gossip.setMeta({ draining: 'leadership' });
    // What nobody else can take stays until the end.
    while (this.#keeper.evacuate() > 0 && clock.monotonic() < until)
      await new Promise<void>((resolve) => void scheduler.after(LOOK_MS, resolve));
  }

  #homeOf({ namespace, name }: QueueKey, partition: number): string | undefined {
    const shard = homeShard(this.#options.durability.store.shardCount, { namespace, taskQueue: name, partition });
    const owner = this.#view.ownerOf(shard);
    if (owner === 'local') return this.#options.config.name;
    return isRemote(owner) ? owner.node : undefined;
  }

  #memberChanged({ type, member }: MemberChange): void {
    if (type === 'died' || type === 'left') this.#matching?.nodeGone(member.name);
    this.#membersChanged();
  }

  #membersChanged(): void {
    this.#roster.refresh();
    this.#placement.observe();
    this.#keeper.wake();
    this.#view.refresh();
    this.#control.changed();
  }

  #shardChanged(shard: ShardId): void {
    const led = this.#view.leaderOf(shard);
    if (led?.directoryId === this.#options.self) this.#news.leading(shard, led.term);
    this.#keeper.wake();
    this.#matching?.homesMoved();
    this.#control.changed();
  }

  #ringChanged(): void {
    this.#contact.look();
    this.#keeper.ringChanged();
    this.#matching?.homesMoved();
    this.#view.refresh();
    this.#control.changed();
  }

  /** A node has just been connected: it hears what this one knows, once the links have taken note of it themselves. */
  #greet(node: string): void {
    this.#options.scheduler.soon(() => {
      this.#contact.look();
      this.#sayPlan(node, this.#placement.newest());
      this.#news.greet(node);
      this.#keeper.wake();
      this.#view.refresh();
    });
  }

  #planHeard(plan: string): void {
    this.#saveSoon({ plan });
    for (const node of this.#roster.connected()) this.#sayPlan(node, plan);
  }

  #sayPlan(node: string, plan: string): void {
    if (plan !== '') this.#rpc.call(node, 'cluster.plan', Buffer.from(plan), 5_000, () => undefined);
  }
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));
