// A node of a cluster, put together: gossip says who is there, the ring what should be where, the replicated log who leads, the router where a
// request goes, and the engine serves what it is told to. Everything that touches the world comes in from outside, so the simulator runs the same
// composition on a virtual clock. Built by src/node.ts.

import type { ClusterControl, ClusterStats, Draining } from '../../src/ports/cluster.ts';
import type { BackupTarget, ClusterBackupReport } from '../../src/ports/cluster-backup.ts';
import type { CommitLog } from '../../src/ports/commit-log.ts';
import type { Engine } from '../../src/ports/engine.ts';
import type { ShardId } from '../../src/ports/ids.ts';
import type { BacklogSource, QueueKey } from '../../src/ports/matching.ts';
import { StoreError } from '../../src/ports/store.ts';
import type { Gossip, MemberChange } from '../gossip/index.ts';
import type { Links } from '../link/links.ts';
import { Rpc } from '../link/rpc.ts';
import { ClusterMatching, type LocalMatcher } from '../matching/cluster-matching.ts';
import { homeShard } from '../ring/home.ts';
import { DEFAULT_PLAN_SETTINGS } from '../ring/plan.ts';
import { isRemote } from '../routing/ownership.ts';
import { Router } from '../routing/router.ts';
import { announcedDrain } from './announced-drain.ts';
import { ClusterBackup } from './backup/cluster-backup.ts';
import { DeliveryPause } from './backup/delivery-pause.ts';
import { Contact } from './contact.ts';
import { Control } from './control.ts';
import { CoordinatorWatch } from './coordinator-watch.ts';
import { COUNT_MS, DirectoryAges } from './directory-ages.ts';
import { evacuate } from './evacuation.ts';
import { FirstLeaders } from './first-leaders.ts';
import { freshEngine } from './fresh-engine.ts';
import { Isolation } from './isolation.ts';
import { LeaderNews } from './leader-news.ts';
import { LoadNews } from './load-news.ts';
import { isFounded, makeKeeper, ringReplicas, type ServedShards } from './make-keeper.ts';
import { linkAddressOf, makeGossip, makeLinks } from './make-links.ts';
import type { ClusterNodeOptions } from './options.ts';
import { OutboxRelay } from './outbox-relay.ts';
import { Placement } from './placement.ts';
import { PlanNews } from './plan-news.ts';
import { Roster } from './roster.ts';
import { SessionGuard } from './session-guard.ts';
import type { ShardKeeper } from './shard-keeper.ts';
import { ShardView } from './shard-view.ts';
import { linkStartError } from './start-error.ts';
import type { NodeState } from './state.ts';
import { clusterStats } from './stats.ts';

/** How long a start waits until a run that was killed before it is found dead by the others, ms: the longest suspicion there is, and some. */
const GOSSIP_PATIENCE_MS = 15_000;

export class ClusterNode {
  readonly #options: ClusterNodeOptions;
  readonly #links: Links;
  readonly #gossip: Gossip;
  readonly #roster: Roster;
  readonly #view: ShardView;
  readonly #placement: Placement;
  readonly #keeper: ShardKeeper;
  readonly #firstLeaders: FirstLeaders;
  readonly #isolation: Isolation;
  readonly #news: LeaderNews;
  readonly #load: LoadNews;
  readonly #plans: PlanNews;
  /** Undefined: it keeps nothing in a directory. */
  readonly #ages: DirectoryAges | undefined;
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
    const { config, self, state, clock, scheduler, random, coordinator, log, countMs = COUNT_MS } = options;
    const { shardCount } = options.durability.store;
    const bootId = random.uuid();
    if (options.durability.type === 'replicated')
      this.#ages = new DirectoryAges({
        ...{ name: config.name, self, state, countMs, scheduler, rpc: () => this.#rpc },
        connected: () => this.#roster.connected(),
        remoteOf: (node) => this.#links.peer(node)?.remote,
        save: (change) => this.#save(change),
        failed: (error) => this.#failed(error, 'vanish'),
      });
    const { links, whyNot } = makeLinks(options, bootId, this.#ages, (peer) => this.#greet(peer));
    this.#links = links;
    this.#rpc = new Rpc({
      ...{ links: this.#links, clock, scheduler },
      onFault: (error, peer) => log.error({ error: asError(error), peer }, 'a node-to-node request failed by a fault'),
    });
    this.#plans = new PlanNews({
      ...{ rpc: this.#rpc, connected: () => this.#roster.connected() },
      newest: () => this.#placement.newest(),
      hear: (plan) => this.#placement.hear(plan),
    });
    this.#roster = new Roster({ self: config.name, links: this.#links, log, members: () => this.#gossip.members() });
    this.#view = new ShardView({
      ...{ shardCount, self },
      locate: (directoryId) => this.#roster.locate(directoryId),
      desiredLeader: (shard) => this.#placement.ring?.leaderOf(shard)?.directoryId,
    });
    this.#firstLeaders = new FirstLeaders(this.#view, clock);
    this.#isolation = new Isolation({
      ...{ clock, scheduler, others: () => this.#roster.othersUp(), connected: () => this.#roster.connected().length },
      ...{ log, changed: () => this.#sayDraining() },
    });
    this.#keeper = makeKeeper(options, {
      ...{ links: this.#links, rpc: this.#rpc, roster: this.#roster, view: this.#view },
      engine: () => this.#engine(),
      ring: () => this.#placement.ring,
      plan: () => this.#placement.plan,
      trusts: (remote) => this.#ages?.whyOutdated(remote) === undefined,
      state: () => this.#state,
      save: (birth) => this.#save(birth),
      changed: (shard) => this.#shardChanged(shard),
      failed: (error) => this.fail(error),
    });
    this.#placement = new Placement({
      ...{ self, shardCount, coordinator, clock, scheduler, log },
      replicas: ringReplicas(options),
      settings: {
        ...DEFAULT_PLAN_SETTINGS,
        replicas: this.#copies(),
        firstMembers: config.firstMembers,
        ...options.plans,
      },
      seen: () => this.#roster.seen(new Set(this.#placement.newestMembers())),
      reaches: (directoryId) => directoryId === self || this.#roster.isLinked(directoryId),
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
      ...{ clusterId: config.id, coordinator, clock, scheduler, log },
      session: { node: config.name, directoryId: self, sessionId: bootId },
      scope: options.durability.type === 'shared' ? 'shared database' : 'directory',
      changed: () => this.#sayDraining(),
      onTwin: (error) => this.#failed(error, 'vanish'),
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
      ...{ self: config.name, view: this.#view, rpc: this.#rpc, scheduler, shardOf: options.shardOf, pause },
      engine: () => this.#engine(),
      connect: ({ node, address }) => this.#roster.connect(node, address),
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
      store: durability.type === 'shared' ? 'database' : 'directories',
      outage: () => durability.store.outage,
      linkTrouble: whyNot,
      ...{ roster: this.#roster, placement: this.#placement, view: this.#view, keeper: this.#keeper, rpc: this.#rpc },
      incarnation: () => this.#state.record.incarnation,
      members: () => this.#gossip.members(),
      session: () => this.#session.state.type,
      draining: () => this.#state.draining,
      setDraining: (how) => void this.#setDraining(how),
    });
    this.#gossip = makeGossip(options, () => linkAddressOf(options, this.#links));
    this.#load = new LoadNews({ scheduler, busy: options.busy, tell: (load) => this.#gossip.setLoad(load) });
    this.#gossip.onChange((change) => this.#memberChanged(change));
    this.#gossip.onNotice((notice) => {
      // Before it takes part its start fails by itself.
      if (this.#phase !== 'open') return;
      if (notice.kind === 'refused' && notice.severity === 'stop') this.#failed(new Error(notice.message), 'vanish');
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
      connect: (node, address) => this.#roster.connect(node, address),
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
    const { coordinator, self, durability, config } = this.#options;
    const { plan, ring } = this.#placement;
    const copies = durability.type === 'shared' ? 0 : config.replicas;
    return clusterStats({
      ...{ self, copies, keeper: this.#keeper, members: this.#gossip.members(), plan, ring },
      connected: this.#roster.connected().length,
      coordinatorReady: coordinator.state === 'ready',
      draining: this.#state.draining !== 'no' || this.#leaving !== undefined,
      parked: this.#router?.waiting ?? 0,
    });
  }

  /** Why this node takes part no more; undefined while it does. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /**
   * Nothing can be written here any more: the node goes, as one that is stopped, so that nobody counts on it as a replica, learner or heir. The
   * process stays, for whoever looks why. Idempotent.
   */
  fail(error: unknown): void {
    this.#failed(error, 'leave');
  }

  /** Why no shard can be served yet, or undefined. */
  notReady(): string | undefined {
    if (this.#failure !== undefined) return this.#failure;
    if (this.#leaving !== undefined) return 'the node is leaving the cluster';
    const namesake = this.#session.why();
    if (namesake !== undefined) return namesake;
    if (this.#placement.ring === undefined) return `the cluster has no ring plan yet: ${this.#placement.why}`;
    // What it leads without the others it serves.
    if (this.#isolation.isIsolated && this.leads === 0) return 'no other node has a link to this one: see its log';
    return this.#firstLeaders.missing();
  }

  /**
   * Takes part from now on. The engine, and with it the store, is open.
   *
   * @param clientAddress where clients and workers reach this node; '' for nowhere
   * @throws errors for people when an address cannot be had, or the cluster does not take this node in.
   */
  async open(clientAddress: string): Promise<void> {
    const { ip: host, port } = this.#options.config.link;
    await this.#session.start();
    await this.#ages?.begin();
    await this.#links.listen({ host, port }).catch((error: unknown) => {
      throw linkStartError(error, { host, port });
    });
    await this.#keeper.open();
    // Who ended is found dead in a moment; the lease says that it ended.
    const patienceMs = this.#session.state.type === 'held' ? GOSSIP_PATIENCE_MS : 0;
    await this.#gossip.start({ patienceMs, draining: this.#state.draining });
    if (this.#phase !== 'new') throw new Error('the cluster node was closed while it opened');
    this.#phase = 'open';
    this.#gossip.setMeta({
      clientAddress,
      linkAddress: linkAddressOf(this.#options, this.#links),
      draining: this.#state.draining,
    });
    this.#roster.refresh();
    this.#placement.start(this.#state.plan, isFounded(this.#options.durability));
    this.#keeper.start();
    this.#matching?.start();
    void this.#news.learn();
    this.#watch.start();
    this.#isolation.start();
    this.#load.start();
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
    this.#stopActing();
    this.#router?.close();
    this.#matching?.close();
    await this.#backup?.close();
    await this.#keeper.close();
    // Links before gossip: who has said goodbye would be called back by links that were not told.
    await this.#links.close();
    await this.#gossip.leave();
    await this.#session.stop();
    await this.#options.coordinator.close();
  }

  // ---------------------------------------------------------------- inside

  /** `vanish`: it has the name or the directory of another, which is not to be said to have left. */
  #failed(error: unknown, how: 'leave' | 'vanish'): void {
    if (this.#failure !== undefined) return;
    this.#failure = asError(error).message;
    // The engine would learn it from its own next write, which may be long in coming.
    this.#options.onFatal(error);
    this.#retire(how).catch((fault: unknown) =>
      this.#options.log.warn({ error: asError(fault) }, 'a node that failed could not say goodbye'),
    );
  }

  async #retire(how: 'leave' | 'vanish'): Promise<void> {
    if (this.#phase !== 'open') return;
    this.#stopActing();
    await this.#links.close();
    await (how === 'leave' ? this.#gossip.leave() : this.#gossip.stop());
    await this.#session.stop();
  }

  /** Plans, moves and announces nothing more. */
  #stopActing(): void {
    this.#watch.stop();
    this.#isolation.stop();
    this.#load.stop();
    this.#ages?.stop();
    this.#keeper.stop();
    this.#placement.stop();
    this.#news.stop();
    this.#relay.stop();
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

  async #save(change: Partial<NodeState>): Promise<void> {
    this.#state = { ...this.#state, ...change };
    await this.#options.states.write(this.#state);
  }

  #saveSoon(change: Partial<NodeState>): void {
    this.#save(change).catch((error: unknown) => this.fail(error));
  }

  async #setDraining(how: Draining): Promise<void> {
    if (how === this.#state.draining) return;
    this.#options.log.info({ draining: how }, how === 'no' ? 'this node serves again' : 'this node drains');
    this.#options.onDraining(how);
    this.#saveSoon({ draining: how });
    this.#sayDraining();
  }

  /** Who has no link can be handed nothing, and whose name another one has must lead nothing: others are to lead, and clients to go elsewhere. */
  #sayDraining(): void {
    if (this.#phase !== 'open' || this.#leaving !== undefined) return;
    const mayLead = !this.#isolation.isIsolated && this.#session.why() === undefined;
    this.#gossip.setMeta({ draining: announcedDrain(this.#state.draining, mayLead) });
  }

  async #evacuate(boundMs: number): Promise<void> {
    const { clock, scheduler } = this.#options;
    // Before it took part there is nothing to give, and nobody to tell.
    if (this.#phase !== 'open') return;
    await evacuate({
      ...{ clock, scheduler, boundMs, draining: () => this.#state.draining },
      announce: (draining) => this.#gossip.setMeta({ draining }),
      giveAway: () => this.#keeper.evacuate(),
      depart: () => this.#placement.depart(),
    });
  }

  #homeOf({ namespace, name }: QueueKey, partition: number): string | undefined {
    const shard = homeShard(this.#options.durability.store.shardCount, { namespace, taskQueue: name, partition });
    const owner = this.#view.ownerOf(shard);
    if (owner === 'local') return this.#options.config.name;
    return isRemote(owner) ? owner.node : undefined;
  }

  #memberChanged({ type, member }: MemberChange): void {
    // Its links are closed.
    if (this.#phase === 'closed' || this.#failure !== undefined) return;
    if (type === 'died' || type === 'left') this.#matching?.nodeGone(member.name);
    this.#membersChanged();
  }

  #membersChanged(): void {
    this.#roster.refresh();
    this.#placement.observe();
    this.#keeper.wake();
    this.#view.refresh();
  }

  #shardChanged(shard: ShardId): void {
    const led = this.#view.leaderOf(shard);
    if (led?.directoryId === this.#options.self) this.#news.leading(shard, led.term);
    this.#keeper.wake();
    this.#matching?.homesMoved();
  }

  #ringChanged(): void {
    this.#firstLeaders.begin();
    this.#contact.look();
    this.#keeper.ringChanged();
    this.#matching?.homesMoved();
    this.#view.refresh();
  }

  /** A node has just been connected: it hears what this one knows, once the links have taken note of it themselves. */
  #greet(node: string): void {
    this.#options.scheduler.soon(() => {
      this.#contact.look();
      this.#ages?.greet(node);
      this.#plans.greet(node);
      this.#news.greet(node);
      this.#keeper.wake();
      this.#view.refresh();
    });
  }

  #planHeard(plan: string): void {
    this.#saveSoon({ plan });
    this.#plans.tell(plan);
  }
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));
